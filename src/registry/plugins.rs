//! Plugins registered and changed field by field, as a form or a program gives them. `cli/plugin_import` does the same
//! from files of the owner's own.
//!
//! What the manifest says of addresses is computed: its description and its logo are served by this server, so that an
//! owner types neither. What the fields must be is `protocol::manifest`'s to say.

mod colour;
mod preview;
mod short_name;

pub use self::{
    colour::accent,
    preview::{Previewed, preview},
};
use serde_json::{Map, Value, json};
use short_name::short_name;
use url::Url;

use super::{Proof, Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{
        brand::Colour,
        client::Dialect,
        id::{AccountId, PluginId, ResourceId},
        plugin::{Document, DocumentKind, Host, Plugin, PluginState, SubjectSalt, Viewer},
        redirect_uri::has_loopback_host,
        resource::ResourceIdentifier,
        scope::Catalogue,
    },
    pictures,
    protocol::manifest::{self, Mistake, OwnersWords, openapi},
    random,
    store::{
        plugins::{ImportPlugin, Known, PluginImport},
        resources::NewResource,
    },
};

/// What an owner says of a plugin, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginForm {
    /// What people call it.
    pub name: String,
    /// What the model calls it, and the plugin's short name here; made of `name` where it is empty.
    pub short_name: String,
    /// The origin of its API: `https://api.example.com`.
    pub api_address: String,
    /// What it does, for people.
    pub description: String,
    /// What it does, for the model; the one for people where it is empty.
    pub description_for_model: String,
    /// Where people can write to.
    pub contact_email: String,
    /// Its terms.
    pub legal_info_url: String,
    /// The colour of the page on which people agree, as `#rrggbb`; the server's own where it is empty.
    pub accent_color: String,
    /// The API's description (OpenAPI 3, JSON or YAML), if a new one was given.
    pub openapi: Option<Vec<u8>>,
    /// Its picture, if a new one was given.
    pub logo: Option<Vec<u8>>,
}

/// The fields of the manifest's members.
const FIELDS: [(&str, &str); 7] = [
    ("name_for_human", "name"),
    ("name_for_model", "short_name"),
    ("description_for_human", "description"),
    ("description_for_model", "description_for_model"),
    ("contact_email", "contact_email"),
    ("legal_info_url", "legal_info_url"),
    ("api.url", "api_address"),
];

/// Registers a plugin for whom it is to belong to; none for one that only the operator looks after.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong with the form.
pub async fn register(
    registry: &Registry<'_>,
    kind: Dialect,
    form: &PluginForm,
    owner: Option<AccountId>,
) -> RegistryResult<Plugin> {
    let at = registry.clock.now();
    let mut manifest = Map::new();
    manifest.insert("schema_version".to_owned(), json!("v1"));
    let short_name = if form.short_name.trim().is_empty() { short_name(&form.name) } else { form.short_name.clone() };
    if short_name.is_empty() && !form.name.trim().is_empty() {
        let problem = "the name has no letter from a to z to make one of; write one";
        return Err(Wrong::new("short_name", problem).into());
    }
    manifest.insert("name_for_model".to_owned(), json!(short_name.trim()));
    let endpoint = if kind == Dialect::Connector { endpoint(registry, form).await? } else { None };
    let form = &PluginForm { api_address: origin(&form.api_address, endpoint.as_ref()), ..form.clone() };
    let read = read(registry, form, None, manifest, kind == Dialect::Plugin)?;
    may_have_another(registry, owner).await?;
    let plugin = Plugin {
        id: PluginId(random::id(at)),
        slug: read.words.slug,
        resource: format!("{}://{}", registry.scheme(&read.host), read.host),
        host: read.host,
        state: PluginState::Draft,
        upstream: None,
        routes: None,
        subject_salt: SubjectSalt(random::bytes()),
        scopes: read.scopes,
        manifest: read.words.manifest,
        accent_color: read.accent_color,
        version: 1,
    };
    let import = PluginImport { plugin, documents: read.documents, known: Known::New(owner), moves_keys: false, at };
    let plugin = keep(registry, import).await?;
    if let Some(identifier) = endpoint {
        let resource = NewResource { id: ResourceId(random::id(at)), plugin_id: plugin.id, identifier, at };
        registry.store.add_resource(&resource, &registry.audit(at)).await?;
    }
    Ok(plugin)
}

