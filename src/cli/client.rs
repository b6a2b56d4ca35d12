//! `consentry client …`: programs that may ask for access. Adding has a file of its own.

use chrono::TimeDelta;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    client_add, client_callback, client_keys,
    desk::{Desk, audit},
    failure::Failure,
};
use crate::{
    model::{
        Timestamp,
        client::{Client, ClientSecret},
        id::ClientSecretId,
    },
    random,
    store::clients::{RotateSecret, SecretRotation},
    tokens::secret::{CLIENT_SECRET, SecretText},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a client of a plugin
    Add(client_add::Add),
    /// List all clients
    List,
    /// Register further callbacks of a client
    AddCallback(client_callback::AddCallback),
    /// Give a client's public keys, where they cannot be fetched
    SupplyKeys(client_keys::SupplyKeys),
    /// Give a client a new secret
    RotateSecret(RotateSecretArguments),
    /// Disable a client; everything it was given ends
    Disable(Disable),
}

#[derive(Debug, Args)]
pub(super) struct RotateSecretArguments {
    /// The client's id
    client_id: String,
    /// How long the old secret stays valid, so that it can be replaced everywhere; 0 ends it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(0..=2_592_000))]
    keep_old: u32,
}

#[derive(Debug, Args)]
pub(super) struct Disable {
    /// The client's id
    client_id: String,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<Answer, Failure> {
    match command {
        Command::Add(arguments) => client_add::run(arguments, desk).await,
        Command::List => list(desk).await,
        Command::AddCallback(arguments) => client_callback::run(&arguments, desk).await,
        Command::SupplyKeys(arguments) => client_keys::supply(&arguments, desk).await,
        Command::RotateSecret(arguments) => rotate_secret(&arguments, desk).await,
        Command::Disable(arguments) => disable(&arguments, desk).await,
    }
}

/// A secret just made: shown this once, kept as a digest.
pub(super) fn new_secret(at: Timestamp) -> (SecretText, ClientSecret) {
    let text = SecretText::new(CLIENT_SECRET, random::bytes());
    let id = ClientSecretId(random::id(at));
    let kept = ClientSecret { id, digest: text.digest(), created_at: at, expires_at: None };
    (text, kept)
}

/// What every command says about a client, with the names of the contract first; a secret only when it was just made.
pub(super) fn summary(client: &Client, secret: Option<&SecretText>) -> Value {
    let secrets: Vec<Value> = client
        .secrets
        .iter()
        .map(|secret| json!({ "created_at": shown(secret.created_at), "expires_at": secret.expires_at.map(shown) }))
        .collect();
    let redirect_uris: Vec<&str> =
        client.redirect_uris.iter().map(crate::model::redirect_uri::RedirectUri::as_str).collect();
    let mut json = json!({
        "client_id": client.client_id,
        "redirect_uris": redirect_uris,
        "scopes": client.scopes.as_ref().map(|scopes| scopes.iter().collect::<Vec<_>>()),
        "name": client.name,
        "plugin": client.home.as_ref().map(|home| &home.plugin_slug),
        "preset": client.dialect,
        "registration": client.registration,
        "authentication_methods": client.authentication_methods.iter().collect::<Vec<_>>(),
        "keys": client_keys::shown(&client.keys),
        "enabled": client.enabled,
        "created_at": shown(client.created_at),
        "secrets": secrets,
    });
    if let Some(secret) = secret {
        json["client_secret"] = json!(secret.reveal());
    }
    json
}

async fn list(desk: &Desk) -> Result<Answer, Failure> {
    let clients = desk.store.clients(desk.clock.now()).await?;
    let json = clients.iter().map(|client| summary(client, None)).collect();
    let text = if clients.is_empty() {
        "No clients yet. Register one with `consentry client add`.".to_owned()
    } else {
        let head = ["CLIENT ID", "NAME", "PLUGIN", "PRESET", "STATE", "SECRETS"].map(str::to_owned);
        let row = |client: &Client| {
            [
                client.client_id.clone(),
                client.name.clone(),
                client.home.as_ref().map_or("(any)", |home| &home.plugin_slug).to_owned(),
                client.dialect.as_str().to_owned(),
                if client.enabled { "enabled" } else { "disabled" }.to_owned(),
                client.secrets.len().to_string(),
            ]
        };
        columns(&std::iter::once(head).chain(clients.iter().map(row)).collect::<Vec<_>>())
    };
    Ok(Answer { json, text })
}

async fn rotate_secret(arguments: &RotateSecretArguments, desk: &Desk) -> Result<Answer, Failure> {
    let at = desk.clock.now();
    let (text, secret) = new_secret(at);
    let old_expires_at = at + TimeDelta::seconds(i64::from(arguments.keep_old));
    let client_id = arguments.client_id.clone();
    let rotation = SecretRotation { client_id, secret, old_expires_at };
    match desk.store.rotate_secret(&rotation, &audit(at)).await? {
        RotateSecret::Rotated(client) => {
            let old = match arguments.keep_old {
                0 => "The old one is no longer valid.".to_owned(),
                _ => format!("The old one is valid until {}; replace it before.", shown(old_expires_at)),
            };
            let message = format!(
                "New secret of {} ({}), shown this once:\n  {}\n{old}",
                client.client_id,
                client.name,
                text.reveal()
            );
            Ok(Answer { json: summary(&client, Some(&text)), text: message })
        }
        RotateSecret::Unknown => Err(unknown(&arguments.client_id)),
        RotateSecret::HasNoSecret => Err(Failure::not_done(format!(
            "the client {} authenticates without a secret, so there is none to rotate",
            arguments.client_id
        ))),
    }
}

async fn disable(arguments: &Disable, desk: &Desk) -> Result<Answer, Failure> {
    let audit = audit(desk.clock.now());
    let client = desk.store.disable_client(&arguments.client_id, &audit).await?;
    let client = client.ok_or_else(|| unknown(&arguments.client_id))?;
    let text = format!("Disabled {} ({}). Nothing it was given is valid any more.", client.client_id, client.name);
    Ok(Answer { json: summary(&client, None), text })
}

fn unknown(client_id: &str) -> Failure {
    Failure::not_done(format!("there is no client \"{client_id}\"; see `consentry client list`"))
}
