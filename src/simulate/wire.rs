//! The wire: sends one request, reads one answer, and keeps both, masked.
//!
//! No redirect is followed by itself, because every hop has to be seen; plain http is spoken to this computer alone.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, Method, Response,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::masked;
use crate::{
    clock::Clock,
    model::{Timestamp, redirect_uri::has_loopback_host},
};

/// What callers read of an answer at most.
const BYTES_MAX: usize = 100_000;
/// How long they wait for it.
const SECONDS_MAX: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Silence {
    /// Nothing would be safe on that way.
    #[error("{0} is neither https nor plain http to this computer, so nothing was sent there")]
    Insecure(String),
    /// No connection, no certificate that holds, no answer in time.
    #[error("{place} did not answer: {why}")]
    Unreachable {
        /// Where.
        place: String,
        /// In the words of whoever tried.
        why: String,
    },
    /// It broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// Longer than callers read.
    #[error("the answer is longer than {BYTES_MAX} bytes")]
    TooLong,
}

/// What came back, or why nothing did.
pub type Heard = Result<Answer, Silence>;

/// An answer. It does not print: tokens are in it.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// When it came, by the clock of this computer.
    pub at: Timestamp,
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// A header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What it says it is, without parameters, in lower case.
    pub fn content_type(&self) -> String {
        let kind = self.header("content-type").unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body, if it is a JSON object.
    pub fn object(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }

    /// Whether it is a yes.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Where it sends on to.
    pub fn redirect(&self) -> Option<&str> {
        (300..400).contains(&self.status).then(|| self.header("location")).flatten()
    }
}

/// A request.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// Reads a document.
    pub fn get(url: &Url) -> Self {
        Self { method: Method::GET, url: url.clone(), headers: HeaderMap::new(), body: Vec::new() }
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

    /// The same names and values as a JSON object: the classic manifest may ask for that.
    #[must_use]
    pub fn in_json(mut self) -> Self {
        let form = url::form_urlencoded::parse(&self.body);
        let members = form.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        self.body = Value::Object(members).to_string().into_bytes();
        self.with(CONTENT_TYPE, "application/json")
    }
}

/// What was said, secrets shortened.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// The request line.
    pub request: String,
    /// Its headers.
    pub request_headers: Vec<String>,
    /// Its body.
    pub request_body: String,
    /// The status, or why there is none.
    pub answer: String,
    /// Its headers.
    pub answer_headers: Vec<String>,
    /// Its body.
    pub answer_body: String,
}

/// The outgoing side of a caller.
#[derive(Debug)]
pub struct Wire {
    near: Client,
    far: Client,
    agent: &'static str,
    is_persons: bool,
    clock: Clock,
    kept: Mutex<Vec<Exchange>>,
}

impl Wire {
    /// One that calls itself `agent`.
    pub fn new(agent: &'static str, clock: Clock) -> reqwest::Result<Self> {
        Self::build(agent, clock, false)
    }

    /// One that keeps cookies, for one walk of a person.
    pub fn browsing(agent: &'static str, clock: Clock) -> reqwest::Result<Self> {
        Self::build(agent, clock, true)
    }

    fn build(agent: &'static str, clock: Clock, cookies: bool) -> reqwest::Result<Self> {
        let builder = || {
            let builder = Client::builder().timeout(SECONDS_MAX).redirect(Policy::none()).user_agent(agent);
            builder.cookie_store(cookies)
        };
        // A proxy of the environment is the way outside; this computer is reached directly.
        let (near, far) = (builder().no_proxy().build()?, builder().build()?);
        Ok(Self { near, far, agent, is_persons: cookies, clock, kept: Mutex::default() })
    }

    /// Sends a request and keeps what was said.
    pub async fn send(&self, request: Request) -> Heard {
        let mut exchange = self.begun(&request);
        let heard = self.answer(request).await;
        match &heard {
            Ok(answer) => {
                exchange.answer = answer.status.to_string();
                exchange.answer_headers = listed(&answer.headers);
                exchange.answer_body = masked::body(&answer.content_type(), &answer.body);
            }
            Err(silence) => exchange.answer = silence.to_string(),
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        heard
    }

    /// Reads a JSON document.
    pub async fn read(&self, url: &Url) -> Heard {
        self.send(Request::get(url).with(ACCEPT, "application/json")).await
    }

    /// What was said since this was last asked.
    pub fn said(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn begun(&self, request: &Request) -> Exchange {
        let content_type = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let mut request_headers = listed(&request.headers);
        // What a person types in is in fields of any name, so nothing of it is kept.
        let request_body = match request.body.len() {
            length if self.is_persons && length > 0 => format!("({length} bytes that a person typed in)"),
            _ => masked::body(content_type, &request.body),
        };
        request_headers.insert(0, format!("user-agent: {}", self.agent));
        Exchange {
            request: format!("{} {}", request.method, masked::address(request.url.as_str())),
            request_headers,
            request_body,
            answer: String::new(),
            answer_headers: Vec::new(),
            answer_body: String::new(),
        }
    }

    async fn answer(&self, request: Request) -> Heard {
        let is_near = has_loopback_host(&request.url);
        let place = request.url.origin().ascii_serialization();
        if request.url.scheme() != "https" && !(is_near && request.url.scheme() == "http") {
            return Err(Silence::Insecure(place));
        }
        let http = if is_near { &self.near } else { &self.far };
        let sending = http.request(request.method, request.url).headers(request.headers).body(request.body).send();
        let response = sending.await.map_err(|error| Silence::Unreachable { place, why: reason(&error) })?;
        let (status, headers, at) = (response.status().as_u16(), response.headers().clone(), self.clock.now());
        let mut answer = Answer { status, headers, body: Vec::new(), at };
        // A stream of events stays open for as long as its server likes.
        if answer.content_type() != "text/event-stream" {
            answer.body = bounded(response).await?;
        }
        Ok(answer)
    }
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, Silence> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Silence::Broken(reason(&error)))? {
        if body.len() + chunk.len() > BYTES_MAX {
            return Err(Silence::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn listed(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}", masked::header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())))
    };
    headers.iter().map(line).collect()
}

/// The innermost cause, which says most. The address is not repeated: its parameters may be secrets.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("nothing came within {} seconds", SECONDS_MAX.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if cause.is::<reqwest::Error>() { "the connection failed".to_owned() } else { cause.to_string() }
}