/// The most plugins of one owner, where they are not trusted with the whole server: hosts are first come, first served.
const PLUGINS_MAX: u32 = 50;

async fn may_have_another(registry: &Registry<'_>, owner: Option<AccountId>) -> RegistryResult<()> {
    let Some(owner) = owner.filter(|_| !registry.is_trusted) else { return Ok(()) };
    if registry.store.count_plugins_of(owner, PLUGINS_MAX).await? < PLUGINS_MAX {
        return Ok(());
    }
    Err(Wrong::new("other", format!("An owner can have at most {PLUGINS_MAX} plugins; the operator can add more"))
        .into())
}

/// The address of an MCP server, which is more than an origin: people paste it, and tokens are for it (RFC 8707).
async fn endpoint(registry: &Registry<'_>, form: &PluginForm) -> RegistryResult<Option<ResourceIdentifier>> {
    let address = form.api_address.trim();
    let Ok(identifier) = address.parse::<ResourceIdentifier>() else { return Ok(None) };
    if Url::parse(address).is_ok_and(|url| url.path() == "/") {
        return Ok(None);
    }
    match registry.store.resource(&identifier.canonical()).await? {
        Some(_) => Err(Wrong::new("api_address", format!("{address} belongs to another plugin")).into()),
        None => Ok(Some(identifier)),
    }
}

/// The origin of an address whose path was read already.
fn origin(address: &str, endpoint: Option<&ResourceIdentifier>) -> String {
    match (endpoint, Url::parse(address.trim())) {
        (Some(_), Ok(url)) => url.origin().ascii_serialization(),
        _ => address.to_owned(),
    }
}

/// Changes what a plugin says of itself; `plugin` is as whoever changes it saw it. Its short name stays. Its API keys go
/// where its API is, so moving an API that has some takes the proof that changing them takes.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong with the form, [`RegistryError::Unproven`] and
/// [`RegistryError::ChangedMeanwhile`].
pub async fn change(
    registry: &Registry<'_>,
    plugin: &Plugin,
    form: &PluginForm,
    proof: Proof,
) -> RegistryResult<Plugin> {
    let manifest = plugin.manifest.as_object().cloned().unwrap_or_default();
    let is_published = plugin.state != PluginState::Draft;
    let read = read(registry, form, Some(plugin), manifest, is_published)?;
    // What the owner has said of a scope goes before what the description says of it anew.
    let mut scopes = Catalogue::default();
    let known = plugin.scopes.names();
    if read.scopes.iter().filter(|it| !known.contains(&it.name)).try_for_each(|it| scopes.put(it.clone())).is_err() {
        return Err(full().into());
    }
    // What tokens are for moves with the host and with nothing else.
    let resource = if read.host == plugin.host {
        plugin.resource.clone()
    } else {
        format!("{}://{}", registry.scheme(&read.host), read.host)
    };
    let changed = Plugin {
        resource,
        host: read.host,
        manifest: read.words.manifest,
        scopes,
        accent_color: read.accent_color,
        ..plugin.clone()
    };
    let is_as_before = changed.host == plugin.host
        && changed.manifest == plugin.manifest
        && changed.accent_color == plugin.accent_color
        && changed.scopes.names().is_empty();
    if is_as_before && read.documents.is_empty() {
        // Nothing is written, so nobody else's form is out of date by it, and no look at the public address is forgotten.
        return Ok(plugin.clone());
    }
    let (known, moves_keys) = (Known::Version(plugin.version), proof != Proof::Missing);
    let at = registry.clock.now();
    keep(registry, PluginImport { plugin: changed, documents: read.documents, known, moves_keys, at }).await
}

/// A form that is good.
struct Read {
    host: Host,
    words: OwnersWords,
    scopes: Catalogue,
    documents: Vec<Document>,
    accent_color: Option<Colour>,
}

