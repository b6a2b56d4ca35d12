//! A fresh, migrated database for each test, on either engine.
//!
//! Postgres is the one `scripts/test` started; each test gets a database of its own in it, dropped afterwards.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use consentry::store::{OpenOptions, Store};
use sqlx::{Connection, Executor, PgConnection};

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file in a temporary folder.
    Sqlite,
    /// A database of its own in the Postgres that `scripts/test` started.
    Postgres,
}

/// A database that goes when the test has ended.
pub struct Database {
    /// What the server is told.
    pub url: String,
    /// Which engine.
    pub engine: Engine,
    folder: Option<tempfile::TempDir>,
    postgres: Option<(String, String)>,
}

/// The Postgres server's URL; without one there is nothing to test against, and that must be loud.
fn postgres_url() -> String {
    std::env::var("CONSENTRY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("this test needs Postgres: run `scripts/test`, which starts one, or `scripts/test --sqlite-only`")
    })
}

/// Whether the tester asked to do without Postgres; `scripts/test --sqlite-only` says so aloud.
pub fn without_postgres() -> bool {
    std::env::var_os("CONSENTRY_TEST_SQLITE_ONLY").is_some()
}

impl Database {
    /// Makes an empty database.
    pub async fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let url = format!("sqlite://{}", folder.path().join("consentry.db").display());
                Self { url, engine, folder: Some(folder), postgres: None }
            }
            Engine::Postgres => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let server = postgres_url();
                let name = format!("suite_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                let mut admin = PgConnection::connect(&server).await.expect("the test Postgres answers");
                let create = sqlx::AssertSqlSafe(format!("create database {name}"));
                admin.execute(create).await.expect("a database can be made");
                let mut url = url::Url::parse(&server).expect("the test Postgres has a URL");
                url.set_path(&name);
                Self { url: url.into(), engine, folder: None, postgres: Some((server, name)) }
            }
        }
    }

    /// Makes a migrated database.
    pub async fn migrated(engine: Engine) -> Self {
        let database = Self::empty(engine).await;
        let store = database.open().await;
        store.migrate().await.expect("the migrations run");
        store.close().await;
        database
    }

    /// How a test opens it.
    pub fn options(&self) -> OpenOptions {
        OpenOptions {
            url: self.url.clone(),
            password: None,
            connections_max: 10,
            patience: Duration::from_secs(10),
            watch: None,
        }
    }

    /// Opens the store.
    pub async fn open(&self) -> Store {
        Store::open(&self.options()).await.expect("the database opens")
    }

    /// The folder of a SQLite file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("a SQLite database").path()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((server, name)) = self.postgres.take() else { return };
        // A runtime of its own: a test's may be gone or busy when its database is dropped.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                if let Ok(mut admin) = PgConnection::connect(&server).await {
                    let drop = sqlx::AssertSqlSafe(format!("drop database if exists {name} with (force)"));
                    let _ = admin.execute(drop).await;
                }
            });
        });
        let _ = dropped.join();
    }
}

/// Writes each question once and asks it of both engines: `on_both_engines! { async fn question(engine) { … } }`
/// becomes the tests `question::sqlite` and `question::postgres`.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $question:ident($engine:ident) $body:block)+) => {$(
        $(#[$attribute])*
        mod $question {
            #[allow(unused_imports)]
            use super::*;
            use $crate::harness::databases::Engine;

            async fn ask($engine: Engine) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                ask(Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if $crate::harness::databases::without_postgres() {
                    return;
                }
                ask(Engine::Postgres).await;
            }
        }
    )+};
}
