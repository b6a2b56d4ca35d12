//! Keys of clients that prove themselves by signing (`private_key_jwt`, RFC 7523): given when they are added, or, with
//! `consentry client supply-keys`, when a set cannot be fetched from where it is published.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{
    answer::Answer,
    client::summary,
    desk::{Desk, audit},
    failure::Failure,
    plugin_import::read_file,
};
use crate::{
    model::{
        client::{AuthenticationMethod, ClientKeys},
        key_set::{self, KeySet},
        public_key::PublicKey,
    },
    registry::{RegistryError, Wrong, clients::keys::KeysForm},
    server::documents,
};

/// Where the keys of a new client are.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub(super) struct KeysOf {
    /// It signs assertions instead of showing a secret; its public keys (a JWK set) are in this file
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// It signs assertions instead of showing a secret; its public keys (a JWK set) are published at this address
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct SupplyKeys {
    /// The client's id
    client_id: String,
    /// Its public keys: a JWK set. From then on none is fetched
    #[arg(long, value_name = "FILE")]
    jwks_file: PathBuf,
}

/// Reads what was given for a new client. What it says is looked at with the rest of the form.
pub(super) fn read(given: &KeysOf) -> Result<KeysForm, Failure> {
    Ok(match (&given.jwks_file, &given.jwks_uri) {
        (Some(file), _) => KeysForm::Set(read_bytes(file)?),
        (None, Some(uri)) => KeysForm::Published(uri.clone()),
        (None, None) => KeysForm::None,
    })
}

/// What is wrong with the keys, with the file that they came from.
pub(super) fn with_the_file(error: RegistryError, given: &KeysOf) -> Failure {
    let RegistryError::Wrong(mut wrong) = error else { return error.into() };
    for Wrong { problem, .. } in wrong.iter_mut().filter(|wrong| wrong.field == "jwks_file") {
        *problem = format!("{}: {problem}", given.jwks_file.as_deref().unwrap_or(Path::new("")).display());
    }
    RegistryError::Wrong(wrong).into()
}

fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    read_file(file, key_set::BYTES_MAX)
        .map_err(|problems| Failure::not_done(format!("--jwks-file: {}", problems.join("; "))))
}

fn read_set(file: &Path) -> Result<KeySet, Failure> {
    KeySet::parse(&read_bytes(file)?)
        .map_err(|problem| Failure::not_done(format!("--jwks-file: {}: {problem}", file.display())))
}

/// What every command says about a client's keys.
pub(super) fn shown(keys: &ClientKeys) -> Value {
    let set = keys.key_set.as_deref().and_then(|text| KeySet::parse(text.as_bytes()).ok());
    let names = set.map(|set| set.iter().map(PublicKey::kid).map(|kid| json!(kid)).collect::<Vec<_>>());
    json!({ "jwks_uri": keys.jwks_uri, "key_ids": names })
}

/// How it proves itself, for whoever programs it; `audience` is what its assertions are for, where that is known.
pub(super) fn told(keys: &ClientKeys, audience: Option<&str>) -> String {
    let which = match &keys.jwks_uri {
        Some(uri) => format!("with a key published at {uri}"),
        None => "with one of the keys in the file".to_owned(),
    };
    let audience = audience.map(|audience| format!(" Their aud is {audience}.")).unwrap_or_default();
    format!("It proves itself with assertions (private_key_jwt), each used once and signed {which}.{audience}")
}

pub(super) async fn supply(arguments: &SupplyKeys, desk: &Desk) -> Result<Answer, Failure> {
    let id = arguments.client_id.as_str();
    let set = read_set(&arguments.jwks_file)?;
    let at = desk.clock.now();
    let unknown = || {
        let hint =
            if id.starts_with("https://") { "; one with a document is known from its first consent on" } else { "" };
        Failure::not_done(format!("there is no client \"{id}\"{hint}; see `consentry client list`"))
    };
    let (known, pinned) = (desk.store.client(id, at).await?, documents::pinned(id, at));
    let methods = match (&known, &pinned) {
        (Some(known), _) => known.authentication_methods,
        (None, Some(pinned)) => pinned.metadata.methods,
        (None, None) => return Err(unknown()),
    };
    if !methods.contains(AuthenticationMethod::PrivateKeyJwt) {
        return Err(Failure::not_done(format!("the client {id} signs no assertions, so it has no keys to supply")));
    }
    // A known vendor's client has no row before somebody consents to it, and where its host keeps programs out its keys
    // are needed by then. The pinned copy makes the row; what its host says goes before that.
    if let (None, Some(pinned)) = (&known, &pinned) {
        desk.store.keep_document(&pinned.to_keep(id, at), &audit(at)).await?;
    }
    let client = desk.store.supply_key_set(id, &set.as_json(), &audit(at)).await?.ok_or_else(unknown)?;
    let names: Vec<String> = set
        .iter()
        .map(|key| format!("  {} ({})", key.kid().unwrap_or("without a name"), key.algorithm().as_str()))
        .collect();
    let text = format!(
        "Assertions of {} ({}) are verified with these keys from now on, and no others are fetched:\n{}\nWhen it changes \
         its keys, supply them again.",
        client.client_id,
        client.name,
        names.join("\n")
    );
    Ok(Answer { json: summary(&client, None), text })
}
