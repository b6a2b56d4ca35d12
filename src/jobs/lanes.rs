//! Lanes: what is asked of one goes in a lane of its own, so that whoever does not answer holds up nobody but who asks for the
//! same.

use std::collections::HashMap;

use tokio::task::JoinSet;

/// Those in which something is under way. What is under way ends with them.
#[derive(Default)]
pub(super) struct Lanes {
    busy: HashMap<String, JoinSet<()>>,
}

impl Lanes {
    /// Begins a lane for each of these where none is under way.
    pub(super) fn open<W>(&mut self, names: Vec<String>, work: impl Fn(String) -> W)
    where
        W: Future<Output = ()> + Send + 'static,
    {
        self.busy.retain(|_, lane| {
            while lane.try_join_next().is_some() {}
            !lane.is_empty()
        });
        for name in names {
            let lane = self.busy.entry(name.clone()).or_default();
            if lane.is_empty() {
                lane.spawn(work(name));
            }
        }
    }

    /// Waits until nothing is under way in any.
    pub(super) async fn end(self) {
        for (_, lane) in self.busy {
            lane.join_all().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_lane_that_stands_still_holds_up_no_other_and_is_begun_once() {
        let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let ended = Arc::new(Semaphore::new(0));
        let work = |name: String| {
            let (begun, gate, ended) = (Arc::clone(&begun), Arc::clone(&gate), Arc::clone(&ended));
            async move {
                if name == "slow" {
                    begun.fetch_add(1, Ordering::SeqCst);
                    let _ = gate.acquire().await;
                } else {
                    ended.add_permits(1);
                }
            }
        };
        let mut lanes = Lanes::default();
        for _ in 0..3 {
            lanes.open(vec!["slow".to_owned(), "quick".to_owned()], work);
            ended.acquire().await.unwrap().forget();
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        gate.add_permits(1);
        lanes.end().await;
    }
}
