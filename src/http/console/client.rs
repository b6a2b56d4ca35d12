//! `/console/plugins/{slug}/clients/{client}`: one client ID, and everything that can be changed about it. Each form
//! says which change it is; `registry::clients` has the changes themselves.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;

use super::{
    clients::{About, badge, choices, hand_over},
    entry::{Entry, Outcome, is_confirmed, take, text, visit},
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{Badge, ClientPage, Notice, OfferLine, Question, SecretLine, Section, isolated, times},
    },
    model::{
        client::{Client, ClientSecret, Registration},
        id::ClientSecretId,
        plugin::Plugin,
        redirect_uri::RedirectUri,
        scope::Scopes,
    },
    protocol::{dialect, parameters::Parameters, presets},
    registry::{
        RegistryError, RegistryResult, Wrong,
        clients::{self, HandedOver, Which, callbacks, changes, scopes, secrets},
    },
    server::Server,
};

/// The longest line of a form that is read, in bytes.
const LINE_MAX: usize = 4096;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let client = entry.client(&plugin).await?;
        render(entry, &plugin, client, Refused::default()).await
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Refused {
    name: Option<String>,
    callback: Option<String>,
    scopes: Option<Vec<String>>,
    wrong: Vec<Wrong>,
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let client = entry.client(&plugin).await?;
    let field = |name: &str| text(fields, name, LINE_MAX);
    let change = fields.required("change", 32).map_err(PageError::Incomplete)?;
    if change == "renew" {
        let seen = field("secret")?.parse().map(ClientSecretId).ok();
        return renew(entry, &plugin, client, (field("keep_old")?, seen)).await;
    }
    let (typed, seen) = (field(if change == "rename" { "name" } else { "callback" })?, field("version")?.parse().ok());
    let ticked: Vec<String> = fields.all("scope").flatten().map(str::to_owned).collect();
    let ends_the_whole =
        change == "scopes" && !ticked.is_empty() && client.scopes.as_ref().is_some_and(Scopes::is_empty);
    if (ends_the_whole || matches!(change, "disable" | "remove-callback")) && !is_confirmed(fields) {
        let scopes = ticked.into_iter().map(|scope| ("scope", scope));
        let again = [("change", change), ("version", field("version")?), ("callback", typed)];
        let again = again.map(|(name, value)| (name, value.to_owned())).into_iter().chain(scopes).collect();
        return ask(entry, &plugin, &client, (change, typed, again)).await;
    }
    let registry = entry.registry();
    let which = Which { client_id: &client.client_id, seen };
    let done = match change {
        "rename" => changes::rename(&registry, which, typed).await.map(|_| Notice::Saved),
        "scopes" => scopes::replace(&registry, which, &ticked).await.map(|_| Notice::Saved),
        "add-callback" => callbacks::add(&registry, which, &[typed.to_owned()]).await.map(|_| Notice::Saved),
        "remove-callback" => callbacks::remove(&registry, which, typed).await.map(|_| Notice::Saved),
        "approve" => callbacks::approve(&registry, which, typed).await.map(|_| Notice::Approved),
        "dismiss" => callbacks::dismiss(&registry, which.client_id, typed).await.map(|()| Notice::Dismissed),
        "end-secret" => end_secret(entry, &client, field("secret")?).await,
        "disable" => changes::disable(&registry, which.client_id).await.map(|_| Notice::Disabled),
        "enable" => changes::enable(&registry, which).await.map(|_| Notice::Enabled),
        _ => return Err(PageError::NotThere),
    };
    let wrong = match done {
        Ok(notice) => return Ok(entry.lead_to(&format!("/plugins/{}{}", plugin.slug, path_of(&client)), notice)),
        Err(RegistryError::Wrong(wrong)) => wrong,
        Err(RegistryError::ChangedMeanwhile) => vec![Wrong::new(
            "other",
            "Somebody else has changed this client since you opened this page, which shows it as it is now",
        )],
        Err(error) => return Err(error.into()),
    };
    // Only what somebody typed is shown again, in its own field; a button that was pressed has none.
    let name = (change == "rename").then(|| typed.to_owned());
    let callback = (change == "add-callback").then(|| typed.to_owned());
    let scopes = (change == "scopes").then_some(ticked);
    let client = entry.client(&plugin).await?;
    render(entry, &plugin, client, Refused { name, callback, scopes, wrong }).await
}

