//! `/api/v1/plugins/{slug}/access`: who may connect to a plugin, and what they may grant.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Answer, Caller, look, take},
    problem::Problem,
};
use crate::{
    model::{
        access::{Access, Grants, Rule},
        owner_token::OwnerScope,
        plugin::Plugin,
        scope::Scopes,
    },
    registry::access::{self, Change, Named, Outcome},
    server::Server,
};

/// Who may connect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Access)]
pub struct ShownAccess {
    /// The plugin's version, which every change raises: send it back to change what you have read.
    version: i64,
    /// Whether everybody may, and grant everything.
    open: bool,
    /// Who may where that is false; nobody where there are none.
    rules: Vec<AccessRule>,
}

/// Somebody who may connect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// `everyone`, `@domain`, an e-mail address, or `group:name`.
    who: String,
    /// What they may grant; null, or left out, for everything there is and will be.
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// All rules at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessChange {
    /// The version that was read.
    version: i64,
    /// Whether everybody may connect, and grant everything.
    open: bool,
    /// Who may where that is false; nobody where there are none.
    #[serde(default)]
    #[schema(max_items = 100)]
    rules: Vec<AccessRule>,
    /// Yes, also people who are connected: without it a change that shuts somebody out is refused, and says how many.
    #[serde(default)]
    shut_out: bool,
}

/// Some who may connect from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedRules {
    /// The version that was read.
    version: i64,
    /// Each `everyone`, `@domain`, an e-mail address, or `group:name`.
    who: Vec<String>,
    /// What they may grant; null, or left out, for everything there is and will be.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// Yes, also people who are connected.
    #[serde(default)]
    shut_out: bool,
}

/// Some who may connect no more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovedRules {
    /// The version that was read.
    version: i64,
    /// Each as its rule names it.
    who: Vec<String>,
    /// Yes, also people who are connected.
    #[serde(default)]
    shut_out: bool,
}

impl From<&Rule> for AccessRule {
    fn from(rule: &Rule) -> Self {
        let scopes = match &rule.grants {
            Grants::Everything => None,
            Grants::These(scopes) => Some(scopes.iter().map(str::to_owned).collect()),
        };
        Self { who: rule.who.to_string(), scopes }
    }
}

fn tell(caller: &Caller<'_>, version: i64, access: &Access) -> Answer {
    let rules = access.rules().iter().map(AccessRule::from).collect();
    caller.tell(&ShownAccess { version, open: *access == Access::Open, rules })
}

fn named(scopes: Option<&Vec<String>>) -> Option<Scopes> {
    scopes.map(|names| names.iter().map(String::as_str).collect())
}

async fn change(caller: &Caller<'_>, plugin: &Plugin, change: &Change, is_meant: bool) -> Answer {
    let registry = caller.registry();
    if is_meant {
        let (version, access) = access::change_anyway(&registry, plugin, change).await?;
        return tell(caller, version, &access);
    }
    match access::change(&registry, plugin, change).await? {
        Outcome::Made(version, access) => tell(caller, version, &access),
        Outcome::ShutsOut(people) => {
            Err(Problem::wrong("shut_out", format!("this shuts out {people}; send true if that is meant")))
        }
    }
}

/// Says who may connect.
#[utoipa::path(
    get, path = "/plugins/{slug}/access", operation_id = "read_access", tag = "Access",
    responses((status = 200, description = "Who may connect", body = ShownAccess)),
    security(("owner_token" = ["access:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let (version, access) = access::read(&caller.registry(), &plugin).await?;
        tell(caller, version, &access)
    };
    look(&server, &request, OwnerScope::AccessRead, act).await
}

/// Sets who may connect, in the place of all rules there are.
#[utoipa::path(
    put, path = "/plugins/{slug}/access", operation_id = "set_access", tag = "Access", request_body = AccessChange,
    responses((status = 200, description = "Who may connect now", body = ShownAccess)),
    security(("owner_token" = ["access:write"]))
)]
pub async fn set(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let AccessChange { version, open, rules, shut_out } = caller.json()?;
        if open && !rules.is_empty() {
            return Err(Problem::wrong("rules", "where everybody may connect there are none; leave them out"));
        }
        let rule = |rule: &AccessRule| Named { who: rule.who.clone(), scopes: named(rule.scopes.as_ref()) };
        let wanted = if open { Change::Open } else { Change::Whole(rules.iter().map(rule).collect()) };
        let changed = change(caller, &Plugin { version, ..plugin }, &wanted, shut_out).await;
        changed.map_err(|problem| problem.calling("who", "rules.who").calling("scopes", "rules.scopes"))
    };
    take(&server, &request, (payload, OwnerScope::AccessWrite), act).await
}

/// Lets some in, or changes what they may grant; nobody is taken away. Where everybody could connect, it is only they
/// from then on.
#[utoipa::path(
    post, path = "/plugins/{slug}/access/rules", operation_id = "add_rules", tag = "Access",
    request_body = AddedRules, responses((status = 200, description = "Who may connect now", body = ShownAccess)),
    security(("owner_token" = ["access:write"]))
)]
pub async fn add(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let AddedRules { version, who, scopes, shut_out } = caller.json()?;
        let wanted = Change::Add { who: who.join("\n"), scopes: named(scopes.as_ref()) };
        change(caller, &Plugin { version, ..plugin }, &wanted, shut_out).await
    };
    take(&server, &request, (payload, OwnerScope::AccessWrite), act).await
}

/// Lets some in no more. Nobody may connect where the last rule goes.
#[utoipa::path(
    post, path = "/plugins/{slug}/access/rules/remove", operation_id = "remove_rules", tag = "Access",
    request_body = RemovedRules, responses((status = 200, description = "Who may connect now", body = ShownAccess)),
    security(("owner_token" = ["access:write"]))
)]
pub async fn remove(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let RemovedRules { version, who, shut_out } = caller.json()?;
        let wanted = Change::Remove { who: who.join("\n") };
        change(caller, &Plugin { version, ..plugin }, &wanted, shut_out).await
    };
    take(&server, &request, (payload, OwnerScope::AccessWrite), act).await
}
