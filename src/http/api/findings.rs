//! `/api/v1/plugins/{slug}/findings`: what the doctor says of a plugin, as one caller or another would meet it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Caller, take},
    problem::Problem,
};
use crate::{
    doctor::{Check, State},
    http::owner::examination::{self, playable, usual},
    model::owner_token::OwnerScope,
    protocol::presets::Preset,
    server::Server,
};

/// What is to be looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Examined {
    /// As which caller, by its name; as the one that the newest client is for where it is left out.
    #[serde(default)]
    caller: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Findings {
    /// Where it was looked for.
    target: String,
    /// As which caller.
    caller: String,
    /// What was looked at, the worst first, and then what could not be.
    checks: Vec<ShownCheck>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Check)]
pub struct ShownCheck {
    /// Its name, which stays: area and thing.
    name: &'static str,
    /// How it stands: `wrong`, `warning`, `ok`, or `left_out` where it could not be looked at.
    state: &'static str,
    /// What was seen.
    says: String,
    /// What to do about it; null where there is nothing to do.
    cure: Option<String>,
}

impl From<Check> for ShownCheck {
    fn from(check: Check) -> Self {
        let state = match check.state {
            State::Wrong => "wrong",
            State::Warning => "warning",
            State::Ok => "ok",
            State::LeftOut => "left_out",
        };
        Self { name: check.name, state, says: check.says, cure: check.cure }
    }
}

fn named(name: &str) -> Result<&'static Preset, Problem> {
    let names = || playable().map(|preset| preset.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = playable().find(|preset| preset.name == name);
    found.ok_or_else(|| Problem::wrong("caller", format!("there is no such caller; there are {}", names())))
}

/// Has the doctor look whether a plugin works; takes up to twenty seconds. Nothing of the plugin is changed, but other
/// servers are asked, and as a caller that registers itself a client is left here.
#[utoipa::path(
    post, path = "/plugins/{slug}/findings", operation_id = "find_faults", tag = "Working", request_body = Examined,
    responses((status = 200, description = "What was found", body = Findings)),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn find(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let Examined { caller: name } = caller.json()?;
        let owner = caller.owner();
        let clients = examination::clients(&owner, &plugin).await?;
        let preset = match name {
            Some(name) => named(&name)?,
            None => usual(&clients).or_else(|| playable().next()).ok_or(Problem::NotThere)?,
        };
        let target = examination::target(&owner, &plugin, preset.dialect).await?.ok_or(Problem::NotThere)?;
        let mut checks = examination::look(&owner, &plugin, &clients, (preset, &target)).await?;
        checks.sort_by_key(|check| check.state);
        let checks = checks.into_iter().map(ShownCheck::from).collect();
        caller.tell(&Findings { target: target.to_string(), caller: preset.name.clone(), checks })
    };
    take(&server, &request, (payload, OwnerScope::PluginsWrite), act).await
}
