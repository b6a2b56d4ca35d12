//! Whether a token still stands, asked of the server itself (RFC 7662).
//! The answer is not cached: a person who disconnects expects the very next call to be refused.

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::demo::{Secret, bounded};

const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What introspection said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// `scope` is what the person allows today, which may be less than what the token was made with.
    Active {
        scope: Option<String>,
    },
    Ended,
}

/// The introspection endpoint and the credentials of the service client that may ask it.
#[derive(Debug)]
pub(super) struct Introspection {
    endpoint: String,
    client_id: String,
    client_secret: Secret,
    http: Client,
}

#[derive(Deserialize)]
struct Answer {
    active: bool,
    scope: Option<String>,
}

impl Introspection {
    pub(super) fn new(endpoint: String, client_id: String, client_secret: Secret, http: Client) -> Self {
        Self { endpoint, client_id, client_secret, http }
    }

    /// Asks. When there is no answer the call is refused for now: an API that lets callers in while it cannot ask has no revocation.
    pub(super) async fn ask(&self, token: &str) -> Result<Standing, Refusal> {
        match self.answer(token).await {
            Ok(Answer { active: true, scope }) => Ok(Standing::Active { scope }),
            Ok(_) => Ok(Standing::Ended),
            Err(error) => {
                tracing::warn!(%error, introspection.endpoint = self.endpoint, "introspection did not answer");
                Err(Refusal::Unavailable)
            }
        }
    }

    async fn answer(&self, token: &str) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let answer = self
            .http
            .post(&self.endpoint)
            // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
            .basic_auth(encoded(&self.client_id), Some(encoded(self.client_secret.expose())))
            .form(&[("token", token), ("token_type_hint", "access_token")])
            .send()
            .await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("status {}", answer.status()).into());
        }
        let body = bounded::body(answer, ANSWER_BYTES_MAX).await?;
        Ok(serde_json::from_slice(&body)?)
    }
}

fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
