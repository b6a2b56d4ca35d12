//! `/api/v1/plugins/{slug}/verification`: from a token that an assistant has shown to `verified`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Answer, Caller, look, take},
    paging::time,
    problem::Problem,
};
use crate::{
    model::{
        owner_token::OwnerScope,
        plugin::Plugin,
        verification::{Finding, Look},
    },
    protocol::manifest,
    registry::{
        RegistryError,
        verification::{self, Verified},
    },
    server::Server,
};

/// Where the verification of a plugin stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verification)]
pub struct Stand {
    /// `draft`, `published` or `verified`.
    state: &'static str,
    /// The plugin's, raised by every change: send it back with a token.
    version: i64,
    /// Where the manifest is looked for.
    manifest_url: String,
    /// Where the proof of the domain is looked for.
    challenge_url: String,
    /// Whether there is such a proof.
    has_challenge: bool,
    /// The last look at the public address; null before the first.
    look: Option<ShownLook>,
    /// When it last was as it should be; null where it never was.
    #[schema(format = DateTime)]
    verified_at: Option<String>,
    /// When the server looks again by itself; null where it does not.
    #[schema(format = DateTime)]
    due_at: Option<String>,
}

/// A look at the public address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Look)]
pub struct ShownLook {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What it came to, in a word.
    outcome: &'static str,
    /// The same in a sentence.
    says: String,
    /// What differs.
    findings: Vec<ShownFinding>,
}

/// What differs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct ShownFinding {
    /// Which member of the manifest.
    field: String,
    /// How.
    says: String,
    /// What this server serves; null where that is nothing.
    served: Option<String>,
    /// What stands at the public address; null where that is nothing.
    found: Option<String>,
}

/// A token to be published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedToken {
    /// What the assistant has shown.
    token: String,
    /// What the manifest calls the assistant's maker; the usual one where it is left out.
    #[serde(default)]
    service: Option<String>,
    /// The plugin's version that was read; left out, the token takes the place of whatever is published.
    #[serde(default)]
    version: Option<i64>,
}

/// A proof of the domain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What the connectors' vendor has shown.
    token: String,
    /// What is served there now, empty where nothing is; left out, it is replaced whatever it is.
    #[serde(default)]
    #[schema(max_length = 512)]
    seen: Option<String>,
}

async fn stand(caller: &Caller<'_>, plugin: Plugin) -> Answer {
    let verification = caller.server.store.remembered_looks(plugin.id).await?;
    told(caller, Verified { plugin, verification }).await
}

async fn told(caller: &Caller<'_>, Verified { plugin, verification }: Verified) -> Answer {
    let (scheme, _) = caller.server.settings.schemes_of(&plugin.host);
    let place = |path: &str| format!("{scheme}://{}{path}", plugin.host);
    let finding = |it: Finding| ShownFinding { field: it.field, says: it.says, served: it.served, found: it.found };
    let shown = |look: Look| ShownLook {
        at: time(look.at),
        outcome: look.outcome.as_str(),
        says: look.says,
        findings: look.findings.into_iter().map(finding).collect(),
    };
    caller.tell(&Stand {
        state: plugin.state.as_str(),
        version: plugin.version,
        manifest_url: place(manifest::PLACE),
        challenge_url: place(manifest::CHALLENGE_PLACE),
        has_challenge: caller.server.store.challenge(&plugin.host).await?.is_some(),
        look: verification.look.map(shown),
        verified_at: verification.verified_at.map(time),
        due_at: verification.due_at.map(time),
    })
}

/// Says where the verification stands.
#[utoipa::path(
    get, path = "/plugins/{slug}/verification", operation_id = "read_verification", tag = "Verification",
    responses((status = 200, description = "Where it stands", body = Stand)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| stand(caller, caller.plugin().await?).await;
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Reads the manifest back at its public address, as an assistant would; takes up to a minute.
#[utoipa::path(
    post, path = "/plugins/{slug}/verification", operation_id = "verify", tag = "Verification",
    responses((status = 200, description = "What was found", body = Stand)),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn verify(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        // The host is one that an owner has typed, so looks are counted as the doctor's are.
        let _turn = server.examinations.begin(plugin, caller.account.id).map_err(Problem::from)?;
        told(caller, server.look_for(&caller.registry(), plugin).await.map_err(RegistryError::from)?).await
    };
    look(&server, &request, OwnerScope::PluginsWrite, act).await
}

/// Publishes the token that an assistant has shown.
#[utoipa::path(
    put, path = "/plugins/{slug}/verification/token", operation_id = "publish_token", tag = "Verification",
    request_body = PublishedToken,
    responses((status = 200, description = "Where it stands now", body = Stand)),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn publish(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let PublishedToken { token, service, version } = caller.json()?;
        let service = service.as_deref().unwrap_or(manifest::SERVICE);
        let seen = (plugin, version);
        stand(caller, verification::set_verification_token(&caller.registry(), seen, service, &token).await?).await
    };
    take(&server, &request, (payload, OwnerScope::PluginsWrite), act).await
}

/// Sets what proves that the plugin's host is its owner's.
#[utoipa::path(
    put, path = "/plugins/{slug}/verification/challenge", operation_id = "set_challenge", tag = "Verification",
    request_body = Proof, responses((status = 204, description = "It is served from now on")),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn prove(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let Proof { token, seen } = caller.json()?;
        verification::set_challenge(&caller.registry(), (plugin, seen.as_deref()), &token).await?;
        caller.done()
    };
    take(&server, &request, (payload, OwnerScope::PluginsWrite), act).await
}
