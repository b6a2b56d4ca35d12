//! The refresh table as thirty lines without I/O, and random histories that the real store must answer alike.

use chrono::TimeDelta;
use consentry::{
    model::client::AuthenticationMethod,
    protocol::client_authentication::formerly,
    store::families::{Redemption, Rotation},
};
use futures_util::future::join_all;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Handle;

use super::{
    answers::{Answer, present},
    facts::{World, audit, start},
};
use crate::on_both_engines;

const GRACE: i64 = 120_000;
const HOUR: i64 = 3_600_000;

/// A line of refresh tokens; times are milliseconds after the beginning.
struct Line {
    method: AuthenticationMethod,
    counter: i64,
    predecessor: Option<i64>,
    rotated_at: Option<i64>,
    idle_until: i64,
    ended: bool,
}

impl Line {
    fn born() -> Self {
        let method = AuthenticationMethod::None;
        Self { method, counter: 0, predecessor: None, rotated_at: None, idle_until: HOUR, ended: false }
    }

    fn present(&mut self, method: AuthenticationMethod, presented: i64, now: i64, grace: i64) -> Answer {
        if self.ended || now >= self.idle_until || method < self.method {
            return Answer::NotStanding;
        }
        let open = self.rotated_at.is_some_and(|rotated_at| now < rotated_at + grace);
        let jumps = presented > self.counter;
        let is_predecessor = self.predecessor == Some(presented) && grace > 0;
        if !jumps && presented != self.counter && !is_predecessor {
            self.ended = true;
            return Answer::Replayed;
        }
        self.method = method;
        if open && !jumps {
            return Answer::Repeated(self.counter);
        }
        if !is_predecessor {
            self.counter = presented;
            self.predecessor = Some(presented);
        }
        self.counter += 1;
        self.rotated_at = Some(now);
        self.idle_until = (now + HOUR).min(10 * HOUR);
        if jumps { Answer::Jumped(self.counter) } else { Answer::Rotated(self.counter) }
    }
}

/// Which token is presented.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// So far from the counter.
    FromCounter(i64),
    /// The predecessor, if there is one.
    Predecessor,
}

/// So much later, the same token is presented so many times at once, by a method that is so much stronger than the
/// family's.
#[derive(Clone, Copy, Debug)]
struct Step {
    pause: i64,
    which: Which,
    stronger: isize,
    times: usize,
}

/// Theft ends a history, so it is rare; the edges of the window and of the idle hour are frequent.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![
        3 => Just(0),
        2 => 1..GRACE,
        2 => Just(GRACE - 1),
        4 => Just(GRACE),
        2 => GRACE + 1..3 * GRACE,
        1 => HOUR - 1..=HOUR,
    ];
    let which = prop_oneof![
        8 => Just(Which::FromCounter(0)),
        6 => Just(Which::Predecessor),
        2 => (1..4_i64).prop_map(Which::FromCounter),
        1 => (-4..0_i64).prop_map(Which::FromCounter),
    ];
    let stronger = prop_oneof![6 => Just(0), 1 => Just(1), 1 => Just(-1)];
    let step = (pause, which, stronger, 1..4_usize);
    let step = step.prop_map(|(pause, which, stronger, times)| Step { pause, which, stronger, times });
    prop::collection::vec(step, 1..=20)
}

/// Lives one history on a fresh family.
async fn live(world: &World, grace: i64, history: &[Step]) -> Result<(), TestCaseError> {
    let mut line = Line::born();
    let redemption = Redemption { authentication_method: line.method, ..world.redemption() };
    world.store.redeem(&redemption, &audit(start())).await.unwrap();
    let mut now = 0;
    for (number, step) in history.iter().enumerate() {
        now += step.pause;
        let presented = match step.which {
            Which::FromCounter(offset) => (line.counter + offset).max(0),
            Which::Predecessor => line.predecessor.unwrap_or(line.counter),
        };
        let method = line.method as usize;
        let method = AuthenticationMethod::ALL[method.saturating_add_signed(step.stronger).min(2)];
        let rotation = Rotation {
            authentication_method: method,
            formerly: formerly(AuthenticationMethod::ALL.into_iter().collect(), method),
            grace: TimeDelta::milliseconds(grace),
            ..world.rotation(redemption.id, presented, now)
        };
        let at_once = (0..step.times).map(|_| present(&world.store, &rotation));
        let mut answers = join_all(at_once).await;
        let mut expected: Vec<_> = (0..step.times).map(|_| line.present(method, presented, now, grace)).collect();
        // Who of those that came at once was first is nobody's business.
        answers.sort();
        expected.sort();
        prop_assert_eq!(answers, expected, "step {}: {} presented by {:?} at {} ms", number, presented, method, now);
    }
    Ok(())
}

on_both_engines! {
    async fn the_store_answers_as_the_table_does(engine) {
        let world = World::new(engine).await;
        let config = Config { cases: 64, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let histories = (prop_oneof![3 => Just(GRACE), 1 => Just(0), 1 => Just(1)], steps());
        tokio::task::block_in_place(|| {
            TestRunner::new(config)
                .run(&histories, |(grace, history)| Handle::current().block_on(live(&world, grace, &history)))
                .unwrap();
        });
    }
}
