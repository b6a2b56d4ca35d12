//! What stands in the tables, seen past the store through a connection of the exam's own.
//!
//! The SQL given here is what both engines understand, and answers text or whole numbers.

use std::time::Duration;

use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::harness::databases::{Database, Engine};

/// A connection past the store.
pub enum Tables {
    /// To the file.
    Sqlite(SqliteConnection),
    /// To the test's own database.
    Postgres(PgConnection),
}

/// How many rows every table has.
const ROWS: &str = "
    select 'accounts ' || count(*) from accounts union all
    select 'people_groups ' || count(*) from people_groups union all
    select 'people_group_members ' || count(*) from people_group_members union all
    select 'access_rules ' || count(*) from access_rules union all
    select 'owner_invitations ' || count(*) from owner_invitations union all
    select 'plugin_owners ' || count(*) from plugin_owners union all
    select 'plugin_verifications ' || count(*) from plugin_verifications union all
    select 'plugins ' || count(*) from plugins union all
    select 'resources ' || count(*) from resources union all
    select 'retired_resources ' || count(*) from retired_resources union all
    select 'assertion_ids ' || count(*) from assertion_ids union all
    select 'plugin_counts ' || count(*) from plugin_counts union all
    select 'plugin_connections ' || count(*) from plugin_connections union all
    select 'plugin_secrets ' || count(*) from plugin_secrets union all
    select 'plugin_secret_versions ' || count(*) from plugin_secret_versions union all
    select 'plugin_documents ' || count(*) from plugin_documents union all
    select 'clients ' || count(*) from clients union all
    select 'callback_offers ' || count(*) from callback_offers union all
    select 'client_secrets ' || count(*) from client_secrets union all
    select 'consents ' || count(*) from consents union all
    select 'identities ' || count(*) from identities union all
    select 'links ' || count(*) from links union all
    select 'outgoing_mails ' || count(*) from outgoing_mails union all
    select 'families ' || count(*) from families union all
    select 'flow_events ' || count(*) from flow_events union all
    select 'sign_in_failures ' || count(*) from sign_in_failures union all
    select 'sessions ' || count(*) from sessions union all
    select 'passkeys ' || count(*) from passkeys union all
    select 'authenticator_apps ' || count(*) from authenticator_apps union all
    select 'recovery_codes ' || count(*) from recovery_codes union all
    select 'remembered_devices ' || count(*) from remembered_devices union all
    select 'plugin_webhooks ' || count(*) from plugin_webhooks union all
    select 'webhook_deliveries ' || count(*) from webhook_deliveries union all
    select 'working_keys ' || count(*) from working_keys union all
    select 'reseals ' || count(*) from reseals union all
    select 'audit_events ' || count(*) from audit_events union all
    select 'audit_links ' || count(*) from audit_links union all
    select 'audit_forgotten ' || count(*) from audit_forgotten
    order by 1";

/// Whatever about a family can change.
const FAMILIES: &str = "
    select cast(counter as text) || ' ' || coalesce(cast(predecessor as text), '-')
           || ' ' || coalesce(cast(rotated_at as text), '-') || ' ' || cast(idle_until as text)
           || ' ' || coalesce(cast(ended_at as text), '-') || ' ' || coalesce(end_reason, '-')
           || ' ' || cast(access_generation as text)
      from families
     order by id";

/// What the audit log says about families, and whether it says whose.
const FAMILY_EVENTS: &str = "
    select action || ' ' || coalesce(detail ->> 'reason', '-')
           || case when account_id is null or client_id is null then ' of nobody' else '' end
      from audit_events
     where action like 'family.%' or action like 'access.%'
     order by at, action";

impl Tables {
    /// Connects.
    pub async fn of(database: &Database) -> Self {
        match database.engine {
            Engine::Sqlite => Self::Sqlite(SqliteConnection::connect(&database.url).await.unwrap()),
            Engine::Postgres => Self::Postgres(PgConnection::connect(&database.url).await.unwrap()),
        }
    }

    /// Changes rows behind the store's back; there must be some.
    pub async fn change(&mut self, sql: &'static str) {
        let changed = match self {
            Self::Sqlite(connection) => sqlx::query(sql).execute(connection).await.unwrap().rows_affected(),
            Self::Postgres(connection) => sqlx::query(sql).execute(connection).await.unwrap().rows_affected(),
        };
        assert_ne!(changed, 0, "{sql}");
    }

