//! Pinned copies of known clients' metadata documents, for when their hosts answer 403 to servers.
//!
//! A copy is read by `client_metadata` like any other document, so being pinned forgives nothing; what a host serves
//! itself goes first.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{PLACEHOLDER, all, id_in};

/// Words that stand in these addresses themselves. As an id one would make a fixed address look like a template's.
const NOT_IDS: [&str; 5] = ["client", "codex", "jwks", "oauth", "opencode"];

/// One pinned document.
#[derive(Clone, Debug, Deserialize)]
pub struct PinnedDocument {
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

impl Address {
    /// The text, with the place that differs left open.
    pub fn as_str(&self) -> &str {
        let (Self::ClientId(text) | Self::Template(text)) = self;
        text
    }
}

/// All pinned documents.
pub fn documents() -> impl Iterator<Item = &'static PinnedDocument> {
    all().iter().flat_map(|preset| &preset.documents)
}

/// The pinned document of a `client_id`: the one of exactly this address, or else the template it is made from.
pub fn document_of(client_id: &str) -> Option<&'static PinnedDocument> {
    find(client_id).map(|(document, _)| document)
}

/// The pinned document of a `client_id`, as its host would serve it.
pub fn pinned(client_id: &str) -> Option<Vec<u8>> {
    let (pinned, id) = find(client_id)?;
    // Serialized from what was read, which cannot fail: every key of it is a text.
    let text = serde_json::to_string(&pinned.document).ok()?;
    let filled_in = match id {
        // An id has no character that JSON would escape.
        Some(id) => text.replace(PLACEHOLDER, id),
        None => text,
    };
    Some(filled_in.into_bytes())
}

fn find(client_id: &str) -> Option<(&'static PinnedDocument, Option<&str>)> {
    let exact = documents().find(|pinned| matches!(&pinned.address, Address::ClientId(known) if known == client_id));
    exact.map(|pinned| (pinned, None)).or_else(|| {
        documents().find_map(|pinned| match &pinned.address {
            Address::Template(template) => {
                let id = id_in(template, client_id).filter(|id| !NOT_IDS.contains(id))?;
                Some((pinned, Some(id)))
            }
            Address::ClientId(_) => None,
        })
    })
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
        assert_eq!(documents().count(), 10, "presets.json is read whole");
        for document in documents() {
            let address = match &document.address {
                Address::ClientId(address) => address.clone(),
                Address::Template(template) => template.replace(PLACEHOLDER, "_syG1DzKsj-V"),
            };
            let metadata = read(&address).unwrap_or_else(|| panic!("{address}"));
            assert!(metadata.lists_refresh_token, "{address}");
            assert_eq!(document_of(&address).map(|found| &found.source), Some(&document.source), "{address}");
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
