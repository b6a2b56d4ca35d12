//! Numbers an owner looks at: what is counted for each plugin, in hours, days and months of UTC, and how rows of counts
//! become a day, a month or a year.
//!
//! All lists are closed, so that the number of rows depends on no caller.

use std::{collections::BTreeMap, str::FromStr};

use chrono::{DateTime, Datelike, Months, NaiveTime, TimeDelta, Timelike};
use serde::Serialize;

use super::{Timestamp, account::UnknownWord};

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $says:literal;)+) => {
        /// Why something was refused, as owners are told: the codes of OAuth, and words for what has none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Refusal {
            $($(#[$doc])* $name,)+
        }

        impl Refusal {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// One sentence about it.
            pub fn says(self) -> &'static str {
                match self {
                    $(Self::$name => $says,)+
                }
            }

            fn counted_as(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("refused_", $word),)+
                }
            }
        }
    };
}

refusals! {
    /// RFC 6749.
    InvalidRequest = "invalid_request", "The client's request lacked something, or contradicted itself.";
    /// RFC 6749.
    InvalidClient = "invalid_client", "The client is unknown, or did not prove to be itself.";
    /// RFC 6749.
    InvalidGrant = "invalid_grant", "A code or refresh token was not, or no longer, good.";
    /// RFC 6749.
    UnauthorizedClient = "unauthorized_client", "The client may not do this.";
    /// RFC 6749.
    UnsupportedGrantType = "unsupported_grant_type", "The client asked in a way that is not offered here.";
    /// RFC 6749.
    UnsupportedResponseType = "unsupported_response_type", "The client asked for something other than a code.";
    /// RFC 6749.
    InvalidScope = "invalid_scope", "Nothing of what was asked for can be given.";
    /// RFC 8707.
    InvalidTarget = "invalid_target", "The client asked for access to something that is not registered.";
    /// RFC 6750.
    InvalidToken = "invalid_token", "The API was called with a token that is not good.";
    /// RFC 6749.
    AccessDenied = "access_denied", "The person said no.";
    /// OpenID Connect Core §3.1.2.6, and its like.
    InteractionRequired = "interaction_required", "The client wanted no page, and one had to be shown.";
    /// Where the client wanted people to be sent back to.
    RedirectUri = "redirect_uri", "The callback is not registered with the client.";
    /// Its own document.
    ClientMetadata = "client_metadata", "The client's metadata was not acceptable.";
    /// Passwords, second factors, providers.
    SignIn = "sign_in", "The person could not sign in.";
    /// Whatever is wrong with a page that is not the client's doing.
    Page = "page", "The person's page was too old, or came from elsewhere.";
    /// The rest.
    Other = "other", "Another reason; the timelines of connections tell it.";
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counted {
    /// People who are connected: no sum but how it stood when the time was over.
    People,
    /// Connections that began.
    Gained,
    /// Connections that ended, for whatever reason.
    Lost,
    /// Calls of the token endpoint.
    TokenRequest,
    /// Something was refused.
    Refused(Refusal),
}

impl Counted {
    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Gained => "connections_new",
            Self::Lost => "connections_lost",
            Self::TokenRequest => "token_requests",
            Self::Refused(refusal) => refusal.counted_as(),
        }
    }

    /// Everything that is counted.
    pub fn all() -> impl Iterator<Item = Self> {
        let refused = Refusal::ALL.iter().copied().map(Self::Refused);
        [Self::People, Self::Gained, Self::Lost, Self::TokenRequest].into_iter().chain(refused)
    }
}

impl FromStr for Counted {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::all().find(|counted| counted.as_str() == word).ok_or_else(|| UnknownWord::new("count", word))
    }
}

/// How long a time one row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month of the calendar.
    Month,
}

impl Grain {
    /// All of them: what happens is counted in each.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// How long its rows stay; longer than they are shown.
    pub fn kept(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::days(2),
            Self::Day => TimeDelta::days(40),
            Self::Month => TimeDelta::days(400),
        }
    }

    /// When the one began that this instant is in.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let day = DateTime::from_naive_utc_and_offset(at.date_naive().and_time(NaiveTime::MIN), chrono::Utc);
        match self {
            Self::Hour => day + TimeDelta::hours(at.hour().into()),
            Self::Day => day,
            Self::Month => day - TimeDelta::days(at.day0().into()),
        }
    }

    /// The beginning of the one so many before this beginning.
    fn earlier(self, start: Timestamp, by: u32) -> Timestamp {
        match self {
            Self::Hour => start - TimeDelta::hours(by.into()),
            Self::Day => start - TimeDelta::days(by.into()),
            Self::Month => start.checked_sub_months(Months::new(by)).unwrap_or(start),
        }
    }
}

/// How long a time is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// 24 hours.
    #[default]
    Day,
    /// 30 days.
    Month,
    /// Twelve months of the calendar.
    Year,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Year];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// In which rows it is counted.
    pub fn grain(self) -> Grain {
        match self {
            Self::Day => Grain::Hour,
            Self::Month => Grain::Day,
            Self::Year => Grain::Month,
        }
    }

    /// The beginnings of its parts; the last of them is not over yet.
    pub fn starts(self, now: Timestamp) -> Vec<Timestamp> {
        let parts = match self {
            Self::Day => 24,
            Self::Month => 30,
            Self::Year => 12,
        };
        let last = self.grain().start(now);
        (0..parts).rev().map(|before| self.grain().earlier(last, before)).collect()
    }
}

