//! Identity assertions: what the gate tells an API of who calls, signed, so that the API need not believe headers. An API
//! checks one with the keys at `/.well-known/jwks.json`, as it would an access token.
//!
//! It is no access token: its type says so (RFC 8725 §3.11), and nothing in this server takes it for one.

use serde::Serialize;

use super::access;
use crate::{
    keys::{KeyError, ring::Ring},
    model::public_key::SigningAlgorithm,
};

/// The media type in the header.
const TYPE: &str = "consentry-identity+jwt";

/// How long one is good for, in seconds: as long as what it is made of may be remembered (60), and as much again for clocks.
const LIFETIME: i64 = 120;

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The issuer identifier of this server.
    pub issuer: &'a str,
    /// The resource that is called.
    pub resource: &'a str,
    /// Whom the API knows: a pairwise subject, or the client itself.
    pub subject: &'a str,
    /// The client that calls.
    pub client_id: &'a str,
    /// What it may do, separated by spaces.
    pub scope: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a str,
    scope: &'a str,
    iat: i64,
    exp: i64,
}

/// Signs one as of `now`, in seconds since 1970.
///
/// # Errors
///
/// Where there is no key for the algorithm, or it does not sign.
pub fn write(ring: &Ring, algorithm: SigningAlgorithm, caller: Caller<'_>, now: i64) -> Result<String, KeyError> {
    let Caller { issuer, resource, subject, client_id, scope } = caller;
    let claims = Claims { iss: issuer, aud: resource, sub: subject, client_id, scope, iat: now, exp: now + LIFETIME };
    access::signed(ring, algorithm, TYPE, &claims)
}
