//! Store: remembers. A closed enum of two engines behind one contract.
//!
//! One operation is one step of the protocol, atomic, answered by an outcome enum. The contract of each operation
//! stands in the file named for its table (`families.rs`, `consents.rs` …). `sqlite/` and `postgres/` carry them out;
//! operations that are the same on both stand in `either/` and are compiled once for each, so only `families` is
//! written twice: there the engines differ, and say why. The store never reads the clock, makes ids or decides policy;
//! it speaks only `model`.

pub mod access;
pub mod account_export;
pub mod accounts;
pub mod assertions;
pub mod audit;
pub mod audit_links;
pub mod audit_log;
pub mod callback_offers;
pub mod client_changes;
pub mod clients;
pub mod connected;
pub mod consents;
pub mod counts;
pub mod due_secrets;
pub mod error;
pub mod factors;
pub mod families;
mod family_rows;
mod family_statements;
pub mod flows;
pub mod groups;
pub mod identities;
pub mod invitations;
pub mod keys;
pub mod links;
pub mod mails;
pub mod owner_tokens;
pub mod owners;
pub mod people;
pub mod plugin_people;
pub mod plugin_secrets;
pub mod plugins;
mod postgres;
pub mod reseals;
pub mod resources;
pub mod reviewers;
pub mod rows;
mod schema;
pub mod secret_revocations;
pub mod secret_turns;
pub mod secret_uses;
pub mod sessions;
pub mod sign_ins;
mod sqlite;
pub mod sweep;
pub mod verifications;
pub mod watch;
pub mod webhooks;

pub use error::{StoreError, StoreResult};

use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use crate::model::{Timestamp, live::Live};
use watch::Watch;

/// Where rows are kept.
#[derive(Clone, Debug)]
pub enum Store {
    /// Embedded; one machine.
    Sqlite(sqlite::Sqlite),
    /// Shared by any number of nodes.
    Postgres(postgres::Postgres),
}

/// Runs an operation on whichever engine is open; both have it under the same name, by which it is watched.
macro_rules! on_either_engine {
    ($store:expr, $engine:ident => $same:ident . $operation:ident ( $($argument:expr),* $(,)? )) => {
        match $store {
            $crate::store::Store::Sqlite($engine) => {
                $crate::store::watched!($engine, "sqlite", $operation, $same.$operation($($argument),*))
            }
            $crate::store::Store::Postgres($engine) => {
                $crate::store::watched!($engine, "postgresql", $operation, $same.$operation($($argument),*))
            }
        }
    };
}
pub(crate) use on_either_engine;

/// The same for an operation that may end what stands, or change what the gate goes by: after it, this process looks again
/// at what it remembers of the database ([`Store::changes`]). Nothing that strangers do at will is one.
macro_rules! changing {
    ($store:expr, $engine:ident => $same:ident . $operation:ident ( $($argument:expr),* $(,)? )) => {{
        let _afterwards = $store.changed_afterwards();
        $crate::store::on_either_engine!($store, $engine => $same.$operation($($argument),*))
    }};
}
pub(crate) use changing;

/// Says on its way out that something was changed: also where nobody waits any more for whether it was.
struct Afterwards<'a>(Option<&'a AtomicU64>);

impl Afterwards<'_> {
    /// Nothing was changed that ends anything.
    fn not(mut self) {
        self.0 = None;
    }
}

impl Drop for Afterwards<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0 {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Waits for an operation within its span, and tells whoever watches how long it took. What it was called with stays out:
/// among it are digests and addresses.
macro_rules! watched {
    ($engine:ident, $system:literal, $operation:ident, $call:expr) => {{
        let span = tracing::info_span!(
            target: $crate::model::traces::TARGET,
            "store",
            otel.name = stringify!($operation),
            db.operation.name = stringify!($operation),
            db.system.name = $system,
        );
        let watching = $crate::store::watch::Watching::begin($engine.watch);
        let outcome = tracing::Instrument::instrument($call, span).await;
        watching.end(stringify!($operation), &outcome);
        outcome
    }};
}
pub(crate) use watched;

/// Whether Postgres refuses the text: it cannot hold a zero character, so no row is named by one either.
fn is_no_text(text: &str) -> bool {
    text.contains('\0')
}

/// How far a database's schema is, compared with this program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// Every migration this program knows has been applied, and no other.
    Current,
    /// This many migrations are still to be applied.
    Behind(usize),
    /// A newer program has migrated it: this one must not touch it.
    FromTheFuture,
}

/// How the engine is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// The Postgres password, when it is not in the URL.
    pub password: Option<Live<Zeroizing<String>>>,
    /// Connections (Postgres) or readers (SQLite).
    pub connections_max: u32,
    /// How long an operation may wait for a connection or a lock before the store counts as down.
    pub patience: std::time::Duration,
    /// Who is told how long operations take.
    pub watch: Option<Watch>,
}

impl std::fmt::Debug for OpenOptions {
    // Neither the URL nor the password: both may be secret.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OpenOptions").field("connections_max", &self.connections_max).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the engine the URL names. A SQLite file is created when it is missing; nothing is migrated.
    ///
    /// Fails with [`StoreError::Unavailable`] when the database cannot be reached, and with
    /// [`StoreError::Misconfigured`] when the URL is of no known kind or the file's folder cannot be written.
    pub async fn open(options: &OpenOptions) -> StoreResult<Self> {
        if options.url.starts_with("sqlite:") {
            Ok(Self::Sqlite(sqlite::Sqlite::open(options).await?))
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            Ok(Self::Postgres(postgres::Postgres::open(options).await?))
        } else {
            Err(StoreError::Misconfigured("the database URL must start with sqlite:// or postgres://".into()))
        }
    }

    /// How often this process has changed something that may end what stands: whoever remembers what they read remembers
    /// this number too, as it was before, and reads again when it is another.
    pub fn changes(&self) -> u64 {
        self.count().load(Ordering::SeqCst)
    }

    fn changed_afterwards(&self) -> Afterwards<'_> {
        Afterwards(Some(self.count()))
    }

    fn count(&self) -> &AtomicU64 {
        match self {
            Self::Sqlite(engine) => &engine.changes,
            Self::Postgres(engine) => &engine.changes,
        }
    }

    /// Compares the database's schema with this program's.
    pub async fn schema_state(&self) -> StoreResult<SchemaState> {
        on_either_engine!(self, engine => engine.schema_state())
    }

    /// Applies the migrations that are missing; safe when several programs do it at once. Refuses a database from
    /// the future with [`StoreError::Misconfigured`].
    pub async fn migrate(&self) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.migrate())
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.ping())
    }

    /// The database server's time, which all nodes that share it go by; none for an embedded one.
    pub async fn database_time(&self) -> StoreResult<Option<Timestamp>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(engine) => engine.time().await.map(Some),
        }
    }

    /// Has further connections made with the password as it is now; those that are open stay.
    pub fn renew_password(&self) {
        if let Self::Postgres(engine) = self {
            engine.renew_password();
        }
    }

    /// Sees to it that what was overwritten or deleted stands in none of the database's files any more; `false` while
    /// somebody reads as of before, or writes. On Postgres that is vacuum's to do, and nothing is done here.
    pub async fn scrub(&self) -> StoreResult<bool> {
        match self {
            Self::Sqlite(engine) => engine.scrub().await,
            Self::Postgres(_) => Ok(true),
        }
    }

    /// Finishes what is under way and closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(engine) => engine.close().await,
            Self::Postgres(engine) => engine.close().await,
        }
    }
}
