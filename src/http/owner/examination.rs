//! The doctor's look at a plugin, for its owner: the console's page "Is it working?" and the owners' API.
//!
//! The doctor goes to an address that an owner has typed, so it is on a leash: what is special-use is not reached, all
//! its requests together are bounded, and its findings are told in sentences that quote little.

use std::time::Duration;

use url::Url;

use super::Owner;
use crate::{
    doctor::{self, Check, Patient},
    model::{
        client::{Client, Dialect},
        id::ClientId,
        plugin::Plugin,
    },
    protocol::presets::{self, KnownBy, Preset},
    registry::clients,
    server::examinations::NotNow,
    simulate::{
        callers,
        leash::{Bounds, Leash},
        registration::Typed,
        wire::Wire,
    },
    store::{StoreResult, owners::Page},
};

/// How many clients are looked at for the one that the doctor plays.
const CLIENTS: u32 = 50;

/// How many resources of a plugin are looked at for one that people paste.
const RESOURCES_MAX: u32 = 20;

/// What an examination may cost. The doctor needs some sixty requests where everything is there.
const BOUNDS: Bounds = Bounds { requests_max: 120, patience: Duration::from_secs(20) };

/// Callers that send people somewhere.
pub(in crate::http) fn playable() -> impl Iterator<Item = &'static Preset> {
    let sends_people =
        |preset: &&Preset| matches!(preset.dialect, Dialect::Plugin | Dialect::Action | Dialect::Connector);
    presets::all().iter().filter(sends_people)
}

/// The caller whose client was registered last: one with its callback, or else the first that speaks as it does.
pub(in crate::http) fn usual(clients: &[Client]) -> Option<&'static Preset> {
    let of = |client: &Client| {
        let is_there = |callback: &str| client.redirect_uris.iter().any(|uri| uri.as_str() == callback);
        let own = playable().find(|preset| preset.fixed_callbacks().any(is_there));
        own.or_else(|| playable().find(|preset| preset.dialect == client.dialect))
    };
    clients.iter().find_map(of)
}

/// The plugin's newest clients.
pub(in crate::http) async fn clients(owner: &Owner<'_>, plugin: &Plugin) -> StoreResult<Vec<Client>> {
    let page: Page<ClientId> = Page { before: None, rows_max: CLIENTS };
    owner.server.store.clients_of(plugin.id, owner.server.clock.now(), page).await
}

/// Where a caller of this kind begins: whoever speaks MCP at the server's whole address, which is a resource of its own
/// beside the plugin's origin; everybody else at the plugin's host.
pub(in crate::http) async fn target(owner: &Owner<'_>, plugin: &Plugin, kind: Dialect) -> StoreResult<Option<Url>> {
    let pasted = if kind == Dialect::Connector { pasted(owner, plugin).await? } else { None };
    Ok(pasted.or_else(|| Url::parse(&plugin.resource).ok()))
}

/// The address of a plugin's MCP server, if it has one: a manifest's API is a host, what has a path is pasted.
pub(in crate::http) async fn pasted(owner: &Owner<'_>, plugin: &Plugin) -> StoreResult<Option<Url>> {
    let resources = owner.server.store.resources_of(plugin.id, RESOURCES_MAX).await?;
    let mut urls = resources.iter().filter_map(|resource| Url::parse(resource.identifier.as_str()).ok());
    Ok(urls.find(|url| url.path() != "/"))
}

/// What the doctor finds there, as this caller.
pub(in crate::http) async fn look(
    owner: &Owner<'_>,
    plugin: &Plugin,
    clients: &[Client],
    (preset, target): (&'static Preset, &Url),
) -> Result<Vec<Check>, NotNow> {
    let server = owner.server;
    let examination = server.examinations.begin(plugin.id, owner.account.id)?;
    let clock = server.clock.clone();
    let leash = Leash::new(server.for_owners.clone(), &clock, BOUNDS);
    let checks = match Wire::leashed(callers::OWN, clock, target, leash) {
        Ok(wire) => {
            let (target, changes_only) = (target.clone(), Some(endpoints(owner, plugin)));
            let patient = Patient { target, preset, typed: typed(clients, preset), account: None, changes_only };
            doctor::examine(&wire, &patient).await.checks
        }
        Err(error) => vec![Check::left_out("reach.answers", format!("anything: {error}"))],
    };
    drop(examination);
    Ok(checks)
}

/// This server's own, in each spelling, and those of the same names on the plugin's host: nothing is left behind at any
/// other for an owner. What the plugin's host leads to is its owner's to say, so that a token that was made up may be
/// tried at a server of their own; nothing that is worth anything is.
fn endpoints(owner: &Owner<'_>, plugin: &Plugin) -> Vec<String> {
    let issuer = &owner.server.settings.issuer;
    let on_the_plugins_host = clients::endpoints(&owner.registry(), Dialect::Action, &plugin.host);
    let own = ["/token", "/register"].map(|path| format!("{issuer}{path}"));
    own.into_iter().chain(on_the_plugins_host).collect()
}

/// What the owner of the client that is played has typed in at the assistant's. Its secret is known to nobody here.
fn typed(clients: &[Client], preset: &Preset) -> Typed {
    let client = clients.iter().find(|client| client.dialect == preset.dialect);
    match client.filter(|_| preset.known_by.contains(&KnownBy::Hand)) {
        Some(client) => Typed {
            client_id: Some(client.client_id.clone()),
            redirect_uri: client.redirect_uris.first().map(|uri| uri.as_str().to_owned()),
            ..Typed::default()
        },
        None => Typed::default(),
    }
}
