//! Past the store: statements it has no operation for, and many operations at once.

use std::future::Future;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use super::databases::{Database, Engine};

impl Database {
    /// Runs a statement both engines understand.
    pub async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match self.engine {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                connection.execute(statement).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Counts with a statement both engines understand, written after `select count(*) from`.
    pub async fn count(&self, from: &str) -> i64 {
        let statement = AssertSqlSafe(format!("select count(*) from {from}"));
        match self.engine {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
            }
        }
    }

    /// Counts the audit events of an action.
    pub async fn audited(&self, action: &str) -> i64 {
        self.count(&format!("audit_events where action = '{action}'")).await
    }
}

/// Starts so many tasks at once and gathers their answers.
pub async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let running: Vec<_> = (0..count).map(|number| tokio::spawn(task(number))).collect();
    let mut answers = Vec::with_capacity(count);
    for task in running {
        answers.push(task.await.unwrap());
    }
    answers
}
