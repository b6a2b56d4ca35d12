//! The token endpoint's answer (RFC 6749 §5.1).

use std::fmt;

use serde::Serialize;

/// Tokens, handed out once.
#[derive(Clone, Serialize)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// How it is used, in the spelling the dialect expects.
    pub token_type: &'static str,
    /// Its lifetime, in seconds.
    pub expires_in: i64,
    /// The line's current refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What it allows, whenever there is something to name: it may be less than was asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TokenAnswer").field("scope", &self.scope).finish_non_exhaustive()
    }
}
