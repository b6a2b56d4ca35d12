//! Parity: both engines hold the same tables, columns and indexes, so that one exam can be asked of both.

use consentry::store::SchemaState;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::{
    harness::databases::{Database, Engine, without_postgres},
    on_both_engines,
};

const SQLITE_COLUMNS: &str = r#"
    select t.name, c.name, c."notnull" = 0
      from sqlite_schema t
      join pragma_table_info(t.name) c
     where t.type = 'table' and substr(t.name, 1, 1) <> '_' and t.name not like 'sqlite%'
     order by 1, 2"#;

const POSTGRES_COLUMNS: &str = "
    select table_name::text, column_name::text, is_nullable = 'YES'
      from information_schema.columns
     where table_schema = 'public' and substr(table_name, 1, 1) <> '_'";

/// Those a migration names; the ones behind keys have names of the engine's choosing.
const SQLITE_INDEXES: &str = "select name from sqlite_schema where type = 'index' and sql is not null order by 1";

const POSTGRES_INDEXES: &str = "
    select c.relname::text
      from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)";

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    if without_postgres() {
        eprintln!("left out: comparing the schemas needs both engines");
        return;
    }
    let (sqlite, postgres) = (Database::migrated(Engine::Sqlite).await, Database::migrated(Engine::Postgres).await);
    let mut sqlite = SqliteConnection::connect(&sqlite.url).await.unwrap();
    let mut in_postgres = PgConnection::connect(&postgres.url).await.unwrap();

    let here: Vec<(String, String, bool)> = sqlx::query_as(SQLITE_COLUMNS).fetch_all(&mut sqlite).await.unwrap();
    let mut there: Vec<(String, String, bool)> =
        sqlx::query_as(POSTGRES_COLUMNS).fetch_all(&mut in_postgres).await.unwrap();
    // Sorted here, since the engines order texts each in their own way.
    there.sort();
    assert!(here.len() > 50, "the columns were found: {here:?}");
    assert_eq!(here, there);

    let here: Vec<String> = sqlx::query_scalar(SQLITE_INDEXES).fetch_all(&mut sqlite).await.unwrap();
    let mut there: Vec<String> = sqlx::query_scalar(POSTGRES_INDEXES).fetch_all(&mut in_postgres).await.unwrap();
    there.sort();
    assert!(!here.is_empty());
    assert_eq!(here, there);
}

on_both_engines! {
    async fn an_empty_database_becomes_current_even_if_several_migrate(engine) {
        let database = Database::empty(engine).await;
        let store = database.open().await;
        assert!(matches!(store.schema_state().await.unwrap(), SchemaState::Behind(1..)));
        for migrated in futures_util::future::join_all((0..4).map(|_| store.migrate())).await {
            migrated.unwrap();
        }
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
        store.ping().await.unwrap();
    }

    async fn a_database_from_the_future_is_left_alone(engine) {
        let database = Database::migrated(engine).await;
        database.execute("update _sqlx_migrations set version = version + 1000000").await;
        let store = database.open().await;
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::FromTheFuture);
        let refused = store.migrate().await.unwrap_err();
        assert!(matches!(refused, consentry::store::StoreError::Misconfigured(_)), "{refused:?}");
    }
}
