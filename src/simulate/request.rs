//! A request, before it is sent.

use std::fmt;

use reqwest::{
    Method,
    header::{
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, HeaderMap,
        HeaderName, HeaderValue, ORIGIN,
    },
};
use serde_json::Value;
use url::Url;

/// A request. It does not print: secrets are in it.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Request({}, {} bytes)", self.method, self.body.len())
    }
}

impl Request {
    /// Reads a document.
    pub fn get(url: &Url) -> Self {
        Self { method: Method::GET, url: url.clone(), headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Asks whether a page may send JSON there (the Fetch standard's preflight).
    pub fn preflight(url: &Url, origin: &str) -> Self {
        let request = Self { method: Method::OPTIONS, ..Self::get(url) };
        request
            .with(ORIGIN, origin)
            .with(ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .with(ACCESS_CONTROL_REQUEST_HEADERS, "content-type")
    }

    /// Sends a body.
    pub fn post(url: &Url, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let request = Self { method: Method::POST, body: body.into(), ..Self::get(url) };
        request.with(CONTENT_TYPE, content_type)
    }

    /// Sends JSON.
    pub fn post_json(url: &Url, value: &Value) -> Self {
        Self::post(url, "application/json", value.to_string())
    }

    /// With that header, unless it could not be one.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Takes over what the `oauth2` crate has written.
    pub fn of(request: oauth2::HttpRequest, url: &Url) -> Self {
        let (parts, body) = request.into_parts();
        Self { method: parts.method, url: url.clone(), headers: parts.headers, body }
    }

    /// What it proves itself by in a header (RFC 7617).
    pub(super) fn basic_credentials(&self) -> Option<&str> {
        let (scheme, credentials) = self.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then_some(credentials)
    }

    /// The same names and values as a JSON object: the classic manifest may ask for that.
    #[must_use]
    pub fn in_json(mut self) -> Self {
        let form = url::form_urlencoded::parse(&self.body);
        let members = form.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        self.body = Value::Object(members).to_string().into_bytes();
        self.with(CONTENT_TYPE, "application/json")
    }
}
