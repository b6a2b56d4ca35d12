//! How long operations take, and which come to no outcome: told to whoever watches. The store reads no clock, so it is
//! given one for this.

use std::time::Duration;

use super::StoreResult;

/// Who watches.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// The time since some moment.
    pub elapsed: fn() -> Duration,
    /// Is told of each operation that ended: its name, how long it took, and whether it failed.
    pub ended: fn(&'static str, Duration, bool),
}

/// An operation under way. One that nobody waits for any more is not told of.
pub(super) struct Watching(Option<(Watch, Duration)>);

impl Watching {
    pub(super) fn begin(watch: Option<Watch>) -> Self {
        Self(watch.map(|watch| (watch, (watch.elapsed)())))
    }

    pub(super) fn end<T>(self, operation: &'static str, outcome: &StoreResult<T>) {
        if let Some((Watch { elapsed, ended }, began)) = self.0 {
            ended(operation, elapsed().saturating_sub(began), outcome.is_err());
        }
    }
}
