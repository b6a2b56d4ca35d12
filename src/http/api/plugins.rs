//! `/api/v1/plugins`: plugins registered and changed.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    caller::{Caller, look, take},
    paging::{Paging, Part},
    problem::{FieldProblem, Problem},
};
use crate::{
    http::{
        console::listing::{NotFetched, fetch},
        failure::Fault,
    },
    model::{client::Dialect, id::PluginId, owner_token::OwnerScope, plugin::Plugin, scope::Scope},
    pictures,
    protocol::manifest::{self, openapi},
    registry::{
        Proof, RegistryError,
        plugins::{self, PluginForm},
        scopes::{self, ScopeForm},
    },
    server::Server,
};

/// A plugin.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plugin)]
pub struct ShownPlugin {
    /// Its short name, which addresses have.
    slug: String,
    /// Where it stands: `draft`, `published` or `verified`.
    state: &'static str,
    /// Raised by every change: send it back to change what you have read.
    version: i64,
    /// What tokens of its people are for where a client names no resource.
    resource: String,
    /// Everything that they may be for, the one above as well: a connector's MCP server by its whole address. Lists of
    /// plugins leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resources: Option<Vec<String>>,
    /// Where its manifest is served.
    manifest_url: String,
    /// What it says of itself.
    listing: Listing,
    /// What clients may ask for.
    scopes: Vec<DescribedScope>,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// What people call it.
    name: String,
    /// What the model calls it; made of the name where it is left out, and never changed.
    #[serde(default)]
    short_name: String,
    /// The origin of its API, `https://api.example.com`. A connector is registered with the whole address of its MCP
    /// server; the origin of that is what is answered, and what a change takes.
    api_address: String,
    /// What it does, for people.
    description: String,
    /// What it does, for the model; the one for people where it is left out.
    #[serde(default)]
    description_for_model: String,
    /// Where people can write to.
    contact_email: String,
    /// Its terms.
    legal_info_url: String,
    /// The colour of the page on which people agree, as `#rrggbb`; the server's own where it is left out or empty.
    #[serde(default)]
    accent_color: String,
    /// The API's description (OpenAPI 3) as JSON or YAML, where there is a new one. It is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    openapi: Option<String>,
    /// Or where that is to be fetched, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    openapi_url: Option<String>,
    /// Where a new picture is to be fetched, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logo_url: Option<String>,
}

/// What clients may ask for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribedScope {
    /// Its name (RFC 6749 §3.3).
    name: String,
    /// What it lets a client do, in a sentence for people.
    description: String,
    /// Whether a person may leave it out.
    #[serde(default)]
    optional: bool,
}

/// A page of plugins.
#[derive(Debug, Serialize, ToSchema)]
pub struct Plugins {
    /// The newest first.
    plugins: Vec<ShownPlugin>,
    /// Where the next page begins; null where this is the last.
    next_cursor: Option<String>,
}

/// A plugin to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlugin {
    /// Of which kind.
    kind: Kind,
    /// What it says of itself.
    listing: Listing,
}

/// The kinds of plugins.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A classic plugin with a manifest.
    Plugin,
    /// An action of a custom GPT.
    Action,
    /// An MCP server.
    Connector,
}

/// What a plugin is to say of itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListingChange {
    /// The version that was read.
    version: i64,
    /// All that it is to say.
    listing: Listing,
}

/// What clients are to be able to ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopesChange {
    /// The version that was read.
    version: i64,
    /// Those that are described anew or added; the others stay as they are.
    #[schema(max_items = 128)]
    scopes: Vec<DescribedScope>,
}

/// What a listing would be served as.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// The manifest.
    #[schema(value_type = Object)]
    manifest: Value,
    /// What it would be refused for.
    problems: Vec<String>,
}

