//! No secret stands in a file of the tree: nothing that begins as known secrets do, no private key, no signed token,
//! and nothing with as much chance in it as 32 random bytes. What only looks like one stands in `samples.txt`, each with
//! its reason; `scripts/sweep` reads the same list, and looks at the history and at what goes into the image.

use std::collections::BTreeSet;

use crate::tree::{File, Tree};

const SAMPLES: &str = "tests/tidy/samples.txt";

/// What a reason begins with when the sample has left the tree, and only the history still has it.
const FORMERLY: &str = "formerly: ";

/// How secrets begin that others can recognise, and with how many more characters at least: our own first.
const BEGINNINGS: &[(&str, usize)] = &[
    ("cst_", 40),
    ("whsec_", 24),
    ("sk-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("ya29.", 20),
    ("hvs.", 20),
    ("hvb.", 20),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("npm_", 36),
    ("pypi-", 40),
    ("dckr_pat_", 20),
    ("AGE-SECRET-KEY-1", 40),
];

/// The line before a private key in PEM: how it begins and ends, with the kind of key between.
const PEM_BEGINS: &str = "-----BEGIN ";
const PEM_ENDS: &str = "PRIVATE KEY-----";

/// How JSON begins in base64, a token's head above all.
const JSON: &str = "eyJ";

/// The shortest signature of a token that somebody may have signed: an HMAC of 160 bits.
const SIGNATURE_LENGTH_MIN: usize = 27;

/// 32 bytes in base64, without padding, and in hexadecimal.
const BASE64_LENGTH_MIN: usize = 43;
const HEX_LENGTH_MIN: usize = 64;

/// Bits of chance in a character. Of a million keys drawn at random one or two have less; paths and names have less too.
const BASE64_CHANCE_MIN: f64 = 4.3;
const HEX_CHANCE_MIN: f64 = 3.2;

/// Full of digests of what anybody may download, and written by the package managers.
const LOCK_FILES: &[&str] = &["Cargo.lock", "tests/foreign/node/package-lock.json"];

/// What stands before the digest of a package that somebody wrote down.
const DIGEST_OF_A_PACKAGE: &str = "sha256:";

/// What a word that holds a sample may have besides.
const REST_LENGTH_MAX: usize = 12;

pub fn no_secret_stands_in_text(tree: &Tree) -> Vec<String> {
    let Some(list) = tree.file(SAMPLES) else { return vec![format!("{SAMPLES}: is missing")] };
    let mut complaints = Vec::new();
    let mut samples = Vec::new();
    for (index, line) in list.text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("# ")) {
        match line.split_once(' ') {
            Some((sample, reason)) if reason.len() > 10 => samples.push((sample, reason)),
            _ => complaints.push(format!("{SAMPLES}:{}: says no reason", index + 1)),
        }
    }
    let judged = || tree.files.iter().filter(|file| file.path != SAMPLES && !LOCK_FILES.contains(&file.path.as_str()));
    let known: Vec<&str> = samples.iter().map(|(sample, _)| *sample).collect();
    complaints.extend(judged().flat_map(|file| secrets_in(file, &known)));
    for (sample, reason) in samples {
        if reason.starts_with(FORMERLY) == judged().any(|file| file.text.contains(sample)) {
            complaints.push(format!("{SAMPLES}: {sample} has left the tree, or has come back: is it `{FORMERLY}`?"));
        }
    }
    complaints
}

fn secrets_in(file: &File, samples: &[&str]) -> Vec<String> {
    let mut complaints = BTreeSet::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut tell = |what: &str| complaints.insert((index + 1, what.to_owned()));
        if line.split_once(PEM_BEGINS).is_some_and(|(_, rest)| rest.contains(PEM_ENDS))
            && !is_known(line.trim(), samples)
        {
            tell("a private key");
        }
        for (beginning, _) in recognisable(line).filter(|(_, word)| !is_known(word, samples)) {
            tell(&format!("what begins with {beginning} is a secret"));
        }
        let mut words = line.split(|c: char| !(is_base64(c) || c == '.'));
        if words.any(|word| is_signed_token(word) && !is_known(word, samples)) {
            tell("a signed token");
        }
        let mut words = line.split(|c: char| !is_base64(c));
        if words.any(|word| is_random_base64(word) && !is_known(word, samples)) {
            tell("as random as a key of 32 bytes");
        }
        let mut words = hexadecimal_words(line).filter(|(_, word)| word.len() >= HEX_LENGTH_MIN);
        let is_digest = |start: usize| line[..start].ends_with(DIGEST_OF_A_PACKAGE);
        if words.any(|(at, word)| chance(word) >= HEX_CHANCE_MIN && !is_digest(at) && !is_known(word, samples)) {
            tell("as random as a key of 32 bytes");
        }
    }
    complaints
        .into_iter()
        .map(|(line, what)| format!("{}:{line}: {what}, or belongs into {SAMPLES}", file.path))
        .collect()
}

