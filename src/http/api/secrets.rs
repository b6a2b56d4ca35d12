//! `/api/v1/plugins/{slug}/secrets`: API keys that go into requests to a plugin's API, put away for the routes that are
//! named for them. A value is taken and never told again: not here, not of what is wrong with it, not anywhere.
//!
//! `registry::plugin_secrets` has the changes. That a value is followed in a vault is the operator's to say (`cli::secret`):
//! it reads what the server can read.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    caller::{Caller, look, take},
    paging::time,
    problem::Problem,
};
use crate::{
    model::{
        owner_token::OwnerScope,
        plugin_secret::{SecretRoute, SecretSource},
        span::Span,
    },
    registry::plugin_secrets::{self, SettingsForm},
    server::Server,
    store::plugin_secrets::{PluginSecret, SecretVersion},
    vault::SecretValue,
};

/// The API keys of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeys {
    /// By name; at most 50.
    secrets: Vec<ShownApiKey>,
    /// The rotators that can be named to make new versions of them; often none.
    rotators: Vec<String>,
}

/// An API key, without its value, which nothing tells.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ShownApiKey {
    /// What its owners call it.
    name: String,
    /// The number of its newest version, which is used: send it back to put another value in its place.
    version: i64,
    /// Raised by every change: send it back to change what you have read.
    revision: i64,
    /// The header of a request in which it goes, in small letters.
    header: String,
    /// What stands before it there, such as `Bearer ` with its space.
    prefix: String,
    /// Where it is used, and nowhere else: a method and a path each. Without one it is used nowhere.
    routes: Vec<String>,
    /// How long the version before stays good beside a new one, such as `1h`.
    grace: String,
    /// How often a new version is due, such as `90d`; null for never.
    rotate_every: Option<String>,
    /// The rotator of the server's that makes new versions; null where people do.
    rotator: Option<String>,
    /// Where the server looks for new versions by itself; null where it does not.
    follows: Option<String>,
    /// When a new version is due; null for never.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// When the server next makes a new version, or looks for one; null where it does neither.
    #[schema(format = DateTime)]
    next_try_at: Option<String>,
    /// Since when it cannot; null where it can.
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// Why; null where it can.
    says: Option<String>,
    /// When it was put away.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last used; null where it never was.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// Its versions, the newest first.
    versions: Vec<ShownVersion>,
}

/// A version of an API key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyVersion)]
pub struct ShownVersion {
    /// 1 for the first.
    version: i64,
    /// When it was put away.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when it is good beside newer ones; null for the newest.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// When its value was wiped; null where it is still there.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The rotator that made it and ends it where it was issued; null where people did, and once that is done.
    rotator: Option<String>,
    /// When it was last used; null where it never was.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// A value as it is sent. It is not told in what is wrong with it.
#[derive(Debug)]
pub struct Sent(SecretValue);

/// An API key to be put away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What to call it: small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The key itself. No answer ever has it.
    #[schema(value_type = String, min_length = 8, max_length = 8192, pattern = "^[!-~]+$", write_only)]
    value: Sent,
    /// The header of a request in which it goes; `authorization` unless it is said.
    header: Option<String>,
    /// What stands before it there; `Bearer ` in `authorization`, and nothing elsewhere, unless it is said.
    prefix: Option<String>,
    /// Where it is used, such as `GET /items/{id}` or `* /v1/*`; without one it is used nowhere.
    #[serde(default)]
    routes: Vec<String>,
    /// How long the version before stays good beside a new one; `1h` unless it is said.
    grace: Option<String>,
    /// How often a new version is due, such as `90d`; never unless it is said.
    rotate_every: Option<String>,
    /// The rotator that makes new versions, from the first that is due on: one of `rotators` in the list of keys. People
    /// do unless it is said.
    rotator: Option<String>,
}

/// How or where an API key is used from now on, and who makes new versions. What is left out stays as it is.
#[expect(clippy::option_option, reason = "left out, or never")]
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyChange {
    /// The revision that was read.
    revision: i64,
    /// The header of a request in which it goes. What stood before it in another header is not kept.
    header: Option<String>,
    /// What stands before it there.
    prefix: Option<String>,
    /// Where it is used: these take the place of all.
    routes: Option<Vec<String>>,
    /// How long the version before stays good beside a new one.
    grace: Option<String>,
    /// How often a new version is due; null for never.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    rotate_every: Option<Option<String>>,
    /// The rotator that makes new versions from now on: one of `rotators` in the list of keys. Null where people are to.
    /// What is followed takes neither.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    rotator: Option<Option<String>>,
}

