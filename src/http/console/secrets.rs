//! `/console/plugins/{slug}/secrets`: the API keys that go into requests to a plugin's API, and putting one away. Each has a
//! page of its own (`secret`); `registry::plugin_secrets` has the changes.
//!
//! A value that was typed is in no answer, whatever comes of the form.

use std::iter;

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, VALUE, take, text, visit};
use crate::{
    http::{
        account::place::{PagePath, Place},
        failure::PageError,
        pages::console::{Badge, Choice, Notice, PluginSecretLine, SecretsPage, Section, Usage, times},
    },
    model::{
        Timestamp,
        plugin::Plugin,
        plugin_secret::{Notice as SecretNotice, SecretRoute, SecretSource, notice},
    },
    protocol::parameters::Parameters,
    registry::{
        Registry, RegistryError, Wrong,
        plugin_secrets::{self, SettingsForm},
    },
    server::Server,
    store::{
        plugin_secrets::{PluginSecret, SecretVersion},
        secret_revocations::RemovedSecret,
    },
    vault::SecretValue,
};

/// The longest line that is read, in bytes, and the longest text of routes.
pub(super) const LINE_MAX: usize = 4096;
const ROUTES_MAX: usize = 64 * 1024;

/// The longest text that is read as a key; what one may be is the registry's to say.
const VALUE_MAX: usize = 64 * 1024;

/// How many routes are shown of a key in the list.
const ROUTES_SHOWN: usize = 3;

/// What can be chosen, and what it is called.
const OVERLAPS: [(&str, &str); 5] =
    [("0s", "not at all: it ends now"), ("1h", "an hour"), ("1d", "a day"), ("7d", "a week"), ("30d", "30 days")];
const AGES: [(&str, &str); 5] = [
    (NEVER, "never"),
    ("30d", "after 30 days"),
    ("90d", "after 90 days"),
    ("180d", "after 180 days"),
    ("365d", "after a year"),
];

/// The word for people as those who make new keys. No rotator can have this name.
const BY_HAND: &str = "by hand";

/// The word for an age that is none. An empty field would be taken for one that was left out.
pub(super) const NEVER: &str = "never";

/// Shows them.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        render(entry, &plugin, ("", &SettingsForm::default()), Vec::new()).await
    };
    visit(&server, &request, show).await
}

/// Puts one away.
pub async fn put(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    if let Some(asked) = entry.prove_first(place(&plugin, None)).await? {
        return Ok(asked);
    }
    let (name, value) = (text(fields, "name", LINE_MAX)?, typed_value(fields)?);
    let form = read(fields, SettingsForm::default())?;
    let ring = entry.server.keyring.current();
    match plugin_secrets::put(&entry.registry(), &ring, (plugin.id, name), &value, &form).await {
        Ok(secret) => Ok(entry.lead_to(&format!("/plugins/{}/secrets/{}", plugin.slug, secret.name), Notice::PutAway)),
        Err(RegistryError::Wrong(wrong)) => render(entry, &plugin, (name, &form), wrong).await,
        Err(error) => Err(error.into()),
    }
}

/// The page to come back to.
pub(super) fn place(plugin: &Plugin, secret: Option<&PluginSecret>) -> Place {
    let path = match secret {
        None => format!("plugins/{}/secrets", plugin.slug),
        Some(secret) => format!("plugins/{}/secrets/{}", plugin.slug, secret.name),
    };
    PagePath::parse(&path).map_or(Place::Console, Place::ConsolePage)
}

/// The key that was typed, without what a copied line has around it.
pub(super) fn typed_value(fields: &Parameters) -> Result<SecretValue, PageError> {
    Ok(SecretValue::new(text(fields, VALUE, VALUE_MAX)?.trim().to_owned()))
}

