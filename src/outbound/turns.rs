//! Turns: how many fetches go on at once, to one origin and in all. Whoever makes this server fetch must not be able to
//! aim it at somebody (a few connections per origin), nor to fill it up (a few in all, and a bounded queue).
//!
//! An origin is a name and a port, so whoever owns a domain has any number of them: against those only the bounds for
//! all hold. They hold for each of the two kinds of fetch apart (`server.rs`), so strangers' cannot keep back the rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::FetchError;

/// At once to one origin.
const AT_ONE_ORIGIN_MAX: usize = 2;

/// At once in all.
const AT_ONCE_MAX: usize = 32;

/// Fetching or waiting for it; who comes on top is sent away at once.
const CALLERS_MAX: usize = 256;

/// The same at one origin, so that a crowd at a slow one fills up no more than its own part of the queue.
const CALLERS_AT_ONE_ORIGIN_MAX: usize = 16;

/// Who fetches, and who waits for it.
pub(super) struct Turns {
    all: Arc<Semaphore>,
    origins: Mutex<HashMap<String, Origin>>,
}

/// An origin stands in the table only while somebody fetches from it or waits to.
struct Origin {
    places: Arc<Semaphore>,
    callers: usize,
}

/// The right to fetch, until it is dropped. The permits go first, then the entry in the table.
pub(super) struct Turn {
    _in_all: OwnedSemaphorePermit,
    _at_origin: OwnedSemaphorePermit,
    _caller: Caller,
}

impl Turns {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { all: Arc::new(Semaphore::new(AT_ONCE_MAX)), origins: Mutex::default() })
    }

    /// Waits for a turn; how long is the caller's affair. A place at the origin comes first, so that a crowd that waits
    /// for one slow host takes no place from the others.
    pub(super) async fn take(self: &Arc<Self>, origin: &str) -> Result<Turn, FetchError> {
        let (caller, places) = self.enter(origin)?;
        let at_origin = places.acquire_owned().await.map_err(|_| FetchError::Busy)?;
        let in_all = Arc::clone(&self.all).acquire_owned().await.map_err(|_| FetchError::Busy)?;
        Ok(Turn { _in_all: in_all, _at_origin: at_origin, _caller: caller })
    }

    fn enter(self: &Arc<Self>, origin: &str) -> Result<(Caller, Arc<Semaphore>), FetchError> {
        let mut origins = self.origins();
        let here = origins.get(origin).map_or(0, |origin| origin.callers);
        let in_all: usize = origins.values().map(|origin| origin.callers).sum();
        if here >= CALLERS_AT_ONE_ORIGIN_MAX || in_all >= CALLERS_MAX {
            return Err(FetchError::Busy);
        }
        let entry = origins
            .entry(origin.to_owned())
            .or_insert_with(|| Origin { places: Arc::new(Semaphore::new(AT_ONE_ORIGIN_MAX)), callers: 0 });
        entry.callers += 1;
        Ok((Caller { turns: Arc::clone(self), origin: origin.to_owned() }, Arc::clone(&entry.places)))
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<String, Origin>> {
        // Nothing under the lock can leave the table half written.
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who fetches or waits; counted out however that ends.
struct Caller {
    turns: Arc<Turns>,
    origin: String,
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut origins = self.turns.origins();
        if let Some(origin) = origins.get_mut(&self.origin) {
            origin.callers -= 1;
            if origin.callers == 0 {
                origins.remove(&self.origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const A_MOMENT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn an_origin_has_two_places_and_others_have_their_own() {
        let turns = Turns::new();
        let first = turns.take("a.example:443").await.expect("a turn");
        let _second = turns.take("a.example:443").await.expect("a turn");
        assert!(timeout(A_MOMENT, turns.take("a.example:443")).await.is_err(), "the third waits");
        assert!(timeout(A_MOMENT, turns.take("b.example:443")).await.is_ok(), "at another origin it need not");
        drop(first);
        assert!(timeout(A_MOMENT, turns.take("a.example:443")).await.is_ok(), "the place is given on");
    }

    #[tokio::test]
    async fn there_is_an_end_to_all_places_and_to_the_queue() {
        let turns = Turns::new();
        let mut taken = Vec::new();
        for number in 0..AT_ONCE_MAX {
            taken.push(turns.take(&number.to_string()).await.expect("a turn"));
        }
        assert!(timeout(A_MOMENT, turns.take("one more")).await.is_err());
        let waiting: Vec<_> = (AT_ONCE_MAX..CALLERS_MAX)
            .map(|number| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move { turns.take(&number.to_string()).await.map(drop) })
            })
            .collect();
        // All have their place in the queue now.
        tokio::time::sleep(A_MOMENT).await;
        assert!(matches!(timeout(A_MOMENT, turns.take("too many")).await, Ok(Err(FetchError::Busy))));
        drop(taken);
        for one in waiting {
            assert_eq!(one.await.expect("no panic"), Ok(()));
        }
    }

    #[tokio::test]
    async fn a_crowd_at_one_origin_leaves_the_queue_to_the_others() {
        let turns = Turns::new();
        let crowd: Vec<_> = (0..CALLERS_MAX)
            .map(|_| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move {
                    let turn = turns.take("slow.example:443").await;
                    std::future::pending::<()>().await;
                    turn.map(drop)
                })
            })
            .collect();
        tokio::time::sleep(A_MOMENT).await;
        let waiting = turns.origins().get("slow.example:443").map(|origin| origin.callers);
        assert_eq!(waiting, Some(CALLERS_AT_ONE_ORIGIN_MAX));
        assert!(matches!(timeout(A_MOMENT, turns.take("slow.example:443")).await, Ok(Err(FetchError::Busy))));
        assert!(matches!(timeout(A_MOMENT, turns.take("quick.example:443")).await, Ok(Ok(_))));
        for one in crowd {
            one.abort();
        }
    }

    #[tokio::test]
    async fn nothing_is_left_of_those_who_have_gone() {
        let turns = Turns::new();
        let (first, second) = (turns.take("a").await, turns.take("a").await);
        assert!(timeout(A_MOMENT, turns.take("a")).await.is_err(), "somebody who loses patience");
        for number in 0..1000 {
            drop(turns.take(&format!("{number}.example")).await.expect("a turn"));
        }
        assert_eq!(turns.origins().len(), 1);
        drop((first, second));
        assert!(turns.origins().is_empty());
    }
}
