//! `consentry migrate`: brings the database up to this version.

use serde_json::json;

use super::{answer::Answer, desk::Desk, failure::Failure};
use crate::store::SchemaState;

pub(super) async fn run(desk: &Desk) -> Result<Answer, Failure> {
    let before = desk.store.schema_state().await?;
    desk.store.migrate().await?;
    let applied = match before {
        SchemaState::Behind(count) => count,
        SchemaState::Current | SchemaState::FromTheFuture => 0,
    };
    let text = match applied {
        0 => "Nothing to migrate: the database is up to date.".to_owned(),
        count => format!("Applied {count} migration(s); the database is up to date."),
    };
    Ok(Answer { json: json!({ "applied": applied }), text })
}