    /// Puts bytes into the row that the statement finds by `$1`, as `$2`.
    pub async fn put(&mut self, sql: &'static str, row: Uuid, bytes: &[u8]) {
        let put = match self {
            Self::Sqlite(connection) => {
                sqlx::query(sql).bind(row).bind(bytes).execute(connection).await.unwrap().rows_affected()
            }
            Self::Postgres(connection) => {
                sqlx::query(sql).bind(row).bind(bytes).execute(connection).await.unwrap().rows_affected()
            }
        };
        assert_eq!(put, 1, "{sql}");
    }

    /// The bytes in the row that the statement finds by `$1`.
    pub async fn bytes(&mut self, sql: &'static str, row: Uuid) -> Vec<u8> {
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).bind(row).fetch_one(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(sql).bind(row).fetch_one(connection).await.unwrap(),
        }
    }

    /// Holds every family: whoever is to change one waits until they are let go.
    pub async fn hold_families(&mut self) {
        match self {
            Self::Sqlite(connection) => drop(sqlx::query("begin immediate").execute(connection).await.unwrap()),
            Self::Postgres(connection) => {
                sqlx::query("begin").execute(&mut *connection).await.unwrap();
                sqlx::query("select id from families for update").execute(connection).await.unwrap();
            }
        }
    }

    /// Lets them go.
    pub async fn let_go(&mut self) {
        match self {
            Self::Sqlite(connection) => drop(sqlx::query("rollback").execute(connection).await.unwrap()),
            Self::Postgres(connection) => drop(sqlx::query("rollback").execute(connection).await.unwrap()),
        }
    }

    /// Waits until so many others wait for what is held. SQLite cannot tell; there they get a moment.
    pub async fn until_waited_for(&mut self, others: i64) {
        const WAITING: &str = "
            select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'";
        let Self::Postgres(connection) = self else { return tokio::time::sleep(Duration::from_millis(300)).await };
        for _ in 0..6000 {
            if sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut *connection).await.unwrap() == others {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody waits");
    }

    /// Whether all rows of a table can be deleted.
    pub async fn deletes(&mut self, table: &str) -> bool {
        let statement = sqlx::AssertSqlSafe(format!("delete from {table}"));
        match self {
            Self::Sqlite(connection) => sqlx::query(statement).execute(connection).await.is_ok(),
            Self::Postgres(connection) => sqlx::query(statement).execute(connection).await.is_ok(),
        }
    }

    /// Reads one column of text.
    pub async fn lines(&mut self, sql: &'static str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_all(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_all(connection).await.unwrap(),
        }
    }

    /// All that is stored, as text and in hexadecimal. Of SQLite that is every byte of its files, also of pages that
    /// are no longer used.
    pub async fn everything(database: &Database) -> String {
        let mut connection = match Self::of(database).await {
            Self::Sqlite(_) => {
                let files = std::fs::read_dir(database.folder()).unwrap().map(|entry| entry.unwrap().path());
                let bytes = files.map(|file| std::fs::read(file).unwrap()).collect::<Vec<_>>().concat();
                return format!("{}\n{}", String::from_utf8_lossy(&bytes), hexadecimal(&bytes));
            }
            Self::Postgres(connection) => connection,
        };
        let tables = "select table_name::text from information_schema.tables where table_schema = 'public'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
        let mut everything = Vec::new();
        for table in tables {
            let rows = sqlx::AssertSqlSafe(format!("select line::text from {table} line"));
            everything.extend(sqlx::query_scalar::<_, String>(rows).fetch_all(&mut connection).await.unwrap());
        }
        everything.join("\n")
    }

    /// How many rows every table has.
    pub async fn rows(&mut self) -> Vec<String> {
        self.lines(ROWS).await
    }

    /// Every family, as far as it can change.
    pub async fn families(&mut self) -> Vec<String> {
        self.lines(FAMILIES).await
    }

    /// `counter predecessor` of every family.
    pub async fn counters(&mut self) -> Vec<String> {
        let families = self.families().await;
        families.iter().map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Why each family ended; `-` if it has not.
    pub async fn end_reasons(&mut self) -> Vec<String> {
        self.lines("select coalesce(end_reason, '-') from families order by id").await
    }

    /// What the audit log says about families.
    pub async fn family_events(&mut self) -> Vec<String> {
        self.lines(FAMILY_EVENTS).await
    }
}

/// Bytes as Postgres writes them too.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
