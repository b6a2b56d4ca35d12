//! Providers: the client side of signing in through others. It sends a person to a provider and learns from what they
//! come back with who they are there; what that means here is decided above.
//!
//! `openid` speaks OpenID Connect, `oauth` OAuth 2 with an address that says whose a token is. Everything is fetched
//! through `outbound`, so that a provider named by mistake or by malice reaches no more than any other host.

mod oauth;
mod openid;

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use oauth2::{HttpRequest, HttpResponse};
use reqwest::Request;
use tokio::sync::Mutex;
use url::Url;

use crate::{
    model::{
        Timestamp, legible,
        provider::{Provider, Shown, Speaks},
    },
    outbound::{FetchError, Limits, Outbound},
};

/// What one answer of a provider may cost. The largest are key sets and lists of addresses.
const LIMITS: Limits = Limits { bytes_max: 256 * 1024, patience: Duration::from_secs(8) };

/// How long a provider's metadata and keys are gone by.
const KEPT: Duration = Duration::from_hours(1);

/// The most that are kept; nobody configures as many.
const KEPT_MAX: u64 = 1000;

/// How soon they are read again for a key that is not among them.
const AGAIN: Duration = Duration::from_mins(1);

/// Why a provider has not said who somebody is. The sentences are for the operator's log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    /// It may go by itself.
    #[error("the provider could not be asked: {0}")]
    Fetch(FetchError),
    /// It has refused the code, or this server: a code is good once, and for who asked for it.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// What it said is not to be believed.
    #[error("what the provider said is not good: {0}")]
    Untrusted(String),
}

/// What a person is sent to a provider with.
#[derive(Clone, Debug)]
pub struct Departure<'a> {
    /// Where they come back to: an address for this provider alone.
    pub redirect_uri: String,
    /// Comes back with them.
    pub state: String,
    /// Comes back in the ID token (OpenID Connect Core §3.1.2.1).
    pub nonce: &'a str,
    /// Redeems the code (RFC 7636); only its digest goes along.
    pub verifier: &'a str,
}

/// What a person has come back with, and what they left with.
#[derive(Clone, Copy, Debug)]
pub struct Return<'a> {
    /// Where they came back to.
    pub redirect_uri: &'a str,
    /// The code.
    pub code: &'a str,
    /// What the answer says of who gave it (RFC 9207).
    pub iss: Option<&'a str>,
    /// What they left with.
    pub nonce: &'a str,
    /// What they left with.
    pub verifier: &'a str,
    /// When.
    pub now: Timestamp,
}

/// The providers, shared by all workers.
pub struct Providers {
    all: Vec<Provider>,
    outbound: Outbound,
    /// By the issuer. Those who miss at once wait for one look.
    found: Cache<String, Arc<openid::Metadata>>,
    /// When a look was last brought forward, for each issuer.
    looked_again: Mutex<Vec<(String, Timestamp)>>,
}

impl Providers {
    /// With whom the operator has configured.
    pub fn new(all: Vec<Provider>, outbound: Outbound) -> Self {
        let found = Cache::builder().max_capacity(KEPT_MAX).time_to_live(KEPT).build();
        Self { all, outbound, found, looked_again: Mutex::default() }
    }

    /// All of them, as they are to be offered.
    pub fn all(&self) -> &[Provider] {
        &self.all
    }

    /// The one of that name.
    pub fn find(&self, name: &str) -> Option<&Provider> {
        self.all.iter().find(|provider| provider.name == name)
    }

    /// Where a person goes to sign in at a provider.
    pub async fn send(&self, provider: &Provider, departure: Departure<'_>) -> Result<Url, ProviderError> {
        match &provider.speaks {
            Speaks::OpenId { issuer } => self.send_by_openid(provider, issuer, departure).await,
            Speaks::OAuth(endpoints) => oauth::send(provider, endpoints, departure),
        }
    }

    /// Who somebody is who has come back from it. A code is good once at the provider, so what came back is too.
    pub async fn receive(&self, provider: &Provider, back: Return<'_>) -> Result<Shown, ProviderError> {
        match &provider.speaks {
            Speaks::OpenId { issuer } => self.receive_by_openid(provider, issuer, back).await,
            Speaks::OAuth(endpoints) => self.receive_by_oauth(provider, endpoints, back).await,
        }
    }

    /// Carries what the libraries have to say.
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let request = Request::try_from(request).map_err(|_| FetchError::NotHttps)?;
        let answered = self.outbound.exchange(request, LIMITS).await?;
        let mut response = HttpResponse::new(answered.body);
        *response.status_mut() = answered.status;
        *response.headers_mut() = answered.headers;
        Ok(response)
    }

    /// Whether the metadata of an issuer may be read before its time: once a minute, so that whoever makes up keys costs
    /// little.
    async fn may_look_again(&self, issuer: &str, now: Timestamp) -> bool {
        let mut looked = self.looked_again.lock().await;
        let since = looked.iter().position(|(known, _)| known == issuer);
        if since.is_some_and(|at| (now - looked[at].1).to_std().is_ok_and(|gone| gone < AGAIN)) {
            return false;
        }
        looked.retain(|(known, _)| known != issuer);
        looked.push((issuer.to_owned(), now));
        true
    }
}

type TokenRequestError<E> = oauth2::RequestTokenError<FetchError, E>;

/// What became of redeeming a code. What the provider says about it is quoted, and bounded.
fn of_redeeming<E: oauth2::ErrorResponse + std::fmt::Display + 'static>(error: TokenRequestError<E>) -> ProviderError {
    match error {
        oauth2::RequestTokenError::ServerResponse(said) => {
            ProviderError::Refused(legible::in_a_description(&said.to_string()))
        }
        oauth2::RequestTokenError::Request(error) => ProviderError::Fetch(error),
        oauth2::RequestTokenError::Parse(error, _) => {
            ProviderError::Untrusted(legible::in_a_description(&error.to_string()))
        }
        oauth2::RequestTokenError::Other(what) => ProviderError::Untrusted(legible::in_a_description(&what)),
    }
}

/// An address that can be an account's.
fn email(text: Option<&str>) -> Option<crate::model::account::Email> {
    text?.parse().ok()
}

/// A name, cut down to what can be shown.
fn name(text: Option<&str>) -> Option<String> {
    legible::name(text?)
}
