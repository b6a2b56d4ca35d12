//! What a try to tell an owner's API something means: when that event is tried next, how long the host is left alone,
//! and whether it is told anything any more.

use chrono::TimeDelta;

use crate::model::Timestamp;

/// The waits after each try of one event; the last one is repeated.
const WAITS: [TimeDelta; 7] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
];

/// How long a host that fails is left alone: at first, and at most.
const REST_SECONDS: i64 = 5;
const REST_MAX: TimeDelta = TimeDelta::minutes(5);

/// How long nothing must have been taken when an event is given up, for nothing more to be told: less than an event is
/// tried for, so that where all fail the first that is given up ends it.
const STOPPED_AFTER: TimeDelta = TimeDelta::days(2);

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was taken: any status from 200 to 299.
    Taken,
    /// The host says that nobody is there any more: 410.
    Gone,
    /// Anything else.
    NotTaken,
    /// The host was not even asked, because too much is under way here.
    NotMade,
}

/// What is known before a try.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// How often this event was tried.
    pub attempts: i64,
    /// Until when it is tried.
    pub expires_at: Timestamp,
    /// How often in a row the host took nothing.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken.
    Delivered,
    /// It is tried again.
    Again(Timestamp),
    /// It is not.
    GivenUp,
}

/// What a try means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// For the event.
    pub fate: Fate,
    /// Whether it was a try.
    pub counts: bool,
    /// Until when the host is left alone; none where it goes on.
    pub rest_until: Option<Timestamp>,
    /// Why nothing more is told: a sentence without its full stop.
    pub stop: Option<&'static str>,
}

/// Judges a try; `jitter` is random, so that hosts that were down are not asked for everything at once.
pub fn meaning(tried: Tried, before: Before, at: Timestamp, jitter: u8) -> Meaning {
    let nothing = Meaning { fate: Fate::GivenUp, counts: true, rest_until: None, stop: None };
    match tried {
        Tried::Taken => Meaning { fate: Fate::Delivered, ..nothing },
        Tried::NotMade => {
            let soon = at + TimeDelta::seconds(REST_SECONDS);
            Meaning { fate: Fate::Again(soon), counts: false, rest_until: Some(soon), ..nothing }
        }
        Tried::Gone => Meaning { stop: Some("The address answered that it is gone for good (status 410)"), ..nothing },
        Tried::NotTaken => {
            let next = at + spread(WAITS[usize::try_from(before.attempts).unwrap_or(0).min(WAITS.len() - 1)], jitter);
            let rest = TimeDelta::seconds(REST_SECONDS << before.failures.clamp(0, 10)).min(REST_MAX);
            let meaning = Meaning { rest_until: Some(at + rest), ..nothing };
            if next <= before.expires_at {
                return Meaning { fate: Fate::Again(next), ..meaning };
            }
            let is_long = before.failing_since.is_some_and(|since| at - since >= STOPPED_AFTER);
            Meaning { stop: is_long.then_some("Nothing was taken for days"), ..meaning }
        }
    }
}

/// A fifth less or more.
fn spread(wait: TimeDelta, jitter: u8) -> TimeDelta {
    wait * 4 / 5 + wait * i32::from(jitter) * 2 / (5 * 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::webhook::TRIED_FOR;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(10_000) + TimeDelta::seconds(seconds)
    }

    fn before(attempts: i64) -> Before {
        Before { attempts, expires_at: at(0) + TRIED_FOR, failures: 0, failing_since: None }
    }

    #[test]
    fn an_event_is_tried_less_and_less_often_and_given_up_in_the_end() {
        for jitter in [0, 128, 255] {
            let (mut now, mut tries) = (at(0), 0);
            loop {
                match meaning(Tried::NotTaken, before(tries), now, jitter).fate {
                    Fate::Again(next) => now = next,
                    Fate::GivenUp => break,
                    Fate::Delivered => unreachable!(),
                }
                tries += 1;
                assert!(tries < 30, "it ends");
            }
            let hours = (now - at(0)).num_hours();
            assert!((10..20).contains(&tries) && (58..=72).contains(&hours), "{tries} tries in {hours} hours");
        }
        let first = |jitter| match meaning(Tried::NotTaken, before(0), at(0), jitter).fate {
            Fate::Again(next) => (next - at(0)).num_milliseconds(),
            other => panic!("{other:?}"),
        };
        assert_eq!((first(0), first(255)), (4000, 6000));
    }

    #[test]
    fn a_host_that_fails_is_left_alone_and_one_that_takes_goes_on() {
        let rest = |failures| {
            let known = Before { failures, failing_since: Some(at(-60)), ..before(1) };
            (meaning(Tried::NotTaken, known, at(0), 0).rest_until.unwrap() - at(0)).num_seconds()
        };
        assert_eq!([0, 1, 5, 6, i64::MAX].map(rest), [5, 10, 160, 300, 300]);
        let taken = meaning(Tried::Taken, before(3), at(0), 9);
        assert_eq!(taken, Meaning { fate: Fate::Delivered, counts: true, rest_until: None, stop: None });
        let not_made = meaning(Tried::NotMade, Before { failing_since: Some(at(-9_000_000)), ..before(9) }, at(0), 9);
        assert!(!not_made.counts && not_made.stop.is_none() && not_made.fate == Fate::Again(at(5)));
    }

    #[test]
    fn nothing_more_is_told_to_who_is_gone_or_took_nothing_for_days() {
        assert!(meaning(Tried::Gone, before(0), at(0), 0).stop.is_some());
        let failing = |hours, expires_at| {
            let since = Some(at(0) - TimeDelta::hours(hours));
            meaning(Tried::NotTaken, Before { failing_since: since, expires_at, ..before(8) }, at(0), 0).stop
        };
        assert!(failing(48, at(1)).is_some());
        assert!(failing(47, at(1)).is_none(), "others were taken meanwhile");
        assert!(failing(480, at(1_000_000)).is_none(), "it is tried again before");
    }
}
