//! Refilling: work that is done so many at a time, where whatever is done makes room at once. A slow one takes its own
//! place and holds up nobody else.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::store::StoreResult;

/// How long after nothing was found it is looked for again while something is under way.
const BREATH: Duration = Duration::from_secs(1);

/// Takes and does until nothing is there to be taken or under way. Where taking fails, what is under way ends first.
pub(super) async fn until_done<T, F, W>(
    at_once: usize,
    take: impl Fn(u32) -> F,
    work: impl Fn(T) -> W,
) -> StoreResult<()>
where
    F: Future<Output = StoreResult<Vec<T>>>,
    W: Future<Output = ()> + Send + 'static,
{
    let mut underway = JoinSet::new();
    loop {
        let room = u32::try_from(at_once - underway.len()).unwrap_or(0);
        let taken = match if room == 0 { Ok(Vec::new()) } else { take(room).await } {
            Ok(taken) => taken,
            Err(error) => {
                while underway.join_next().await.is_some() {}
                return Err(error);
            }
        };
        let found = !taken.is_empty();
        for one in taken {
            underway.spawn(work(one));
        }
        if underway.is_empty() {
            return Ok(());
        }
        if !found || underway.len() >= at_once {
            let _ = tokio::time::timeout(BREATH, underway.join_next()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn a_slow_one_holds_up_nobody_and_no_more_than_so_many_are_under_way() {
        let counter = |from| Arc::new(AtomicUsize::new(from));
        let (left, done, underway, most) = (counter(40), counter(0), counter(0), counter(0));
        let take = |room: u32| {
            let number = left.load(Ordering::SeqCst).min(room as usize);
            let first = left.fetch_sub(number, Ordering::SeqCst);
            std::future::ready(Ok((0..number).map(|place| first - place).collect()))
        };
        let work = |number: usize| {
            let (done, most, underway) = (Arc::clone(&done), Arc::clone(&most), Arc::clone(&underway));
            async move {
                most.fetch_max(underway.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // The first three are so slow that all others are done before them.
                while number > 37 && done.load(Ordering::SeqCst) < 37 {
                    tokio::task::yield_now().await;
                }
                underway.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
            }
        };
        let ended = tokio::time::timeout(Duration::from_mins(1), until_done(4, take, work)).await;
        ended.expect("the quick ones are not held up").unwrap();
        assert_eq!((done.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (40, 4));
    }
}
