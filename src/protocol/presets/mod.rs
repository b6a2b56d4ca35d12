//! Presets: what is known of well-known callers: their callbacks, their methods, what is odd about them, and pinned
//! copies of their metadata documents (`pinned`).
//!
//! Data, not code: `presets.json` holds each with the day it was read and where. What a kind of caller is forgiven is
//! decided in `dialect`, never here; a preset only fills in what would otherwise be typed.

mod pinned;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use self::pinned::{Address, PinnedDocument, document_of, documents, pinned};
use super::redirect_uri;
use crate::model::{client::Dialect, redirect_uri::RedirectUri};

/// What stands in a template for the id that one connection of a client has.
const PLACEHOLDER: &str = "{id}";

/// The longest id. ChatGPT's have 12 characters in addresses of documents, and up to 36 in callbacks.
const ID_LENGTH_MAX: usize = 64;

/// A caller that is known.
#[derive(Clone, Debug, Deserialize)]
pub struct Preset {
    /// What it is called on the command line.
    pub name: String,
    /// Which program it is, in words.
    pub about: String,
    /// Who makes it.
    pub vendor: String,
    /// How it speaks.
    pub dialect: Dialect,
    /// In which ways it becomes known to a server, the one it tries first in front.
    pub known_by: Vec<KnownBy>,
    /// How it proves itself at the token endpoint, in the words of the registry; empty where nobody has said.
    pub methods: Vec<String>,
    /// Where it sends people back to; `{id}` stands for what differs, and a loopback address has any port.
    pub callbacks: Vec<String>,
    /// Whether each callback is in use under all of these addresses at the same time.
    callbacks_are_twins: bool,
    /// Scopes it asks for beside the API's own, where the server lists them.
    #[serde(default)]
    pub scopes_where_listed: Vec<String>,
    /// Whether its document and its callback that have no id are for servers alone that promise `iss` (RFC 9207).
    #[serde(default)]
    fixed_needs_iss: bool,
    /// Domains where its endpoints may stand though the API does not.
    #[serde(default)]
    pub endpoint_domains: Vec<String>,
    /// The day the above was read.
    pub read_at: String,
    /// Where.
    pub source: String,
    /// What to know about it.
    pub quirks: Vec<Quirk>,
    /// Copies of the documents it publishes.
    pub documents: Vec<PinnedDocument>,
}

/// A way of becoming known to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// By the metadata document it publishes.
    Document,
    /// By registering itself (RFC 7591).
    Registration,
    /// By somebody who types its id in.
    Hand,
}

/// Something a server's owner should know about a caller.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Quirk {
    /// The sentence.
    pub says: String,
    /// The day it was read.
    pub read_at: String,
    /// Where.
    pub source: String,
}

static PRESETS: LazyLock<Vec<Preset>> =
    LazyLock::new(|| serde_json::from_str(include_str!("presets.json")).unwrap_or_default());

/// All presets, in the order they are listed.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The preset of a name.
pub fn named(name: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.name == name)
}

/// The addresses under which the same callback is in use at the same time, without itself.
pub fn twins(callback: &RedirectUri) -> Vec<RedirectUri> {
    let family = |preset: &'static Preset| {
        let id = preset.callbacks.iter().find_map(|template| id_in(template, callback.as_str()))?;
        Some(preset.callbacks.iter().map(move |template| template.replace(PLACEHOLDER, id)))
    };
    let found = all().iter().filter(|preset| preset.callbacks_are_twins).find_map(family);
    let parsed = found.into_iter().flatten().filter_map(|twin| twin.parse().ok());
    parsed.filter(|twin: &RedirectUri| twin != callback).collect()
}

/// A callback that is not registered for a client, if it looks like its own all the same: it is on the web, and one of a
/// caller that speaks as the client does and is registered by hand. Of several such callers it must be one whose callbacks
/// the client has already. What is decided by this is whether its owner is asked, and nothing else.
pub fn plausible(dialect: Dialect, registered: &[RedirectUri], presented: &str) -> Option<RedirectUri> {
    let candidate: RedirectUri = presented.parse().ok().filter(RedirectUri::is_website)?;
    let could_be = |preset: &&Preset| preset.dialect == dialect && preset.known_by.contains(&KnownBy::Hand);
    let is_it = |preset: &Preset| registered.is_empty() || registered.iter().any(|uri| preset.uses(uri));
    let looks_its_own = all().iter().filter(could_be).any(|preset| is_it(preset) && preset.uses(&candidate));
    looks_its_own.then_some(candidate)
}

