//! What a stranger's host answers: a document, a status, or one of the ways not to come to an end.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long a dripping host takes for a byte.
const DRIP: Duration = Duration::from_secs(1);

/// An answer; it can be given any number of times.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Body {
    Whole(Vec<u8>),
    /// Announced whole, sent a byte a second.
    Dripping(Vec<u8>),
    /// So many bytes, announced if the flag says so. With more than anybody waits for, it has no end.
    Long {
        length: u64,
        announced: bool,
    },
    /// Announced longer than it is.
    Short(Vec<u8>),
    /// Not even a head.
    Never,
}

impl Answer {
    /// A document.
    pub fn document(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body(200, Body::Whole(body.into())).header("Content-Type", media_type)
    }

    /// A JSON document.
    pub fn json(value: &Value) -> Self {
        Self::document("application/json", value.to_string())
    }

    /// A status and nothing more.
    pub fn status(status: u16) -> Self {
        Self::with_body(status, Body::Whole(Vec::new()))
    }

    /// A redirection (302); another status comes by [`Answer::but`].
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    /// Takes the request and never answers.
    pub fn hang() -> Self {
        Self::with_body(200, Body::Never)
    }

    /// A byte a second.
    pub fn drip(body: impl Into<Vec<u8>>) -> Self {
        Self::with_body(200, Body::Dripping(body.into()))
    }

    /// Bytes without end, and without saying how many.
    pub fn endless() -> Self {
        Self::with_body(200, Body::Long { length: u64::MAX, announced: false })
    }

    /// So many bytes, as announced.
    pub fn huge(length: u64) -> Self {
        Self::with_body(200, Body::Long { length, announced: true })
    }

    /// Breaks off a byte before the end.
    pub fn broken(body: impl Into<Vec<u8>>) -> Self {
        Self::with_body(200, Body::Short(body.into()))
    }

    /// The same with another status.
    pub fn but(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, after a while.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn with_body(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body, delay: Duration::ZERO }
    }

    /// Sends it, as far as the other side takes it; `sent` hears of every piece of the body.
    pub(super) async fn send<S>(&self, to: &mut S, sent: impl Fn(usize)) -> std::io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        tokio::time::sleep(self.delay).await;
        if let Body::Never = self.body {
            // Until the other side goes.
            return to.read_u8().await.map(drop);
        }
        to.write_all(self.head().as_bytes()).await?;
        match &self.body {
            Body::Whole(body) | Body::Short(body) => {
                to.write_all(body).await?;
                sent(body.len());
            }
            Body::Dripping(body) => {
                for byte in body {
                    to.write_all(&[*byte]).await?;
                    to.flush().await?;
                    sent(1);
                    tokio::time::sleep(DRIP).await;
                }
            }
            Body::Long { length, .. } => {
                let piece = vec![b' '; 16 * 1024];
                let mut left = *length;
                while left > 0 {
                    let length = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    to.write_all(&piece[..length]).await?;
                    sent(length);
                    left -= length as u64;
                }
            }
            Body::Never => {}
        }
        to.flush().await
    }

    fn head(&self) -> String {
        let announced = match &self.body {
            Body::Whole(body) | Body::Dripping(body) => Some(body.len() as u64),
            Body::Short(body) => Some(body.len() as u64 + 1),
            Body::Long { length, announced } => announced.then_some(*length),
            Body::Never => None,
        };
        let mut head = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if let Some(length) = announced {
            head.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
        }
        head + "\r\n"
    }
}
