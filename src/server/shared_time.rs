//! The time that nodes share: that of their database, by which each corrects its own clock.

use super::Server;
use crate::{
    clock::Clock,
    store::{Store, StoreResult},
};

/// A machine that is further off than this, in milliseconds, has a clock that may run at another pace too.
const CLOCK_OFFSET_MAX_MS: i64 = 30_000;

/// Corrects a clock by the database's, where several nodes may share one.
pub async fn measure(clock: &Clock, store: &Store) -> StoreResult<()> {
    let before = clock.now();
    if let Some(shared) = store.database_time().await? {
        // The answer was made somewhere between the two looks; the middle is off by half a round trip at most.
        let shown = before + (clock.now() - before) / 2;
        clock.correct(shown, shared);
    }
    Ok(())
}

impl Server {
    /// Corrects the clock by the database's, where several nodes may share one.
    pub async fn measure_clock(&self) -> StoreResult<()> {
        measure(&self.clock, &self.store).await
    }

    /// Whether this machine's clock is close enough to the shared one to be believed between two measurements.
    pub fn is_clock_sound(&self) -> bool {
        self.clock.offset().abs() <= CLOCK_OFFSET_MAX_MS
    }
}
