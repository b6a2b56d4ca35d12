//! The API's answer on its way back: as it comes, without what would act on this server's pages and cookies.

use std::{io, time::Duration};

use actix_web::{
    HttpResponse,
    body::SizedStream,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::Bytes,
};
use futures_util::{Stream, stream};
use tokio::time::timeout;

use crate::{protocol::gate::headers, server::upstreams::Answering};

/// How long an API may be silent in the middle of an answer: event streams often are.
const SILENCE_MAX: Duration = Duration::from_mins(10);

/// Hands an answer back. Beside the pages on which people sign in, whatever it is must not act as one of them.
pub fn hand_back(answering: Answering, is_beside_pages: bool) -> HttpResponse {
    let response = &answering.response;
    let status = StatusCode::from_u16(response.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut answer = HttpResponse::build(status);
    let connection: Vec<&str> =
        response.headers().get_all("connection").iter().filter_map(|value| value.to_str().ok()).collect();
    for (name, value) in response.headers() {
        if name.as_str() != "content-length"
            && headers::comes_back(name.as_str(), connection.iter().copied())
            && let Ok(name) = HeaderName::from_bytes(name.as_str().as_bytes())
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            answer.append_header((name, value));
        }
    }
    if is_beside_pages {
        answer.insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"));
        answer.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    }
    // Where both are said, the length is nobody's (RFC 9112 §6.3).
    let is_in_chunks = response.headers().contains_key("transfer-encoding");
    let length = response.headers().get("content-length").filter(|_| !is_in_chunks);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let has_no_body = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match length {
        _ if has_no_body => answer.finish(),
        Some(length) => answer.body(SizedStream::new(length, parts(answering))),
        None => answer.streaming(parts(answering)),
    }
}

/// The body as it comes. Where it breaks off, so does the caller's connection: a part must not pass for the whole.
fn parts(answering: Answering) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(answering, |mut answering| async move {
        match timeout(SILENCE_MAX, answering.response.chunk()).await {
            Ok(Ok(Some(part))) => Ok(Some((part, answering))),
            Ok(Ok(None)) => Ok(None),
            Ok(Err(_)) => Err(io::ErrorKind::ConnectionReset.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    })
}