impl FromStr for Period {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|period| period.as_str() == word).ok_or_else(|| UnknownWord::new("period", word))
    }
}

/// One row: how often in the time that began then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// When that was.
    pub starts_at: Timestamp,
    /// What.
    pub what: Counted,
    /// How often.
    pub count: i64,
}

/// All that is told of one hour, day or month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it began.
    pub starts_at: Timestamp,
    /// How many were connected at its end, or are now; none where nobody looked.
    pub people: Option<i64>,
    /// Connections that began.
    pub gained: i64,
    /// Connections that ended.
    pub lost: i64,
    /// Calls of the token endpoint.
    pub token_requests: i64,
    /// What was refused, for all reasons.
    pub refused: i64,
}

/// The numbers of a plugin over a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Which.
    pub period: Period,
    /// Its parts, the oldest first.
    pub slots: Vec<Slot>,
    /// What was refused in it, by reason, the commonest first.
    pub refusals: Vec<(Refusal, i64)>,
}

impl Numbers {
    /// Puts rows into their places; those of another time are passed over.
    pub fn of(period: Period, now: Timestamp, rows: &[Count]) -> Self {
        let slot = |starts_at| Slot { starts_at, people: None, gained: 0, lost: 0, token_requests: 0, refused: 0 };
        let mut slots: Vec<Slot> = period.starts(now).into_iter().map(slot).collect();
        let mut refusals = BTreeMap::new();
        for Count { starts_at, what, count } in rows {
            let Some(slot) = slots.iter_mut().find(|slot| slot.starts_at == *starts_at) else { continue };
            match what {
                Counted::People => slot.people = Some(*count),
                Counted::Gained => slot.gained += count,
                Counted::Lost => slot.lost += count,
                Counted::TokenRequest => slot.token_requests += count,
                Counted::Refused(refusal) => {
                    slot.refused += count;
                    *refusals.entry(*refusal).or_insert(0) += count;
                }
            }
        }
        let mut refusals: Vec<(Refusal, i64)> = refusals.into_iter().collect();
        refusals.sort_by_key(|(_, count)| -count);
        Self { period, slots, refusals }
    }

    /// A sum over the period.
    pub fn total(&self, of: impl Fn(&Slot) -> i64) -> i64 {
        self.slots.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_word_is_read_again_and_no_two_are_the_same() {
        let words: std::collections::BTreeSet<&str> = Counted::all().map(Counted::as_str).collect();
        assert_eq!(words.len(), Counted::all().count());
        for counted in Counted::all() {
            assert_eq!(counted.as_str().parse::<Counted>().unwrap(), counted);
        }
        assert!("refused_".parse::<Counted>().is_err());
    }

    #[test]
    fn a_period_ends_with_what_is_not_over_yet() {
        let now = at("2028-02-29T23:59:59.999Z");
        let ends = |period: Period| {
            let starts = period.starts(now);
            (starts.len(), starts[0].to_rfc3339(), starts[starts.len() - 1].to_rfc3339())
        };
        let told = |count, first: &str, last: &str| (count, format!("{first}+00:00"), format!("{last}+00:00"));
        assert_eq!(ends(Period::Day), told(24, "2028-02-29T00:00:00", "2028-02-29T23:00:00"));
        assert_eq!(ends(Period::Month), told(30, "2028-01-31T00:00:00", "2028-02-29T00:00:00"));
        assert_eq!(ends(Period::Year), told(12, "2027-03-01T00:00:00", "2028-02-01T00:00:00"));
    }

    #[test]
    fn rows_are_kept_longer_than_they_are_shown() {
        for month in 1..=12 {
            let now = at(&format!("2027-{month:02}-28T23:59:59.999Z"));
            for period in Period::ALL {
                let first = period.starts(now)[0];
                assert!(first > now - period.grain().kept(), "{period:?} {now}");
            }
        }
    }

    #[test]
    fn rows_find_their_places() {
        let now = at("2027-01-02T03:04:05Z");
        let row = |starts_at: &str, what, count| Count { starts_at: at(starts_at), what, count };
        let numbers = Numbers::of(
            Period::Day,
            now,
            &[
                row("2027-01-02T03:00:00Z", Counted::People, 7),
                row("2027-01-02T03:00:00Z", Counted::Refused(Refusal::InvalidGrant), 2),
                row("2027-01-02T03:00:00Z", Counted::Refused(Refusal::AccessDenied), 5),
                row("2027-01-01T04:00:00Z", Counted::Gained, 3),
                row("2027-01-01T04:00:00Z", Counted::Refused(Refusal::InvalidGrant), 4),
                row("2027-01-01T03:00:00Z", Counted::Gained, 1000),
            ],
        );
        let [first, .., last] = numbers.slots.as_slice() else { panic!("24 slots") };
        assert_eq!((first.gained, first.refused, first.people), (3, 4, None));
        assert_eq!((last.people, last.refused, last.gained), (Some(7), 7, 0));
        assert_eq!(numbers.refusals, [(Refusal::InvalidGrant, 6), (Refusal::AccessDenied, 5)]);
        assert_eq!(numbers.total(|slot| slot.gained), 3);
    }
}
