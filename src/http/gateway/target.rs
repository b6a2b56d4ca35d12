//! Whose API a call is for, and which path of it. Everything that could be read in two ways is refused here, before any
//! rule is looked at: what the API behind would make of it nobody here can know (RFC 9112 §11.1, attacks 30 to 32).

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};

use super::{Stopped, failed, malformed};
use crate::{
    http::guard::host,
    model::{plugin::Host, plugin_secret::is_plain_path},
    server::{Server, gate::Gated, injection::Route},
};

/// The longest path and query together.
const LENGTH_MAX: usize = 16 * 1024;

/// Where a call is to go.
pub struct Target<'a> {
    /// The API.
    pub api: Arc<Gated>,
    /// The host it came to.
    pub host: Host,
    /// Its method, and its path as it came.
    pub route: Route<'a>,
    /// Its query, as it came; empty where there is none.
    pub query: &'a str,
}

/// Finds the API.
pub async fn of<'a>(server: &Server, request: &'a HttpRequest) -> Result<Target<'a>, Stopped> {
    let head = request.head();
    let host = host::of(head).ok_or(Stopped::NotThere)?;
    let Some(api) = server.gated(&host).await? else { return Err(Stopped::NotThere) };
    if !is_named_once(request, &host) {
        return Err(malformed(request, "the host is named twice, or differently"));
    }
    // An `Upgrade` is an offer, which is not taken (RFC 9110 §7.8).
    if matches!(head.method, Method::CONNECT | Method::TRACE) {
        return Err(malformed(request, "the connection cannot be used for anything else"));
    }
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    if path.len() + query.len() > LENGTH_MAX {
        return Err(failed(request, StatusCode::URI_TOO_LONG, "invalid_request", "the address is too long"));
    }
    if !is_plain_path(path) {
        return Err(malformed(request, "the path can be read in more than one way"));
    }
    Ok(Target { api, host, route: Route { method: head.method.as_str(), path }, query })
}

/// Whether all that names a host names this one: the target (RFC 9112 §3.2.2, RFC 9113 §8.3.1) and one header.
fn is_named_once(request: &HttpRequest, host: &Host) -> bool {
    let mut lines = request.headers().get_all(header::HOST).map(HeaderValue::to_str);
    let (line, more) = (lines.next(), lines.next());
    let is_it = line.is_none_or(|line| line.is_ok_and(|line| line.parse::<Host>().is_ok_and(|named| named == *host)));
    is_it && more.is_none()
}
