//! Outbound: fetching a document from a host that nobody here vouches for, because a stranger has named its URL. Client
//! metadata documents and key sets come this way.
//!
//! Such a fetch must not reach what only this machine can reach (`special_use`, asked by `admission`, for literal
//! addresses and for what `resolving` finds), must not go anywhere else than asked (no redirects, no proxy), and costs
//! a bounded number of bytes, of seconds and of connections (`turns`). `freshness` reads how long the answer may be
//! kept; `failure` is why there is none. What is fetched, when, and what is made of it is decided above.

mod admission;
mod failure;
mod freshness;
mod resolving;
mod special_use;
mod turns;

use std::{fmt, sync::Arc, time::Duration};

use ipnet::IpNet;
use reqwest::{
    Client, ClientBuilder, Request, Response, StatusCode, header::HeaderMap, redirect, retry, tls::Certificate,
};
use tokio::time::timeout;
use tracing::{Instrument, field::Empty};
use url::{Host, Url};

pub use self::{
    failure::{FetchError, OutboundError},
    resolving::{Lookup, Resolve, System},
};
use admission::Admission;
use resolving::{NAME_LENGTH_MAX, Vetting};
use turns::Turns;

use crate::model::traces::TARGET;

/// What this server calls itself; hosts see it in their logs.
const USER_AGENT: &str = concat!("consentry/", env!("CARGO_PKG_VERSION"));

/// How long resolving, connecting and the TLS handshake may take together, within the patience of the fetch.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// The most lines in the head of an answer; busy sites send half of it. How long they may be together is for the
/// library to bound, and it does at some 400 kB.
const HEAD_LINES_MAX: usize = 64;

/// What the operator chose.
#[derive(Clone)]
pub struct Settings {
    /// Address ranges that may be fetched from although they are special-use.
    pub allow: Vec<IpNet>,
    /// Roots that are trusted beside the system's.
    pub authorities: Vec<Certificate>,
    /// Who knows what names mean.
    pub resolver: Arc<dyn Resolve>,
}

impl Settings {
    /// The same, with lookups that wait for none of the others'.
    #[must_use]
    pub fn apart(&self) -> Self {
        let resolver = self.resolver.apart().unwrap_or_else(|| Arc::clone(&self.resolver));
        Self { resolver, ..self.clone() }
    }
}

impl Default for Settings {
    /// Nothing allowed, no further roots, the system's resolver.
    fn default() -> Self {
        Self { allow: Vec::new(), authorities: Vec::new(), resolver: Arc::new(System::default()) }
    }
}

/// What a fetch may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest document that is taken.
    pub bytes_max: usize,
    /// How long all of it may take: waiting for a turn (at most half of it), resolving, connecting, reading to the end.
    pub patience: Duration,
}

/// A document, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes.
    pub body: Vec<u8>,
    /// How long the host allows it to be kept: zero if it forbids it or it is stale already, `None` if nothing is said.
    pub max_age: Option<Duration>,
}

/// An answer, whatever it says.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Any; of an exchange, any but a redirection.
    pub status: StatusCode,
    /// Its head.
    pub headers: HeaderMap,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Fetches; cheap to clone, and all clones share their turns.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    admission: Arc<Admission>,
    connecting: Connecting,
    turns: Arc<Turns>,
}

/// How connections are made that strangers cause.
#[derive(Clone)]
struct Connecting {
    vetting: Arc<Vetting>,
    authorities: Arc<[Certificate]>,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Outbound").field("admission", &self.admission).finish_non_exhaustive()
    }
}

impl Outbound {
    /// Sets up TLS and everything that holds for all fetches.
    pub fn new(settings: Settings) -> Result<Self, OutboundError> {
        let admission = Arc::new(Admission::new(settings.allow));
        let vetting = Arc::new(Vetting { resolver: settings.resolver, admission: Arc::clone(&admission) });
        let connecting = Connecting { vetting, authorities: settings.authorities.into() };
        let builder = Client::builder().user_agent(USER_AGENT).https_only(true);
        let client = connecting.vetted(builder).build().map_err(|error| OutboundError::of(&error))?;
        Ok(Self { client, admission, connecting, turns: Turns::new() })
    }

    /// A client that connects as this does, to nothing else than this may. Whoever sends with it counts bytes and time
    /// by themselves, asks [`Self::admit`] of each address, and says by [`FetchError::of`] what went wrong.
    pub fn vetted(&self, builder: ClientBuilder) -> ClientBuilder {
        self.connecting.vetted(builder)
    }

    /// Whether a URL's host may be connected to, as far as its name says: an address that is written there is looked up
    /// by nobody.
    pub fn admit(&self, url: &Url) -> Result<(), FetchError> {
        self.admission.check_host(&url.host().ok_or(FetchError::NoSuchHost)?)
    }

    /// Fetches a document, or says why not. It takes at most the patience and reads at most one chunk too much.
    pub async fn get(&self, url: &Url, limits: Limits) -> Result<Fetched, FetchError> {
        let target = Target::of(url)?;
        self.in_turn(&target, limits.patience, self.fetch(target.url.clone(), limits.bytes_max)).await
    }