impl ShownPlugin {
    fn of(server: &Server, plugin: &Plugin) -> Self {
        let (scheme, _) = server.settings.schemes_of(&plugin.host);
        let text = |member: &str| plugin.manifest_text(member).unwrap_or_default().to_owned();
        let described = |scope: &Scope| DescribedScope {
            name: scope.name.clone(),
            description: scope.words.clone(),
            optional: scope.optional,
        };
        Self {
            slug: plugin.slug.clone(),
            state: plugin.state.as_str(),
            version: plugin.version,
            resource: plugin.resource.clone(),
            resources: None,
            manifest_url: format!("{scheme}://{}{}", plugin.host, manifest::PLACE),
            listing: Listing {
                name: text("name_for_human"),
                short_name: text("name_for_model"),
                api_address: format!("{scheme}://{}", plugin.host),
                description: text("description_for_human"),
                description_for_model: text("description_for_model"),
                contact_email: text("contact_email"),
                legal_info_url: text("legal_info_url"),
                accent_color: plugin.accent_color.map(|colour| colour.to_string()).unwrap_or_default(),
                ..Listing::default()
            },
            scopes: plugin.scopes.iter().map(described).collect(),
        }
    }

    /// The same with what only the reading of one plugin tells.
    async fn in_full(server: &Server, plugin: &Plugin) -> Result<Self, Problem> {
        let resources = Some(server.store.identifiers_of(plugin.id).await?);
        Ok(Self { resources, ..Self::of(server, plugin) })
    }
}

impl Listing {
    /// The form that it is, with what it names fetched.
    async fn form(mut self, caller: &Caller<'_>) -> Result<PluginForm, Problem> {
        let mut wrong = Vec::new();
        let named_openapi = match (&self.openapi, self.openapi_url.take()) {
            (Some(_), Some(_)) => {
                return Err(Problem::wrong("listing.openapi_url", "it stands beside openapi; give one"));
            }
            (_, url) => named(caller, ("openapi_url", url), openapi::BYTES_MAX, &mut wrong).await?,
        };
        let logo = named(caller, ("logo_url", self.logo_url.take()), pictures::BYTES_MAX, &mut wrong).await?;
        if !wrong.is_empty() {
            return Err(Problem::Wrong(wrong).below("listing"));
        }
        let typed = self.typed();
        Ok(PluginForm { openapi: typed.openapi.or(named_openapi), logo, ..typed })
    }

    /// The same, with nothing fetched.
    fn typed(self) -> PluginForm {
        PluginForm {
            name: self.name,
            short_name: self.short_name,
            api_address: self.api_address,
            description: self.description,
            description_for_model: self.description_for_model,
            contact_email: self.contact_email,
            legal_info_url: self.legal_info_url,
            accent_color: self.accent_color,
            openapi: self.openapi.map(String::into_bytes),
            logo: None,
        }
    }
}

/// What stands at an address that a member names. What is wrong with it is said of the member; what is not its fault
/// ends the call.
async fn named(
    caller: &Caller<'_>,
    (member, address): (&str, Option<String>),
    bytes_max: usize,
    wrong: &mut Vec<FieldProblem>,
) -> Result<Option<Vec<u8>>, Problem> {
    match fetch(caller.server, caller.account.id, &address.unwrap_or_default(), bytes_max).await {
        Ok(body) => Ok(body),
        Err(NotFetched::Wrong(problem)) => {
            wrong.push(FieldProblem::new(member, problem));
            Ok(None)
        }
        Err(NotFetched::TooMany(wait)) => Err(Problem::TooMany { retry_after_seconds: wait.retry_after_seconds }),
        Err(NotFetched::Busy) => Err(Fault::FetchesAreBehind.into()),
    }
}

/// What is wrong with a listing, under the names that its members have in the body.
fn of_the_listing(error: RegistryError) -> Problem {
    // Too many scopes come from the API's description alone.
    Problem::from(error).calling("scopes", "openapi").below("listing")
}

/// Lists the plugins that the token's owner may see.
#[utoipa::path(
    get, path = "/plugins", operation_id = "list_plugins", tag = "Plugins", params(Paging),
    responses((status = 200, description = "A page of them, newest first", body = Plugins)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let part = Part::asked_for(caller)?;
        let mut plugins = server.store.plugins_seen_by(caller.owner().viewer(), part.page(PluginId)).await?;
        let next_cursor = part.cut(&mut plugins, |plugin| plugin.id.0);
        let plugins = plugins.iter().map(|plugin| ShownPlugin::of(&server, plugin)).collect();
        caller.tell(&Plugins { plugins, next_cursor })
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Registers a plugin.
#[utoipa::path(
    post, path = "/plugins", operation_id = "register_plugin", tag = "Plugins", request_body = NewPlugin,
    responses((status = 201, description = "It is registered", body = ShownPlugin)),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn register(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        if !caller.owner().may_register() {
            return Err(Problem::NotThere);
        }
        let NewPlugin { kind, listing } = caller.json()?;
        let kind = match kind {
            Kind::Plugin => Dialect::Plugin,
            Kind::Action => Dialect::Action,
            Kind::Connector => Dialect::Connector,
        };
        let form = listing.form(caller).await?;
        let plugin = plugins::register(&caller.registry(), kind, &form, Some(caller.account.id)).await;
        let plugin = plugin.map_err(of_the_listing)?;
        caller.made(&format!("/plugins/{}", plugin.slug), &ShownPlugin::in_full(&server, &plugin).await?)
    };
    take(&server, &request, (payload, OwnerScope::PluginsWrite), act).await
}

