//! When the database is away: operations say so in time, and go on by themselves once it is back.

use std::time::Duration;

use consentry::store::{
    OpenOptions, Store, StoreError,
    families::{Redeem, Rotate},
};
use sqlx::{Connection, Executor, SqliteConnection};

use super::facts::{World, at, audit, new_account};
use crate::harness::{
    aside::at_once,
    databases::{Database, Engine, without_postgres},
};

const PATIENCE: Duration = Duration::from_millis(200);

/// Far longer than the patience, far shorter than a person's.
const SOON: Duration = Duration::from_secs(5);

fn options(url: &str) -> OpenOptions {
    OpenOptions { url: url.into(), password: None, connections_max: 4, patience: PATIENCE, watch: None }
}

async fn open(url: &str) -> Result<Store, StoreError> {
    tokio::time::timeout(SOON, Store::open(&options(url))).await.expect("an answer in time")
}

/// Ends every connection the store has to Postgres, as a restart would.
async fn terminate_all(world: &World) {
    let others = "pg_stat_activity where datname = current_database() and application_name = 'consentry'";
    assert!(world.database.count(others).await >= 1, "the store is connected");
    world.database.execute(&format!("select pg_terminate_backend(pid) from {others}")).await;
    for _ in 0..500 {
        if world.database.count(others).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the backends are still there");
}

/// Fills the pool, so that more than one dead connection is in the way.
async fn fill_the_pool(world: &World) {
    at_once(30, |_| {
        let store = world.store.clone();
        async move { store.plugins().await.unwrap() }
    })
    .await;
}

#[tokio::test]
async fn a_postgres_nobody_hears_is_unavailable() {
    // A port that was free a moment ago, so nobody listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = open(&format!("postgres://postgres@127.0.0.1:{port}/consentry")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_url_of_no_known_kind_is_misconfigured() {
    for url in ["mysql://127.0.0.1/consentry", "consentry.db", "", "sqlite", "postgres://127.0.0.1:port/x"] {
        let error = open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Misconfigured(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_folder_that_is_none_is_misconfigured() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    for path in [file.join("consentry.db"), folder.path().join("missing").join("consentry.db")] {
        let error = open(&format!("sqlite://{}", path.display())).await.unwrap_err();
        assert!(matches!(error, StoreError::Misconfigured(_)), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_locked_sqlite_is_unavailable_until_it_is_released() {
    let database = Database::migrated(Engine::Sqlite).await;
    let store = open(&database.url).await.unwrap();
    let mut other = SqliteConnection::connect(&database.url).await.unwrap();
    other.execute("begin exclusive").await.unwrap();
    // The second one waits for the writer the first one holds.
    let answers = tokio::time::timeout(
        SOON,
        at_once(2, |number| {
            let store = store.clone();
            let account = new_account(&format!("{number}@example.com"));
            async move { store.add_account(&account, &audit(at(0))).await }
        }),
    )
    .await
    .expect("an answer in time");
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    let reading = store.account_by_email(&"0@example.com".parse().unwrap()).await.unwrap();
    assert!(reading.is_none(), "readings go on while another writes");
    other.execute("rollback").await.unwrap();
    store.add_account(&new_account("0@example.com"), &audit(at(1))).await.unwrap();
    assert_eq!(database.count("accounts").await, 1, "what was refused was not written later");
}

#[tokio::test]
async fn an_abandoned_write_leaves_sqlite_usable() {
    let database = Database::migrated(Engine::Sqlite).await;
    let store = database.open().await;
    for round in 0..200 {
        let (storing, account) = (store.clone(), new_account(&format!("{round}@example.com")));
        let task = tokio::spawn(async move { storing.add_account(&account, &audit(at(0))).await });
        // Abandoned after more and more of its way, as when a caller hangs up.
        for _ in 0..round % 12 {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_micros(20 * round % 400)).await;
        }
        task.abort();
        let _ = task.await;
    }
    store.add_account(&new_account("last@example.com"), &audit(at(1))).await.unwrap();
    let accounts = database.count("accounts").await;
    assert_eq!(database.audited("account.added").await, accounts, "each written whole or not at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_postgres_restarts_each_step_goes_on_by_itself() {
    if without_postgres() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    let redemption = world.redemption();

    fill_the_pool(&world).await;
    terminate_all(&world).await;
    assert!(world.store.client(&world.client_id, at(1)).await.unwrap().is_some(), "a reading");

    fill_the_pool(&world).await;
    terminate_all(&world).await;
    world.store.ping().await.unwrap();

    fill_the_pool(&world).await;
    terminate_all(&world).await;
    let won = world.store.redeem(&redemption, &audit(at(1))).await.unwrap();
    assert!(matches!(won, Redeem::Won(_)), "{won:?}");

    fill_the_pool(&world).await;
    terminate_all(&world).await;
    let rotated = world.store.rotate(&world.rotation(redemption.id, 0, 2), &audit(at(2))).await.unwrap();
    assert!(matches!(rotated, Rotate::Rotated { counter: 1, .. }), "{rotated:?}");

    fill_the_pool(&world).await;
    terminate_all(&world).await;
    let mut strict = world.rotation(redemption.id, 1, 3);
    strict.grace = chrono::TimeDelta::zero();
    let rotated = world.store.rotate(&strict, &audit(at(3))).await.unwrap();
    assert!(matches!(rotated, Rotate::Rotated { counter: 2, .. }), "{rotated:?}");

    fill_the_pool(&world).await;
    terminate_all(&world).await;
    assert!(
        world.store.revoke_consent(&world.consent_key(), &audit(at(4))).await.unwrap(),
        "a step with a transaction"
    );
}
