//! How often the disk was made to work, counted on the engines themselves.
//!
//! On SQLite every commit is a frame of the write-ahead log that carries the database's size. On Postgres the server
//! counts, for each statement, the records it put into its log.

use std::{collections::HashMap, path::Path};

use sqlx::{Connection, PgConnection};

use super::databases::{Database, Engine};

/// The statements of one database that are not plain reads: calls, and records written to the log. The extension
/// stands in the server's first database and sees all of them.
const STATEMENTS: &str = "
    select s.queryid, s.calls, cast(s.wal_records as bigint)
      from pg_stat_statements s
      join pg_database d on d.oid = s.dbid
     where d.datname = $1
       and s.query not like 'select%'";

/// The server remembers a few thousand statements and forgets the rarest when it has no room, which would be ours:
/// what is kept of databases that are gone makes room first.
const MAKE_ROOM: &str = "
    select count(pg_stat_statements_reset(0, gone.dbid, 0))
      from (select distinct dbid from pg_stat_statements
             where dbid not in (select oid from pg_database)) gone";

/// How often the server forgot.
const FORGOTTEN: &str = "select dealloc from pg_stat_statements_info";

/// What has been written so far.
pub enum Log {
    /// Commits.
    Sqlite(usize),
    /// Calls and records of each statement, and how often the server forgot statements.
    Postgres {
        /// By the statement's number.
        statements: HashMap<i64, (i64, i64)>,
        /// How often.
        forgotten: i64,
    },
}

/// Commits in a write-ahead log. What the salts of its header do not fit is left over from before a checkpoint.
fn commits(log: &Path) -> usize {
    let bytes = std::fs::read(log).unwrap();
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let page = usize::try_from(word(8)).unwrap();
    let salts = &bytes[16..24];
    let frames = (32..bytes.len()).step_by(24 + page).take_while(|frame| &bytes[frame + 8..frame + 16] == salts);
    frames.filter(|frame| word(frame + 4) != 0).count()
}

impl Log {
    /// Looks at it.
    pub async fn of(database: &Database) -> Self {
        match database.engine {
            Engine::Sqlite => Self::Sqlite(commits(&database.folder().join("consentry.db-wal"))),
            Engine::Postgres => {
                let mut server = url::Url::parse(&database.url).unwrap();
                let name = server.path().trim_start_matches('/').to_owned();
                server.set_path("postgres");
                let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
                sqlx::query(MAKE_ROOM).execute(&mut connection).await.unwrap();
                let forgotten = sqlx::query_scalar(FORGOTTEN).fetch_one(&mut connection).await.unwrap();
                let rows: Vec<(i64, i64, i64)> =
                    sqlx::query_as(STATEMENTS).bind(name).fetch_all(&mut connection).await.unwrap();
                let statements = rows.into_iter().map(|(id, calls, records)| (id, (calls, records))).collect();
                Self::Postgres { statements, forgotten }
            }
        }
    }

    /// Writes since an earlier look.
    pub fn since(&self, earlier: &Self) -> i64 {
        match (self, earlier) {
            (Self::Sqlite(now), Self::Sqlite(before)) => i64::try_from(now - before).unwrap(),
            (
                Self::Postgres { statements, forgotten },
                Self::Postgres { statements: before, forgotten: forgotten_before },
            ) => {
                assert_eq!(forgotten, forgotten_before, "the server forgot statements, so nothing can be said");
                let written = statements.iter().map(|(id, (calls, records))| {
                    let (calls_before, records_before) = before.get(id).copied().unwrap_or_default();
                    if *records > records_before { calls - calls_before } else { 0 }
                });
                written.sum()
            }
            _ => panic!("two engines"),
        }
    }
}

/// Counts what a step writes.
#[macro_export]
macro_rules! writes {
    ($world:expr, $step:expr) => {{
        let before = $crate::harness::durable::Log::of(&$world.database).await;
        let outcome = $step;
        (outcome, $crate::harness::durable::Log::of(&$world.database).await.since(&before))
    }};
}
