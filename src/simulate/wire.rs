//! The wire: sends one request, reads one answer, and keeps both until they are shown, masked.
//!
//! No redirect is followed by itself, because every hop has to be seen. Plain http is spoken to this computer alone;
//! and nothing is sent to this computer for a server that is somewhere else, which could have us ask for what only we
//! reach.
//! Where somebody else says what is asked, a `leash` bounds all of it together.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, Response,
    header::{ACCEPT, HeaderMap, SET_COOKIE},
    redirect::Policy,
};
use serde_json::Value;
use url::Url;

use super::{callers, exchange::Exchange, masked, secrets::Secrets};
pub use super::{leash::Leash, request::Request};
use crate::{
    clock::Clock,
    model::{Timestamp, redirect_uri::has_loopback_host},
    outbound::FetchError,
};

/// What callers read of an answer at most.
const BYTES_MAX: usize = 100_000;
/// How long they wait for it.
const SECONDS_MAX: Duration = Duration::from_secs(15);

/// How often a server may make us wait that long. One that drips, or is silent, at every place is soon asked no more.
const WAITS_MAX: u8 = 2;

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Silence {
    /// Nothing would be safe on that way.
    #[error("{0} is neither https nor plain http to this computer, so nothing was sent there")]
    Insecure(String),
    /// It is no business of whoever named it.
    #[error("{0} is this computer, and the server examined is another one, so nothing was sent there")]
    Near(String),
    /// It may not be asked for somebody else.
    #[error("{0}")]
    NotAdmitted(FetchError),
    /// So much is not asked for somebody else.
    #[error("{0} was not asked: time or requests are used up")]
    UsedUp(String),
    /// No connection, no certificate that holds, no answer in time.
    #[error("{place} did not answer: {why}")]
    Unreachable {
        /// Where.
        place: String,
        /// In the words of whoever tried.
        why: String,
    },
    /// It has not answered often enough.
    #[error("{0} did not answer in time before, so it was not asked again")]
    GivenUp(String),
    /// It broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// Its end was too long in coming.
    #[error("the answer did not end within {} seconds", SECONDS_MAX.as_secs())]
    TooSlow,
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

    /// What it says it is, without parameters, as it was written: a secret in another case would not be known again.
    pub fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }

    /// Whether it says that it is of this kind.
    pub fn is_of(&self, content_type: &str) -> bool {
        self.content_type().eq_ignore_ascii_case(content_type)
    }

    /// The body, if it is a JSON object.
    pub fn object(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }

    /// Whether it is a yes.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The values of the cookies it sets.
    fn cookies(&self) -> impl Iterator<Item = &str> {
        let lines = self.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.filter_map(|line| line.split(';').next()?.split_once('='));
        pairs.map(|(_, value)| value.trim().trim_matches('"'))
    }

    /// Where it sends on to.
    pub fn redirect(&self) -> Option<&str> {
        (300..400).contains(&self.status).then(|| self.header("location")).flatten()
    }
}

/// The outgoing side of a caller.
#[derive(Debug)]
pub struct Wire {
    near: Client,
    far: Client,
    agent: &'static str,
    is_persons: bool,
    may_reach_near: bool,
    clock: Clock,
    kept: Mutex<Vec<(Request, Heard)>>,
    waits: Mutex<HashMap<String, u8>>,
    secrets: Arc<Secrets>,
    leash: Option<Arc<Leash>>,
}

impl Wire {
    /// One that calls itself `agent`, for the server that `target` is at.
    pub fn new(agent: &'static str, clock: Clock, target: &Url) -> reqwest::Result<Self> {
        Self::with(agent, clock, target, None)
    }

    /// The same for somebody else, who says what is asked.
    pub fn leashed(agent: &'static str, clock: Clock, target: &Url, leash: Leash) -> reqwest::Result<Self> {
        Self::with(agent, clock, target, Some(Arc::new(leash)))
    }

    fn with(agent: &'static str, clock: Clock, target: &Url, leash: Option<Arc<Leash>>) -> reqwest::Result<Self> {
        let (near, far) = clients(agent, false, leash.as_deref())?;
        let may_reach_near = has_loopback_host(target);
        let (kept, waits, secrets) = (Mutex::default(), Mutex::default(), Arc::<Secrets>::default());
        // Some addresses are known to their users alone.
        target.query_pairs().for_each(|(_, value)| secrets.learn(&value));
        Ok(Self { near, far, agent, is_persons: false, may_reach_near, clock, kept, waits, secrets, leash })
    }

    /// One that keeps cookies, for one walk of a person.
    pub fn browsing(&self) -> reqwest::Result<Self> {
        let (near, far) = clients(callers::OWN, true, self.leash.as_deref())?;
        Ok(Self { near, far, agent: callers::OWN, is_persons: true, ..self.aside() })
    }

    /// One that has not been made to wait yet. What is secret on one is secret on the other.
    #[must_use]
    pub fn aside(&self) -> Self {
        let (near, far, clock) = (self.near.clone(), self.far.clone(), self.clock.clone());
        let (kept, waits, secrets) = (Mutex::default(), Mutex::default(), Arc::clone(&self.secrets));
        Self { near, far, clock, kept, waits, secrets, leash: self.leash.clone(), ..*self }
    }