/// Reads how and where a key is used; what is not there is as it was.
pub(super) fn read(fields: &Parameters, before: SettingsForm) -> Result<SettingsForm, PageError> {
    let or = |typed: &str, before: String| if typed.is_empty() { before } else { typed.to_owned() };
    let header = or(text(fields, "header", LINE_MAX)?.trim(), before.header.clone());
    let prefix = prefix(text(fields, "prefix", LINE_MAX)?, (&header, &before));
    let rotate_every = match text(fields, "rotate_every", LINE_MAX)? {
        NEVER => String::new(),
        typed => or(typed, before.rotate_every),
    };
    let maker = text(fields, "rotator", LINE_MAX)?;
    let mut form = SettingsForm {
        header,
        prefix,
        routes: text(fields, "routes", ROUTES_MAX)?.lines().map(str::to_owned).collect(),
        grace: or(text(fields, "grace", LINE_MAX)?, before.grace),
        rotate_every,
        source: before.source,
    };
    if !maker.is_empty() {
        form.give_to((maker != BY_HAND).then(|| maker.to_owned()));
    }
    Ok(form)
}

/// What stands before the key. A word is followed by a space, which nobody sees in a field.
fn prefix(typed: &str, (header, before): (&str, &SettingsForm)) -> Option<String> {
    let is_as_before = before.prefix.as_deref() == Some(typed);
    if is_as_before {
        // What stood before it in another header says nothing of this one.
        return before.prefix.clone().filter(|_| header.eq_ignore_ascii_case(&before.header));
    }
    match typed {
        // Nobody has said what stands before a key that is not there yet.
        "" if before.prefix.is_none() => None,
        word if word.ends_with(|c: char| c.is_ascii_alphanumeric()) => Some(format!("{word} ")),
        typed => Some(typed.to_owned()),
    }
}

/// Everything that can be chosen, and what was if it is none of that.
fn choices(known: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let choice =
        |value: &str, label: &str| Choice { value: value.to_owned(), label: label.to_owned(), chosen: value == chosen };
    let is_known = known.iter().any(|(value, _)| *value == chosen);
    let other = (!is_known).then(|| choice(chosen, chosen));
    known.iter().map(|(value, label)| choice(value, label)).chain(other).collect()
}

/// For how long an old key stays good.
pub(super) fn overlaps(chosen: &str) -> Vec<Choice> {
    choices(&OVERLAPS, chosen)
}

/// Who can be chosen to make new keys of one for which it is `now` said who does; nobody where there is no choice.
pub(super) fn makers(registry: &Registry<'_>, now: &SecretSource, form: &SettingsForm) -> Vec<Choice> {
    let rotators = plugin_secrets::rotators(registry);
    // One that cannot be chosen may stay, or whoever saves something else would leave it.
    let kept = now.rotator().filter(|name| !rotators.contains(name));
    if (rotators.is_empty() && kept.is_none()) || !plugin_secrets::may_give_away(registry, now) {
        return Vec::new();
    }
    let chosen = form.source.rotator().filter(|name| rotators.contains(name) || kept == Some(name));
    let by =
        |name| Choice { value: String::from(name), label: format!("the rotator {name}"), chosen: chosen == Some(name) };
    let by_hand = Choice { label: "you, or another owner".to_owned(), chosen: chosen.is_none(), ..by(BY_HAND) };
    let kept =
        kept.map(|name| Choice { label: format!("the rotator {name}, as now; not to be chosen again"), ..by(name) });
    iter::once(by_hand).chain(rotators.iter().copied().map(by)).chain(kept).collect()
}

/// What stands in the fields.
pub(super) fn usage(form: &SettingsForm, makers: Vec<Choice>) -> Usage {
    let age = if form.rotate_every.is_empty() { NEVER } else { &form.rotate_every };
    Usage {
        routes: form.routes.join("\n"),
        header: form.header.clone(),
        prefix: form.prefix.clone().unwrap_or_default(),
        ages: choices(&AGES, age),
        makers,
        overlaps: None,
    }
}

