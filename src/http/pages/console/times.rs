//! How the console writes times: in the one time zone that owners in several places share, and that logs have too.

use crate::model::Timestamp;

/// A day, where the time of day says nothing more.
pub fn day(at: Timestamp) -> String {
    at.format("%-d %B %Y").to_string()
}

/// A time to the minute.
pub fn minute(at: Timestamp) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// A time to the second, where one thing comes after another.
pub fn second(at: Timestamp) -> String {
    at.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_people_read_it() {
        let at = chrono::DateTime::from_timestamp(1_777_766_459, 0).unwrap();
        assert_eq!(day(at), "3 May 2026");
        assert_eq!((minute(at), second(at)), ("3 May 2026, 00:00 UTC".into(), "3 May 2026, 00:00:59 UTC".into()));
    }
}
