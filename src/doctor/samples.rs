//! An answer as a test wants it.

use crate::{model::Timestamp, simulate::wire::Answer};

/// With these headers and that body.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Answer { status, headers, body: body.as_bytes().to_vec(), at: Timestamp::default() }
}
