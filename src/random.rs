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
    written(now, &bytes())
}

/// The same, sorted by `place` within a millisecond: its last 12 bits stand for as many random ones (§6.2, method 1).
pub fn id_in_place(now: Timestamp, place: u16) -> Uuid {
    let mut random: [u8; 10] = bytes();
    random[..2].copy_from_slice(&place.to_be_bytes());
    written(now, &random)
}

fn written(now: Timestamp, random: &[u8; 10]) -> Uuid {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_millisecond_are_in_order_of_their_place() {
        let now = chrono::DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
        let ids: Vec<Uuid> = (0..4096).map(|place| id_in_place(now, place)).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.get_version_num() == 7));
        assert!(id_in_place(now + chrono::TimeDelta::milliseconds(1), 0) > ids[4095]);
    }
}
