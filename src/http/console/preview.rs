//! The preview beside a plugin's form: the manifest as it would be served, and the page on which people are asked, both
//! made by what makes the real ones. What was typed is shown and not kept, and nothing it names is fetched.

use actix_web::HttpResponse;

use super::{
    entry::{Entry, Outcome},
    working,
};
use crate::{
    http::{
        failure::PageError,
        oauth::{
            consent::{self, About},
            who_asks::WhoAsks,
        },
        pages::{ClientOrigin, Destination, ScopeLine, console::Preview},
    },
    model::{
        client::{Client, Dialect},
        id::ClientId,
        plugin::{DocumentKind, Plugin},
        redirect_uri::RedirectUri,
        resource::ResourceIdentifier,
    },
    protocol::{dialect, manifest, parameters::Parameters},
    registry::plugins::{self, PluginForm},
    simulate::callers,
    store::owners::Page,
};

/// What stands where the plugin has no name yet.
const NAMELESS: &str = "your plugin";

/// How many clients are looked at for one that sends people.
const CLIENTS: u32 = 10;

/// What a form asks for instead of being kept.
pub(super) enum Asked {
    /// The page with its form and a preview.
    Page,
    /// The preview alone, for the page's script.
    Fragment,
}

impl Asked {
    pub(super) fn read(fields: &Parameters) -> Result<Option<Self>, PageError> {
        Ok(match fields.one("preview", 16).map_err(PageError::Incomplete)? {
            Some("page") => Some(Self::Page),
            Some("fragment") => Some(Self::Fragment),
            _ => None,
        })
    }
}

/// What is previewed.
pub(super) struct Shows<'a> {
    /// Of which kind a new plugin is to be.
    pub(super) kind: Option<Dialect>,
    /// The plugin that is there already.
    pub(super) known: Option<&'a Plugin>,
    /// What was typed.
    pub(super) form: &'a PluginForm,
    /// Whether something was named that is fetched on saving.
    pub(super) is_read_later: bool,
}

/// Answers with the preview alone.
pub(super) async fn answer(entry: &Entry<'_>, shows: &Shows<'_>) -> Outcome {
    let preview = of(entry, shows).await?;
    entry.answer(HttpResponse::Ok(), &preview)
}

/// The preview of what was typed.
pub(super) async fn of(entry: &Entry<'_>, shows: &Shows<'_>) -> Result<Preview, PageError> {
    let (server, registry) = (entry.server, entry.registry());
    let previewed = plugins::preview(&registry, shows.known, shows.form).ok_or(PageError::NotThere)?;
    let plugin = previewed.plugin;
    let client = match shows.known {
        Some(known) => newest(entry, known).await?,
        None => None,
    };
    let has_logo = match shows.known {
        // A logo is looked for under its host, and only what is kept is shown.
        Some(known) if known.host == plugin.host => {
            server.store.document_kinds(known.id).await?.contains(&DocumentKind::Logo)
        }
        _ => false,
    };
    let scheme = registry.scheme(&plugin.host);
    let scopes = plugin.scopes.iter().map(|scope| ScopeLine {
        name: scope.name.clone(),
        words: scope.words.clone(),
        is_new: true,
        choice: scope.optional.then_some(true),
    });
    let kind = shows.kind.or_else(|| client.as_ref().map(|client| client.dialect)).unwrap_or(Dialect::Plugin);
    let about = About {
        plugin: &plugin,
        has_logo,
        who: client.as_ref().map_or_else(|| usual(kind), WhoAsks::of),
        destination: destination(client.as_ref(), kind),
        scopes: scopes.collect(),
        account: (entry.account.name.clone(), entry.account.email.to_string()),
        api_address: api_address(entry, shows, &plugin, kind).await?,
    };
    let mut consent = consent::page(server, entry.layout(), about);
    if consent.plugin_name.is_empty() {
        NAMELESS.clone_into(&mut consent.plugin_name);
    }
    let document = manifest::served(&plugin, scheme);
    let manifest = serde_json::to_string_pretty(&document).unwrap_or_default();
    Ok(Preview::of(&consent, (manifest, previewed.mistakes), shows.is_read_later)?)
}

/// What people are shown of the address: its host, and for a connector what follows it.
async fn api_address(
    entry: &Entry<'_>,
    shows: &Shows<'_>,
    plugin: &Plugin,
    kind: Dialect,
) -> Result<String, PageError> {
    let address = match shows.known {
        _ if kind != Dialect::Connector => None,
        Some(known) if known.host == plugin.host => Some(working::target(entry, known, kind).await?.to_string()),
        Some(_) => None,
        None => Some(shows.form.api_address.trim().to_owned()),
    };
    let identifier = address.and_then(|address| address.parse::<ResourceIdentifier>().ok());
    Ok(identifier.map_or_else(|| plugin.host.to_string(), |it| it.display_address()))
}

/// The client that was registered last, of those that people are sent here by.
async fn newest(entry: &Entry<'_>, plugin: &Plugin) -> Result<Option<Client>, PageError> {
    let page: Page<ClientId> = Page { before: None, rows_max: CLIENTS };
    let clients = entry.server.store.clients_of(plugin.id, entry.server.clock.now(), page).await?;
    let sends_people = |it: &Client| it.enabled && dialect::authorization_code_allowed(it.dialect);
    Ok(clients.into_iter().find(sends_people))
}

/// Who asks most likely where there is no client yet.
fn usual(kind: Dialect) -> WhoAsks {
    WhoAsks { name: dialect::usual_name(kind).to_owned(), origin: ClientOrigin::Owner }
}

/// Where people are sent back to: the client's own callback, or the one that callers of this kind use.
fn destination(client: Option<&Client>, kind: Dialect) -> Destination {
    let own = client.and_then(|client| client.redirect_uris.first().cloned());
    let usual = || {
        let callback = callers::named(kind.as_str())?.callbacks_with("id", true).into_iter().next()?;
        callback.parse::<RedirectUri>().ok()
    };
    own.or_else(usual).map_or_else(|| Destination::Site(String::new()), |uri| Destination::of(&uri))
}