/// Where a key stands, in a word.
pub(super) fn badge(secret: &PluginSecret, now: Timestamp) -> Badge {
    let settings = &secret.settings;
    let is_rotated = matches!(settings.source, SecretSource::Rotator(_));
    // The same as owners are told by mail, however often it has been.
    let due = secret.due.due_at.zip(settings.rotate_every).and_then(|due| notice(due, is_rotated, None, now));
    let (class, word) = match due {
        _ if secret.failing.is_some() => ("bad", "Not renewed"),
        Some(SecretNotice::Overdue) => ("bad", "Overdue"),
        _ if settings.routes.is_empty() => ("waiting", "Used nowhere"),
        Some(SecretNotice::Soon) => ("warn", "Due soon"),
        None if secret.last_used_at().is_none() => ("good", "Ready"),
        None => ("good", "In use"),
    };
    Badge { class, word }
}

/// When somebody, or something, makes the next version.
pub(super) fn due(secret: &PluginSecret, now: Timestamp, write: fn(Timestamp) -> String) -> Option<String> {
    let due = secret.due.due_at?;
    let on = write(due);
    Some(match (&secret.settings.source, due <= now) {
        (SecretSource::Rotator(_), false) => format!("replaced by itself on {on}"),
        (_, true) => format!("overdue since {on}"),
        (_, false) => format!("to be replaced by {on}"),
    })
}

async fn render(entry: &Entry<'_>, plugin: &Plugin, (name, form): (&str, &SettingsForm), wrong: Vec<Wrong>) -> Outcome {
    let now = entry.server.clock.now();
    let secrets = entry.server.store.plugin_secrets(plugin.id).await?;
    let removed = entry.server.store.removed_plugin_secrets(plugin.id).await?;
    let page = SecretsPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Secrets)))?,
        slug: plugin.slug.clone(),
        goes_to: goes_to(plugin),
        secrets: secrets.iter().map(|secret| line(secret, now)).collect(),
        removed: removed.iter().map(|secret| (secret.name.to_string(), removed_line(secret))).collect(),
        proof: entry.proof(place(plugin, None)).await?,
        name: name.to_owned(),
        usage: usage(form, makers(&entry.registry(), &SecretSource::People, form)),
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

/// The host that a plugin's keys go to. An address that the operator has set is not for its owners to see.
pub(super) fn goes_to(plugin: &Plugin) -> Option<String> {
    plugin.upstream.is_none().then(|| plugin.host.to_string())
}

fn line(secret: &PluginSecret, now: Timestamp) -> PluginSecretLine {
    let routes = &secret.settings.routes;
    let newest = secret.versions.first();
    let used = match secret.last_used_at() {
        Some(at) => format!("last used on {}", times::minute(at)),
        None => "not used yet".to_owned(),
    };
    let says: Vec<String> =
        newest.map(put_away).into_iter().chain([used]).chain(due(secret, now, times::day)).collect();
    PluginSecretLine {
        name: secret.name.to_string(),
        badge: badge(secret, now),
        routes: routes.iter().take(ROUTES_SHOWN).map(SecretRoute::to_string).collect(),
        more: routes.len().checked_sub(ROUTES_SHOWN).filter(|more| *more > 0),
        says: says.join(" · "),
        left: left(secret),
    }
}

/// What has ended here and is good still where it was issued, as far as anybody here knows.
pub(super) fn left(secret: &PluginSecret) -> Option<String> {
    let versions: Vec<_> = secret.left_at_issuer().collect();
    let since = versions.iter().map(|(_, ended)| *ended).min()?;
    Some(format!("{} still to be ended where it was issued, since {}", numbers(&versions), times::minute(since)))
}

fn removed_line(secret: &RemovedSecret) -> String {
    let removed = format!("Removed on {}", times::minute(secret.removed_at));
    match secret.versions.as_slice() {
        // The last of what its rotator may have made while nobody could keep it.
        [] => format!("{removed} · its rotator is still to be asked whether anything of it is left"),
        versions => format!("{removed} · {} still to be ended where it was issued", numbers(versions)),
    }
}

fn numbers(versions: &[(i64, Timestamp)]) -> String {
    let numbers: Vec<_> = versions.iter().map(|(number, _)| number.to_string()).collect();
    format!("version {}", numbers.join(", "))
}

