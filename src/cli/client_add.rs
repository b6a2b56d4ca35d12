//! `consentry client add`: registers a client and says what to type in where.

use clap::{Args, builder::PossibleValuesParser};
use serde_json::json;

use super::{
    account::name,
    answer::{Answer, columns},
    client::new_secret,
    client_keys::{self, KeysOf},
    desk::{Desk, audit},
    failure::Failure,
};
use crate::{
    model::{
        client::{AuthenticationMethod, Dialect, Registration},
        id::ClientId,
        plugin::{Host, Plugin},
        public_url::PublicUrl,
        redirect_uri::RedirectUri,
        scope::Scopes,
    },
    protocol::{
        dialect::{self, Endpoints},
        manifest,
        presets::{self, Preset},
    },
    random,
    store::clients::{NewClient, OwnWords},
    tokens::secret::SecretText,
};

/// More than any caller is known to use.
const CALLBACKS_MAX: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The short name of the plugin whose API it may ask for
    #[arg(long, value_name = "SLUG")]
    plugin: String,
    /// How it speaks: plugin, action, connector, service or custom; or a known caller of `consentry preset list`, whose
    /// callbacks need not be typed
    #[arg(long, value_parser = PossibleValuesParser::new(presets()), hide_possible_values = true)]
    preset: String,
    /// What people are shown when they are asked for consent
    #[arg(long)]
    name: String,
    /// Where people are sent back to; may be repeated
    #[arg(long = "callback", value_name = "URL")]
    callbacks: Vec<String>,
    /// What it may ask for; may be repeated. All of the plugin's scopes when left out
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    #[command(flatten)]
    keys: KeysOf,
}

/// What `--preset` can be.
fn presets() -> impl Iterator<Item = &'static str> {
    let callers = presets::all().iter().map(|preset| preset.name.as_str());
    Dialect::ALL.into_iter().map(Dialect::as_str).chain(callers)
}

pub(super) async fn run(arguments: Add, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.plugin).await?;
    let caller = presets::named(&arguments.preset);
    let dialect = match caller {
        Some(caller) => caller.dialect,
        None => arguments.preset.parse().map_err(|error| Failure::not_done(format!("--preset: {error}")))?,
    };
    if !desk.clients.by_hand && dialect::authorization_code_allowed(dialect) {
        return Err(Failure::not_done(
            "clients are not registered by hand here: clients_by_hand is off; only --preset service is taken",
        ));
    }
    let name = name(&arguments.name, "--name")?;
    let Callbacks { uris, twins } = match caller {
        Some(caller) => callbacks_of(caller, &arguments.callbacks)?,
        None => callbacks(dialect, &arguments.callbacks)?,
    };
    let scopes = scopes(&plugin, &arguments.scopes)?;
    let at = desk.clock.now();
    let keys = client_keys::read(&arguments.keys, dialect)?;
    let authentication_method =
        keys.as_ref().map_or(dialect::authentication_method(dialect), |_| AuthenticationMethod::PrivateKeyJwt);
    let secret = (authentication_method == AuthenticationMethod::ClientSecret).then(|| new_secret(at));
    let (text, kept) = secret.unzip();
    let id = ClientId(random::id(at));
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name,
        dialect,
        authentication_methods: authentication_method.into(),
        signing_algorithm: None,
        keys: keys.unwrap_or_default(),
        redirect_uris: uris,
        scopes: Some(scopes),
        secret: kept,
        registration_digest: None,
        own_words: OwnWords::default(),
        at,
    };
    desk.store.add_client(&client, &audit(at)).await?;
    Ok(answer(
        &client,
        &Shown {
            plugin: &plugin,
            secret: text.as_ref(),
            twins: &twins,
            endpoints: endpoints(desk, dialect, &plugin.host),
            issuer: desk.public_url.as_ref().map(PublicUrl::as_str),
        },
    ))
}

/// What is to be registered, and which of it nobody typed.
#[derive(Debug)]
pub(super) struct Callbacks {
    pub(super) uris: Vec<RedirectUri>,
    pub(super) twins: Vec<RedirectUri>,
}

