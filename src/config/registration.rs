//! Dynamic registration (RFC 7591): `registration`, `registration_token`, `registration_redirects`,
//! `registration_rate`, `registration_unused_age`.

use std::num::NonZeroU32;

use chrono::TimeDelta;

use super::{
    master_keys::warn_of_environment,
    reader::Reader,
    secret::{SecretRef, SecretValue},
};
use crate::model::{
    digest::Digest,
    mechanisms::{RedirectKinds, Registrants, RegistrationPolicy},
    placeholder,
};

const REGISTRANTS: &str = "registration";
const TOKEN: &str = "registration_token";
const REDIRECTS: &str = "registration_redirects";

/// The shortest token taken: what 128 random bits look like in base64.
const TOKEN_LENGTH_MIN: usize = 22;

/// Checks everything, and reads the token.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<RegistrationPolicy> {
    let registrants = read_registrants(reader, read_token);
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
    read_token: impl FnOnce(&mut Reader<'_>, &SecretRef) -> Option<SecretValue>,
) -> Option<Registrants> {
    let who = reader.text(REGISTRANTS)?;
    let token = reader.text(TOKEN).map(|text| text.parse::<SecretRef>());
    if let Some(Err(_)) = token {
        reader.mistake(TOKEN, "it is no reference to a secret", "write file:PATH (or env:NAME)");
        return None;
    }
    match (who.trim(), token.and_then(Result::ok)) {
        ("open", None) => Some(Registrants::Anybody),
        ("off", None) => Some(Registrants::Nobody),
        ("token", Some(reference)) => {
            let token = read_token(reader, &reference)?;
            Some(Registrants::Bearer(Digest::of(token.reveal())))
        }
        ("token", None) => {
            reader.mistake(TOKEN, "it is missing, and registration asks for it", "write file:PATH (or env:NAME)");
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

fn read_token(reader: &mut Reader<'_>, reference: &SecretRef) -> Option<SecretValue> {
    warn_of_environment(reader, TOKEN, reference);
    let how = "make one with: (umask 077; head -c 32 /dev/urandom | base64 > registration.token)";
    match reference.read(reader.environment) {
        Ok(token) if placeholder::looks_like_one(token.reveal()) => {
            reader.mistake(TOKEN, format!("{reference} holds a placeholder"), how);
            None
        }
        Ok(token) if token.reveal().len() < TOKEN_LENGTH_MIN => {
            reader.mistake(TOKEN, format!("{reference} holds a token that could be guessed"), how);
            None
        }
        // It is sent as a bearer token (RFC 6750 §2.1), which has no place for anything else.
        Ok(token) if !token.reveal().bytes().all(|b| b.is_ascii_graphic()) => {
            reader.mistake(TOKEN, format!("{reference} holds more than one line of plain characters"), how);
            None
        }
        Ok(token) => Some(token),
        Err(error) => {
            reader.mistake(TOKEN, error.to_string(), error.cure());
            None
        }
    }
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
