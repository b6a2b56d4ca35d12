//! Everything the stand-in sends goes through here, so that everything can be shown.
//! It also speaks the classic manifest's dialect: `authorization_content_type: application/json` makes token requests JSON.

use std::sync::Mutex;

use oauth2::http::header::{self, HeaderValue};
use oauth2::http::{Method, Request, Response};
use oauth2::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::shown::{self, Message};
use crate::demo::bounded::{self, BodyError};

/// ChatGPT's own limit for an answer is 100,000 characters.
const ANSWER_BYTES_MAX: usize = 100_000;

/// How a token request's body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Form,
    Json,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("{0} could not be reached")]
    Unreachable(String),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the request could not be written")]
    Request(#[from] oauth2::http::Error),
}

/// What went out and what came back, secrets already shortened.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) request: Message,
    pub(super) answer: Result<Message, String>,
    pub(super) status: Option<u16>,
}

/// The outgoing side of the stand-in.
#[derive(Debug)]
pub(super) struct Wire {
    http: reqwest::Client,
}

impl Wire {
    pub(super) fn new() -> reqwest::Result<Self> {
        Ok(Self { http: bounded::client()? })
    }

    /// Reads a public document.
    pub(super) async fn get(&self, url: &Url) -> (Exchange, Result<HttpResponse, WireError>) {
        let mut request = Request::new(Vec::new());
        *request.method_mut() = Method::GET;
        self.send(request, url).await
    }

    /// Sends `request` to `url` and writes down what went over the wire.
    pub(super) async fn send(&self, request: HttpRequest, url: &Url) -> (Exchange, Result<HttpResponse, WireError>) {
        let sent = Message {
            start: format!("{} {url}", request.method()),
            headers: shown::headers(request.headers()),
            body: shown::body(request.headers(), request.body()),
        };
        let answer = self.answer(request, url).await;
        let exchange = Exchange {
            request: sent,
            status: answer.as_ref().ok().map(|answer| answer.status().as_u16()),
            answer: match &answer {
                Ok(answer) => Ok(Message {
                    start: answer.status().to_string(),
                    headers: shown::headers(answer.headers()),
                    body: shown::body(answer.headers(), answer.body()),
                }),
                Err(error) => Err(error.to_string()),
            },
        };
        (exchange, answer)
    }

    async fn answer(&self, request: HttpRequest, url: &Url) -> Result<HttpResponse, WireError> {
        let (parts, body) = request.into_parts();
        let answer = self
            .http
            .request(parts.method, url.clone())
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(|_| WireError::Unreachable(shown::place(url)))?;
        let mut received = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            received = received.header(name, value);
        }
        let body = bounded::body(answer, ANSWER_BYTES_MAX).await?;
        Ok(received.body(body)?)
    }
}

/// The HTTP client the `oauth2` crate is given for one request to one endpoint.
pub(super) struct Line<'a> {
    wire: &'a Wire,
    endpoint: &'a Url,
    encoding: Encoding,
    heard: Mutex<Option<Exchange>>,
}

impl<'a> Line<'a> {
    pub(super) fn new(wire: &'a Wire, endpoint: &'a Url, encoding: Encoding) -> Self {
        Self { wire, endpoint, encoding, heard: Mutex::default() }
    }

    /// Sends what the crate wrote. The endpoint is the line's own, not the one in the request:
    /// the crate revokes over https only (RFC 7009 §2), and the demo lives on plain http at loopback.
    pub(super) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, WireError> {
        let request = match self.encoding {
            Encoding::Form => request,
            Encoding::Json => in_json(request),
        };
        let (exchange, answer) = self.wire.send(request, self.endpoint).await;
        if let Ok(mut heard) = self.heard.lock() {
            *heard = Some(exchange);
        }
        answer
    }

    /// What was said, if anything was.
    pub(super) fn heard(self) -> Option<Exchange> {
        self.heard.into_inner().ok().flatten()
    }
}

/// The crate writes forms, as RFC 6749 says; the classic manifest may ask for the same names and values as a JSON object.
fn in_json(request: HttpRequest) -> HttpRequest {
    let (mut parts, form) = request.into_parts();
    let members: Map<String, Value> = form_urlencoded::parse(&form)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Request::from_parts(parts, Value::Object(members).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_the_same_names_and_values_in_json() {
        let form = "grant_type=authorization_code&code=a%2Bb%26c&client_secret=p%C3%A4+ss&scope=";
        let request = Request::post("http://localhost/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(form.as_bytes().to_vec())
            .unwrap();
        let json = in_json(request);
        assert_eq!(json.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(json.headers()[header::ACCEPT], "application/json");
        let body: Value = serde_json::from_slice(json.body()).unwrap();
        let expected = serde_json::json!({
            "grant_type": "authorization_code", "code": "a+b&c", "client_secret": "pä ss", "scope": "",
        });
        assert_eq!(body, expected);
    }
}
