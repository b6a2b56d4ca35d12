//! Keys of clients that prove themselves by signing (`private_key_jwt`, RFC 7523): a set of public keys, or where one is
//! published.

use url::Url;

use super::Wrong;
use crate::{
    model::{
        client::{ClientKeys, Dialect},
        key_set::KeySet,
    },
    protocol::dialect,
};

/// The keys of a client to be registered, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeysForm {
    /// It authenticates in its preset's own way.
    #[default]
    None,
    /// Its public keys: a JWK set.
    Set(Vec<u8>),
    /// Where they are published.
    Published(String),
}

/// Reads what was given; nothing if the client is to authenticate in its preset's own way.
pub(super) fn read(form: &KeysForm, dialect: Dialect) -> Result<Option<ClientKeys>, Wrong> {
    let (field, keys) = match form {
        KeysForm::None => return Ok(None),
        KeysForm::Set(text) => {
            let set = KeySet::parse(text).map_err(|problem| Wrong::new("jwks_file", problem.to_string()))?;
            ("jwks_file", ClientKeys { key_set: Some(set.as_json()), ..ClientKeys::default() })
        }
        KeysForm::Published(uri) => {
            let uri = address(uri).map_err(|problem| Wrong::new("jwks_uri", problem))?;
            ("jwks_uri", ClientKeys { jwks_uri: Some(uri), ..ClientKeys::default() })
        }
    };
    if !dialect::may_sign_assertions(dialect) {
        let preset = dialect.as_str();
        let problem = format!("a client of the preset {preset} shows a secret and signs nothing; leave them out");
        return Err(Wrong::new(field, problem));
    }
    Ok(Some(keys))
}

/// Whoever could change the keys on the way could be the client.
fn address(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "it is not a URL; write https://client.example.com/keys.json")?;
    if url.scheme() != "https" {
        return Err("it must begin with https://; keys that are not published there can be given as a file");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("it has a user name or fragment; write it without");
    }
    Ok(url.into())
}
