//! Why nothing was fetched. A message can be logged as it is: it says nothing of the URL but its host, and nothing
//! that the host said but a number.

use std::{error::Error, io};

/// Why a document could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Anything but https is not spoken.
    #[error("only https is fetched")]
    NotHttps,
    /// The host is, or resolves to, an address that is not for strangers' documents, and is not allowed.
    #[error("the host {host} has an address that is for {purpose} ({rfc})")]
    Address {
        /// The host as the URL has it; never an address that its name resolved to.
        host: String,
        /// What the address is for.
        purpose: &'static str,
        /// Where that is said.
        rfc: &'static str,
    },
    /// The name has no address.
    #[error("the host's name could not be resolved")]
    NoSuchHost,
    /// There was no connection, no TLS, or no whole answer.
    #[error("the host could not be spoken with: {0}")]
    Unreachable(&'static str),
    /// The patience was used up.
    #[error("the host took too long")]
    TooSlow,
    /// The answer leads elsewhere; nobody goes there.
    #[error("the host redirects, which is not followed")]
    Redirected,
    /// Any status but 200, and but a redirection.
    #[error("the host answered with status {0}")]
    Status(u16),
    /// The document is larger than the caller wants.
    #[error("the host's answer is too large")]
    TooLarge,
    /// Too many others were fetching, from this host or at all.
    #[error("too much is being fetched at once")]
    Busy,
}

impl FetchError {
    /// Whether the host itself answered that the document is not there, or not for us; asking again soon is no use.
    pub fn is_refusal(&self) -> bool {
        // Request Timeout, Too Early and Too Many Requests only ask for another moment.
        matches!(self, Self::Status(400..=499)) && !self.may_pass()
    }

    /// Whether the host was not even asked, so that nothing can be held against it.
    pub fn is_ours(&self) -> bool {
        *self == Self::Busy
    }

    /// Whether it may pass by itself: nothing is known against the document, only it could not be had this time.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::NoSuchHost
                | Self::Unreachable(_)
                | Self::TooSlow
                | Self::Busy
                | Self::Status(408 | 425 | 429 | 500..)
        )
    }

    /// What went wrong between reqwest and the host. An error of ours, from resolving, comes back as it was.
    pub fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TooSlow;
        }
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(ours) = error.downcast_ref::<Self>() {
                return ours.clone();
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return Self::Unreachable(in_words(innermost(error).kind()));
            }
            cause = error.source();
        }
        Self::Unreachable("its answer is not HTTP, or broke off")
    }
}

/// The TLS connector wraps an `io::Error` into another, whose kind says nothing.
fn innermost(error: &io::Error) -> &io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    inner.map_or(error, innermost)
}

/// In our words, because TLS libraries quote the other side's certificate.
fn in_words(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "nobody listens there",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no way to it",
        io::ErrorKind::InvalidData => "TLS failed, or its certificate is not trusted",
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => "the connection broke off",
        _ => "the connection failed",
    }
}

/// Why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The TLS client could not be made.
    #[error("outgoing TLS cannot be set up: {0}; are the system's root certificates installed (ca-certificates)?")]
    Tls(String),
}

impl OutboundError {
    /// With its causes, since the outermost says only that something was wrong.
    pub fn of(error: &reqwest::Error) -> Self {
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        Self::Tls(causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer_and_no_accident() {
        for status in [400, 401, 403, 404, 410, 451] {
            assert!(FetchError::Status(status).is_refusal() && !FetchError::Status(status).may_pass(), "{status}");
        }
        for passing in [408, 425, 429, 500, 503] {
            assert!(!FetchError::Status(passing).is_refusal() && FetchError::Status(passing).may_pass(), "{passing}");
        }
        for other in [FetchError::Redirected, FetchError::TooLarge, FetchError::Status(204)] {
            assert!(!other.is_refusal() && !other.may_pass(), "{other}");
        }
        assert!(FetchError::TooSlow.may_pass() && !FetchError::TooSlow.is_ours());
        assert!(FetchError::Busy.may_pass() && FetchError::Busy.is_ours());
    }
}