/// Another value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// The newest version that was seen: whoever comes second, or sends the same twice, is told.
    version: i64,
    /// The key itself. No answer ever has it.
    #[schema(value_type = String, min_length = 8, max_length = 8192, pattern = "^[!-~]+$", write_only)]
    value: Sent,
    /// How long the version before stays good this once, such as `1h`; `0` ends it at once, because it has leaked.
    grace: Option<String>,
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What would be said of a number in the place of a text has that number in it.
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(SecretValue::new(text))),
            _ => Err(D::Error::custom("write the key as a string")),
        }
    }
}

/// Tells what is null from what is left out.
#[expect(clippy::option_option, reason = "left out, or null")]
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

impl From<PluginSecret> for ShownApiKey {
    fn from(secret: PluginSecret) -> Self {
        let (version, last_used_at) = (secret.newest(), secret.last_used_at());
        let (failing_since, says) = secret.failing.unzip();
        let settings = secret.settings;
        Self {
            name: secret.name.to_string(),
            version,
            revision: secret.revision,
            header: settings.injection.header().to_owned(),
            prefix: settings.injection.prefix().to_owned(),
            routes: settings.routes.iter().map(SecretRoute::to_string).collect(),
            grace: Span(settings.grace).to_string(),
            rotate_every: settings.rotate_every.map(|age| Span(age).to_string()),
            rotator: settings.source.rotator().map(str::to_owned),
            follows: settings.source.reference().map(str::to_owned),
            due_at: secret.due.due_at.map(time),
            next_try_at: secret.due.try_at.map(time),
            failing_since: failing_since.map(time),
            says,
            created_at: time(secret.created_at),
            last_used_at: last_used_at.map(time),
            versions: secret.versions.into_iter().map(ShownVersion::from).collect(),
        }
    }
}

impl From<SecretVersion> for ShownVersion {
    fn from(version: SecretVersion) -> Self {
        Self {
            version: version.number,
            made_at: time(version.made_at),
            ends_at: version.ends_at.map(time),
            ended_at: version.ended_at.map(time),
            rotator: version.rotator,
            last_used_at: version.last_used_at.map(time),
        }
    }
}

impl ApiKeyChange {
    /// The settings as they are to be.
    fn of(self, mut form: SettingsForm) -> SettingsForm {
        if let Some(header) = self.header {
            form.move_to(header);
        }
        form.prefix = self.prefix.or(form.prefix);
        form.routes = self.routes.unwrap_or(form.routes);
        form.grace = self.grace.unwrap_or(form.grace);
        form.rotate_every = self.rotate_every.map_or(form.rotate_every, Option::unwrap_or_default);
        if let Some(rotator) = self.rotator {
            form.give_to(rotator);
        }
        form
    }
}

/// The API key of the address, if it is the plugin's.
async fn named(caller: &Caller<'_>) -> Result<PluginSecret, Problem> {
    let plugin = caller.plugin().await?;
    Ok(plugin_secrets::find(&caller.registry(), plugin.id, caller.owner().named("name")).await?)
}

/// Lists the API keys of a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}/secrets", operation_id = "list_api_keys", tag = "API keys",
    responses((status = 200, description = "All of them, by name", body = ApiKeys)),
    security(("owner_token" = ["secrets:read"]))
)]
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let secrets = server.store.plugin_secrets(caller.plugin().await?.id).await?;
        let rotators = plugin_secrets::rotators(&caller.registry()).into_iter().map(str::to_owned).collect();
        caller.tell(&ApiKeys { secrets: secrets.into_iter().map(ShownApiKey::from).collect(), rotators })
    };
    look(&server, &request, OwnerScope::SecretsRead, act).await
}

