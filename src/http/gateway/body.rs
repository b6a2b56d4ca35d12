//! A caller's body on its way to the API: as it comes, no faster than the API takes it, and only so much of it.

use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{
        Method,
        header::{self, HeaderValue},
    },
    web::Bytes,
};
use futures_util::{StreamExt, future::BoxFuture, stream};
use reqwest::Body;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

/// The largest body that goes on.
const BYTES_MAX: u64 = 10 * 1024 * 1024;

/// How long a caller may take for the next part of it.
const PART_MAX: Duration = Duration::from_secs(30);

/// How long all of it may take.
const WHOLE_MAX: Duration = Duration::from_mins(10);

/// How many parts wait for the API at the most.
const WAITING_MAX: usize = 2;

/// Why a body did not go on whole: the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It has more than [`BYTES_MAX`].
    TooLarge,
    /// Its next part did not come, or its end.
    TooSlow,
    /// Nobody knows where it ends, and its method has none.
    Unasked,
    /// It ended before its end, or cannot be read.
    Cut,
}

/// A body on its way.
pub struct OnItsWay {
    /// What the API is sent; none where there is no body.
    pub body: Option<Body>,
    /// How long it says to be, where it says so.
    pub length: Option<u64>,
    /// Ends when the API has been given all of it.
    pub given: BoxFuture<'static, ()>,
    broken: Arc<OnceLock<Broken>>,
}

impl OnItsWay {
    /// Begins to take a body.
    ///
    /// # Errors
    ///
    /// Where it says itself that it is too large: nothing of it is taken.
    pub fn begin(request: &HttpRequest, payload: Payload) -> Result<Self, Broken> {
        let broken = Arc::default();
        let length = request.headers().get(header::CONTENT_LENGTH).map(HeaderValue::to_str);
        let length = length.and_then(|text| text.ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > BYTES_MAX) {
            return Err(Broken::TooLarge);
        }
        if matches!(payload, Payload::None) || length == Some(0) {
            return Ok(Self { body: None, length, given: Box::pin(async {}), broken });
        }
        // What no length is known of is not sent with a method that has no body (RFC 9110 §9.3.1), and would be lost.
        if length.is_none() && matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Broken::Unasked);
        }
        let (parts, coming) = mpsc::channel(WAITING_MAX);
        let (end, ended) = oneshot::channel::<()>();
        let carrying = carry(payload, parts, Arc::clone(&broken));
        actix_web::rt::spawn(async move {
            carrying.await;
            drop(end);
        });
        let given = Box::pin(async { drop(ended.await) });
        let coming = stream::unfold(coming, |mut coming| async move { Some((coming.recv().await?, coming)) });
        Ok(Self { body: Some(Body::wrap_stream(coming)), length, given, broken })
    }

    /// Why it did not go on whole, if it did not.
    pub fn broken(&self) -> Option<Broken> {
        self.broken.get().copied()
    }
}

/// Hands on one part after the other, until the end, or until nobody takes them any more.
async fn carry(mut payload: Payload, parts: mpsc::Sender<io::Result<Bytes>>, broken: Arc<OnceLock<Broken>>) {
    let mut taken = 0;
    let end = Instant::now() + WHOLE_MAX;
    let why = loop {
        match timeout_at(end.min(Instant::now() + PART_MAX), payload.next()).await {
            Ok(Some(Ok(part))) => {
                taken += part.len() as u64;
                if taken > BYTES_MAX {
                    break Broken::TooLarge;
                }
                if parts.send(Ok(part)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Ok(Some(Err(_))) => break Broken::Cut,
            Err(_) => break Broken::TooSlow,
        }
    };
    // First why, then that: whoever sees that it broke asks why.
    let _ = broken.set(why);
    // The API must not take a part for the whole.
    let _ = parts.send(Err(io::ErrorKind::UnexpectedEof.into())).await;
}
