//! Outgoing HTTP of the demo's little servers: one client with deadlines, and bodies read only up to a bound.
//! Used by the API's verifier and by the stand-in for ChatGPT.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

/// Everything here is on one machine or in one room; whoever is slower than this is not coming.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A client that follows no redirect and uses no proxy: every hop of a flow has to be seen, and loopback is reached directly.
pub(super) fn client() -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(ANSWER_MAX)
        .redirect(Policy::none())
        .no_proxy()
        .build()
}

/// Why a body could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the answer broke off")]
    Broken(#[from] reqwest::Error),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// Reads a body of at most `limit` bytes; what is longer is refused while it arrives, not after.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
