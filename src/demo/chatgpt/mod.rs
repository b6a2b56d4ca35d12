//! A stand-in for ChatGPT: one page on which a newcomer installs the plugin and watches every request.
//! It is an OAuth client like any other, written with the `oauth2` crate, in the dialect of the classic manifest.
//!
//! ```text
//! Install plugin → (browser at Consentry) → callback → tokens → API ⟲ Refresh → Disconnect → API refuses
//!    install            authorize          callback   tokens   api_calls          tokens
//! ```

mod api_calls;
mod callback;
mod connection;
mod install;
mod page;
mod plain_words;
mod plugin;
mod routes;
mod shown;
mod timeline;
mod tokens;
mod wire;

use oauth2::RedirectUrl;
use url::Url;

use self::connection::Connections;
use self::wire::Wire;
use super::Secret;

pub use self::routes::{CALLBACK_PATH, configure};

/// What the stand-in has to be told.
#[derive(Debug)]
pub struct ChatGptConfig {
    /// The one canonical issuer, without a trailing slash.
    pub issuer: String,
    /// Where the manifest is: `https://…/.well-known/ai-plugin.json`.
    pub manifest_url: String,
    /// The client the plugin owner registered.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// This page's origin and [`CALLBACK_PATH`]; registered with the client.
    pub redirect_uri: String,
    /// Where the plugin's API answers, without a trailing slash.
    pub api_base: String,
    /// Makes a random text of at least 128 bits, fit for a cookie and an address.
    pub random: fn() -> String,
}

/// Why the stand-in cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ChatGptSetupError {
    /// One of the configured addresses is none.
    #[error("{field} is not a web address: {cause}")]
    Address {
        /// The field of [`ChatGptConfig`].
        field: &'static str,
        /// What is wrong with it.
        cause: url::ParseError,
    },
    /// The outgoing HTTP client cannot be built, which means that TLS cannot be set up on this machine.
    #[error("the outgoing HTTP client could not be built")]
    Http(#[from] reqwest::Error),
}

/// The stand-in's state; one for all workers.
#[derive(Debug)]
pub struct ChatGpt {
    issuer: String,
    manifest_url: Url,
    metadata_url: Url,
    client_id: String,
    client_secret: Secret,
    redirect_uri: RedirectUrl,
    api_base: Url,
    random: fn() -> String,
    wire: Wire,
    connections: Connections,
}

impl ChatGpt {
    /// Prepares the stand-in; nothing is fetched before somebody presses a button.
    ///
    /// # Errors
    /// [`ChatGptSetupError`] names each case.
    pub fn new(config: ChatGptConfig) -> Result<Self, ChatGptSetupError> {
        // RFC 8414 §3.1: inserted before the path of the issuer, if it has one.
        let mut metadata_url = address("issuer", &config.issuer)?;
        let path = metadata_url.path().trim_end_matches('/').to_owned();
        metadata_url.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        Ok(Self {
            metadata_url,
            issuer: config.issuer,
            manifest_url: address("manifest_url", &config.manifest_url)?,
            client_id: config.client_id,
            client_secret: config.client_secret,
            redirect_uri: RedirectUrl::from_url(address("redirect_uri", &config.redirect_uri)?),
            api_base: address("api_base", &config.api_base)?,
            random: config.random,
            wire: Wire::new()?,
            connections: Connections::default(),
        })
    }
}

fn address(field: &'static str, value: &str) -> Result<Url, ChatGptSetupError> {
    Url::parse(value).map_err(|cause| ChatGptSetupError::Address { field, cause })
}

/// Something the page has to say before anything else.
#[derive(Clone, Debug)]
struct Notice {
    title: &'static str,
    words: String,
    good: bool,
}

impl Notice {
    fn good(title: &'static str, words: impl Into<String>) -> Self {
        Self { title, words: words.into(), good: true }
    }

    fn bad(title: &'static str, words: impl Into<String>) -> Self {
        Self { title, words: words.into(), good: false }
    }
}

#[cfg(test)]
mod tests;
