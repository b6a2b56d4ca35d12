//! A Postgres whose operator chose another isolation level for whatever does not choose its own: races have outcomes
//! all the same.

use std::time::Duration;

use chrono::TimeDelta;
use consentry::store::families::Rotation;
use sqlx::{Connection, Executor, PgConnection};

use super::{
    answers::{Answer, present},
    facts::World,
    tables::Tables,
};
use crate::harness::databases::{Engine, without_postgres};

/// How many wait for a row that somebody holds.
const WAITING: &str = "
    select count(*) from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'";

async fn both_wait(world: &World) {
    // Not the holder's connection: within a transaction the server shows what it saw first.
    let mut observer = PgConnection::connect(&world.database.url).await.unwrap();
    let mut waiting: i64 = 0;
    while waiting < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        waiting = sqlx::query_scalar(WAITING).fetch_one(&mut observer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stricter_level_for_the_database_makes_no_errors_of_races() {
    if without_postgres() {
        return;
    }
    for level in ["repeatable read", "serializable"] {
        let world = World::new(Engine::Postgres).await;
        let name = world.database.url.rsplit('/').next().unwrap();
        let stricter = format!("alter database \"{name}\" set default_transaction_isolation = '{level}'");
        world.database.execute(&stricter).await;
        // Whoever connects from now on would have it.
        let store = world.database.open().await;
        let family = world.family().await;
        // Without a window each runs once only. Both have seen the row before either of them may change it.
        let rotation = Rotation { grace: TimeDelta::zero(), ..world.rotation(family, 0, 5) };
        let mut holder = PgConnection::connect(&world.database.url).await.unwrap();
        holder.execute("begin; select 1 from families for update").await.unwrap();
        let both: Vec<_> = (0..2)
            .map(|_| {
                let (store, rotation) = (store.clone(), rotation.clone());
                tokio::spawn(async move { present(&store, &rotation).await })
            })
            .collect();
        tokio::time::timeout(Duration::from_secs(30), both_wait(&world)).await.expect("both come to the row");
        holder.execute("commit").await.unwrap();
        let mut answers = Vec::new();
        for task in both {
            answers.push(task.await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, [Answer::Rotated(1), Answer::Replayed], "{level}");
        assert_eq!(Tables::of(&world.database).await.end_reasons().await, ["refresh_replayed"]);
    }
}
