//! Spans of time as people write them: a whole number and a unit, such as `90d`.

use std::{fmt, str::FromStr};

use chrono::TimeDelta;

/// A span of whole seconds, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub TimeDelta);

/// A text that is no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number and a unit (s, m, h, d or w), such as 90d or 1h")]
pub struct NotASpan;

/// Units and their seconds, the longest first.
const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let text = text.trim();
        // A bare number of seconds is what other options take.
        let (number, seconds) =
            UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds))).unwrap_or((text, 1));
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotASpan);
        }
        let seconds = number.parse::<i64>().ok().and_then(|number| number.checked_mul(seconds));
        seconds.and_then(TimeDelta::try_seconds).map(Self).ok_or(NotASpan)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.num_seconds();
        // Two weeks are better known as 14 days.
        let whole = UNITS.iter().skip(1).find(|(_, seconds)| all != 0 && all % seconds == 0);
        let (unit, seconds) = whole.copied().unwrap_or(('s', 1));
        write!(out, "{}{unit}", all / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, seconds, written) in [
            ("90d", 7_776_000, "90d"),
            (" 2w ", 1_209_600, "14d"),
            ("90m", 5400, "90m"),
            ("3600", 3600, "1h"),
            ("0", 0, "0s"),
            ("61s", 61, "61s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.0.num_seconds(), span.to_string().as_str()), (seconds, written), "{text}");
        }
        for text in ["", "d", "-1d", "1.5h", "1 d", "1y", "١d", "9999999999999999999d", "9223372036854775807w"] {
            assert_eq!(text.parse::<Span>(), Err(NotASpan), "{text}");
        }
    }
}
