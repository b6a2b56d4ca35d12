//! Postgres: any number of nodes may share one; they hold no state of their own.
//!
//! Each hot step is one statement. A connection is not tested before each use, which would cost a round trip; a
//! statement that meets a lost one runs once more on a fresh one, where that is safe. Operations that are the same on
//! both engines stand in `store/either`; `families` has its own statements.

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
    str::FromStr,
    sync::{Arc, atomic::AtomicU64},
};

use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres as Db, Transaction,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use zeroize::Zeroizing;

use super::{OpenOptions, SchemaState, StoreError, StoreResult, schema, watch::Watch};
use crate::model::{Timestamp, live::Live};

static MIGRATOR: Migrator = sqlx::migrate!("migrations/postgres");

/// The name under which operations of both engines know this one.
type Engine = Postgres;
/// A connection of this engine.
type Connection = PgConnection;
/// A step of this engine, which counts once it is committed.
type Step = Transaction<'static, Db>;

/// What holds for each connection, whatever the server, the database or the role is set to. A lock nobody releases must
/// not hold callers, and with them every connection, for ever. And what waited for a row must then find it as it is
/// now: on a stricter level it would be an error instead, and races have outcomes here.
const SETTINGS: &str = "
    select set_config('statement_timeout', $1, false),
           set_config('default_transaction_isolation', $2, false)";

/// Connections to one Postgres database.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
    password: Option<Live<Zeroizing<String>>>,
    pub(super) watch: Option<Watch>,
    pub(super) changes: Arc<AtomicU64>,
}

impl Postgres {
    /// Connects.
    pub(super) async fn open(options: &OpenOptions) -> StoreResult<Self> {
        let mut connect = PgConnectOptions::from_str(&options.url)
            .map_err(|error| StoreError::Misconfigured(format!("the database URL cannot be read: {error}")))?
            .application_name("consentry");
        if let Some(password) = &options.password {
            connect = connect.password(&password.get());
        }
        let timeout = i64::try_from(options.patience.as_millis()).unwrap_or(i64::MAX);
        let pool = PgPoolOptions::new()
            .max_connections(options.connections_max)
            .acquire_timeout(options.patience)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    sqlx::query(SETTINGS).bind(timeout.to_string()).bind("read committed").execute(connection).await?;
                    Ok(())
                })
            })
            .connect_with(connect)
            .await
            .map_err(refused)?;
        Ok(Self { pool, password: options.password.clone(), watch: options.watch, changes: Arc::default() })
    }

    pub(super) fn renew_password(&self) {
        if let Some(password) = &self.password {
            let connect = self.pool.connect_options().as_ref().clone();
            self.pool.set_connect_options(connect.password(&password.get()));
        }
    }

    pub(super) async fn schema_state(&self) -> StoreResult<SchemaState> {
        let exists: bool = sqlx::query_scalar(
            "select count(*) > 0
               from information_schema.tables
              where table_schema = current_schema()
                and table_name = '_sqlx_migrations'",
        )
        .fetch_one(&self.pool)
        .await?;
        let applied =
            if exists { sqlx::query_scalar(schema::APPLIED).fetch_all(&self.pool).await? } else { Vec::new() };
        Ok(schema::compare(&MIGRATOR, &applied))
    }

    pub(super) async fn migrate(&self) -> StoreResult<()> {
        if self.schema_state().await? == SchemaState::FromTheFuture {
            return Err(schema::from_the_future());
        }
        let mut connection = self.fresh().await?;
        // A migration may take longer than any caller would wait, and so may waiting for another node's.
        sqlx::query("set statement_timeout = 0").execute(&mut *connection).await?;
        let migrated = MIGRATOR.run(&mut *connection).await.map_err(schema::failed);
        // The connection's own settings go with it; whether it closes well says nothing about the migration.
        let _ = connection.close().await;
        migrated
    }

    pub(super) async fn ping(&self) -> StoreResult<()> {
        reading!(self, connection => connection.ping())
    }

    /// The server's clock, not the transaction's.
    pub(super) async fn time(&self) -> StoreResult<Timestamp> {
        reading!(self, connection => sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut *connection))
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a step that writes and is not hot: the connection is tested first, since it runs once only.
    async fn begin(&self) -> StoreResult<Transaction<'static, Db>> {
        let connection = self.fresh().await?;
        Ok(Transaction::begin(connection, None).await?)
    }

    /// Begins a step that reads much before it writes. (On Postgres nobody waits for it.)
    async fn begin_long(&self) -> StoreResult<Transaction<'static, Db>> {
        self.begin_unhurried().await
    }

    /// Begins a long reading for which nobody waits.
    async fn begin_unhurried(&self) -> StoreResult<Transaction<'static, Db>> {
        let mut step = self.begin().await?;
        sqlx::query("set local statement_timeout = '60s'").execute(&mut *step).await?;
        Ok(step)
    }

    /// A connection that has just answered.
    async fn fresh(&self) -> StoreResult<PoolConnection<Db>> {
        let mut last = sqlx::Error::PoolTimedOut;
        for _ in 0..=self.pool.options().get_max_connections() {
            let mut connection = self.pool.acquire().await?;
            match connection.ping().await {
                Ok(()) => return Ok(connection),
                Err(error) => {
                    last = error;
                    // Closing a dead connection may fail as well; it leaves the pool either way.
                    let _ = connection.close().await;
                }
            }
        }
        Err(last.into())
    }
}

