//! How the console writes times: to the minute, in the one time zone that owners in several places share.

use crate::model::Timestamp;

/// A time to the minute.
pub(super) fn minute(at: Timestamp) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_to_the_minute() {
        assert_eq!(minute(chrono::DateTime::from_timestamp(1_777_766_459, 0).unwrap()), "3 May 2026, 00:00 UTC");
    }
}
