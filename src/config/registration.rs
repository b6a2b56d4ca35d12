//! Dynamic registration (RFC 7591): `registration`, `registration_token`, `registration_redirects`,
//! `registration_rate`, `registration_unused_age`.

use std::num::NonZeroU32;

use chrono::TimeDelta;

use super::reader::{NO_REFERENCE, Reader};
use crate::{
    model::{
        digest::Digest,
        live::Live,
        mechanisms::{RedirectKinds, Registrants, RegistrationPolicy},
        placeholder,
    },
    vault::{SecretRef, SecretValue, Unfit, reference::HOW_TO_WRITE},
};

const REGISTRANTS: &str = "registration";
const TOKEN: &str = "registration_token";
const REDIRECTS: &str = "registration_redirects";

/// The shortest token taken: what 128 random bits look like in base64.
const TOKEN_LENGTH_MIN: usize = 22;

/// Checks everything, and reads the token.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<RegistrationPolicy> {
    let registrants = read_registrants(reader, |reader, reference| reader.secret(TOKEN, reference, token));
    let redirects = read_redirects(reader);
    let per_minute = reader.number("registration_rate", 1..=1_000_000).and_then(NonZeroU32::new);
    let unused_age = reader.number("registration_unused_age", 3600..=10 * 365 * 24 * 3600);
    Some(RegistrationPolicy {
        registrants: registrants?,
        redirects: redirects?,
        per_minute: per_minute?,
        unused_age: TimeDelta::seconds(i64::from(unused_age?)),
    })
}

/// Checks everything but the token, which only the server needs.
pub(super) fn look_at(reader: &mut Reader<'_>) {
    read_registrants(reader, |_, _| None);
    read_redirects(reader);
    reader.number("registration_rate", 1..=1_000_000);
    reader.number("registration_unused_age", 3600..=10 * 365 * 24 * 3600);
}

fn read_registrants(
    reader: &mut Reader<'_>,
    read_token: impl FnOnce(&mut Reader<'_>, &str) -> Option<Live<Digest>>,
) -> Option<Registrants> {
    let who = reader.text(REGISTRANTS)?;
    let reference = reader.text(TOKEN);
    if reference.as_ref().is_some_and(|text| text.parse::<SecretRef>().is_err()) {
        reader.mistake(TOKEN, NO_REFERENCE, HOW_TO_WRITE);
        return None;
    }
    match (who.trim(), reference) {
        ("open", None) => Some(Registrants::Anybody),
        ("off", None) => Some(Registrants::Nobody),
        ("token", Some(reference)) => read_token(reader, &reference).map(Registrants::Bearer),
        ("token", None) => {
            reader.mistake(TOKEN, "it is missing, and registration asks for it", HOW_TO_WRITE);
            None
        }
        // An operator who has made a token believes that it is asked for.
        ("open" | "off", Some(_)) => {
            reader.mistake(TOKEN, "nobody is asked for it", "write registration = \"token\", or leave it out");
            None
        }
        _ => {
            reader.mistake(REGISTRANTS, "it is none of the three there are", "write open, token or off");
            None
        }
    }
}

/// Judges a token, of which only the digest is needed.
fn token(value: &SecretValue) -> Result<Digest, Unfit> {
    let how = "make one with: (umask 077; head -c 32 /dev/urandom | base64 > registration.token)";
    let token = value.reveal();
    if placeholder::looks_like_one(token) {
        return Err(Unfit::new("holds a placeholder", how));
    }
    if token.len() < TOKEN_LENGTH_MIN {
        return Err(Unfit::new("holds a token that could be guessed", how));
    }
    // It is sent as a bearer token (RFC 6750 §2.1), which has no place for anything else.
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Unfit::new("holds more than one line of plain characters", how));
    }
    Ok(Digest::of(token))
}

fn read_redirects(reader: &mut Reader<'_>) -> Option<RedirectKinds> {
    let text = reader.text(REDIRECTS)?;
    let mut kinds = RedirectKinds { loopback: false, private_use: false };
    for word in text.split(',').map(str::trim) {
        match word {
            "https" => {}
            "loopback" => kinds.loopback = true,
            "private" => kinds.private_use = true,
            _ => {
                reader.mistake(REDIRECTS, "it names a kind there is not", "write https, loopback, private, or fewer");
                return None;
            }
        }
    }
    Some(kinds)
}
