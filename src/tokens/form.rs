//! Form tokens: a form is answered only by the browser it was shown to (OWASP: signed double submit).
//!
//! HMAC over the browser's own cookie, so nothing is stored. One serves all forms of a browser: which form is answered
//! is said by the sealed request in it.

use aws_lc_rs::hmac;

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring},
    model::key::Kid,
};

const BODY_LENGTH: usize = 4;

/// Writes the hidden field of a browser's forms.
pub fn write(ring: &Ring, browser: &str) -> Result<String, KeyError> {
    let key = ring.mac()?;
    let tag = hmac::sign(&key.key, &labelled(browser));
    Ok(encode(&[key.kid.0.to_be_bytes().as_slice(), tag.as_ref()].concat()))
}

/// Which key a field claims to be authenticated with.
pub fn kid(field: &str) -> Option<Kid> {
    Some(Kid(u32::from_be_bytes(*decode(field)?.first_chunk()?)))
}

/// Whether the field was written for this browser.
pub fn is_genuine(ring: &Ring, browser: &str, field: &str) -> bool {
    let verify = || {
        let bytes = decode(field)?;
        let (kid, tag) = bytes.split_at_checked(BODY_LENGTH)?;
        let key = ring.mac_of(Kid(u32::from_be_bytes(kid.try_into().ok()?)))?;
        hmac::verify(&key.key, &labelled(browser), tag).ok()
    };
    verify().is_some()
}

fn labelled(browser: &str) -> Vec<u8> {
    [b"consentry form token v1".as_slice(), browser.as_bytes()].concat()
}
