//! `/console/plugins/{slug}/secrets/{name}`: one API key, and everything that can be done with it but reading it. Each form
//! says which change it is; `registry::plugin_secrets` has the changes, and `secrets` is the list.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, is_confirmed, take, text, visit},
    secrets::{self, LINE_MAX},
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{Badge, Notice, Question, SecretPage, Section, Usage, VersionLine, times},
    },
    model::{
        Timestamp,
        plugin::Plugin,
        plugin_secret::{SecretRoute, SecretSource},
        span::Span,
    },
    protocol::parameters::Parameters,
    registry::{
        RegistryError, RegistryResult, Wrong,
        plugin_secrets::{self, SettingsForm},
    },
    server::Server,
    store::plugin_secrets::{PluginSecret, SecretVersion},
};

/// The longest number that is read, in bytes.
const NUMBER_MAX: usize = 20;

/// What was typed and is shown again; the key is not.
#[derive(Default)]
struct Typed {
    grace: Option<String>,
    form: Option<SettingsForm>,
    wrong: Vec<Wrong>,
}

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        render(entry, &plugin, Typed::default()).await
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

/// The API key of the address, if it is the plugin's.
async fn find(entry: &Entry<'_>, plugin: &Plugin) -> Result<PluginSecret, PageError> {
    Ok(plugin_secrets::find(&entry.registry(), plugin.id, entry.owner().named("name")).await?)
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let secret = find(entry, &plugin).await?;
    let change = fields.required("change", 16).map_err(PageError::Incomplete)?;
    if let Some(asked) = entry.prove_first(secrets::place(&plugin, Some(&secret))).await? {
        return Ok(asked);
    }
    if change == "remove" && !is_confirmed(fields) {
        return ask(entry, &plugin, &secret);
    }
    let mut typed = Typed::default();
    let done = changed(entry, &secret, (change, fields), &mut typed).await?;
    typed.wrong = match done {
        Ok(Notice::KeyRemoved) => {
            return Ok(entry.lead_to(&format!("/plugins/{}/secrets", plugin.slug), Notice::KeyRemoved));
        }
        Ok(notice) => {
            return Ok(entry.lead_to(&format!("/plugins/{}/secrets/{}", plugin.slug, secret.name), notice));
        }
        Err(RegistryError::Wrong(wrong)) => wrong,
        Err(RegistryError::ChangedMeanwhile) => {
            // What is typed over what somebody else has just said would undo it unseen.
            typed = Typed::default();
            vec![Wrong::new(
                "other",
                "Somebody else has changed this API key since you opened this page, which shows it as it is now",
            )]
        }
        Err(error) => return Err(error.into()),
    };
    render(entry, &plugin, typed).await
}

async fn changed(
    entry: &Entry<'_>,
    secret: &PluginSecret,
    (change, fields): (&str, &Parameters),
    typed: &mut Typed,
) -> Result<RegistryResult<Notice>, PageError> {
    let registry = entry.registry();
    let number = |name: &str| text(fields, name, NUMBER_MAX)?.parse::<i64>().map_err(|_| PageError::NotThere);
    Ok(match change {
        "rotate" => {
            let (grace, value) = (text(fields, "grace", LINE_MAX)?, secrets::typed_value(fields)?);
            typed.grace = Some(grace.to_owned()).filter(|grace| !grace.is_empty());
            let (ring, seen) = (entry.server.keyring.current(), (secret, number("version")?));
            plugin_secrets::rotate(&registry, &ring, seen, &value, Some(grace)).await.map(|_| Notice::Replaced)
        }
        "change" => {
            let form = secrets::read(fields, SettingsForm::from(&secret.settings))?;
            let changed = plugin_secrets::change(&registry, (secret, number("revision")?), &form).await;
            typed.form = Some(form);
            changed.map(|_| Notice::Saved)
        }
        "end" => plugin_secrets::end_version(&registry, secret, number("number")?).await.map(|()| Notice::VersionEnded),
        "remove" => plugin_secrets::remove(&registry, secret).await.map(|()| Notice::KeyRemoved),
        _ => return Err(PageError::NotThere),
    })
}

