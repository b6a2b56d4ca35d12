//! What the server remembers, for as long as it runs.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::{model::Timestamp, random};
use tokio::sync::Notify;

use super::clients::Client;

/// All of it, each by the text that is presented for it.
#[derive(Default)]
pub struct Memory {
    pub clients: HashMap<String, Client>,
    pub requests: HashMap<String, Request>,
    /// Who is signed in, by cookie.
    pub sessions: HashMap<String, String>,
    pub codes: HashMap<String, Code>,
    pub families: HashMap<String, Family>,
    pub refresh_tokens: HashMap<String, RefreshToken>,
    pub access_tokens: HashMap<String, AccessToken>,
}

/// An authorization request that stands.
#[derive(Clone)]
pub struct Request {
    pub client: Client,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub challenge: Option<String>,
    pub scopes: Vec<String>,
    pub resource: String,
    /// Where the browser was sent after the person's decision: a second click is sent there again.
    pub answered: Option<String>,
}

/// A code, which is good once and for a minute.
pub struct Code {
    pub request: Request,
    pub grant: Grant,
    pub expires_at: Timestamp,
    /// What became of it: whoever presents it again ends that.
    pub family: Option<String>,
}

/// What a person has allowed.
#[derive(Clone)]
pub struct Grant {
    pub client_id: String,
    pub subject: String,
    pub scopes: Vec<String>,
    pub resource: String,
}

/// A connection: all refresh tokens that follow from one code.
pub struct Family {
    pub grant: Grant,
    pub is_alive: bool,
}

/// A refresh token, and its successor once it was used.
#[derive(Clone)]
pub struct RefreshToken {
    pub family: String,
    pub successor: Option<(String, Timestamp)>,
    /// Rung when it comes a second time while the first is being answered.
    pub in_hand: Option<Arc<Notify>>,
}

/// An access token as the API knows it.
pub struct AccessToken {
    pub scopes: Vec<String>,
    pub expires_at: Timestamp,
    pub family: String,
}

/// A text nobody can guess.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::bytes::<24>()))
}
