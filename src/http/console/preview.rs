//! The preview beside a plugin's form: the manifest as it would be served, and the page on which people are asked, both
//! made by what makes the real ones. What was typed is shown and not kept, and nothing it names is fetched.

use actix_web::HttpResponse;

use super::entry::{Entry, Outcome};
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
    },
    protocol::{manifest, parameters::Parameters},
    registry::plugins::{self, PluginForm},
    simulate::callers,
    store::owners::Page,
};

/// What stands where no client has a name yet.
const NAMELESS: &str = "The name of your client ID";

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
}

/// Answers with the preview alone.
pub(super) async fn answer(entry: &Entry<'_>, shows: &Shows<'_>) -> Outcome {
    let preview = of(entry, shows).await?;
    entry.answer(HttpResponse::Ok(), &preview)
}

/// The preview of what was typed.
pub(super) async fn of(entry: &Entry<'_>, shows: &Shows<'_>) -> Result<Preview, PageError> {
    let (server, registry) = (entry.server, entry.registry());
    let plugin = plugins::preview(&registry, shows.known, shows.form).ok_or(PageError::NotThere)?;
    let client = match shows.known {
        Some(known) => newest(entry, known).await?,
        None => None,
    };
    let has_logo = match shows.known {
        // A logo is looked for under its host, and only what is kept is shown.
        Some(known) if known.host == plugin.host => server.store.has_document(known.id, DocumentKind::Logo).await?,
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
        who: client.as_ref().map_or_else(nameless, WhoAsks::of),
        destination: destination(client.as_ref(), kind),
        scopes: scopes.collect(),
        account: (entry.account.name.clone(), entry.account.email.to_string()),
        api_address: plugin.host.to_string(),
    };
    let consent = consent::page(server, entry.layout(), about);
    let document = manifest::served(&plugin, scheme);
    Ok(Preview::of(&consent, serde_json::to_string_pretty(&document).unwrap_or_default())?)
}

async fn newest(entry: &Entry<'_>, plugin: &Plugin) -> Result<Option<Client>, PageError> {
    let page: Page<ClientId> = Page { before: None, rows_max: 1 };
    Ok(entry.server.store.clients_of(plugin.id, entry.server.clock.now(), page).await?.pop())
}

fn nameless() -> WhoAsks {
    WhoAsks { name: NAMELESS.to_owned(), origin: ClientOrigin::Owner }
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
