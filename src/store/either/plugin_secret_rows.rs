//! Rows of plugins' secrets as what they stand for. Compiled once for each engine.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    model::{
        Timestamp,
        id::{PluginId, SecretId},
        plugin_secret::{Injection, SecretRoute, SecretSource},
    },
    store::{
        StoreError, StoreResult,
        plugin_secrets::{PluginSecret, SEPARATOR, SecretDue, SecretSettings, SecretVersion},
    },
};

/// A secret with one of its versions.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: uuid::Uuid,
    name: String,
    revision: i64,
    #[sqlx(flatten)]
    settings: SettingsRow,
    due_at: Option<Timestamp>,
    try_at: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    says: Option<String>,
    created_at: Timestamp,
    number: i64,
    made_at: Timestamp,
    ends_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    issuer_id: Option<String>,
    is_to_be_revoked: bool,
    last_used_at: Option<Timestamp>,
}

/// What can be changed about a secret without a new version.
#[derive(sqlx::FromRow)]
pub(super) struct SettingsRow {
    header: String,
    prefix: String,
    routes: String,
    grace_seconds: i64,
    rotate_every_seconds: Option<i64>,
    rotator: Option<String>,
    follows: Option<String>,
}

impl SettingsRow {
    pub(super) fn settings(self) -> StoreResult<SecretSettings> {
        Ok(SecretSettings {
            injection: injection(&self.header, &self.prefix)?,
            routes: routes(&self.routes)?,
            grace: TimeDelta::seconds(self.grace_seconds),
            rotate_every: self.rotate_every_seconds.map(TimeDelta::seconds),
            source: source(self.rotator, self.follows),
        })
    }
}

impl Row {
    fn version(&self) -> SecretVersion {
        SecretVersion {
            number: self.number,
            made_at: self.made_at,
            ends_at: self.ends_at,
            ended_at: self.ended_at,
            rotator: self
                .issuer_id
                .as_deref()
                .and_then(|id| id.split_once(SEPARATOR))
                .map(|(rotator, _)| rotator.to_owned()),
            is_to_be_revoked: self.is_to_be_revoked,
            last_used_at: self.last_used_at,
        }
    }

    fn secret(self, plugin_id: PluginId) -> StoreResult<PluginSecret> {
        let version = self.version();
        Ok(PluginSecret {
            id: SecretId(self.id),
            plugin_id,
            name: self.name.parse().map_err(StoreError::broken)?,
            revision: self.revision,
            settings: self.settings.settings()?,
            due: SecretDue { due_at: self.due_at, try_at: self.try_at },
            failing: self.failing_since.map(|since| (since, self.says.unwrap_or_default())),
            created_at: self.created_at,
            versions: vec![version],
        })
    }
}

/// A row for each version, those of one secret together, as secrets.
pub(super) fn gathered(plugin: PluginId, rows: Vec<Row>) -> StoreResult<Vec<PluginSecret>> {
    let mut secrets: Vec<PluginSecret> = Vec::new();
    for row in rows {
        match secrets.last_mut() {
            Some(secret) if secret.id.0 == row.id => secret.versions.push(row.version()),
            _ => secrets.push(row.secret(plugin)?),
        }
    }
    Ok(secrets)
}

pub(super) fn injection(header: &str, prefix: &str) -> StoreResult<Injection> {
    Injection::new(header, Some(prefix)).map_err(StoreError::broken)
}

pub(super) fn routes(lines: &str) -> StoreResult<Vec<SecretRoute>> {
    lines.lines().map(|line| line.parse().map_err(StoreError::broken)).collect()
}

pub(super) fn lines(routes: &[SecretRoute]) -> String {
    routes.iter().map(SecretRoute::to_string).collect::<Vec<_>>().join("\n")
}

pub(super) fn source(rotator: Option<String>, follows: Option<String>) -> SecretSource {
    match (rotator, follows) {
        (Some(rotator), _) => SecretSource::Rotator(rotator),
        (None, Some(reference)) => SecretSource::Reference(reference),
        (None, None) => SecretSource::People,
    }
}

/// What a row stands for. Of a broken one the log says which it is, and those beside it are not held back.
pub(super) fn unless_broken<T>(read: StoreResult<T>, (table, id): (&str, uuid::Uuid)) -> StoreResult<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.passes() => Err(error),
        Err(error) => {
            tracing::error!(%error, row.column = table, row.id = %id, "a row of an API key is broken, and is passed over");
            Ok(None)
        }
    }
}

/// What stands in the place of a value that was wiped.
pub(super) const WIPED: &[u8] = &[];

/// What the log is told of how a secret is used.
pub(super) fn told(settings: &SecretSettings) -> Value {
    json!({
        "header": settings.injection.header(),
        "prefix": settings.injection.prefix(),
        "routes": settings.routes.iter().map(SecretRoute::to_string).collect::<Vec<_>>(),
        "grace": settings.grace.num_seconds(),
        "rotate_every": settings.rotate_every.map(|age| age.num_seconds()),
        "rotator": settings.source.rotator(),
        "follows": settings.source.reference(),
    })
}

/// The same of a change: what it becomes, and below `before` what was otherwise.
pub(super) fn told_of_change(before: &SecretSettings, after: &SecretSettings) -> Value {
    let mut detail = told(after);
    let Value::Object(mut was) = told(before) else { return detail };
    was.retain(|name, value| detail[name.as_str()] != *value);
    detail["before"] = Value::Object(was);
    detail
}