    /// Asks for a document, and hands on the head of whatever answers: the body comes with status 200 alone. Where a
    /// redirection leads is the caller's to judge, and to ask for.
    pub async fn look(&self, url: &Url, limits: Limits) -> Result<Answered, FetchError> {
        let target = Target::of(url)?;
        let looking = async {
            let response = self.client.get(target.url.clone()).send().await.map_err(|error| FetchError::of(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = if status == StatusCode::OK { body(response, limits.bytes_max).await? } else { Vec::new() };
            Ok(Answered { status, headers, body })
        };
        self.in_turn(&target, limits.patience, looking).await
    }

    /// Sends a request that is more than a fetch, to a host the operator has named, within the same bounds. What the
    /// status means is the caller's affair; a redirection is not followed.
    pub async fn exchange(&self, mut request: Request, limits: Limits) -> Result<Answered, FetchError> {
        let url = request.url().clone();
        let target = Target::of(&url)?;
        *request.url_mut() = target.url.clone();
        let exchanging = async {
            let response = self.client.execute(request).await.map_err(|error| FetchError::of(&error))?;
            if response.status().is_redirection() {
                return Err(FetchError::Redirected);
            }
            let (status, headers) = (response.status(), response.headers().clone());
            Ok(Answered { status, headers, body: body(response, limits.bytes_max).await? })
        };
        self.in_turn(&target, limits.patience, exchanging).await
    }

    /// Sends a request of which nothing but the status is wanted, to a host that strangers name. Not a byte of the body is
    /// waited for; where a redirection leads is not looked at.
    pub async fn tell(&self, mut request: Request, patience: Duration) -> Result<StatusCode, FetchError> {
        let url = request.url().clone();
        let target = Target::of(&url)?;
        *request.url_mut() = target.url.clone();
        let telling = async {
            let answered = self.client.execute(request).await.map_err(|error| FetchError::of(&error))?;
            Ok(answered.status())
        };
        self.in_turn(&target, patience, telling).await
    }

    async fn in_turn<T>(
        &self,
        target: &Target<'_>,
        patience: Duration,
        fetching: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        // Of the address only the host: paths and queries are strangers' text, and some are secrets.
        let span = tracing::info_span!(
            target: TARGET,
            "fetch",
            otel.kind = "client",
            otel.status_code = Empty,
            server.address = %target.host,
            error.type = Empty,
        );
        let told = self.admitted(target, patience, fetching).instrument(span.clone()).await;
        if let Err(error) = &told {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", tracing::field::display(error));
        }
        told
    }

    async fn admitted<T>(
        &self,
        target: &Target<'_>,
        patience: Duration,
        fetching: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        self.admission.check_host(&target.host)?;
        let in_turn = async {
            // Waiting ends while there is still time to ask the host: only then may its silence be held against it.
            let turn = timeout(patience / 2, self.turns.take(&target.origin));
            let _turn = turn.await.map_err(|_| FetchError::Busy)??;
            fetching.await
        };
        timeout(patience, in_turn).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn fetch(&self, url: Url, bytes_max: usize) -> Result<Fetched, FetchError> {
        let response = self.client.get(url).send().await.map_err(|error| FetchError::of(&error))?;
        match response.status().as_u16() {
            200 => {}
            300..=399 => return Err(FetchError::Redirected),
            other => return Err(FetchError::Status(other)),
        }
        let max_age = freshness::max_age(response.headers());
        let body = body(response, bytes_max).await?;
        Ok(Fetched { body, max_age })
    }
}

impl Connecting {
    fn vetted(&self, builder: ClientBuilder) -> ClientBuilder {
        builder
            .tls_certs_merge(self.authorities.iter().cloned())
            .dns_resolver(Arc::clone(&self.vetting))
            .connect_timeout(CONNECT_MAX)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            // A proxy would resolve the name itself, and connect to whatever it likes.
            .no_proxy()
            // Every fetch makes its own connection, so none uses one that was vetted for another time.
            .pool_max_idle_per_host(0)
            // A few bytes may unpack to many. Written down because another crate could switch the features on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .http1_max_headers(HEAD_LINES_MAX)
    }
}

/// A URL as it is fetched.
struct Target<'a> {
    url: Url,
    host: Host<&'a str>,
    /// Host and port, in one spelling.
    origin: String,
}

impl<'a> Target<'a> {
    fn of(url: &'a Url) -> Result<Self, FetchError> {
        let (Some(host), Some(port), "https") = (url.host(), url.port_or_known_default(), url.scheme()) else {
            return Err(FetchError::NotHttps);
        };
        let text = host.to_string();
        let name = text.trim_end_matches('.');
        if name.is_empty() || name.len() > NAME_LENGTH_MAX {
            return Err(FetchError::NoSuchHost);
        }
        let origin = format!("{name}:{port}");
        let mut url = url.clone();
        // Otherwise they would be sent as HTTP Basic, and nobody has given this server an account there. A URL with a
        // host takes both, so there is nothing to look at.
        let _ = (url.set_username(""), url.set_password(None));
        Ok(Self { url, host, origin })
    }
}

/// Reads to the end, or until it is clear that the end is too far away.
async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, FetchError> {
    if response.content_length().is_some_and(|length| length > bytes_max as u64) {
        return Err(FetchError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::of(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
