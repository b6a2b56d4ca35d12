//! Device marks: a browser that somebody has signed in with shows later that it has, for that account alone. What it
//! gains by one is tries of its own (`server::sign_ins`), never a sign-in.
//!
//! HMAC over the account, its generations and a number of the browser's, so nothing is stored, and whatever signs an
//! account out everywhere or changes its password ends its marks. A cookie holds a few: one for each account that was signed in to last.

use aws_lc_rs::hmac;

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring},
    model::{account::Account, key::Kid},
};

/// The most marks in a cookie; the oldest leaves.
const MARKS_MAX: usize = 4;

/// The longest cookie that is read.
pub const LENGTH_MAX: usize = MARKS_MAX * 72;

/// Writes the cookie with a mark for an account in front of those it holds.
pub fn write(ring: &Ring, cookie: &str, account: &Account, number: [u8; 16]) -> Result<String, KeyError> {
    let key = ring.mac()?;
    let tag = hmac::sign(&key.key, &labelled(account, number));
    let mark = encode(&[key.kid.0.to_be_bytes().as_slice(), &number, tag.as_ref()].concat());
    let others = cookie.split('.').filter(|other| !other.is_empty()).take(MARKS_MAX - 1);
    Ok(std::iter::once(mark.as_str()).chain(others).collect::<Vec<_>>().join("."))
}

/// Which keys the marks of a cookie claim to be authenticated with.
pub fn kids(cookie: &str) -> impl Iterator<Item = Kid> + Clone {
    let kid = |mark: &str| Some(Kid(u32::from_be_bytes(*decode(mark)?.first_chunk()?)));
    cookie.split('.').take(MARKS_MAX).filter_map(kid)
}

/// The number of the browser's in its mark for an account, if it has one.
pub fn find(ring: &Ring, cookie: &str, account: &Account) -> Option<[u8; 16]> {
    let read = |mark: &str| {
        let bytes = decode(mark)?;
        let (kid, rest) = bytes.split_first_chunk::<4>()?;
        let (number, tag) = rest.split_first_chunk::<16>()?;
        let key = ring.mac_of(Kid(u32::from_be_bytes(*kid)))?;
        hmac::verify(&key.key, &labelled(account, *number), tag).ok()?;
        Some(*number)
    };
    cookie.split('.').take(MARKS_MAX).find_map(read)
}

fn labelled(account: &Account, number: [u8; 16]) -> Vec<u8> {
    let (all, sessions) = (account.generation.to_be_bytes(), account.session_generation.to_be_bytes());
    [b"consentry device mark v1".as_slice(), account.id.0.as_bytes(), &all, &sessions, &number].concat()
}