/// Where a word begins as a secret does and goes on for long enough: how it begins, and the whole of it.
fn recognisable(line: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let places = BEGINNINGS.iter().flat_map(|it| line.match_indices(it.0).map(move |(start, _)| (it, start)));
    places.filter_map(|((beginning, more), start)| {
        let begins = !line[..start].ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c));
        let after = &line[start + beginning.len()..];
        let length = after.find(|c| !is_base64(c)).unwrap_or(after.len());
        (begins && length >= *more).then(|| (*beginning, &line[start..start + beginning.len() + length]))
    })
}

/// Whether it is a sample, or one in its clothes: a prefix before it, padding after it.
fn is_known(word: &str, samples: &[&str]) -> bool {
    samples.iter().any(|sample| word.contains(sample) && word.len() - sample.len() <= REST_LENGTH_MAX)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/-_".contains(c)
}

fn is_signed_token(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    matches!(parts[..], [header, _, signature] if header.starts_with(JSON) && signature.len() >= SIGNATURE_LENGTH_MIN)
}

/// Long, with capitals, small letters and digits in it, and with much chance. What is JSON has none to speak of.
fn is_random_base64(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    word.len() >= BASE64_LENGTH_MIN
        && !word.starts_with(JSON)
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
        && chance(word) >= BASE64_CHANCE_MIN
}

/// Each run of hexadecimal digits, and where it begins.
fn hexadecimal_words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = line.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| !word.is_empty());
    words.map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
}

/// Shannon's entropy, in bits for each byte.
fn chance(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in word.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(counts.iter().sum::<u32>());
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length);
    shares.map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# What only looks like a secret.\n";

    fn found(text: &str) -> Vec<String> {
        no_secret_stands_in_text(&Tree::of(&[(SAMPLES, LIST), ("docs/deploy.md", text)]))
    }

    /// As random as a key, and no key: 32 bytes of a simple generator.
    fn bytes() -> impl Iterator<Item = u32> {
        std::iter::successors(Some(20_260_101_u32), |last| {
            Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
        })
        .map(|number| number >> 16)
    }

    fn base64(length: usize) -> String {
        let alphabet: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
        bytes().take(length).map(|byte| alphabet[byte as usize % 64]).collect()
    }

    fn hexadecimal(length: usize) -> String {
        bytes().take(length).map(|byte| char::from_digit(byte % 16, 16).unwrap()).collect()
    }

    #[test]
    fn what_begins_as_secrets_do_is_found() {
        for (beginning, more) in BEGINNINGS {
            let body = "A1b2".repeat(12);
            assert_eq!(found(&format!("token = \"{beginning}{body}\"")).len(), 1, "{beginning}");
            assert_eq!(found(&format!("x{beginning}{body} {beginning}{}", &body[..more - 1])).len(), 0, "{beginning}");
        }
    }

    #[test]
    fn keys_and_tokens_are_found() {
        for kind in ["", "EC ", "RSA ", "ENCRYPTED ", "OPENSSH "] {
            assert_eq!(found(&format!("{PEM_BEGINS}{kind}{PEM_ENDS}\nMC4CAQ")).len(), 1, "{kind}");
        }
        assert_eq!(found(&format!("{PEM_BEGINS}PUBLIC KEY-----\nMC4CAQ\n{PEM_BEGINS}CERTIFICATE-----")).len(), 0);
        assert_eq!(found(&format!("Bearer eyJhbGciOiJub25lIn0.e30.{}", "Zm9v".repeat(7))).len(), 1);
        assert_eq!(found("eyJhbGciOiJub25lIn0.e30. and eyJhbGciOiJIUzI1NiJ9.e30.x").len(), 0);
    }

    #[test]
    fn what_was_drawn_at_random_is_found() {
        for text in [base64(43), format!("{}=", base64(43)), base64(86), hexadecimal(64), hexadecimal(96)] {
            assert_eq!(found(&format!("key = '{text}'")).len(), 1, "{text}");
        }
        for text in [
            base64(42),
            hexadecimal(63),
            format!("detect-secrets==1.5.0 --hash={DIGEST_OF_A_PACKAGE}{}", hexadecimal(64)),
            "src/http/pages/console/Second2/a_folder_with_a_very_long_name_that_goes_on".to_owned(),
            "0".repeat(64),
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
        ] {
            assert_eq!(found(&text).len(), 0, "{text}");
        }
    }

    #[test]
    fn a_sample_has_a_reason_and_a_place() {
        let count = |list: &str, text: &str| {
            no_secret_stands_in_text(&Tree::of(&[(SAMPLES, list), ("src/tokens/code.rs", text)])).len()
        };
        let sample = base64(43);
        assert_eq!(count(&format!("{sample} of RFC 7636, appendix B"), &format!("\"cst_cs_{sample}=\"")), 0);
        assert_eq!(count(&format!("{sample} of RFC 7636, appendix B"), &format!("\"{sample}{}\"", base64(43))), 1);
        assert_eq!(count(&format!("{sample}\n"), ""), 1, "without a reason");
        assert_eq!(count(&format!("{sample} of RFC 7636, appendix B"), ""), 1, "it is nowhere");
        assert_eq!(count(&format!("{sample} {FORMERLY}of RFC 7636"), ""), 0);
        assert_eq!(count(&format!("{sample} {FORMERLY}of RFC 7636"), &sample), 1, "it has come back");
        assert_eq!(no_secret_stands_in_text(&Tree::of(&[])).len(), 1, "no list");
    }
}