/// A login or database that does not exist is the operator's to mend; waiting would not help.
fn refused(error: sqlx::Error) -> StoreError {
    let told = match &error {
        sqlx::Error::Database(database) if database.code().is_some_and(|code| ["28", "3D"].contains(&&code[..2])) => {
            format!("Postgres refuses the database URL: {}", database.message())
        }
        _ => return error.into(),
    };
    StoreError::Misconfigured(told)
}

/// Whether the error means that the connection was lost, so that nobody knows whether the statement was carried out, or
/// that the server gave it up.
fn may_run_again(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
        StoreError::Unavailable(sqlx::Error::Database(database)) => database
            .code()
            .is_some_and(|code| ["08", "40", "57P01", "57P02"].iter().any(|class| code.starts_with(class))),
        _ => false,
    }
}

/// Holds the rows that a reading finds until the step ends, against references to them too; those that are held by
/// others are left out.
macro_rules! locking {
    () => {
        "for update skip locked"
    };
}
use locking;

/// Holds the rows that a reading finds until the step ends, against changes and not against references to them; those
/// that are changed by others are left out.
macro_rules! taking {
    () => {
        "for no key update skip locked"
    };
}
use taking;

/// Holds the one row that a reading finds until the step ends, against references to it too; it is waited for.
macro_rules! holding {
    () => {
        "for update"
    };
}
use holding;

/// Whether it is one of few that another statement finds first. Each is then looked up by its key; what `in` says may be
/// answered by reading the whole table beside them.
macro_rules! is_one_of {
    ($($few:expr),+ $(,)?) => {
        concat!("= any(array(", $($few,)+ "))")
    };
}
use is_one_of;

/// Where in a text another one stands, from 1 on; 0 where it does not.
macro_rules! place_in {
    ($text:literal, $part:literal) => {
        concat!("strpos(", $text, ", ", $part, ")")
    };
}
use place_in;

/// Keeps the row that a reading finds from being deleted until the step ends; all else about it may be changed.
macro_rules! sharing {
    () => {
        "for key share"
    };
}
use sharing;

/// Runs a reading, or a step that is safe to repeat: once more on a fresh connection if it came to no outcome.
macro_rules! reading {
    ($engine:expr, $connection:ident => $operation:expr) => {{
        let first: $crate::store::StoreResult<_> = match $engine.pool.acquire().await {
            Ok(mut $connection) => $operation.await.map_err($crate::store::StoreError::from),
            Err(error) => Err(error.into()),
        };
        match first {
            Err(error) if $crate::store::postgres::may_run_again(&error) => {
                tracing::warn!(%error, "a database statement came to no outcome; it runs once more");
                let mut $connection = $engine.fresh().await?;
                $operation.await.map_err($crate::store::StoreError::from)
            }
            done => done,
        }
    }};
}
use reading;

/// Runs a step that is one statement, commits itself and is safe to repeat: no dearer than a reading. (SQLite has more
/// to do here.)
macro_rules! repeatable {
    ($engine:expr, $connection:ident => $operation:expr) => {
        $crate::store::postgres::reading!($engine, $connection => $operation)
    };
}
use repeatable;