impl Preset {
    /// The callbacks that are the same for everybody.
    pub fn fixed_callbacks(&self) -> impl Iterator<Item = &str> {
        self.callbacks.iter().map(String::as_str).filter(|callback| !callback.contains(PLACEHOLDER))
    }

    /// The callbacks, the one it uses in front, with an id filled in.
    pub fn callbacks_with(&self, id: &str, promises_iss: bool) -> Vec<String> {
        let mut templates: Vec<&String> = self.callbacks.iter().collect();
        if self.fixed_needs_iss && !promises_iss {
            templates.sort_by_key(|template| !template.contains(PLACEHOLDER));
        }
        templates.into_iter().map(|template| template.replace(PLACEHOLDER, id)).collect()
    }

    /// The address of the document it uses, with an id filled in.
    pub fn document_with(&self, id: &str, promises_iss: bool) -> Option<String> {
        let needs_id = self.fixed_needs_iss && !promises_iss;
        let is_used = |known: &&PinnedDocument| matches!(known.address, Address::Template(_)) == needs_id;
        let used = self.documents.iter().find(is_used)?;
        Some(used.address.as_str().replace(PLACEHOLDER, id))
    }

    /// Whether a callback is one of this caller's.
    pub fn uses(&self, callback: &RedirectUri) -> bool {
        self.callbacks.iter().any(|known| match known.parse::<RedirectUri>() {
            _ if known.contains(PLACEHOLDER) => id_in(known, callback.as_str()).is_some(),
            Ok(known) => redirect_uri::find(&[known], callback.as_str()).is_some(),
            Err(_) => false,
        })
    }
}

