//! Form tokens: a form is answered only by the browser it was shown to (OWASP: signed double submit).
//!
//! HMAC over the browser's own cookie and the form's name, so nothing is stored.

use aws_lc_rs::hmac;

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring},
    model::key::Kid,
};

const BODY_LENGTH: usize = 4;

/// Writes the hidden field of a form.
pub fn write(ring: &Ring, form: &str, browser: &str) -> Result<String, KeyError> {
    let key = ring.mac()?;
    let tag = hmac::sign(&key.key, &labelled(form, browser));
    Ok(encode(&[key.kid.0.to_be_bytes().as_slice(), tag.as_ref()].concat()))
}

/// Whether the field was written for this form and this browser.
pub fn is_genuine(ring: &Ring, form: &str, browser: &str, field: &str) -> bool {
    let verify = || {
        let bytes = decode(field)?;
        let (kid, tag) = bytes.split_at_checked(BODY_LENGTH)?;
        let key = ring.mac_of(Kid(u32::from_be_bytes(kid.try_into().ok()?)))?;
        hmac::verify(&key.key, &labelled(form, browser), tag).ok()
    };
    verify().is_some()
}

fn labelled(form: &str, browser: &str) -> Vec<u8> {
    // The length keeps "form a, browser bc" and "form ab, browser c" apart.
    let length = [u8::try_from(form.len()).unwrap_or(u8::MAX)];
    [b"consentry form token v1".as_slice(), &length, form.as_bytes(), browser.as_bytes()].concat()
}
