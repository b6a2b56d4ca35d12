//! Sending on what passed the gate, to APIs that the operator has named: they may be anywhere, so nothing here asks whether
//! an address is special. (What strangers name goes through `outbound`.)
//!
//! Connections are kept and used again. An API that hangs, dies or never ends costs a connection, a few buffers and a
//! place among those that may be under way.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use moka::future::Cache;
use reqwest::{Body, Client, Method, Response, header::HeaderMap, redirect, retry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::{
    model::id::PluginId,
    outbound::{self, FetchError, OutboundError},
};

/// How long connecting and the TLS handshake may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long an API may take until it begins to answer.
const HEAD_MAX: Duration = Duration::from_mins(1);

/// How long a connection is kept that nobody uses, and how many to one API.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_MAX: usize = 64;

/// The most requests under way at once of this process, and of one plugin: streams may stay open for hours, and whoever
/// opens too many must not be in everybody's way.
const UNDER_WAY_MAX: usize = 10_000;
const OF_ONE_MAX: usize = 2_000;

/// The most plugins whose places are counted apart at a time.
const PLUGINS_MAX: u64 = 10_000;

/// A request as it goes on.
pub struct Onward {
    /// To whose API.
    pub plugin: PluginId,
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers, none of which is between two neighbours only.
    pub headers: HeaderMap,
    /// The body, if there is one.
    pub body: Option<Body>,
    /// Ends when the API has been given all of the body: from then on it is waited for.
    pub given: BoxFuture<'static, ()>,
}

/// An answer of which the head is there, and whose body has yet to come.
#[derive(Debug)]
pub struct Answering {
    /// The head.
    pub response: Response,
    /// Held until the body has come.
    pub places: [OwnedSemaphorePermit; 2],
}

/// Why there is no answer. What is logged of it says nothing of the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// As many requests as may be are under way.
    #[error("as many requests as may be are under way to APIs")]
    Busy,
    /// It could not be spoken with.
    #[error("the API could not be reached, or broke off: {0}")]
    Unreachable(FetchError),
    /// It did not begin to answer.
    #[error("the API did not begin to answer in time")]
    TooSlow,
}

/// What sends.
#[derive(Debug)]
pub struct Upstreams {
    client: Client,
    places: Arc<Semaphore>,
    of_each: Cache<PluginId, Arc<Semaphore>>,
}

impl Upstreams {
    /// Sets up TLS; the operator's own roots are believed here too.
    pub fn new(settings: &outbound::Settings) -> Result<Self, OutboundError> {
        let client = Client::builder()
            .tls_certs_merge(settings.authorities.iter().cloned())
            .connect_timeout(CONNECT_MAX)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .redirect(redirect::Policy::none())
            // What may be sent twice is decided here.
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            // What an API packed goes to the caller as it is.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .http1_only()
            .build()
            .map_err(|error| OutboundError::of(&error))?;
        let of_each = Cache::builder().max_capacity(PLUGINS_MAX).time_to_idle(Duration::from_hours(1)).build();
        Ok(Self { client, places: Arc::new(Semaphore::new(UNDER_WAY_MAX)), of_each })
    }

    /// Sends a request, and waits for the head of its answer. One that changes nothing and has no body is sent once more
    /// where the connection broke: an API may close one that was kept just when it is used (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
    ///
    /// # Errors
    ///
    /// Where there is no answer. The API may have acted nevertheless.
    pub async fn send(&self, onward: Onward) -> Result<Answering, UpstreamError> {
        let Onward { plugin, method, url, headers, body, given } = onward;
        let new = async { Arc::new(Semaphore::new(OF_ONE_MAX)) };
        let of_it = self.of_each.get_with(plugin, new).await;
        let place = |of: Arc<Semaphore>| of.try_acquire_owned().map_err(|_| UpstreamError::Busy);
        let places = [place(of_it)?, place(Arc::clone(&self.places))?];
        let may_repeat = body.is_none() && method.is_safe();
        let request = |body: Option<Body>| {
            let request = self.client.request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(body) = body { request.body(body) } else { request }
        };
        let sending = async {
            let first = request(body).send().await;
            match first {
                Err(error) if may_repeat && !error.is_timeout() => request(None).send().await,
                first => first,
            }
        };
        let waiting = async {
            given.await;
            tokio::time::sleep(HEAD_MAX).await;
        };
        let answered = tokio::select! {
            answered = sending => answered,
            () = waiting => return Err(UpstreamError::TooSlow),
        };
        let response = answered.map_err(|error| UpstreamError::Unreachable(FetchError::of(&error)))?;
        if response.status().is_informational() {
            // It speaks another protocol now, as nobody has asked it to (RFC 9110 §15.2.2).
            return Err(UpstreamError::Unreachable(FetchError::Unreachable("it answers in another protocol")));
        }
        Ok(Answering { response, places })
    }
}