/// Reads a form over what the manifest says already. `is_strict` where it will be read as a manifest: only there do the
/// contact and the terms have to be of the plugin's own domain.
fn read(
    registry: &Registry<'_>,
    form: &PluginForm,
    known: Option<&Plugin>,
    manifest: Map<String, Value>,
    is_strict: bool,
) -> RegistryResult<Read> {
    let mut wrong = Vec::new();
    let host = match host(registry, &form.api_address) {
        Ok(host) => Some(host),
        Err(problem) => {
            wrong.push(Wrong::new("api_address", problem));
            None
        }
    };
    let mut scopes = Catalogue::default();
    let mut documents = Vec::new();
    if let Some(body) = &form.openapi {
        match openapi::read(body) {
            Ok(described) => {
                if described.scopes.into_iter().try_for_each(|scope| scopes.put(scope)).is_err() {
                    wrong.push(full());
                }
                let (kind, content_type) = (DocumentKind::OpenApi, described.content_type.to_owned());
                documents.push(Document { kind, content_type, body: body.clone() });
            }
            Err(error) => wrong.push(Wrong::new("openapi", error.to_string())),
        }
    }
    if let Some(picture) = &form.logo {
        match pictures::logo(picture) {
            Ok(body) => {
                documents.push(Document { kind: DocumentKind::Logo, content_type: "image/png".to_owned(), body });
            }
            Err(error) => wrong.push(Wrong::new("logo_url", error.to_string())),
        }
    }
    let accent_color = accent(&form.accent_color).map_err(|problem| wrong.push(problem)).unwrap_or_default();
    // Where the address is wrong the rest is looked at all the same, as if the plugin stood nowhere in particular.
    let nowhere = || "localhost".parse().ok();
    let Some(at) = host.clone().or_else(nowhere) else { return Err(RegistryError::Wrong(wrong)) };
    let text = manifest_of(registry, form, known, manifest, &at).to_string();
    let is_strict = is_strict && host.is_some();
    let read = if is_strict { manifest::read } else { manifest::read_unpublished };
    match (host, read(text.as_bytes(), &at)) {
        (Some(host), Ok((words, _))) if wrong.is_empty() => Ok(Read { host, words, scopes, documents, accent_color }),
        (_, Ok(_)) => Err(RegistryError::Wrong(wrong)),
        (_, Err(mistakes)) => {
            wrong.extend(mistakes.into_iter().filter(|it| !is_told(it, &wrong)).map(named).collect::<Vec<_>>());
            Err(RegistryError::Wrong(wrong))
        }
    }
}

/// What the address makes wrong is told of the address.
fn is_told(mistake: &Mistake, wrong: &[Wrong]) -> bool {
    wrong.iter().any(|it| it.field == "api_address") && matches!(mistake.member.as_str(), "api.url" | "logo_url")
}

/// A mistake under the name of the field that it was made in.
fn named(mistake: Mistake) -> Wrong {
    let field = FIELDS.iter().find(|(member, _)| *member == mistake.member).map_or("other", |(_, field)| field);
    let problem = if field == "other" { mistake.to_string() } else { mistake.problem };
    Wrong::new(field, problem)
}

/// The host of an API's address, which is its origin.
fn host(registry: &Registry<'_>, address: &str) -> Result<Host, String> {
    let address = address.trim();
    let url = Url::parse(address).map_err(|_| "it is not an address; write https://api.example.com".to_owned())?;
    match url.scheme() {
        "https" => {}
        "http" if has_loopback_host(&url) => {}
        _ => return Err("it must begin with https://".to_owned()),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(format!("only the scheme and the host belong here: {}", url.origin().ascii_serialization()));
    }
    let name = url.host_str().unwrap_or_default();
    let text = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    let host: Host = text.parse().map_err(|error: crate::model::plugin::NotAHost| error.to_string())?;
    // On one's own computer ports tell servers apart; elsewhere they are one and the same machine's.
    let is_public = registry
        .public
        .is_some_and(|(public, _)| *public == host || (!public.is_loopback() && public.name() == host.name()));
    if is_public && !registry.is_trusted {
        return Err("people sign in on this host; a plugin has a host of its own".to_owned());
    }
    Ok(host)
}

