//! How other programs spell their hashes: bcrypt's own, PHC strings, and those of passlib, Django and Werkzeug.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512};

use super::stored::{NotAHash, Stored, decode};

/// Reads a hash that is not Argon2's.
pub(super) fn read(text: &str) -> Result<Stored, NotAHash> {
    let parts: Vec<&str> = text.split('$').collect();
    match parts.as_slice() {
        // `$2x$` marks hashes of a faulty program, which no sound one can check.
        ["", "2a" | "2b" | "2y", cost, rest] => bcrypt(text, cost, rest),
        // Django.
        ["bcrypt", "", "2a" | "2b" | "2y", cost, rest] => bcrypt(&text["bcrypt$".len()..], cost, rest),
        ["scrypt", n, salt, r, p, output] => {
            let cost = Cost { log_n: log_n(n)?, r: number(r)?, p: number(p)? };
            scrypt(cost, salt.as_bytes().to_vec(), decode(output)?)
        }
        [name, iterations, salt, output] if name.starts_with("pbkdf2_") => {
            pbkdf2(&name["pbkdf2_".len()..], iterations, salt.as_bytes().to_vec(), decode(output)?)
        }
        // PHC.
        ["", "scrypt", cost, salt, output] => {
            let [ln, r, p] = named(cost, ["ln=", "r=", "p="])?;
            let log_n = ln.parse().map_err(|_| NotAHash::Damaged)?;
            scrypt(Cost { log_n, r: number(r)?, p: number(p)? }, decode(salt)?, decode(output)?)
        }
        // PHC, where the count has its name, and passlib, where it stands alone.
        [
            "",
            name @ ("pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha384" | "pbkdf2-sha512"),
            cost,
            salt,
            output,
        ] => {
            let count = cost.split(',').next().unwrap_or_default();
            let iterations = count.strip_prefix("i=").unwrap_or(count);
            pbkdf2(name.strip_prefix("pbkdf2-").unwrap_or("sha1"), iterations, decode(salt)?, decode(output)?)
        }
        // Werkzeug: the method with its costs, the salt as it is, the output in hexadecimal digits.
        [method, salt, output] => werkzeug(method, salt.as_bytes().to_vec(), output),
        _ => Err(NotAHash::Unknown),
    }
}

#[derive(Clone, Copy)]
struct Cost {
    log_n: u8,
    r: u32,
    p: u32,
}

fn bcrypt(text: &str, cost: &str, rest: &str) -> Result<Stored, NotAHash> {
    let is_whole = cost.len() == 2 && rest.len() == 53 && text.parse::<bcrypt::HashParts>().is_ok();
    let cost: u32 = number(cost)?;
    if is_whole && (4..=31).contains(&cost) {
        Ok(Stored::Bcrypt { text: text.to_owned(), cost })
    } else {
        Err(NotAHash::Damaged)
    }
}

fn scrypt(cost: Cost, salt: Vec<u8>, output: Vec<u8>) -> Result<Stored, NotAHash> {
    let Cost { log_n, r, p } = cost;
    scrypt::Params::new(log_n, r, p).map_err(|_| NotAHash::Damaged)?;
    Ok(Stored::Scrypt { log_n, r, p, salt, output })
}

fn pbkdf2(digest: &str, iterations: &str, salt: Vec<u8>, output: Vec<u8>) -> Result<Stored, NotAHash> {
    let algorithm: pbkdf2::Algorithm = match digest {
        "sha1" => PBKDF2_HMAC_SHA1,
        "sha256" => PBKDF2_HMAC_SHA256,
        "sha384" => PBKDF2_HMAC_SHA384,
        "sha512" => PBKDF2_HMAC_SHA512,
        _ => return Err(NotAHash::Unknown),
    };
    let iterations = NonZeroU32::new(number(iterations)?).ok_or(NotAHash::Damaged)?;
    Ok(Stored::Pbkdf2 { algorithm, iterations, salt, output })
}

fn werkzeug(method: &str, salt: Vec<u8>, output: &str) -> Result<Stored, NotAHash> {
    match method.split(':').collect::<Vec<_>>().as_slice() {
        ["scrypt", n, r, p] => {
            scrypt(Cost { log_n: log_n(n)?, r: number(r)?, p: number(p)? }, salt, hexadecimal(output)?)
        }
        ["pbkdf2", digest, iterations] => pbkdf2(digest, iterations, salt, hexadecimal(output)?),
        _ => Err(NotAHash::Unknown),
    }
}

fn number(text: &str) -> Result<u32, NotAHash> {
    text.parse().map_err(|_| NotAHash::Damaged)
}

/// N, which is a power of two, as its exponent.
fn log_n(text: &str) -> Result<u8, NotAHash> {
    let n = number(text)?;
    if n.is_power_of_two() { u8::try_from(n.ilog2()).map_err(|_| NotAHash::Damaged) } else { Err(NotAHash::Damaged) }
}

/// The values of the parameters of a PHC string, each with its name, in their order.
fn named<'a>(text: &'a str, names: [&str; 3]) -> Result<[&'a str; 3], NotAHash> {
    let mut given = text.split(',');
    let mut values = [""; 3];
    for (value, name) in values.iter_mut().zip(names) {
        *value = given.next().and_then(|part| part.strip_prefix(name)).ok_or(NotAHash::Damaged)?;
    }
    if given.next().is_none() { Ok(values) } else { Err(NotAHash::Damaged) }
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, NotAHash> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => {
            Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        _ => Err(NotAHash::Damaged),
    }
}

#[cfg(test)]
mod tests;
