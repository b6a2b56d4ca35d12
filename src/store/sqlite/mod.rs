//! SQLite: embedded, and fit for production on one machine.
//!
//! WAL, `synchronous=FULL`, a pool of readers and one writer connection: writers queue here instead of meeting
//! `SQLITE_BUSY`, and every write begins `immediate`, because a transaction that reads first cannot wait for a lock.
//! What is deleted is overwritten with zeros, in the file at its next checkpoint; `scrub` makes one.
//! Operations that are the same on both engines stand in `store/either`; `families` has its own statements.

#[path = "../either/access.rs"]
mod access;
#[path = "../either/account_export.rs"]
mod account_export;
#[path = "../either/accounts.rs"]
mod accounts;
#[path = "../either/assertions.rs"]
mod assertions;
#[path = "../either/audit.rs"]
mod audit;
#[path = "../either/audit_links.rs"]
mod audit_links;
#[path = "../either/audit_log.rs"]
mod audit_log;
#[path = "../either/callback_offers.rs"]
mod callback_offers;
#[path = "../either/client_changes.rs"]
mod client_changes;
#[path = "../either/client_documents.rs"]
mod client_documents;
#[path = "../either/clients.rs"]
mod clients;
#[path = "../either/connected.rs"]
mod connected;
#[path = "../either/consents.rs"]
mod consents;
#[path = "../either/counts.rs"]
mod counts;
#[path = "../either/due_secrets.rs"]
mod due_secrets;
#[path = "../either/factors.rs"]
mod factors;
mod families;
#[path = "../either/flows.rs"]
mod flows;
#[path = "../either/groups.rs"]
mod groups;
#[path = "../either/identities.rs"]
mod identities;
#[path = "../either/invitations.rs"]
mod invitations;
#[path = "../either/key_ends.rs"]
mod key_ends;
#[path = "../either/keys.rs"]
mod keys;
#[path = "../either/links.rs"]
mod links;
#[path = "../either/mails.rs"]
mod mails;
#[path = "../either/owner_tokens.rs"]
mod owner_tokens;
#[path = "../either/owners.rs"]
mod owners;
#[path = "../either/people.rs"]
mod people;
#[path = "../either/plugin_people.rs"]
mod plugin_people;
#[path = "../either/plugin_secret_rows.rs"]
mod plugin_secret_rows;
#[path = "../either/plugin_secrets.rs"]
mod plugin_secrets;
#[path = "../either/plugins.rs"]
mod plugins;
#[path = "../either/reseals.rs"]
mod reseals;
#[path = "../either/resources.rs"]
mod resources;
#[path = "../either/reviewers.rs"]
mod reviewers;
#[path = "../either/rows.rs"]
mod rows;
#[path = "../either/secret_revocations.rs"]
mod secret_revocations;
#[path = "../either/secret_turns.rs"]
mod secret_turns;
#[path = "../either/secret_uses.rs"]
mod secret_uses;
#[path = "../either/sessions.rs"]
mod sessions;
#[path = "../either/sign_ins.rs"]
mod sign_ins;
#[path = "../either/standing.rs"]
mod standing;
#[path = "../either/sweep.rs"]
mod sweep;
#[path = "../either/verifications.rs"]
mod verifications;
#[path = "../either/webhook_events.rs"]
mod webhook_events;
#[path = "../either/webhook_turns.rs"]
mod webhook_turns;
#[path = "../either/webhooks.rs"]
mod webhooks;

use std::{
    path::Path,
    str::FromStr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection as _, Sqlite as Db, SqlitePool, Transaction,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{OpenOptions, SchemaState, StoreError, StoreResult, schema, watch::Watch};

static MIGRATOR: Migrator = sqlx::migrate!("migrations/sqlite");

/// The name under which operations of both engines know this one.
type Engine = Sqlite;
/// A connection of this engine.
type Connection = SqliteConnection;
/// A step of this engine, which counts once it is committed.
type Step = Transaction<'static, Db>;

/// How long a checkpoint waits for whoever reads as of before; writers wait for it.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(500);

/// An open SQLite file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    readers: SqlitePool,
    writer: SqlitePool,
    connect: Arc<SqliteConnectOptions>,
    pub(super) watch: Option<Watch>,
    pub(super) changes: Arc<AtomicU64>,
}

