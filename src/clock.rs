//! The clock: the only room that reads the time. Everything else gets it as an argument.
//!
//! All nodes on one Postgres share one clock: each corrects its own by the offset to the database, which
//! `server::Server::measure_clock` measures at start and every minute.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use crate::model::Timestamp;

/// What [`Clock::elapsed`] counts from.
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the clock")]
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What [`Clock::elapsed`] says of the machine's own clock, for those who hold none.
pub fn elapsed() -> Duration {
    ORIGIN.elapsed()
}

/// Tells the time, to the millisecond.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's own, corrected by so many milliseconds.
    System(Arc<AtomicI64>),
    /// Set by hand, in milliseconds since 1970; for tests that stand at an exact instant.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's own clock, not corrected yet.
    pub fn system() -> Self {
        Self::System(Arc::default())
    }

    /// A clock that stands still at the given time until it is moved.
    pub fn standing_at(time: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(time.timestamp_millis())))
    }

    /// The time, without digits finer than a millisecond: both engines keep such an instant unchanged.
    pub fn now(&self) -> Timestamp {
        let milliseconds = match self {
            #[expect(clippy::disallowed_methods, reason = "this is the room that reads the clock")]
            Self::System(offset) => Utc::now().timestamp_millis() + offset.load(Ordering::Relaxed),
            Self::Manual(time) => time.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_millis(milliseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Time since some moment, for telling how fast things follow each other. The machine's own never goes back, and no
    /// correction moves it: a rate must not stop for an hour because the clock was set back by one.
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::System(_) => elapsed(),
            Self::Manual(time) => Duration::from_millis(u64::try_from(time.load(Ordering::SeqCst)).unwrap_or(0)),
        }
    }

    /// The correction in force, in milliseconds; a clock set by hand has none.
    pub fn offset(&self) -> i64 {
        match self {
            Self::System(offset) => offset.load(Ordering::Relaxed),
            Self::Manual(_) => 0,
        }
    }

    /// Corrects the machine's clock: `shown` was on it when the shared clock stood at `shared`.
    pub fn correct(&self, shown: Timestamp, shared: Timestamp) {
        if let Self::System(offset) = self {
            offset.fetch_add((shared - shown).num_milliseconds(), Ordering::Relaxed);
        }
    }

    /// Moves a clock that is set by hand; the machine's own is left alone.
    pub fn advance(&self, by: chrono::TimeDelta) {
        if let Self::Manual(time) = self {
            time.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }
}
