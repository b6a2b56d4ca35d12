//! The timetable of working keys: how long one is known before it is used, how long it is kept when it is not used any
//! more, and how old it may become. A pure table; `registry::keys` goes by it, and `jobs::keys` asks it what is due.
//!
//! Nothing honest is ever refused because of a change of keys: each is read by every node before any of them makes
//! something with it, and kept for as long as something it made may come back.

use chrono::TimeDelta;

use super::{
    Timestamp,
    key::{Purpose, WrappedKey},
};

/// So long after a key was made every node has read it: they look once a second, and a clock may be a little off.
const READ_EVERYWHERE: TimeDelta = TimeDelta::seconds(10);

/// The same where every second counts: somebody else may know the key of before.
const READ_IN_HASTE: TimeDelta = TimeDelta::seconds(3);

/// The longest that `access_token_lifetime` can be, and a little for clocks that are behind.
const ACCESS_TOKEN_MAX: TimeDelta = TimeDelta::minutes(24 * 60 + 10);

/// A code is good for a minute.
const CODE_MAX: TimeDelta = TimeDelta::hours(1);

/// A request in flight, an offer, a half-way cookie and the request behind a link in a mail end within hours.
const REQUEST_MAX: TimeDelta = TimeDelta::days(7);

/// A browser is remembered for a month, by a mark that this server authenticates.
const MARK_MAX: TimeDelta = TimeDelta::days(31);

/// No key is ever known for so long before it is used, whatever `jwks_max_age` is.
const LEAD_MAX: TimeDelta = TimeDelta::days(2);

/// Whether a key that waits does so because a clock was wrong when it was made. It is replaced like an old one: nothing
/// would be until then.
pub fn is_out_of_reach(newest: &WrappedKey, now: Timestamp) -> bool {
    now + LEAD_MAX < newest.active_at
}

/// What the timetable depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTimetable {
    /// How long whoever verifies access tokens may keep the JWK Set.
    pub jwks_max_age: TimeDelta,
    /// How old a signing key becomes before another takes over; none for one that only a command replaces.
    pub signing_key_age: Option<TimeDelta>,
    /// The same for all others.
    pub working_key_age: Option<TimeDelta>,
    /// How long a connection lives at most.
    pub refresh_absolute: TimeDelta,
}

impl Default for KeyTimetable {
    fn default() -> Self {
        Self {
            jwks_max_age: TimeDelta::minutes(5),
            signing_key_age: Some(TimeDelta::days(90)),
            working_key_age: Some(TimeDelta::days(365)),
            refresh_absolute: TimeDelta::days(365),
        }
    }
}

/// When one key takes over from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// When the new one begins and the old one ends making things.
    pub at: Timestamp,
    /// Until when what the old one made may come back; none while that is not known.
    pub needed_until: Option<Timestamp>,
}

impl KeyTimetable {
    /// A routine change that begins now. `last_family_ends` is when the last connection there is today ends.
    pub fn take_over(&self, purpose: Purpose, now: Timestamp, last_family_ends: Option<Timestamp>) -> TakeOver {
        let at = now + self.lead(purpose);
        let needed_until = match purpose {
            Purpose::Sign => Some(at + ACCESS_TOKEN_MAX),
            // Connections of today may have been made under another `refresh_absolute`.
            Purpose::Mac => last_family_ends.into_iter().chain([at + self.refresh_absolute, at + MARK_MAX]).max(),
            Purpose::SealCode => Some(at + CODE_MAX),
            Purpose::SealRequest => Some(at + REQUEST_MAX),
            // As long as a row is sealed with it, or a link of the audit log authenticated: who changes those knows.
            Purpose::SealData | Purpose::Audit => None,
        };
        TakeOver { at, needed_until }
    }

    /// A change in haste: somebody else may know the old key, so what it made ends with it. What is kept in rows still
    /// has to be opened, to be sealed anew.
    pub fn take_over_in_haste(purpose: Purpose, now: Timestamp) -> TakeOver {
        let at = now + READ_IN_HASTE;
        let needed_until = match purpose {
            Purpose::SealData | Purpose::Audit => None,
            Purpose::Sign | Purpose::Mac | Purpose::SealCode | Purpose::SealRequest => Some(at),
        };
        TakeOver { at, needed_until }
    }

    /// How long a new key is known before it is used. The public half of one that signs is in the JWK Set by then, and
    /// everybody who kept an older one has fetched it again.
    pub fn lead(&self, purpose: Purpose) -> TimeDelta {
        match purpose {
            Purpose::Sign => self.jwks_max_age + READ_EVERYWHERE,
            _ => READ_EVERYWHERE,
        }
    }

    /// When another key is to be made, for the newest of its kind; none where only a command does that.
    pub fn due_at(&self, newest: &WrappedKey) -> Option<Timestamp> {
        let age = match newest.purpose {
            Purpose::Sign => self.signing_key_age,
            _ => self.working_key_age,
        };
        age.map(|age| newest.active_at + age)
    }

    /// Whether another key should be there already.
    pub fn is_due(&self, key: &WrappedKey, now: Timestamp) -> bool {
        key.is_newest() && self.due_at(key).is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn whoever_kept_the_key_set_has_fetched_it_again_before_a_new_key_signs() {
        let table = KeyTimetable { jwks_max_age: TimeDelta::hours(1), ..KeyTimetable::default() };
        // Read by the last node a second late, and kept from then on for an hour.
        let last_old_set_expires = at(0) + TimeDelta::seconds(1) + TimeDelta::hours(1);
        assert!(table.take_over(Purpose::Sign, at(0), None).at > last_old_set_expires);
    }

    #[test]
    fn a_key_is_kept_for_as_long_as_what_it_made_may_come_back() {
        let table = KeyTimetable::default();
        let kept = |purpose, ends| table.take_over(purpose, at(0), ends).needed_until;
        assert!(kept(Purpose::Sign, None).unwrap() >= at(310 + 86_400));
        assert_eq!(kept(Purpose::Mac, None), Some(at(10) + TimeDelta::days(365)));
        let ten_years = at(0) + TimeDelta::days(3650);
        assert_eq!(kept(Purpose::Mac, Some(ten_years)), Some(ten_years), "one made when connections lived longer");
        assert_eq!(kept(Purpose::SealData, None), None);
        assert_eq!(kept(Purpose::Audit, None), None);
    }

    #[test]
    fn what_somebody_else_may_know_ends_when_it_is_replaced() {
        for purpose in [Purpose::Sign, Purpose::Mac, Purpose::SealCode, Purpose::SealRequest] {
            let TakeOver { at: over, needed_until } = KeyTimetable::take_over_in_haste(purpose, at(0));
            assert_eq!((over, needed_until), (at(3), Some(at(3))));
        }
        assert_eq!(KeyTimetable::take_over_in_haste(Purpose::SealData, at(0)).needed_until, None);
    }
}
