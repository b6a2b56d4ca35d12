//! How far a database is migrated; the same question on both engines.

use sqlx::migrate::{MigrateError, Migrator};

use super::{SchemaState, StoreError};

/// The numbers of the migrations that were applied.
pub(super) const APPLIED: &str = "select version from _sqlx_migrations where success order by version";

/// Compares what was applied with what this program knows.
pub(super) fn compare(migrator: &Migrator, applied: &[i64]) -> SchemaState {
    let known: Vec<i64> = migrator.iter().map(|migration| migration.version).collect();
    if applied.iter().any(|version| !known.contains(version)) {
        return SchemaState::FromTheFuture;
    }
    match known.len() - applied.len() {
        0 => SchemaState::Current,
        missing => SchemaState::Behind(missing),
    }
}

/// Why nothing was migrated.
pub(super) fn from_the_future() -> StoreError {
    StoreError::Misconfigured("the database was migrated by a newer version of this program; run that version".into())
}

/// Sorts a failed migration into the errors of the store.
pub(super) fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::broken(other),
    }
}