/// Asks before it is removed, and says what stops working.
fn ask(entry: &Entry<'_>, plugin: &Plugin, secret: &PluginSecret) -> Outcome {
    let here = format!("/secrets/{}", secret.name);
    let routes: Vec<String> = secret.settings.routes.iter().map(SecretRoute::to_string).collect();
    let ends = match routes.as_slice() {
        [] => "No request gets it now, so nothing stops working.".to_owned(),
        routes => {
            format!("These requests go to your API without a key then, and may be refused: {}.", routes.join(", "))
        }
    };
    let asked = Question {
        question: format!("Remove the API key {}?", secret.name),
        ends,
        then: "All its versions are wiped, and nobody can bring them back. End the key where it was issued as well."
            .to_owned(),
        action: here.clone(),
        fields: vec![("change", "remove".to_owned())],
        button: "Remove it",
        back: here,
        ..Question::default()
    };
    entry.ask((plugin, Section::Secrets), asked)
}

async fn render(entry: &Entry<'_>, plugin: &Plugin, typed: Typed) -> Outcome {
    let secret = find(entry, plugin).await?;
    let now = entry.server.clock.now();
    let proof = entry.proof(secrets::place(plugin, Some(&secret))).await?;
    let settings = &secret.settings;
    let form = typed.form.unwrap_or_else(|| SettingsForm::from(settings));
    let grace = typed.grace.unwrap_or_else(|| Span(settings.grace).to_string());
    let newest = secret.newest();
    let makers = secrets::makers(&entry.registry(), &settings.source, &form);
    let page = SecretPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Secrets)))?,
        slug: plugin.slug.clone(),
        name: secret.name.to_string(),
        revision: secret.revision,
        version: newest,
        badge: secrets::badge(&secret, now),
        injection: format!("{}: {}", settings.injection.header(), settings.injection.prefix()),
        routes: settings.routes.iter().map(SecretRoute::to_string).collect(),
        facts: facts(plugin, &secret, now),
        failing: secret.failing.as_ref().map(|(since, says)| (times::minute(*since), says.clone())),
        follows: settings.source.reference().map(str::to_owned),
        versions: secret.versions.iter().map(|version| line(version, newest)).collect(),
        proof,
        overlaps: secrets::overlaps(&grace),
        usage: Usage { overlaps: Some(secrets::overlaps(&form.grace)), ..secrets::usage(&form, makers) },
        wrong: typed.wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

/// What else is known of it.
fn facts(plugin: &Plugin, secret: &PluginSecret, now: Timestamp) -> Vec<(&'static str, String)> {
    let used = secret.last_used_at().map_or_else(|| "not yet".to_owned(), times::minute);
    let goes_to = secrets::goes_to(plugin).unwrap_or_else(|| "the address that the operator has set".to_owned());
    let mut facts = vec![("Goes to", goes_to), ("Last used", used)];
    facts.extend(secrets::due(secret, now, times::minute).map(|due| ("Due", due)));
    facts.extend(secrets::left(secret).map(|left| ("Not gone yet", left)));
    match &secret.settings.source {
        SecretSource::People => {}
        SecretSource::Rotator(rotator) => facts.push(("New keys come from", format!("the rotator {rotator}"))),
        SecretSource::Reference(reference) => facts.push(("New keys come from", reference.clone())),
    }
    facts
}

fn line(version: &SecretVersion, newest: i64) -> VersionLine {
    let is_newest = version.number == newest;
    let (class, word) = match (is_newest, version.ended_at) {
        (true, _) => ("good", "Newest"),
        (false, None) => ("warn", "Still good"),
        (false, Some(_)) => ("waiting", "Ended"),
    };
    let used = match version.last_used_at {
        Some(at) => format!("last used on {}", times::minute(at)),
        None => "never used".to_owned(),
    };
    let ends = match (version.ended_at, version.ends_at) {
        (Some(at), _) => Some(format!("ended on {}", times::minute(at))),
        (None, Some(at)) => Some(format!("good until {}", times::minute(at))),
        (None, None) => None,
    };
    let revoked = version.is_to_be_revoked.then(|| "to be ended where it was issued, too".to_owned());
    let made = match &version.rotator {
        Some(rotator) => format!("Made by the rotator {rotator} on {}", times::minute(version.made_at)),
        None => format!("Put away on {}", times::minute(version.made_at)),
    };
    let says: Vec<String> = [made, used].into_iter().chain(ends).chain(revoked).collect();
    VersionLine {
        number: version.number,
        badge: Badge { class, word },
        says: says.join(", "),
        can_end: !is_newest && version.ended_at.is_none(),
    }
}