/// Its page, after the plugin's own.
fn path_of(client: &Client) -> String {
    format!("/clients/{}", client.client_id)
}

async fn end_secret(entry: &Entry<'_>, client: &Client, secret: &str) -> RegistryResult<Notice> {
    let id = secret.parse().map(ClientSecretId).map_err(|_| RegistryError::Gone)?;
    secrets::end(&entry.registry(), &client.client_id, id).await.map(|_| Notice::SecretEnded)
}

/// Makes a new secret, which is shown this once.
async fn renew(
    entry: &Entry<'_>,
    plugin: &Plugin,
    client: Client,
    (keep_old, seen): (&str, Option<ClientSecretId>),
) -> Outcome {
    // Nothing ends because a form was cut on the way.
    let Ok(seconds) = keep_old.parse::<u32>() else { return Err(PageError::NotThere) };
    let keep_old = TimeDelta::seconds(i64::from(seconds));
    match secrets::rotate(&entry.registry(), &client.client_id, keep_old, seen).await {
        Ok(rotated) => {
            let scopes = scopes_of(&rotated.client, plugin);
            let handed = HandedOver {
                client_id: &rotated.client.client_id,
                dialect: rotated.client.dialect,
                scopes: &scopes,
                secret: Some(&rotated.secret),
            };
            let handover = clients::handover(&entry.registry(), &plugin.host, handed);
            let about = About {
                client_id: rotated.client.client_id.clone(),
                name: rotated.client.name.clone(),
                has_secret: true,
                old_until: (keep_old > TimeDelta::zero()).then(|| times::minute(rotated.old_expires_at)),
                twins: Vec::new(),
                dialect: rotated.client.dialect,
            };
            hand_over(entry, plugin, about, handover)
        }
        Err(RegistryError::Wrong(wrong)) => {
            render(entry, plugin, client, Refused { wrong, ..Refused::default() }).await
        }
        Err(RegistryError::ChangedMeanwhile) => {
            let wrong = vec![Wrong::new(
                "other",
                "A new secret was made a moment ago, perhaps by your own second press, and it was shown once. If nobody \
                 has it, make another one: the one made a moment ago is the first of the list below",
            )];
            render(entry, plugin, client, Refused { wrong, ..Refused::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

fn scopes_of(client: &Client, plugin: &Plugin) -> Scopes {
    client.scopes.clone().unwrap_or_else(|| plugin.scopes.names())
}

/// Asks whether it is to be deleted, and says what ends with it.
pub async fn ask_to_delete(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let client = entry.client(&plugin).await?;
        render_delete(entry, &plugin, &client, Vec::new()).await
    };
    visit(&server, &request, show).await
}

/// Deletes it.
pub async fn delete(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let carry_out = async |entry: &Entry<'_>, _: &Parameters| {
        let plugin = entry.plugin().await?;
        let client = entry.client(&plugin).await?;
        match changes::delete(&entry.registry(), &client.client_id).await {
            Ok(_) => Ok(entry.lead_to(&format!("/plugins/{}/clients", plugin.slug), Notice::Deleted)),
            Err(RegistryError::Wrong(wrong)) => render_delete(entry, &plugin, &client, wrong).await,
            Err(error) => Err(error.into()),
        }
    };
    take(&server, &request, payload, carry_out).await
}

async fn render_delete(entry: &Entry<'_>, plugin: &Plugin, client: &Client, wrong: Vec<Wrong>) -> Outcome {
    let here = path_of(client);
    let asked = Question {
        question: format!("Delete {}?", isolated(&client.name)),
        ends: what_ends(entry, client).await?,
        then: format!(
            "Its client ID {} and its secrets stop working for good. Whoever used it has to be given another one.",
            client.client_id
        ),
        action: format!("{here}/delete"),
        button: "Delete it for good",
        back: here,
        wrong,
        ..Question::default()
    };
    entry.ask((plugin, Section::Clients), asked)
}

/// Asks before it is disabled, before a callback is removed, and before it may ask for some scopes instead of the whole;
/// `again` is what the form said.
async fn ask(
    entry: &Entry<'_>,
    plugin: &Plugin,
    client: &Client,
    (change, typed, again): (&str, &str, Vec<(&'static str, String)>),
) -> Outcome {
    let here = path_of(client);
    let name = isolated(&client.name);
    let (question, ends, then, button) = match change {
        "disable" => {
            let then = "Nothing it was given works any more. You can enable it again; people then connect anew.";
            (format!("Disable {name}?"), what_ends(entry, client).await?, then, "Disable it")
        }
        "scopes" => {
            let then = "It asked for the plugin as a whole until now, and cannot again. People connect anew, for what you ticked.";
            (format!("Let {name} ask for these alone?"), what_ends(entry, client).await?, then, "Save it")
        }
        _ => {
            let then = "Whoever connects by it is refused from then on. Connections that stand go on.";
            let twins = typed.parse::<RedirectUri>().map(|uri| presets::twins(&uri)).unwrap_or_default();
            let gone = twins.iter().filter(|twin| client.redirect_uris.contains(twin)).map(RedirectUri::as_str);
            let gone = [typed].into_iter().chain(gone).collect::<Vec<_>>().join(" and ");
            (
                "Remove this callback?".to_owned(),
                format!("People are not sent back to {gone} any more."),
                then,
                "Remove it",
            )
        }
    };
    let asked = Question {
        question,
        ends,
        then: then.to_owned(),
        action: here.clone(),
        fields: again,
        button,
        back: here,
        ..Question::default()
    };
    entry.ask((plugin, Section::Clients), asked)
}

async fn what_ends(entry: &Entry<'_>, client: &Client) -> Result<String, PageError> {
    Ok(match changes::connections(&entry.registry(), client).await? {
        Some(0) => "Nobody is connected through it.".to_owned(),
        Some(1) => "One connection through it ends.".to_owned(),
        Some(some) => format!("{some} connections through it end."),
        None => format!("More than {} connections were made through it. All that stand end.", changes::COUNTED_MAX),
    })
}

async fn render(entry: &Entry<'_>, plugin: &Plugin, client: Client, refused: Refused) -> Outcome {
    let registry = entry.registry();
    let offers = callbacks::offers(&registry, &client).await?;
    let scopes = scopes_of(&client, plugin);
    let handed = HandedOver { client_id: &client.client_id, dialect: client.dialect, scopes: &scopes, secret: None };
    let handover = clients::handover(&registry, &plugin.host, handed);
    let lasting = client.secrets.iter().filter(|secret| secret.expires_at.is_none()).count();
    let offer = |offer: &crate::store::callback_offers::CallbackOffer| {
        let last = times::minute(offer.last_seen_at);
        let says = match offer.seen {
            1 => format!("Asked for once, on {last}"),
            times => format!("Asked for {times} times, last on {last}"),
        };
        OfferLine { uri: offer.redirect_uri.to_string(), says }
    };
    let badge = match badge(&client) {
        Badge { class: "good", .. } if !offers.is_empty() => Badge { class: "warn", word: "Callback to check" },
        badge => badge,
    };
    let is_ticked = |name: &str| match &refused.scopes {
        Some(ticked) => ticked.iter().any(|it| it == name),
        None => scopes.contains(name),
    };
    let page = ClientPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Clients)))?,
        slug: plugin.slug.clone(),
        version: client.version,
        kind: dialect::in_words(client.dialect),
        badge,
        enabled: client.enabled,
        sends_people: dialect::authorization_code_allowed(client.dialect),
        says_so_itself: client.registration == Registration::Document,
        callbacks: client.redirect_uris.iter().map(ToString::to_string).collect(),
        offers: offers.iter().map(offer).collect(),
        secrets: client.secrets.iter().map(|secret| secret_line(secret, lasting)).collect(),
        scopes: choices(&plugin.scopes, is_ticked),
        fields: handover.fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect(),
        place: handover.place.to_owned(),
        client_id: client.client_id,
        name: client.name,
        newest_secret: client.secrets.first().map(|secret| secret.id.to_string()).unwrap_or_default(),
        typed_name: refused.name,
        typed_callback: refused.callback,
        wrong: refused.wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

/// One can be ended while another is left that has no end.
fn secret_line(secret: &ClientSecret, lasting: usize) -> SecretLine {
    let made = format!("Made on {}", times::minute(secret.created_at));
    let used = match secret.last_used_at {
        Some(at) => format!("last used on {}", times::minute(at)),
        None => "no use noted".to_owned(),
    };
    let ends = secret.expires_at.map(|at| format!(", valid until {}", times::minute(at))).unwrap_or_default();
    let others = if secret.expires_at.is_none() { lasting.saturating_sub(1) } else { lasting };
    SecretLine { id: secret.id.to_string(), says: format!("{made}, {used}{ends}"), can_end: others > 0 }
}
