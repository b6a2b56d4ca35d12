//! What is looked at now and then for whoever watches: how much waits in queues, how old working keys are, how many rows
//! tables have. Nothing of it is done where there is no operations listener.

use std::{sync::Arc, time::Duration};

use crate::{
    model::{
        Timestamp,
        key::{KeyState, Purpose, WrappedKey},
        key_timetable::KeyTimetable,
    },
    server::Server,
    store::{StoreResult, rows::TABLES},
    telemetry::metrics::{self, Exposition, Queue},
};

/// How long after one look the next comes: about as often as a monitoring system asks.
const INTERVAL: Duration = Duration::from_secs(15);

/// How long after one count of all rows the next comes at the soonest.
const ROWS_INTERVAL: Duration = Duration::from_mins(1);

/// Counting the rows of a large table takes seconds, so the next count waits so many times as long as the last one took:
/// it is the two-hundredth part of what the database does, at the most. Each node counts.
const REST: u32 = 200;

/// How long between two tables, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(50);

/// Looks for ever.
pub async fn run(server: Arc<Server>, exposition: Exposition) {
    tokio::join!(look_on(&server, &exposition), count_on(&server));
}

async fn look_on(server: &Server, exposition: &Exposition) {
    loop {
        exposition.fold();
        show_queues(server);
        if let Err(error) = look(server).await {
            tracing::warn!(%error, "gauges could not be read and stay as they are; it is tried again in 15 seconds");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn count_on(server: &Server) {
    loop {
        let took = match count(server).await {
            Ok(took) => took,
            Err(error) => {
                tracing::warn!(%error, "rows could not be counted; they are next time");
                Duration::ZERO
            }
        };
        tokio::time::sleep(ROWS_INTERVAL.max(took * REST)).await;
    }
}

/// What waits in memory.
fn show_queues(server: &Server) {
    let notes = server.notes.waiting() + server.owner_tokens.waiting() + server.secret_uses.waiting();
    for (queue, waiting) in [
        (Queue::Passwords, server.passwords.waiting()),
        (Queue::FlowEvents, server.flows.waiting()),
        (Queue::Counts, server.counts.waiting()),
        (Queue::Notes, notes),
        (Queue::Refusals, server.refusals.waiting()),
    ] {
        metrics::queue_length(queue, waiting as u64);
    }
}

/// What the database is asked for each time: little, by an index or from a table of a few rows.
async fn look(server: &Server) -> StoreResult<()> {
    let keys = server.store.working_keys().await?;
    let now = server.clock.now();
    for purpose in Purpose::ALL {
        let Standing { due, oldest_active } = standing(&keys, *purpose, &server.settings.keys, now);
        metrics::keys_due(*purpose, due);
        if let Some(age) = oldest_active {
            metrics::key_age(*purpose, age);
        }
    }
    metrics::queue_length(Queue::Deliveries, server.store.deliveries_waiting().await?);
    Ok(())
}

/// How the keys for something are.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    due: u64,
    oldest_active: Option<Duration>,
}

fn standing(keys: &[WrappedKey], purpose: Purpose, timetable: &KeyTimetable, now: Timestamp) -> Standing {
    let keys = || keys.iter().filter(|key| key.purpose == purpose);
    let active = keys().filter(|key| key.state(now) == KeyState::Active);
    Standing {
        due: keys().filter(|key| timetable.is_due(key, now)).count() as u64,
        oldest_active: active.filter_map(|key| (now - key.active_at).to_std().ok()).max(),
    }
}

/// Counts every table, and says how long the database had to do with it.
async fn count(server: &Server) -> StoreResult<Duration> {
    let mut took = Duration::ZERO;
    for table in TABLES {
        let began = server.clock.elapsed();
        let rows = server.store.count_rows(table).await?;
        took += server.clock.elapsed().saturating_sub(began);
        metrics::rows(table.name, rows);
        tokio::time::sleep(BREATH).await;
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::model::key::Kid;

    fn key(purpose: Purpose, active_days_ago: i64, retired_days_ago: Option<i64>) -> WrappedKey {
        let at = |days: i64| now() - TimeDelta::days(days);
        WrappedKey {
            kid: Kid(1),
            purpose,
            algorithm: purpose.algorithm(),
            master: String::new(),
            wrapped: Vec::new(),
            created_at: at(active_days_ago),
            active_at: at(active_days_ago),
            retired_at: retired_days_ago.map(at),
            needed_until: None,
            gone_at: None,
        }
    }

    fn now() -> Timestamp {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_key_is_due_when_it_is_older_than_the_timetable_says_and_nothing_follows_it() {
        let table = KeyTimetable::default();
        let of = |keys: &[WrappedKey]| standing(keys, Purpose::Sign, &table, now());
        let days = |days: u64| Some(Duration::from_hours(24 * days));
        assert_eq!(of(&[key(Purpose::Sign, 89, None)]), Standing { due: 0, oldest_active: days(89) });
        assert_eq!(of(&[key(Purpose::Sign, 90, None)]), Standing { due: 1, oldest_active: days(90) });
        let replaced = [key(Purpose::Sign, 90, Some(0)), key(Purpose::Sign, 0, None)];
        assert_eq!(of(&replaced), Standing { due: 0, oldest_active: days(0) });
        let announced = [key(Purpose::Sign, 91, Some(-1)), key(Purpose::Sign, -1, None)];
        assert_eq!(of(&announced), Standing { due: 0, oldest_active: days(91) });
        assert_eq!(of(&[key(Purpose::Mac, 1000, None)]), Standing { due: 0, oldest_active: None });
        let by_command = KeyTimetable { signing_key_age: None, ..table };
        let old = [key(Purpose::Sign, 1000, None)];
        assert_eq!(standing(&old, Purpose::Sign, &by_command, now()).due, 0, "only a command replaces it");
    }
}