pub(super) fn callbacks(dialect: Dialect, texts: &[String]) -> Result<Callbacks, Failure> {
    let mut problems = Vec::new();
    let mut uris: Vec<RedirectUri> = Vec::new();
    for text in texts {
        match text.trim().parse::<RedirectUri>() {
            Ok(uri) if uris.contains(&uri) => {}
            Ok(uri) => uris.push(uri),
            Err(error) => problems.push(format!("--callback: {error}")),
        }
    }
    if !dialect::authorization_code_allowed(dialect) && !texts.is_empty() {
        problems
            .push("--callback: a client of this preset acts for itself and sends nobody anywhere; leave it out".into());
    }
    if dialect::requires_redirect_uri(dialect) && texts.is_empty() {
        problems
            .push("--callback: it is missing; give the URL the client shows as its callback or redirect URL".into());
    }
    if uris.len() > CALLBACKS_MAX {
        problems.push(format!("--callback: at most {CALLBACKS_MAX} can be registered"));
    }
    if !problems.is_empty() {
        return Err(Failure::list("nothing was registered:", &problems));
    }
    let twins: Vec<RedirectUri> = uris.iter().flat_map(presets::twins).filter(|twin| !uris.contains(twin)).collect();
    uris.extend(twins.iter().cloned());
    Ok(Callbacks { uris, twins })
}

/// Those of a known caller: what was typed, if it is one of its own, and otherwise those that everybody knows.
fn callbacks_of(caller: &Preset, texts: &[String]) -> Result<Callbacks, Failure> {
    if texts.is_empty() {
        let fixed: Vec<String> = caller.fixed_callbacks().map(str::to_owned).collect();
        return callbacks(caller.dialect, &fixed);
    }
    let callbacks = callbacks(caller.dialect, texts)?;
    let foreign: Vec<String> =
        callbacks.uris.iter().filter(|uri| !caller.uses(uri)).map(|uri| format!("--callback: {uri}")).collect();
    if foreign.is_empty() {
        return Ok(callbacks);
    }
    let known = caller.callbacks.join(", ");
    let (name, dialect) = (&caller.name, caller.dialect.as_str());
    Err(Failure::list(
        format!("not known of {name}, which uses {known}; take --preset {dialect} if this is right nevertheless:"),
        &foreign,
    ))
}

fn scopes(plugin: &Plugin, texts: &[String]) -> Result<Scopes, Failure> {
    let known = plugin.scopes.names();
    if texts.is_empty() {
        return Ok(known);
    }
    let asked: Scopes = texts.join(" ").parse().map_err(|error| Failure::not_done(format!("--scope: {error}")))?;
    let foreign: Vec<&str> = asked.iter().filter(|name| !known.contains(name)).collect();
    if foreign.is_empty() {
        return Ok(asked);
    }
    let has = if known.is_empty() { "none".to_owned() } else { known.to_string() };
    Err(Failure::not_done(format!(
        "--scope: the plugin \"{}\" has no scope {}; it has: {has}",
        plugin.slug,
        foreign.join(", ")
    )))
}

/// What the answer needs beside the client.
struct Shown<'a> {
    plugin: &'a Plugin,
    secret: Option<&'a SecretText>,
    twins: &'a [RedirectUri],
    endpoints: [String; 2],
    issuer: Option<&'a str>,
}

/// The authorization and the token endpoint, where this kind of client looks for them.
fn endpoints(desk: &Desk, dialect: Dialect, host: &Host) -> [String; 2] {
    match &desk.public_url {
        Some(issuer) if !dialect::stays_on_the_plugins_host(dialect) => {
            ["/authorize", "/token"].map(|path| format!("{}{path}", issuer.as_str()))
        }
        _ => {
            let scheme = desk.scheme(host);
            [manifest::authorization_endpoint(host, scheme), manifest::token_endpoint(host, scheme)]
        }
    }
}

