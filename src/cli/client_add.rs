//! `consentry client add`: registers a client and says what to type in where.

use clap::{Args, builder::PossibleValuesParser};
use serde_json::json;

use super::{
    answer::{Answer, columns},
    client_keys::{self, KeysOf},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::{
        client::{AuthenticationMethod, Dialect},
        plugin::Plugin,
        redirect_uri::RedirectUri,
    },
    protocol::{dialect, presets},
    registry::{
        Registry,
        clients::{self, NewClientForm, Registered},
    },
    tokens::secret::SecretText,
};

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
    let Add { preset, name, callbacks, scopes, keys, .. } = arguments;
    let form = NewClientForm { preset, name, callbacks, scopes, keys: client_keys::read(&keys)? };
    let registry = desk.registry();
    let registered = clients::register(&registry, &plugin, &form).await;
    let registered = registered.map_err(|error| client_keys::with_the_file(error, &keys))?;
    Ok(answer(&registry, &plugin, &registered))
}

fn answer(registry: &Registry<'_>, plugin: &Plugin, registered: &Registered) -> Answer {
    let Registered { client, secret, twins, handover } = registered;
    let fields: Vec<[String; 2]> =
        handover.fields.iter().map(|(field, value)| [format!("  {field}"), value.clone()]).collect();
    let mut paragraphs = vec![
        format!("Registered \"{}\" for {}.", client.name, plugin.slug),
        format!("{}:\n{}", handover.place, columns(&fields)),
    ];
    if secret.is_some() {
        paragraphs.push("The secret is shown this once; only its hash is kept.".to_owned());
    }
    if client.authentication_methods.contains(AuthenticationMethod::PrivateKeyJwt) {
        paragraphs.push(client_keys::told(&client.keys, registry.issuer));
    }
    let twin =
        |twin| format!("The same callback is in use on another host too, so it was registered as well:\n  {twin}");
    paragraphs.extend(twins.iter().map(twin));
    paragraphs.extend(handover.then.map(str::to_owned));
    let text = paragraphs.join("\n\n");

    let [authorization, token] = clients::endpoints(registry, client.dialect, &plugin.host);
    let uris: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
    let json = json!({
        "client_id": client.client_id,
        "client_secret": secret.as_ref().map(SecretText::reveal),
        "redirect_uris": uris,
        "scopes": client.scopes.as_ref().map(|scopes| scopes.iter().collect::<Vec<_>>()),
        "name": client.name,
        "plugin": plugin.slug,
        "preset": client.dialect,
        "authentication_methods": client.authentication_methods.iter().collect::<Vec<_>>(),
        "keys": client_keys::shown(&client.keys),
        "authorization_url": dialect::authorization_code_allowed(client.dialect).then_some(authorization),
        "token_url": token,
    });
    Answer { json, text }
}
