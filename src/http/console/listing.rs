//! `/console/plugins/{slug}/listing`: what a plugin says of itself. What is typed here is read for registering, too.

use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::{
    entry::{Entry, Outcome, take, text, visit},
    preview::{self, Asked, Shows},
};
use crate::{
    http::{
        account::place::{PagePath, Place},
        failure::PageError,
        pages::console::{ListingPage, Notice, Section},
    },
    model::{
        client::Dialect,
        id::AccountId,
        plugin::{DocumentKind, Plugin},
    },
    outbound::Limits,
    pictures,
    protocol::{manifest::openapi, parameters::Parameters},
    registry::{
        Proof, RegistryError, Wrong, plugin_secrets,
        plugins::{self, PluginForm},
    },
    server::{Server, shares::TooMany},
};

/// The longest line that is read, in bytes; what it may be is the registry's to say.
const LINE_MAX: usize = 4096;
/// The longest text of several lines.
const TEXT_MAX: usize = 32 * 1024;
/// The longest description of an API that is pasted; a longer one is fetched.
const PASTED_MAX: usize = 60 * 1024;
/// How long an owner waits for what they named.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What an owner typed, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) form: PluginForm,
    pub(super) pasted: String,
    pub(super) openapi_url: String,
    pub(super) logo_url: String,
    pub(super) wrong: Vec<Wrong>,
}

impl Typed {
    /// What is previewed of it.
    pub(super) fn shows<'a>(&'a self, kind: Option<Dialect>, known: Option<&'a Plugin>) -> Shows<'a> {
        let is_named = |address: &str| !address.trim().is_empty();
        let is_read_later = (self.form.openapi.is_none() && is_named(&self.openapi_url)) || is_named(&self.logo_url);
        Shows { kind, known, form: &self.form, is_read_later }
    }
}

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let (scheme, _) = entry.server.settings.schemes_of(&plugin.host);
        let form = form_of(&plugin, scheme);
        render(entry, &plugin, Typed { form, ..Typed::default() }).await
    };
    visit(&server, &request, show).await
}

/// Takes its form.
pub async fn save(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    if let Some(asked) = Asked::read(fields)? {
        let (plugin, typed) = (seen(plugin, fields)?, read_typed(fields)?);
        return match asked {
            Asked::Fragment => preview::answer(entry, &typed.shows(None, Some(&plugin))).await,
            Asked::Page => render(entry, &plugin, typed).await,
        };
    }
    let mut typed = read(entry, fields).await?;
    // What was fetched took its time: whoever is no owner any more changes nothing.
    let plugin = seen(entry.plugin().await?, fields)?;
    if typed.wrong.is_empty() {
        let proof = if entry.proof(place(&plugin)).await?.is_none() { Proof::Shown } else { Proof::Missing };
        match plugins::change(&entry.registry(), &plugin, &typed.form, proof).await {
            Ok(plugin) => return Ok(entry.lead_to(&format!("/plugins/{}", plugin.slug), Notice::Saved)),
            Err(RegistryError::Wrong(wrong)) => typed.wrong = wrong,
            Err(RegistryError::ChangedMeanwhile) => typed.wrong = vec![changed_meanwhile()],
            Err(RegistryError::Unproven) => typed.wrong = vec![unproven()],
            Err(error) => return Err(error.into()),
        }
    }
    render(entry, &plugin, typed).await
}

/// The plugin at the version that a form was made for: whoever changes it says which one they saw.
pub(super) fn seen(plugin: Plugin, fields: &Parameters) -> Result<Plugin, PageError> {
    let version = fields.required("version", 20).map_err(PageError::Incomplete)?;
    let version = version.parse().unwrap_or_default();
    Ok(Plugin { version, ..plugin })
}

/// What is said to whoever comes second.
pub(super) fn changed_meanwhile() -> Wrong {
    Wrong::new(
        "other",
        "Somebody else has changed this plugin since you opened this page. What you typed is still in the fields below: \
         open the page in another tab to see what is there now, and save it again from there",
    )
}

/// What is said to whoever moves API keys in a browser that may have been left open.
fn unproven() -> Wrong {
    Wrong::new(
        "api_address",
        "API keys go there: show once more that it is you, by the link below the field, and save it again",
    )
}

/// The page to come back to.
fn place(plugin: &Plugin) -> Place {
    PagePath::parse(&format!("plugins/{}/listing", plugin.slug)).map_or(Place::Console, Place::ConsolePage)
}

/// What the form would say of a plugin as it is.
fn form_of(plugin: &Plugin, scheme: &str) -> PluginForm {
    let text = |member: &str| plugin.manifest_text(member).unwrap_or_default().to_owned();
    PluginForm {
        name: text("name_for_human"),
        short_name: text("name_for_model"),
        api_address: format!("{scheme}://{}", plugin.host),
        description: text("description_for_human"),
        description_for_model: text("description_for_model"),
        contact_email: text("contact_email"),
        legal_info_url: text("legal_info_url"),
        accent_color: plugin.accent_color.map(|colour| colour.to_string()).unwrap_or_default(),
        openapi: None,
        logo: None,
    }
}

