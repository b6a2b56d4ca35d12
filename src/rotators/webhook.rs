//! A service of the operator's that makes keys: it is asked by POST, signed as Standard Webhooks are.

use std::time::Duration;

use reqwest::{
    Method, Request,
    header::{CONTENT_TYPE, HeaderValue},
};
use url::Url;
use zeroize::Zeroizing;

use super::{ANSWER_BYTES_MAX, RotateError};
use crate::{
    model::Timestamp,
    outbound::{Limits, Outbound},
    random,
    tokens::webhook::{self, WebhookSecret},
};

/// What one answer may cost: issuers of their own may be slow.
const LIMITS: Limits = Limits { bytes_max: ANSWER_BYTES_MAX, patience: Duration::from_secs(30) };

/// Gives it an order, and hands on what it answers.
pub(super) async fn ask(
    outbound: &Outbound,
    (url, key): (&Url, &[u8]),
    order: String,
    at: Timestamp,
) -> Result<Zeroizing<Vec<u8>>, RotateError> {
    let secret = WebhookSecret::from_bytes(key).ok_or(RotateError::Unknown)?;
    let (id, timestamp) = (format!("ord_{}", random::id(at).simple()), at.timestamp());
    let mut request = Request::new(Method::POST, url.clone());
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in webhook::headers(&[secret], &id, timestamp, &order) {
        // All of them are of our own making, so they can stand in a header.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    *request.body_mut() = Some(order.into());
    let answered = outbound.exchange(request, LIMITS).await?;
    let body = Zeroizing::new(answered.body);
    if answered.status.is_success() { Ok(body) } else { Err(RotateError::Status(answered.status.as_u16())) }
}
