//! `consentry secret list`: which API keys are kept, and what is left of those that are not.

use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::{Timestamp, plugin::Plugin, plugin_secret::SecretRoute, span::Span},
    store::{
        plugin_secrets::{PluginSecret, SecretVersion},
        secret_revocations::RemovedSecret,
    },
};

pub(super) async fn list(slug: Option<&str>, desk: &Desk) -> Result<Answer, Failure> {
    let plugins = match slug {
        Some(slug) => vec![desk.plugin(slug).await?],
        None => desk.store.plugins().await?,
    };
    let now = desk.clock.now();
    let head = ["NAME", "PLUGIN", "VERSION", "MADE", "DUE", "LAST USED", "ROUTES"].map(str::to_owned);
    let (mut json, mut rows, mut left) = (Vec::new(), vec![head], Vec::new());
    for plugin in plugins {
        for secret in desk.store.plugin_secrets(plugin.id).await? {
            json.push(summary(&plugin, &secret));
            rows.push(row(&plugin, &secret, now));
            left.extend(left_of(&plugin, &secret));
        }
        for secret in desk.store.removed_plugin_secrets(plugin.id).await? {
            json.push(removed_summary(&plugin, &secret));
            left.push(removed_row(&plugin, &secret));
        }
    }
    let mut text = match rows.len() {
        1 => "No API key is kept. Put one away with `consentry secret put`.".to_owned(),
        _ => columns(&rows),
    };
    if !left.is_empty() {
        left.insert(0, ["NAME", "PLUGIN", "VERSIONS", "SINCE"].map(str::to_owned));
        text = format!("{text}\n\n{LEFT}\n{}", columns(&left));
    }
    Ok(Answer { json: Value::from(json), text })
}

/// What stands above keys that are not gone yet where they came from.
const LEFT: &str = "Ended here and still to be ended where they were issued; it is tried at least hourly, and the log says why \
                    it fails:";

fn left_of(plugin: &Plugin, secret: &PluginSecret) -> Option<[String; 4]> {
    let versions: Vec<_> = secret.left_at_issuer().collect();
    let since = versions.iter().map(|(_, ended)| *ended).min()?;
    Some([secret.name.to_string(), plugin.slug.clone(), numbers(&versions), shown(since)])
}

fn removed_row(plugin: &Plugin, secret: &RemovedSecret) -> [String; 4] {
    let since = secret.versions.iter().map(|(_, ended)| *ended).min().unwrap_or(secret.removed_at);
    let versions = match secret.versions.as_slice() {
        // What may have been made while nobody could keep it.
        [] => "unknown ones".to_owned(),
        versions => numbers(versions),
    };
    [format!("{} (removed)", secret.name), plugin.slug.clone(), versions, shown(since)]
}

fn numbers(versions: &[(i64, Timestamp)]) -> String {
    versions.iter().map(|(number, _)| number.to_string()).collect::<Vec<_>>().join(", ")
}

fn removed_summary(plugin: &Plugin, secret: &RemovedSecret) -> Value {
    let version = |(number, ended): &(i64, Timestamp)| json!({ "version": number, "ended_at": shown(*ended), "is_to_be_revoked": true });
    json!({
        "plugin": plugin.slug,
        "name": secret.name.as_str(),
        "removed_at": shown(secret.removed_at),
        "is_to_be_abandoned": secret.is_to_be_abandoned,
        "failing_since": secret.failing.as_ref().map(|(since, _)| shown(*since)),
        "says": secret.failing.as_ref().map(|(_, says)| says),
        "versions": secret.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

fn row(plugin: &Plugin, secret: &PluginSecret, now: Timestamp) -> [String; 7] {
    let newest = secret.versions.first();
    let due = match secret.due.due_at {
        None => "-".to_owned(),
        Some(due) if due <= now => format!("{}, overdue", shown(due)),
        Some(due) => shown(due),
    };
    let routes: Vec<String> = secret.settings.routes.iter().map(SecretRoute::to_string).collect();
    [
        secret.name.to_string(),
        plugin.slug.clone(),
        newest.map(|newest| newest.number.to_string()).unwrap_or_default(),
        newest.map(|newest| shown(newest.made_at)).unwrap_or_default(),
        due,
        secret.last_used_at().map_or_else(|| "never".to_owned(), shown),
        if routes.is_empty() { "none".to_owned() } else { routes.join(", ") },
    ]
}

/// What every command says about a key, with the names of the contract.
pub(super) fn summary(plugin: &Plugin, secret: &PluginSecret) -> Value {
    let settings = &secret.settings;
    json!({
        "plugin": plugin.slug,
        "name": secret.name.as_str(),
        "removed_at": None::<String>,
        "version": secret.newest(),
        "due_at": secret.due.due_at.map(shown),
        "header": settings.injection.header(),
        "prefix": settings.injection.prefix(),
        "routes": settings.routes.iter().map(SecretRoute::to_string).collect::<Vec<_>>(),
        "grace": Span(settings.grace).to_string(),
        "rotate_every": settings.rotate_every.map(|age| Span(age).to_string()),
        "rotator": settings.source.rotator(),
        "follows": settings.source.reference(),
        "next_try_at": secret.due.try_at.map(shown),
        "failing_since": secret.failing.as_ref().map(|(since, _)| shown(*since)),
        "says": secret.failing.as_ref().map(|(_, says)| says),
        "versions": secret.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

fn version(version: &SecretVersion) -> Value {
    json!({
        "version": version.number,
        "made_at": shown(version.made_at),
        "ends_at": version.ends_at.map(shown),
        "ended_at": version.ended_at.map(shown),
        "rotator": version.rotator,
        "is_to_be_revoked": version.is_to_be_revoked,
        "last_used_at": version.last_used_at.map(shown),
    })
}
