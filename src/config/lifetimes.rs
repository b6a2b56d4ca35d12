//! How long things live: `access_token_lifetime`, `refresh_*`, `session_lifetime`, `standing_max_age`, `audit_age`; all in
//! seconds.

use chrono::TimeDelta;

use super::reader::Reader;

pub(super) const YEAR: u32 = 365 * 24 * 3600;
const AUDIT_AGE_MIN: u32 = 90 * 24 * 3600;

/// How long things live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token.
    pub access_token: TimeDelta,
    /// How long a superseded refresh token is answered with its successor; zero is strict.
    pub refresh_grace: TimeDelta,
    /// A connection that is not used.
    pub refresh_idle: TimeDelta,
    /// A connection at most.
    pub refresh_absolute: TimeDelta,
    /// A browser's session.
    pub session: TimeDelta,
    /// The knowledge that a connection stands.
    pub standing_max_age: TimeDelta,
    /// An event of the audit log; none for ever.
    pub audit: Option<TimeDelta>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Lifetimes> {
    // All are read before any is missed, so that all mistakes are told.
    let access_token = reader.number("access_token_lifetime", 60..=86_400);
    let refresh_grace = reader.number("refresh_grace", 0..=3600);
    let refresh_idle = reader.number("refresh_idle", 300..=10 * YEAR);
    let refresh_absolute = reader.number("refresh_absolute", 300..=10 * YEAR);
    let session = reader.number("session_lifetime", 300..=YEAR);
    let standing_max_age = reader.number("standing_max_age", 0..=60);
    let audit = reader.number("audit_age", 0..=100 * YEAR);
    if audit.is_some_and(|age| age != 0 && age < AUDIT_AGE_MIN) {
        let cure = format!("write at least {AUDIT_AGE_MIN} (90 days), or 0 to keep it for ever");
        reader.mistake("audit_age", "what is wrong is often found later than that", cure);
    }
    if let (Some(idle), Some(absolute)) = (refresh_idle, refresh_absolute)
        && idle > absolute
    {
        let cure = format!("write at most {absolute}, which is refresh_absolute");
        reader.mistake("refresh_idle", "an unused connection would outlive every connection", cure);
    }
    Some(Lifetimes {
        access_token: seconds(access_token?),
        refresh_grace: seconds(refresh_grace?),
        refresh_idle: seconds(refresh_idle?),
        refresh_absolute: seconds(refresh_absolute?),
        session: seconds(session?),
        standing_max_age: seconds(standing_max_age?),
        audit: unless_zero(audit?),
    })
}

pub(super) fn seconds(number: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(number))
}

/// Zero is for what never comes by itself.
pub(super) fn unless_zero(number: u32) -> Option<TimeDelta> {
    (number != 0).then(|| seconds(number))
}