fn answer(client: &NewClient, shown: &Shown<'_>) -> Answer {
    let [authorization, token] = &shown.endpoints;
    let scopes = client.scopes.clone().unwrap_or_default();
    let scope = scopes.to_string();
    let endpoints = Endpoints { authorization, token, scope: &scope };
    let handover = dialect::handover(client.dialect, endpoints);

    let mut fields = vec![[handover.credentials.0, &client.client_id]];
    fields.extend(shown.secret.map(|secret| [handover.credentials.1, secret.reveal()]));
    fields.extend(handover.fields.iter().map(|(field, value)| [*field, *value]));
    let fields: Vec<[String; 2]> =
        fields.into_iter().map(|[field, value]| [format!("  {field}"), value.to_owned()]).collect();
    let mut paragraphs = vec![
        format!("Registered \"{}\" for {}.", client.name, shown.plugin.slug),
        format!("{}:\n{}", handover.place, columns(&fields)),
    ];
    if shown.secret.is_some() {
        paragraphs.push("The secret is shown this once; only its hash is kept.".to_owned());
    }
    if client.authentication_methods.contains(AuthenticationMethod::PrivateKeyJwt) {
        paragraphs.push(client_keys::told(&client.keys, shown.issuer));
    }
    let twin =
        |twin| format!("The same callback is in use on another host too, so it was registered as well:\n  {twin}");
    paragraphs.extend(shown.twins.iter().map(twin));
    paragraphs.extend(handover.then.map(str::to_owned));
    let text = paragraphs.join("\n\n");

    let uris: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
    let json = json!({
        "client_id": client.client_id,
        "client_secret": shown.secret.map(SecretText::reveal),
        "redirect_uris": uris,
        "scopes": scopes.iter().collect::<Vec<_>>(),
        "name": client.name,
        "plugin": shown.plugin.slug,
        "preset": client.dialect,
        "authentication_methods": client.authentication_methods.iter().collect::<Vec<_>>(),
        "keys": client_keys::shown(&client.keys),
        "authorization_url": dialect::authorization_code_allowed(client.dialect).then_some(authorization),
        "token_url": token,
    });
    Answer { json, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "https://chat.openai.com/aip/g-1f2e/oauth/callback";
    const NEW: &str = "https://chatgpt.com/aip/g-1f2e/oauth/callback";

    fn registered(texts: &[&str]) -> (Vec<String>, Vec<String>) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let Callbacks { uris, twins } = callbacks(Dialect::Action, &texts).unwrap();
        let shown = |uris: Vec<RedirectUri>| uris.iter().map(ToString::to_string).collect();
        (shown(uris), shown(twins))
    }

    #[test]
    fn a_known_callers_callbacks_need_not_be_typed() {
        let of = |name: &str, texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let found = callbacks_of(presets::named(name).unwrap(), &texts);
            found.map(|found| found.uris.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let [web, other] = ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"];
        assert_eq!(of("claude", &[]).unwrap(), [web, other]);
        assert_eq!(of("claude", &[other]).unwrap(), [other]);
        assert_eq!(of("chatgpt-action", &[]).unwrap(), Vec::<String>::new(), "its callback is shown afterwards");
        assert_eq!(of("chatgpt-action", &[OLD]).unwrap(), [OLD, NEW]);
        assert!(of("gemini", &[]).is_err(), "it has one for each user");
        let told = format!("{:?}", of("claude", &[web, NEW]).unwrap_err());
        assert!(told.contains(NEW) && told.contains("--preset connector") && told.contains(other), "{told}");
    }

    #[test]
    fn one_callback_brings_its_twin_and_two_bring_none() {
        assert_eq!(registered(&[OLD]), (vec![OLD.into(), NEW.into()], vec![NEW.into()]));
        assert_eq!(registered(&[NEW, OLD, NEW]), (vec![NEW.into(), OLD.into()], vec![]));
        let own = "https://a.example/cb";
        assert_eq!(registered(&[own]), (vec![own.into()], vec![]));
    }
}
