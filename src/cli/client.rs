//! `consentry client …`: programs that may ask for access. What is changed about them is `registry::clients`'s to do.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    client_add, client_callbacks, client_changes, client_keys, client_secrets,
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::{
        client::{Client, ClientSecret, Registration},
        redirect_uri::RedirectUri,
    },
    registry::RegistryError,
    tokens::secret::SecretText,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a client of a plugin
    Add(client_add::Add),
    /// List all clients
    List,
    /// Show one client, with its secrets: when each was made and last used, and when it ends
    Show(One),
    /// Give a client another name
    Rename(client_changes::Rename),
    /// Say anew what a client may ask for
    Scopes(client_changes::Scopes),
    /// Show where a client may send people, and which callbacks it asked for without having them registered
    Callbacks(One),
    /// Register further callbacks of a client
    AddCallback(client_callbacks::AddCallback),
    /// Take a callback of a client away
    RemoveCallback(client_callbacks::OneCallback),
    /// Register a callback that the client asked for, if it is the one that the client shows
    ApproveCallback(client_callbacks::OneCallback),
    /// Forget a callback that the client asked for
    DismissCallback(client_callbacks::OneCallback),
    /// Give a client's public keys, where they cannot be fetched
    SupplyKeys(client_keys::SupplyKeys),
    /// Give a client a new secret
    RotateSecret(client_secrets::RotateSecret),
    /// End a secret of a client now
    EndSecret(client_secrets::EndSecret),
    /// Disable a client; everything it was given ends
    Disable(One),
    /// Enable a client again; people connect anew
    Enable(One),
    /// Delete a client with everything it was given
    Delete(client_changes::Delete),
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The client's id
    pub(super) client_id: String,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<Answer, Failure> {
    match command {
        Command::Add(arguments) => client_add::run(arguments, desk).await,
        Command::List => list(desk).await,
        Command::Show(One { client_id }) => show(&client_id, desk).await,
        Command::Rename(arguments) => client_changes::rename(&arguments, desk).await,
        Command::Scopes(arguments) => client_changes::scopes(&arguments, desk).await,
        Command::Callbacks(One { client_id }) => client_callbacks::list(&client_id, desk).await,
        Command::AddCallback(arguments) => client_callbacks::add(&arguments, desk).await,
        Command::RemoveCallback(arguments) => client_callbacks::remove(&arguments, desk).await,
        Command::ApproveCallback(arguments) => client_callbacks::approve(&arguments, desk).await,
        Command::DismissCallback(arguments) => client_callbacks::dismiss(&arguments, desk).await,
        Command::SupplyKeys(arguments) => client_keys::supply(&arguments, desk).await,
        Command::RotateSecret(arguments) => client_secrets::rotate(&arguments, desk).await,
        Command::EndSecret(arguments) => client_secrets::end(&arguments, desk).await,
        Command::Disable(One { client_id }) => client_changes::disable(&client_id, desk).await,
        Command::Enable(One { client_id }) => client_changes::enable(&client_id, desk).await,
        Command::Delete(arguments) => client_changes::delete(&arguments, desk).await,
    }
}

/// What every command says about a client, with the names of the contract first; a secret only when it was just made.
pub(super) fn summary(client: &Client, secret: Option<&SecretText>) -> Value {
    let secrets: Vec<Value> = client
        .secrets
        .iter()
        .map(|secret| {
            json!({
                "id": secret.id,
                "created_at": shown(secret.created_at),
                "last_used_at": secret.last_used_at.map(shown),
                "expires_at": secret.expires_at.map(shown),
            })
        })
        .collect();
    let redirect_uris: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
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
    let mut clients = desk.store.clients(desk.clock.now()).await?;
    // A try-out's are nobody's client IDs.
    clients.retain(|client| client.ends_at.is_none());
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

fn by_whom(registration: Registration) -> &'static str {
    match registration {
        Registration::ByHand => "by hand",
        Registration::Document => "by its document",
        Registration::Dynamic => "by itself",
    }
}

async fn show(client_id: &str, desk: &Desk) -> Result<Answer, Failure> {
    let client = find(client_id, desk).await?;
    let scopes = client.scopes.as_ref().map_or_else(|| "(any)".to_owned(), ToString::to_string);
    let mut facts = vec![
        ["Client ID".to_owned(), client.client_id.clone()],
        ["Name".to_owned(), client.name.clone()],
        ["Plugin".to_owned(), client.home.as_ref().map_or("(any)", |home| &home.plugin_slug).to_owned()],
        ["Preset".to_owned(), client.dialect.as_str().to_owned()],
        ["State".to_owned(), if client.enabled { "enabled" } else { "disabled" }.to_owned()],
        ["Scopes".to_owned(), scopes],
        ["Registered".to_owned(), format!("{}, {}", shown(client.created_at), by_whom(client.registration))],
    ];
    facts.extend(client.redirect_uris.iter().map(|uri| ["Callback".to_owned(), uri.to_string()]));
    let mut text = columns(&facts);
    if !client.secrets.is_empty() {
        text = format!("{text}\n\n{}", secrets(&client.secrets));
    }
    Ok(Answer { json: summary(&client, None), text })
}

/// The secrets that are valid, the newest in front.
pub(super) fn secrets(secrets: &[ClientSecret]) -> String {
    let head = ["SECRET", "MADE", "LAST USED", "ENDS"].map(str::to_owned);
    let row = |secret: &ClientSecret| {
        [
            secret.id.to_string(),
            shown(secret.created_at),
            secret.last_used_at.map_or_else(|| "never".to_owned(), shown),
            secret.expires_at.map_or_else(|| "no end".to_owned(), shown),
        ]
    };
    columns(&std::iter::once(head).chain(secrets.iter().map(row)).collect::<Vec<_>>())
}

/// The client as it is now, or why it is not there.
pub(super) async fn find(client_id: &str, desk: &Desk) -> Result<Client, Failure> {
    desk.store.client(client_id, desk.clock.now()).await?.ok_or_else(|| unknown(client_id))
}

/// Why nothing was changed about a client.
pub(super) fn failed(error: RegistryError, client_id: &str) -> Failure {
    match error {
        RegistryError::Gone => unknown(client_id),
        other => other.into(),
    }
}

fn unknown(client_id: &str) -> Failure {
    Failure::not_done(format!("there is no client \"{client_id}\"; see `consentry client list`"))
}