fn put_away(version: &SecretVersion) -> String {
    format!("Version {}, put away on {}", version.number, times::day(version.made_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(form: &str, before: &SettingsForm) -> SettingsForm {
        read(&Parameters::from_form(form.as_bytes()).unwrap(), before.clone()).unwrap()
    }

    #[test]
    fn a_new_key_is_used_as_it_is_usual_unless_it_is_said() {
        let usual = SettingsForm::default();
        assert_eq!(typed("", &usual), usual);
        let form = typed("header=x-api-key&routes=GET+/a%0D%0APOST+/b&rotate_every=90d&prefix=", &usual);
        let expected = SettingsForm {
            header: "x-api-key".to_owned(),
            routes: vec!["GET /a".to_owned(), "POST /b".to_owned()],
            rotate_every: "90d".to_owned(),
            ..usual.clone()
        };
        assert_eq!(form, expected);
        assert_eq!(typed("prefix=Token", &usual).prefix.as_deref(), Some("Token "));
        assert_eq!(typed("prefix=Token+token=", &usual).prefix.as_deref(), Some("Token token="));
    }

    #[test]
    fn what_stands_before_a_key_is_its_headers() {
        let before = SettingsForm { prefix: Some("Bearer ".to_owned()), ..SettingsForm::default() };
        let prefix = |form: &str| typed(form, &before).prefix;
        assert_eq!(prefix("header=Authorization&prefix=Bearer+"), before.prefix, "nothing was changed");
        assert_eq!(prefix("header=authorization&prefix=Bearer"), before.prefix, "the space is nobody's to see");
        assert_eq!(prefix("header=authorization&prefix="), Some(String::new()), "it stands alone");
        assert_eq!(prefix("header=x-api-key&prefix=Bearer+"), None, "the usual of the other header");
        assert_eq!(prefix("header=x-api-key&prefix=Key").as_deref(), Some("Key "));
        let joined = SettingsForm { prefix: Some("v1".to_owned()), ..SettingsForm::default() };
        assert_eq!(typed("prefix=v1", &joined).prefix, joined.prefix, "what was said elsewhere stays");
    }

    #[test]
    fn whoever_makes_new_keys_stays_unless_another_is_chosen() {
        let by = |name: &str| SecretSource::Rotator(name.to_owned());
        let of = |source| SettingsForm { source, ..SettingsForm::default() };
        let followed = SecretSource::Reference("vault://a/b#c".to_owned());
        for (source, typed_source, expected) in [
            (SecretSource::People, "", SecretSource::People),
            (SecretSource::People, "rotator=keys", by("keys")),
            (SecretSource::People, "rotator=by+hand", SecretSource::People),
            (by("keys"), "rotator=", by("keys")),
            (by("keys"), "rotator=others", by("others")),
            (by("keys"), "rotator=by+hand", SecretSource::People),
            (followed.clone(), "rotator=", followed.clone()),
            // Which the registry refuses to owners.
            (followed.clone(), "rotator=by+hand", SecretSource::People),
            (followed, "rotator=keys", by("keys")),
        ] {
            assert_eq!(typed(typed_source, &of(source.clone())).source, expected, "{source:?} {typed_source}");
        }
    }

    #[test]
    fn what_is_not_among_the_choices_is_one_of_them() {
        let chosen = |choices: Vec<Choice>| {
            let chosen = choices.iter().filter(|choice| choice.chosen).map(|choice| choice.label.clone());
            (choices.len(), chosen.collect::<Vec<_>>())
        };
        assert_eq!(chosen(overlaps("1h")), (5, vec!["an hour".to_owned()]));
        assert_eq!(chosen(overlaps("90m")), (6, vec!["90m".to_owned()]));
        assert_eq!(chosen(usage(&SettingsForm::default(), Vec::new()).ages), (5, vec!["never".to_owned()]));
        let before = SettingsForm { rotate_every: "90d".to_owned(), grace: "1d".to_owned(), ..SettingsForm::default() };
        assert_eq!(typed("rotate_every=never", &before).rotate_every, "");
        assert_eq!((typed("", &before).rotate_every, typed("", &before).grace), ("90d".to_owned(), "1d".to_owned()));
    }
}