impl Sqlite {
    /// Opens the file; makes it, readable by its owner alone, when it is missing.
    pub(super) async fn open(options: &OpenOptions) -> StoreResult<Self> {
        let connect = SqliteConnectOptions::from_str(&options.url)
            .map_err(|error| StoreError::Misconfigured(format!("the database URL cannot be read: {error}")))?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.patience)
            // Beside what else they write, refreshes write no byte more by it, and sweeping an eighth.
            .pragma("secure_delete", "on")
            .optimize_on_close(true, 1000);
        make_private(connect.get_filename())?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(options.patience)
            .connect_with(connect.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.connections_max)
            .acquire_timeout(options.patience)
            .connect_with(connect.clone().read_only(true))
            .await?;
        Ok(Self { readers, writer, connect: Arc::new(connect), watch: options.watch, changes: Arc::default() })
    }

    pub(super) async fn schema_state(&self) -> StoreResult<SchemaState> {
        let exists: bool = sqlx::query_scalar("select count(*) > 0 from sqlite_schema where name = '_sqlx_migrations'")
            .fetch_one(&self.readers)
            .await?;
        let applied =
            if exists { sqlx::query_scalar(schema::APPLIED).fetch_all(&self.readers).await? } else { Vec::new() };
        Ok(schema::compare(&MIGRATOR, &applied))
    }

    pub(super) async fn migrate(&self) -> StoreResult<()> {
        if self.schema_state().await? == SchemaState::FromTheFuture {
            return Err(schema::from_the_future());
        }
        // The migrator takes no lock of its own on this engine: in one transaction that begins as a writer, another
        // program waits here and then finds nothing left to do, and a half-migrated file cannot remain.
        let mut step = self.begin().await?;
        MIGRATOR.run(&mut *step).await.map_err(schema::failed)?;
        Ok(step.commit().await?)
    }

    pub(super) async fn ping(&self) -> StoreResult<()> {
        // A server that can only read cannot do its work, and `select 1` would not even look at the file: the write
        // lock is taken, and given back without having written anything.
        Ok(self.begin().await?.rollback().await?)
    }

    /// Writes the log into the file and empties it.
    pub(super) async fn scrub(&self) -> StoreResult<bool> {
        // No writer of this program is in the way then, and by a connection of its own it has a patience of its own.
        let _turn = self.writer.acquire().await?;
        let connect =
            SqliteConnectOptions::clone(&self.connect).busy_timeout(CHECKPOINT_PATIENCE).optimize_on_close(false, None);
        let mut connection = connect.connect().await?;
        let checkpoint = sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut connection).await;
        connection.close().await?;
        let (is_busy, _, _): (bool, i64, i64) = checkpoint?;
        Ok(!is_busy)
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a step that writes.
    async fn begin(&self) -> StoreResult<Transaction<'static, Db>> {
        Ok(self.writer.begin_with("begin immediate").await?)
    }

    /// Begins a step that reads much before it writes. (Here all other writers wait for it.)
    async fn begin_long(&self) -> StoreResult<Transaction<'static, Db>> {
        self.begin().await
    }

    /// Begins a long reading; it keeps no writer waiting.
    async fn begin_unhurried(&self) -> StoreResult<Transaction<'static, Db>> {
        Ok(self.readers.begin().await?)
    }
}

/// Holds the rows that a reading finds: the step that writes holds the whole file. (Postgres has more to do here.)
macro_rules! locking {
    () => {
        ""
    };
}
use locking;

/// Holds the rows that a reading finds, against changes: the step that writes holds the whole file.
macro_rules! taking {
    () => {
        ""
    };
}
use taking;

/// Holds the one row that a reading finds until the step ends: the step that writes holds the whole file.
macro_rules! holding {
    () => {
        ""
    };
}
use holding;

/// Whether it is one of few that another statement finds first. (Postgres has to be told that they are few.)
macro_rules! is_one_of {
    ($($few:expr),+ $(,)?) => {
        concat!("in (", $($few,)+ ")")
    };
}
use is_one_of;

/// Where in a text another one stands, from 1 on; 0 where it does not.
macro_rules! place_in {
    ($text:literal, $part:literal) => {
        concat!("instr(", $text, ", ", $part, ")")
    };
}
use place_in;

/// Keeps the row that a reading finds from being deleted until the step ends: the step that writes holds the whole file.
macro_rules! sharing {
    () => {
        ""
    };
}
use sharing;

/// Runs a reading. (Postgres has more to do here.)
macro_rules! reading {
    ($engine:expr, $connection:ident => $operation:expr) => {{
        let mut $connection = $engine.readers.acquire().await?;
        $operation.await.map_err($crate::store::StoreError::from)
    }};
}
use reading;

/// Runs a step that is one statement and safe to repeat. The commit is asked for, although the statement would make its
/// own: that one comes after the row was handed out, and nobody would hear that it failed.
macro_rules! repeatable {
    ($engine:expr, $connection:ident => $operation:expr) => {{
        let mut $connection = $engine.begin().await?;
        let done = $operation.await?;
        $connection.commit().await?;
        Ok(done)
    }};
}
use repeatable;

/// Makes the file with access for its owner alone; SQLite gives its `-wal` and `-shm` the same.
fn make_private(path: &Path) -> StoreResult<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map(|_| ()).map_err(|error| {
        let path = path.display();
        StoreError::Misconfigured(format!(
            "the database file {path} cannot be written ({error}); name a folder this user may write to"
        ))
    })
}