/// Reads a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}", operation_id = "read_plugin", tag = "Plugins",
    responses((status = 200, description = "The plugin", body = ShownPlugin)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        caller.tell(&ShownPlugin::in_full(&server, &plugin).await?)
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Changes what a plugin says of itself. Moving an API that has API keys takes `secrets:write` as well, since they go where
/// it is.
#[utoipa::path(
    put, path = "/plugins/{slug}/listing", operation_id = "change_listing", tag = "Plugins",
    request_body = ListingChange,
    responses((status = 200, description = "The plugin as it is now", body = ShownPlugin)),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let known = caller.plugin().await?;
        let ListingChange { version, listing } = caller.json()?;
        // Before anything is fetched for whoever comes second.
        if version != known.version {
            return Err(Problem::ChangedMeanwhile);
        }
        let own = known.manifest_text("name_for_model").unwrap_or_default();
        if !listing.short_name.is_empty() && listing.short_name != own {
            return Err(Problem::wrong("listing.short_name", "it stays; leave it out, or send it as it is"));
        }
        let form = listing.form(caller).await?;
        // What was fetched took its time: whoever is no owner any more changes nothing.
        let seen = Plugin { version, ..caller.plugin().await? };
        let proof = if caller.may(OwnerScope::SecretsWrite) { Proof::Shown } else { Proof::Missing };
        let plugin = match plugins::change(&caller.registry(), &seen, &form, proof).await {
            Err(RegistryError::Unproven) => return Err(caller.refuse(OwnerScope::SecretsWrite)),
            changed => changed.map_err(of_the_listing)?,
        };
        caller.tell(&ShownPlugin::in_full(&server, &plugin).await?)
    };
    take(&server, &request, (payload, OwnerScope::PluginsWrite), act).await
}

/// Shows the manifest that a listing would be served as. Nothing is kept, and nothing is fetched that it names.
#[utoipa::path(
    post, path = "/plugins/{slug}/listing/preview", operation_id = "preview_listing", tag = "Plugins",
    request_body = Listing, responses((status = 200, description = "What would be served", body = Preview)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn preview(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let (form, registry) = (caller.json::<Listing>()?.typed(), caller.registry());
        let previewed = plugins::preview(&registry, Some(&plugin), &form).ok_or(Problem::NotThere)?;
        let scheme = registry.scheme(&previewed.plugin.host);
        let manifest = manifest::served(&previewed.plugin, scheme);
        caller.tell(&Preview { manifest, problems: previewed.mistakes })
    };
    take(&server, &request, (payload, OwnerScope::PluginsRead), act).await
}

/// Describes what clients may ask for.
#[utoipa::path(
    put, path = "/plugins/{slug}/scopes", operation_id = "describe_scopes", tag = "Plugins",
    request_body = ScopesChange,
    responses((status = 200, description = "The plugin as it is now", body = ShownPlugin)),
    security(("owner_token" = ["plugins:write"]))
)]
pub async fn describe(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let known = caller.plugin().await?;
        let ScopesChange { version, scopes } = caller.json()?;
        let form = |it: DescribedScope| ScopeForm { name: it.name, words: it.description, optional: it.optional };
        let forms: Vec<ScopeForm> = scopes.into_iter().map(form).collect();
        let plugin = scopes::describe(&caller.registry(), &Plugin { version, ..known }, &forms).await?;
        caller.tell(&ShownPlugin::in_full(&server, &plugin).await?)
    };
    take(&server, &request, (payload, OwnerScope::PluginsWrite), act).await
}