    /// Sends a request and keeps what was said.
    pub async fn send(&self, request: Request) -> Heard {
        let heard = match &self.leash {
            Some(leash) => leash.hold(&self.clock, &request.url, self.answer(request.clone())).await,
            None => self.answer(request.clone()).await,
        };
        if let Ok(answer) = &heard {
            answer.cookies().for_each(|cookie| self.learn(cookie));
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((request, heard.clone()));
        heard
    }

    /// Reads a JSON document.
    pub async fn read(&self, url: &Url) -> Heard {
        self.send(Request::get(url).with(ACCEPT, "application/json")).await
    }

    /// What was said since this was last asked. Only now is it masked: an answer holds secrets that are learnt from it.
    pub fn said(&self) -> Vec<Exchange> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let told = if self.is_persons { Exchange::of_a_person } else { Exchange::of };
        kept.iter().map(|(request, heard)| told(request, self.agent, heard, &self.secrets)).collect()
    }

    /// Hides a text from now on, wherever it turns up.
    pub fn learn(&self, secret: &str) {
        self.secrets.learn(secret);
    }

    /// Hides what came as these members of an answer.
    pub fn learn_from(&self, heard: &Heard, members: &[&str]) {
        let body = heard.as_ref().ok().and_then(Answer::object).unwrap_or_default();
        members.iter().filter_map(|name| body[name].as_str()).for_each(|secret| self.learn(secret));
    }

    /// A sentence in which a server's words stand, without secrets.
    pub fn clean(&self, sentence: &str) -> String {
        self.secrets.out_of(&masked::prose(sentence, &self.secrets))
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn answer(&self, request: Request) -> Heard {
        let is_near = has_loopback_host(&request.url);
        let place = request.url.origin().ascii_serialization();
        if request.url.scheme() != "https" && !(is_near && request.url.scheme() == "http") {
            return Err(Silence::Insecure(place));
        }
        if is_near && !self.may_reach_near {
            return Err(Silence::Near(place));
        }
        if self.waits_at(&place, 0) >= WAITS_MAX {
            return Err(Silence::GivenUp(place));
        }
        let http = if is_near { &self.near } else { &self.far };
        let sending = http.request(request.method, request.url).headers(request.headers).body(request.body);
        let response = match sending.send().await {
            Ok(response) => response,
            Err(error) => {
                self.waits_at(&place, u8::from(error.is_timeout()));
                return Err(match (FetchError::of(&error), &self.leash) {
                    (refused @ FetchError::Address { .. }, _) => Silence::NotAdmitted(refused),
                    // Of a host that somebody else has named they are told in our words.
                    (why, Some(_)) => Silence::Unreachable { place, why: why.to_string() },
                    (_, None) => Silence::Unreachable { place, why: reason(&error) },
                });
            }
        };
        let (status, headers, at) = (response.status().as_u16(), response.headers().clone(), self.clock.now());
        let mut answer = Answer { status, headers, body: Vec::new(), at };
        // A stream of events stays open for as long as its server likes.
        if !answer.is_of("text/event-stream") {
            answer.body = bounded(response).await.inspect_err(|silence| {
                self.waits_at(&place, u8::from(matches!(silence, Silence::TooSlow)));
            })?;
        }
        Ok(answer)
    }

    /// How often that place has made us wait, with these times more.
    fn waits_at(&self, place: &str, more: u8) -> u8 {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waits.entry(place.to_owned()).or_default();
        *count += more;
        *count
    }
}

fn clients(agent: &str, cookies: bool, leash: Option<&Leash>) -> reqwest::Result<(Client, Client)> {
    let builder = || {
        let builder = Client::builder().timeout(SECONDS_MAX).redirect(Policy::none()).user_agent(agent);
        // A connection of its own for each: while a person takes their time, the server ends those that are kept.
        builder.pool_max_idle_per_host(0).cookie_store(cookies)
    };
    if let Some(leash) = leash {
        let client = leash.outbound().vetted(builder()).build()?;
        return Ok((client.clone(), client));
    }
    // A proxy of the environment is the way outside; this computer is reached directly.
    Ok((builder().no_proxy().build()?, builder().build()?))
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, Silence> {
    let mut body = Vec::new();
    let broken =
        |error: reqwest::Error| if error.is_timeout() { Silence::TooSlow } else { Silence::Broken(reason(&error)) };
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > BYTES_MAX {
            return Err(Silence::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(target: &str) -> Wire {
        Wire::new("tests", Clock::system(), &target.parse().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_server_elsewhere_has_nothing_asked_on_this_computer() {
        for near in ["http://localhost:9/", "https://127.0.0.1:9/", "http://[::1]:9/", "http://a.localhost:9/"] {
            let heard = wire("https://a.example/mcp").send(Request::get(&near.parse().unwrap())).await;
            assert!(matches!(heard, Err(Silence::Near(_))), "{near}: {heard:?}");
        }
        let heard = wire("http://localhost:9/").send(Request::get(&"http://a.example/".parse().unwrap())).await;
        assert!(matches!(heard, Err(Silence::Insecure(_))), "{heard:?}");
    }

    #[tokio::test]
    async fn no_secret_of_an_address_is_in_the_words_of_why_it_did_not_answer() {
        // Nobody listens there: the port was somebody's a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let secret = "s3cret-s3cret-s3cret-s3cret";
        let at = format!("http://ada:{secret}@127.0.0.1:{port}/mcp?key={secret}#{secret}");
        let wire = wire(&at);
        let heard = wire.send(Request::get(&at.parse().unwrap())).await;
        let told = format!("{heard:?} {} {:?}", heard.as_ref().unwrap_err(), wire.said());
        assert!(told.contains("did not answer") && !told.contains(secret), "{told}");
    }
}