/// The manifest with what the form says of it. What an owner serves elsewhere, by an import, stays theirs until a
/// document of that kind is given here.
fn manifest_of(
    registry: &Registry<'_>,
    form: &PluginForm,
    known: Option<&Plugin>,
    mut manifest: Map<String, Value>,
    host: &Host,
) -> Value {
    let here = |path: &str| format!("{}://{host}{path}", registry.scheme(host));
    let is_elsewhere = |url: Option<&Value>, path: &str| {
        let own = known.map(|plugin| format!("{}://{}{path}", registry.scheme(&plugin.host), plugin.host));
        url.and_then(Value::as_str).is_some_and(|url| own.as_deref() != Some(url))
    };
    let for_model = form.description_for_model.trim();
    let for_model = if for_model.is_empty() { form.description.trim() } else { for_model };
    for (member, value) in [
        ("name_for_human", json!(form.name.trim())),
        ("description_for_human", json!(form.description.trim())),
        ("description_for_model", json!(for_model)),
        ("contact_email", json!(form.contact_email.trim())),
        ("legal_info_url", json!(form.legal_info_url.trim())),
    ] {
        manifest.insert(member.to_owned(), value);
    }
    if form.logo.is_some() || !is_elsewhere(manifest.get("logo_url"), "/logo.png") {
        manifest.insert("logo_url".to_owned(), json!(here("/logo.png")));
    }
    let mut api = manifest.get("api").and_then(Value::as_object).cloned().unwrap_or_default();
    if form.openapi.is_some() || !is_elsewhere(api.get("url"), "/openapi.json") {
        api.insert("type".to_owned(), json!("openapi"));
        api.insert("url".to_owned(), json!(here("/openapi.json")));
    }
    manifest.insert("api".to_owned(), Value::Object(api));
    Value::Object(manifest)
}

/// Keeps a plugin that was read.
pub(super) async fn keep(registry: &Registry<'_>, mut import: PluginImport) -> RegistryResult<Plugin> {
    // An id that is free: the row of a known plugin keeps its own, and a resource that comes with a change takes this.
    import.plugin.id = PluginId(random::id(import.at));
    if !registry.is_trusted
        && let Some(resource) = registry.store.resource_below(&format!("{}/", import.plugin.resource)).await?
        && resource.plugin_slug != import.plugin.slug
    {
        let problem = format!("{} belongs to another plugin", import.plugin.host);
        return Err(Wrong::new("api_address", problem).into());
    }
    let taken = |slug: &str, what: String| {
        // Whose it is is nobody's business who may not see everything.
        let whose = if registry.is_trusted { format!(" \"{slug}\"") } else { String::new() };
        Err(Wrong::new("api_address", format!("{what} belongs to another plugin{whose}")).into())
    };
    match registry.store.import_plugin(&import, &registry.audit(import.at)).await? {
        ImportPlugin::Created(plugin) | ImportPlugin::Updated(plugin) => Ok(plugin),
        ImportPlugin::HostTaken { slug } => taken(&slug, import.plugin.host.to_string()),
        ImportPlugin::ResourceTaken { slug } => taken(&slug, import.plugin.resource),
        ImportPlugin::SlugTaken => {
            let own = match registry.actor.account() {
                Some(id) => registry.store.plugin_seen_by(Viewer::Owner(id), &import.plugin.slug).await?,
                None => None,
            };
            let problem = match own {
                Some(own) => format!("you have a plugin of this short name already: \"{}\"", own.name()),
                None => "another plugin has this short name; choose another one".to_owned(),
            };
            Err(Wrong::new("short_name", problem).into())
        }
        ImportPlugin::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        ImportPlugin::KeysWouldMove => Err(RegistryError::Unproven),
        ImportPlugin::CatalogueFull => Err(full().into()),
    }
}

pub(super) fn full() -> Wrong {
    Wrong::new("scope", "there are too many scopes; a plugin has room for 128")
}