/// What stands in a text at the place a template leaves open, if it is an id.
fn id_in<'a>(template: &str, text: &'a str) -> Option<&'a str> {
    let (before, after) = template.split_once(PLACEHOLDER)?;
    let id = text.strip_prefix(before)?.strip_suffix(after)?;
    let is_id = (1..=ID_LENGTH_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{client_metadata::TokenEndpointAuthMethod, dialect};

    #[test]
    fn every_preset_says_what_it_is_and_where_that_was_read() {
        assert_eq!(all().len(), 17, "presets.json is read whole");
        let day = |text: &str| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
        for preset in all() {
            let name = &preset.name;
            assert_eq!(named(name).map(|found| &found.about), Some(&preset.about), "{name} is there once");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
            assert!(Dialect::ALL.iter().all(|dialect| dialect.as_str() != name), "{name} is a dialect");
            assert!(dialect::authorization_code_allowed(preset.dialect) && !preset.known_by.is_empty(), "{name}");
            assert!(preset.documents.is_empty() || preset.known_by.contains(&KnownBy::Document), "{name}");
            let entries = preset.quirks.iter().map(|quirk| (&quirk.says, &quirk.read_at, &quirk.source));
            let documents = preset.documents.iter().map(|document| (name, &document.read_at, &document.source));
            for (says, read_at, source) in
                entries.chain(documents).chain([(&preset.about, &preset.read_at, &preset.source)])
            {
                assert!(!says.is_empty() && day(read_at) && !source.is_empty(), "{name}: {says}");
            }
            for method in &preset.methods {
                assert!(TokenEndpointAuthMethod::of_word(method).is_some(), "{name}: {method}");
            }
            for callback in &preset.callbacks {
                let one: RedirectUri = callback.replace(PLACEHOLDER, "g7_-").parse().unwrap();
                assert!(preset.uses(&one), "{name}: {callback}");
            }
            assert!(!preset.callbacks.is_empty(), "{name}");
        }
    }

    #[test]
    fn who_cannot_tell_servers_apart_by_iss_does_it_by_ids() {
        let connector = named("chatgpt-connector").unwrap();
        let used = |promises_iss| {
            (connector.document_with("x1", promises_iss), connector.callbacks_with("x1", promises_iss).swap_remove(0))
        };
        let [document, callback] =
            ["https://chatgpt.com/oauth/client.json", "https://chatgpt.com/connector_platform_oauth_redirect"];
        assert_eq!(used(true), (Some(document.to_owned()), callback.to_owned()));
        let [document, callback] =
            ["https://chatgpt.com/oauth/x1/client.json", "https://chatgpt.com/connector/oauth/x1"];
        assert_eq!(used(false), (Some(document.to_owned()), callback.to_owned()));
        let codex = named("codex").unwrap();
        assert_eq!(codex.document_with("x1", false), codex.document_with("x1", true), "others do not ask");
    }

    #[test]
    fn a_caller_uses_its_own_callbacks_and_no_others() {
        let uses = |name: &str, callback: &str| named(name).unwrap().uses(&callback.parse().unwrap());
        assert!(uses("claude", "https://claude.com/api/mcp/auth_callback"));
        assert!(uses("claude-code", "http://127.0.0.1:50123/callback"), "any port");
        assert!(uses("chatgpt-connector", "https://chatgpt.com/connector/oauth/_syG1DzKsjXV"));
        assert!(uses("chatgpt-action", "https://chatgpt.com/aip/g-1f/oauth/callback"));
        for (name, callback) in [
            ("claude", "https://claude.com/api/mcp/auth_callback/"),
            ("claude", "https://claude.com:8443/api/mcp/auth_callback"),
            ("claude-code", "https://127.0.0.1/callback"),
            ("chatgpt-connector", "https://chatgpt.com/connector/oauth/a/b"),
            ("chatgpt-action", "https://chatgpt.com/aip/plugin-1f/oauth/callback"),
            ("grok", "https://grok.com/connectors-oauth-exchange-code"),
        ] {
            assert!(!uses(name, callback), "{name}: {callback}");
        }
    }

    #[test]
    fn what_looks_like_a_clients_own_callback_is_told_from_what_does_not() {
        let is_plausible = |dialect, registered: &[&str], presented: &str| {
            let registered: Vec<RedirectUri> = registered.iter().map(|uri| uri.parse().unwrap()).collect();
            let found = plausible(dialect, &registered, presented);
            assert!(found.as_ref().is_none_or(|uri| uri.as_str() == presented));
            found.is_some()
        };
        let (old, new) =
            ("https://chat.openai.com/aip/g-1/oauth/callback", "https://chatgpt.com/aip/g-2/oauth/callback");
        let web = ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"];
        assert!(is_plausible(Dialect::Action, &[old], new) && is_plausible(Dialect::Action, &[], old));
        assert!(is_plausible(Dialect::Connector, &web[..1], web[1]));
        for (dialect, registered, presented) in [
            // Of another kind, or of another caller of the same kind.
            (Dialect::Plugin, &[][..], new),
            (Dialect::Custom, &[old], new),
            (Dialect::Connector, &["https://chatgpt.com/connector/oauth/1"], web[0]),
            (Dialect::Action, &["https://gpt.example/cb"], new),
            // Nobody knows who is at a loopback address, or behind an app's own scheme.
            (Dialect::Connector, &["http://localhost/callback"], "http://127.0.0.1:9/callback"),
            (Dialect::Connector, &[], "cursor://anysphere.cursor-mcp/oauth/callback"),
        ] {
            assert!(!is_plausible(dialect, registered, presented), "{dialect:?} {registered:?} {presented}");
        }
    }

    #[test]
    fn a_callback_has_its_twin_on_the_other_host() {
        let twin = |text: &str| twins(&text.parse().unwrap()).first().map(ToString::to_string);
        assert_eq!(
            twin("https://chat.openai.com/aip/g-abc/oauth/callback").as_deref(),
            Some("https://chatgpt.com/aip/g-abc/oauth/callback")
        );
        assert_eq!(
            twin("https://chatgpt.com/aip/plugin-1f/oauth/callback").as_deref(),
            Some("https://chat.openai.com/aip/plugin-1f/oauth/callback")
        );
        for text in [
            "https://chatgpt.com/connector_platform_oauth_redirect",
            "https://chatgpt.com/aip/x-1/oauth/callback",
            "https://chatgpt.com/aip/g-1/../../oauth/callback",
            "https://example.com/aip/g-1/oauth/callback",
            "https://chat.openai.com.evil.example/aip/g-1/oauth/callback",
            "https://chatgpt.com:8443/aip/g-1/oauth/callback",
            "https://chatgpt.com/aip/g-1/oauth/callback?x=1",
        ] {
            assert_eq!(twin(text), None, "{text}");
        }
    }
}