/// Puts an API key away.
#[utoipa::path(
    post, path = "/plugins/{slug}/secrets", operation_id = "put_api_key", tag = "API keys", request_body = NewApiKey,
    responses((status = 201, description = "It is put away", body = ShownApiKey)),
    security(("owner_token" = ["secrets:write"]))
)]
pub async fn put(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let NewApiKey { name, value, header, prefix, routes, grace, rotate_every, rotator } = caller.json()?;
        let usual = SettingsForm::default();
        let form = SettingsForm {
            header: header.unwrap_or(usual.header),
            prefix,
            routes,
            grace: grace.unwrap_or(usual.grace),
            rotate_every: rotate_every.unwrap_or_default(),
            source: rotator.map_or(SecretSource::People, SecretSource::Rotator),
        };
        let ring = server.keyring.current();
        let secret = plugin_secrets::put(&caller.registry(), &ring, (plugin.id, &name), &value.0, &form).await?;
        let path = format!("/plugins/{}/secrets/{}", plugin.slug, secret.name);
        caller.made(&path, &ShownApiKey::from(secret))
    };
    take(&server, &request, (payload, OwnerScope::SecretsWrite), act).await
}

/// Reads an API key: everything but its value.
#[utoipa::path(
    get, path = "/plugins/{slug}/secrets/{name}", operation_id = "read_api_key", tag = "API keys",
    responses((status = 200, description = "The API key", body = ShownApiKey)),
    security(("owner_token" = ["secrets:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| caller.tell(&ShownApiKey::from(named(caller).await?));
    look(&server, &request, OwnerScope::SecretsRead, act).await
}

/// Changes how or where an API key is used, or who makes new versions of it.
#[utoipa::path(
    patch, path = "/plugins/{slug}/secrets/{name}", operation_id = "change_api_key", tag = "API keys",
    request_body = ApiKeyChange,
    responses((status = 200, description = "The API key as it is now", body = ShownApiKey)),
    security(("owner_token" = ["secrets:write"]))
)]
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let secret = named(caller).await?;
        let change: ApiKeyChange = caller.json()?;
        let seen = change.revision;
        let form = change.of(SettingsForm::from(&secret.settings));
        let changed = plugin_secrets::change(&caller.registry(), (&secret, seen), &form).await?;
        caller.tell(&ShownApiKey::from(changed))
    };
    take(&server, &request, (payload, OwnerScope::SecretsWrite), act).await
}

/// Removes an API key with all its versions: what its routes lead to gets no key any more.
#[utoipa::path(
    delete, path = "/plugins/{slug}/secrets/{name}", operation_id = "remove_api_key", tag = "API keys",
    responses((status = 204, description = "It is gone, and used nowhere any more")),
    security(("owner_token" = ["secrets:write"]))
)]
pub async fn remove(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        plugin_secrets::remove(&caller.registry(), &named(caller).await?).await?;
        caller.done()
    };
    look(&server, &request, OwnerScope::SecretsWrite, act).await
}

/// Puts another value in the place of the one that is used. The version before stays good for a while.
#[utoipa::path(
    post, path = "/plugins/{slug}/secrets/{name}/versions", operation_id = "rotate_api_key", tag = "API keys",
    request_body = NewVersion,
    responses((status = 201, description = "It is used from now on", body = ShownApiKey)),
    security(("owner_token" = ["secrets:write"]))
)]
pub async fn rotate(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let secret = named(caller).await?;
        let NewVersion { version, value, grace } = caller.json()?;
        let (registry, ring) = (caller.registry(), server.keyring.current());
        let seen = (&secret, version);
        let rotated = plugin_secrets::rotate(&registry, &ring, seen, &value.0, grace.as_deref()).await?;
        let path = format!("/plugins/{}/secrets/{}", caller.owner().named("slug"), rotated.name);
        caller.made(&path, &ShownApiKey::from(rotated))
    };
    take(&server, &request, (payload, OwnerScope::SecretsWrite), act).await
}

/// Ends a version before its time. The newest is replaced instead, or removed with the API key.
#[utoipa::path(
    delete, path = "/plugins/{slug}/secrets/{name}/versions/{number}", operation_id = "end_api_key_version",
    tag = "API keys", responses((status = 200, description = "The API key as it is now", body = ShownApiKey)),
    security(("owner_token" = ["secrets:write"]))
)]
pub async fn end_version(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let secret = named(caller).await?;
        let number = caller.owner().named("number").parse().map_err(|_| Problem::NotThere)?;
        let ended = plugin_secrets::end_version(&caller.registry(), &secret, number).await;
        ended.map_err(|error| Problem::from(error).calling("version", "number"))?;
        caller.tell(&ShownApiKey::from(named(caller).await?))
    };
    look(&server, &request, OwnerScope::SecretsWrite, act).await
}
