//! Presets: pinned copies of well-known clients' metadata documents, for when their hosts answer 403 to servers.
//!
//! Data, not code: `documents.json` holds each document with the day it was read and where. A copy is read by
//! `client_metadata` like any other document, so being pinned forgives nothing; what a host serves itself goes first.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What stands in a template for the id that one connection of a client has.
const PLACEHOLDER: &str = "{id}";

/// The longest id. ChatGPT's have 12 characters.
const ID_LENGTH_MAX: usize = 64;

/// Words that stand in these addresses themselves. As an id one would make a fixed address look like a template's.
const NOT_IDS: [&str; 5] = ["client", "codex", "jwks", "oauth", "opencode"];

/// One pinned document.
#[derive(Clone, Debug, Deserialize)]
pub struct Preset {
    /// Whose client it is.
    pub vendor: String,
    /// Its address.
    #[serde(flatten)]
    pub address: Address,
    /// The day it was read, or put together.
    pub read_at: String,
    /// Where it was read, and what in it was put together.
    pub source: String,
    /// The document.
    document: Map<String, Value>,
}

/// A pinned document's address.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// This one.
    ClientId(String),
    /// One for each connection: `{id}` stands for what differs.
    Template(String),
}

static PRESETS: LazyLock<Vec<Preset>> =
    LazyLock::new(|| serde_json::from_str(include_str!("documents.json")).unwrap_or_default());

/// All pinned documents.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The preset of a `client_id`: the one of exactly this address, or else the template it is made from.
pub fn preset_of(client_id: &str) -> Option<&'static Preset> {
    find(client_id).map(|(preset, _)| preset)
}

/// The pinned document of a `client_id`, as its host would serve it.
pub fn pinned(client_id: &str) -> Option<Vec<u8>> {
    let (preset, id) = find(client_id)?;
    // Serialized from what was read, which cannot fail: every key of it is a text.
    let text = serde_json::to_string(&preset.document).ok()?;
    let filled_in = match id {
        // An id has no character that JSON would escape.
        Some(id) => text.replace(PLACEHOLDER, id),
        None => text,
    };
    Some(filled_in.into_bytes())
}

fn find(client_id: &str) -> Option<(&'static Preset, Option<&str>)> {
    let exact = PRESETS.iter().find(|preset| matches!(&preset.address, Address::ClientId(known) if known == client_id));
    exact.map(|preset| (preset, None)).or_else(|| {
        PRESETS.iter().find_map(|preset| match &preset.address {
            Address::Template(template) => Some((preset, Some(id_in(template, client_id)?))),
            Address::ClientId(_) => None,
        })
    })
}

fn id_in<'a>(template: &str, client_id: &'a str) -> Option<&'a str> {
    let (before, after) = template.split_once(PLACEHOLDER)?;
    let id = client_id.strip_prefix(before)?.strip_suffix(after)?;
    let is_id = (1..=ID_LENGTH_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !NOT_IDS.contains(&id);
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::client::AuthenticationMethod::{self, PrivateKeyJwt},
        protocol::client_metadata::{ClientMetadata, check_client_id, read_document},
    };

    fn read(client_id: &str) -> Option<ClientMetadata> {
        let body = pinned(client_id)?;
        Some(read_document(&check_client_id(client_id).unwrap(), &body).unwrap())
    }

    fn callbacks(client_id: &str) -> Vec<String> {
        read(client_id).unwrap().redirect_uris.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_pinned_document_is_good() {
        assert_eq!(all().len(), 10, "documents.json is read whole");
        for preset in all() {
            let address = match &preset.address {
                Address::ClientId(address) => address.clone(),
                Address::Template(template) => template.replace(PLACEHOLDER, "_syG1DzKsj-V"),
            };
            let metadata = read(&address).unwrap_or_else(|| panic!("{address}"));
            assert!(metadata.lists_refresh_token, "{address}");
            assert_eq!(preset_of(&address).map(|found| &found.source), Some(&preset.source), "{address}");
            let day = chrono::NaiveDate::parse_from_str(&preset.read_at, "%Y-%m-%d");
            assert!(day.is_ok() && !preset.vendor.is_empty(), "{address}");
        }
    }

    #[test]
    fn a_template_is_filled_in() {
        assert_eq!(
            callbacks("https://chatgpt.com/oauth/_syG1DzKsjXV/client.json"),
            ["https://chatgpt.com/connector/oauth/_syG1DzKsjXV"]
        );
        assert_eq!(
            callbacks("https://chatgpt.com/oauth/codex/abc123ABC_-x/client.json"),
            ["http://127.0.0.1/callback/abc123ABC_-x"]
        );
        assert_eq!(
            callbacks("https://chatgpt.com/oauth/client.json"),
            ["https://chatgpt.com/connector_platform_oauth_redirect"]
        );
        assert_eq!(
            callbacks("https://chatgpt.com/oauth/codex/client.json"),
            ["http://127.0.0.1/callback", "http://localhost/callback"],
            "a word of an address is no id"
        );
    }

    #[test]
    fn what_stands_in_for_a_document_offers_what_the_document_does() {
        let both: Vec<_> = read("https://chatgpt.com/oauth/x1/client.json").unwrap().methods.iter().collect();
        assert_eq!(both, [AuthenticationMethod::None, PrivateKeyJwt]);
        let public = read("https://claude.ai/oauth/mcp-oauth-client-metadata").unwrap();
        assert_eq!((public.methods, public.name.as_str()), (AuthenticationMethod::None.into(), "claude.ai"));
    }

    #[test]
    fn nothing_else_is_pinned() {
        for address in [
            "",
            "https://chatgpt.com/oauth//client.json",
            "https://chatgpt.com/oauth/a/b/client.json",
            "https://chatgpt.com/oauth/codex/codex/client.json",
            "https://chatgpt.com/oauth/client/client.json",
            "https://chatgpt.com/oauth/a%2fb/client.json",
            "https://chatgpt.com/oauth/../client.json",
            "https://chatgpt.com/oauth/{id}/client.json",
            "https://chatgpt.com/oauth/a\"b/client.json",
            "https://chatgpt.com/oauth/a/client.json?x",
            "https://chatgpt.com.evil.example/oauth/a/client.json",
            "https://chat.openai.com/oauth/client.json",
            "http://chatgpt.com/oauth/client.json",
            "https://claude.ai/oauth/other",
        ] {
            assert_eq!(pinned(address), None, "{address}");
        }
        let long = format!("https://chatgpt.com/oauth/{}/client.json", "a".repeat(65));
        assert_eq!(pinned(&long), None);
    }
}