/// Reads the form, and fetches what it names.
pub(super) async fn read(entry: &Entry<'_>, fields: &Parameters) -> Result<Typed, PageError> {
    let mut typed = read_typed(fields)?;
    let mut wrong = Vec::new();
    if typed.form.openapi.is_none() {
        let named = ("openapi_url", typed.openapi_url.as_str());
        typed.form.openapi = fetched(entry, named, openapi::BYTES_MAX, &mut wrong).await;
    }
    typed.form.logo = fetched(entry, ("logo_url", &typed.logo_url), pictures::BYTES_MAX, &mut wrong).await;
    Ok(Typed { wrong, ..typed })
}

/// Reads the form, and fetches nothing.
pub(super) fn read_typed(fields: &Parameters) -> Result<Typed, PageError> {
    let text = |name: &str, length_max: usize| text(fields, name, length_max).map(str::to_owned);
    let pasted = text("openapi", PASTED_MAX)?;
    let form = PluginForm {
        name: text("name", LINE_MAX)?,
        short_name: text("short_name", LINE_MAX)?,
        api_address: text("api_address", LINE_MAX)?,
        description: text("description", LINE_MAX)?,
        description_for_model: text("description_for_model", TEXT_MAX)?,
        contact_email: text("contact_email", LINE_MAX)?,
        legal_info_url: text("legal_info_url", LINE_MAX)?,
        accent_color: text("accent_color", LINE_MAX)?,
        openapi: (!pasted.trim().is_empty()).then(|| pasted.clone().into_bytes()),
        logo: None,
    };
    let (openapi_url, logo_url) = (text("openapi_url", LINE_MAX)?, text("logo_url", LINE_MAX)?);
    Ok(Typed { form, pasted, openapi_url, logo_url, wrong: Vec::new() })
}

/// Why there is nothing from an address that was named.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum NotFetched {
    /// It is no address, or its host did not answer with it.
    #[error("{0}")]
    Wrong(String),
    /// This account has had too many fetched.
    #[error("you have had many addresses fetched; try again in {} seconds", .0.retry_after_seconds)]
    TooMany(TooMany),
    /// So have others; the host was not asked.
    #[error("too much is being fetched at once; try again in a few seconds")]
    Busy,
}

/// What stands at an address that an account has named; nothing where it named none. Hosts are asked at its pace: they
/// are whoever's it likes.
pub(in crate::http) async fn fetch(
    server: &Server,
    account: AccountId,
    address: &str,
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, NotFetched> {
    let address = address.trim();
    if address.is_empty() {
        return Ok(None);
    }
    let not_one = "it is not an address; write it in full, with https://";
    let url = Url::parse(address).map_err(|_| NotFetched::Wrong(not_one.to_owned()))?;
    server.examinations.fetch(account).map_err(NotFetched::TooMany)?;
    match server.for_owners.get(&url, Limits { bytes_max, patience: PATIENCE }).await {
        Ok(fetched) => Ok(Some(fetched.body)),
        Err(error) if error.is_ours() => Err(NotFetched::Busy),
        Err(error) => Err(NotFetched::Wrong(error.to_string())),
    }
}

/// The same for a field of the form, beside which it is said what is wrong.
async fn fetched(
    entry: &Entry<'_>,
    (field, address): (&'static str, &str),
    bytes_max: usize,
    wrong: &mut Vec<Wrong>,
) -> Option<Vec<u8>> {
    let fetched = fetch(entry.server, entry.account.id, address, bytes_max).await;
    fetched.map_err(|error| wrong.push(Wrong::new(field, error.to_string()))).ok().flatten()
}

async fn render(entry: &Entry<'_>, plugin: &Plugin, typed: Typed) -> Outcome {
    let preview = preview::of(entry, &typed.shows(None, Some(plugin))).await?;
    let store = &entry.server.store;
    let kinds = store.document_kinds(plugin.id).await?;
    let (has_openapi, has_logo) = (kinds.contains(&DocumentKind::OpenApi), kinds.contains(&DocumentKind::Logo));
    let has_keys = plugin_secrets::has_any(&entry.registry(), plugin.id).await?;
    let page = ListingPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Listing)))?,
        kind: None,
        slug: plugin.slug.clone(),
        version: plugin.version,
        form: typed.form,
        pasted: typed.pasted,
        openapi_url: typed.openapi_url,
        logo_url: typed.logo_url,
        has_openapi,
        has_logo,
        proof: if has_keys { entry.proof(place(plugin)).await? } else { None },
        preview,
        wrong: typed.wrong,
    };
    entry.answer_with(&page, &page.wrong)
}
