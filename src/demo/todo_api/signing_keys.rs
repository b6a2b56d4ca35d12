//! The issuer's public keys (RFC 7517), fetched when first needed and kept.
//! An unknown `kid` causes a new fetch, at most one a second: a flood of forged tokens must not become a flood of requests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Client;

use super::refusal::Refusal;
use crate::demo::bounded;

const FETCH_INTERVAL_MIN: TimeDelta = TimeDelta::seconds(1);
/// After this long the set is fetched anew even if every `kid` is known, so that withdrawn keys leave.
const AGE_MAX: TimeDelta = TimeDelta::minutes(10);
const SET_BYTES_MAX: usize = 64 * 1024;
const KEYS_MAX: usize = 32;

/// A public key with the one algorithm it may be used with; a token does not get to choose another.
pub(super) struct SigningKey {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<SigningKey>>,
    fetched_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy)]
struct Attempt {
    at: DateTime<Utc>,
    succeeded: bool,
}

/// The cache. Readers of a known key never wait for a fetch; those who need one wait for the same one.
pub(super) struct SigningKeys {
    url: String,
    http: Client,
    known: RwLock<Known>,
    last_attempt: tokio::sync::Mutex<Option<Attempt>>,
}

impl SigningKeys {
    pub(super) fn new(url: String, http: Client) -> Self {
        Self { url, http, known: RwLock::default(), last_attempt: tokio::sync::Mutex::default() }
    }

    /// The key called `kid`, or nothing if the issuer does not publish one.
    pub(super) async fn find(&self, kid: &str, now: DateTime<Utc>) -> Result<Option<Arc<SigningKey>>, Refusal> {
        if let Some(key) = self.fresh(kid, now) {
            return Ok(Some(key));
        }
        let mut last_attempt = self.last_attempt.lock().await;
        // Whoever held the lock before may have fetched what is missing here.
        if let Some(key) = self.fresh(kid, now) {
            return Ok(Some(key));
        }
        let recent = last_attempt.filter(|attempt| (now - attempt.at).abs() < FETCH_INTERVAL_MIN);
        match recent {
            Some(Attempt { succeeded, .. }) if succeeded => Ok(None),
            Some(_) => Err(Refusal::Unavailable),
            None => {
                let fetched = self.fetch().await;
                *last_attempt = Some(Attempt { at: now, succeeded: fetched.is_some() });
                let keys = fetched.ok_or(Refusal::Unavailable)?;
                let found = keys.get(kid).cloned();
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { keys, fetched_at: Some(now) };
                Ok(found)
            }
        }
    }

    fn fresh(&self, kid: &str, now: DateTime<Utc>) -> Option<Arc<SigningKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.fetched_at.filter(|fetched_at| now - *fetched_at < AGE_MAX).and_then(|_| known.keys.get(kid).cloned())
    }

    async fn fetch(&self) -> Option<HashMap<String, Arc<SigningKey>>> {
        match self.read_set().await {
            Ok(set) => Some(usable(&set)),
            Err(error) => {
                tracing::warn!(%error, jwks.url = self.url, "the issuer's keys could not be read");
                None
            }
        }
    }

    async fn read_set(&self) -> Result<JwkSet, Box<dyn std::error::Error + Send + Sync>> {
        let answer = self.http.get(&self.url).send().await?.error_for_status()?;
        let body = bounded::body(answer, SET_BYTES_MAX).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKeys").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The keys of a set that this API can verify with; what it does not understand it does not need.
fn usable(set: &JwkSet) -> HashMap<String, Arc<SigningKey>> {
    set.keys.iter().take(KEYS_MAX).filter_map(named).collect()
}

fn named(jwk: &Jwk) -> Option<(String, Arc<SigningKey>)> {
    let for_signing = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    if !for_signing {
        return None;
    }
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        _ => return None,
    };
    let decoding = DecodingKey::from_jwk(jwk).ok()?;
    let key = SigningKey { algorithm, decoding };
    Some((jwk.common.key_id.clone()?, Arc::new(key)))
}
