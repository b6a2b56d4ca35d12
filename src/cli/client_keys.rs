//! Keys of clients that prove themselves by signing (`private_key_jwt`, RFC 7523): given when they are added, or, with
//! `consentry client supply-keys`, when a set cannot be fetched from where it is published.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use url::Url;

use super::{
    answer::Answer,
    client::summary,
    desk::{Desk, audit},
    failure::Failure,
    plugin_import::read_file,
};
use crate::{
    model::{
        client::{AuthenticationMethod, ClientKeys, Dialect},
        key_set::{self, KeySet},
        public_key::PublicKey,
    },
    protocol::dialect,
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

/// Reads what was given for a new client; nothing if it is to authenticate in its preset's own way.
pub(super) fn read(given: &KeysOf, dialect: Dialect) -> Result<Option<ClientKeys>, Failure> {
    let keys = match (&given.jwks_file, &given.jwks_uri) {
        (Some(file), _) => ClientKeys { key_set: Some(read_set(file)?.as_json()), ..ClientKeys::default() },
        (None, Some(uri)) => ClientKeys { jwks_uri: Some(read_uri(uri)?), ..ClientKeys::default() },
        (None, None) => return Ok(None),
    };
    if !dialect::may_sign_assertions(dialect) {
        return Err(Failure::not_done(format!(
            "--jwks-file and --jwks-uri: a client of the preset {} shows a secret and signs nothing; leave them out",
            dialect.as_str()
        )));
    }
    Ok(Some(keys))
}

fn read_set(file: &Path) -> Result<KeySet, Failure> {
    let text = read_file(file, key_set::BYTES_MAX)
        .map_err(|problems| Failure::not_done(format!("--jwks-file: {}", problems.join("; "))))?;
    KeySet::parse(&text).map_err(|problem| Failure::not_done(format!("--jwks-file: {}: {problem}", file.display())))
}

/// Whoever could change the keys on the way could be the client.
fn read_uri(text: &str) -> Result<String, Failure> {
    let refused = |problem: &str| Failure::not_done(format!("--jwks-uri: {problem}"));
    let url =
        Url::parse(text.trim()).map_err(|_| refused("it is not a URL; write https://client.example.com/keys.json"))?;
    if url.scheme() != "https" {
        return Err(refused("it must begin with https://; for keys that are not published there is --jwks-file"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(refused("it has a user name or fragment; write it without"));
    }
    Ok(url.into())
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
