//! Chance: the only room that makes random bytes and row ids. Everything else gets them as arguments.

use uuid::Uuid;

use crate::model::Timestamp;

/// Fills an array from the operating system's generator.
///
/// # Panics
/// When the operating system has no randomness to give; nothing safe could be done without it.
#[expect(clippy::expect_used, reason = "without randomness no answer would be safe; stopping is the only right one")]
#[expect(clippy::disallowed_methods, reason = "this is the room that makes chance")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A row id, UUID v7 (RFC 9562 §5.7): sorted by `now`, with 74 random bits. A name, never a capability.
pub fn id(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes()).into_uuid()
}
