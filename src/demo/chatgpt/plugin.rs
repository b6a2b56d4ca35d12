//! What a plugin says about itself: the classic manifest, and the server's metadata (RFC 8414) for what the manifest leaves out.
//! The trap lies in the manifest's names: `client_url` is the *authorization* endpoint, `authorization_url` the *token* endpoint.

use serde::Deserialize;
use url::Url;

use super::wire::Encoding;

/// A plugin that can be installed.
#[derive(Clone, Debug)]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) logo: Option<Url>,
    pub(super) contact: String,
    pub(super) legal: Option<Url>,
    /// Where the browser goes: the manifest's `client_url`.
    pub(super) authorization_endpoint: Url,
    /// Where codes become tokens: the manifest's `authorization_url`.
    pub(super) token_endpoint: Url,
    pub(super) token_encoding: Encoding,
    pub(super) scope: String,
    pub(super) server: Server,
}

/// What the authorization server says about itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Server {
    pub(super) issuer: String,
    pub(super) revocation_endpoint: Option<Url>,
    /// RFC 9207: when the server promises `iss`, an answer without it is somebody else's.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Manifest {
    schema_version: String,
    name_for_human: String,
    description_for_human: String,
    auth: Auth,
    logo_url: String,
    contact_email: String,
    legal_info_url: String,
}

#[derive(Deserialize)]
struct Auth {
    r#type: String,
    client_url: Option<String>,
    #[serde(default)]
    scope: String,
    authorization_url: Option<String>,
    authorization_content_type: Option<String>,
}

impl Plugin {
    /// Reads the manifest as ChatGPT would: what it cannot use, it names.
    pub(super) fn read(manifest: &[u8], server: Server) -> Result<Self, String> {
        let manifest: Manifest =
            serde_json::from_slice(manifest).map_err(|error| format!("The manifest cannot be read: {error}."))?;
        if manifest.schema_version != "v1" {
            return Err(format!("The manifest's schema_version is “{}”, not “v1”.", manifest.schema_version));
        }
        let auth = manifest.auth;
        if auth.r#type != "oauth" {
            return Err(format!(
                "The manifest's auth.type is “{}”. This page plays plugins that ask each person for consent, which is “oauth”.",
                auth.r#type
            ));
        }
        let token_encoding = match auth.authorization_content_type.as_deref() {
            Some("application/json") => Encoding::Json,
            Some("application/x-www-form-urlencoded") | None => Encoding::Form,
            Some(other) => {
                return Err(format!(
                    "The manifest's authorization_content_type is “{other}”. It can be application/json or application/x-www-form-urlencoded."
                ));
            }
        };
        Ok(Self {
            name: manifest.name_for_human,
            description: manifest.description_for_human,
            logo: web_address(&manifest.logo_url),
            contact: manifest.contact_email,
            legal: web_address(&manifest.legal_info_url),
            authorization_endpoint: endpoint("client_url", auth.client_url)?,
            token_endpoint: endpoint("authorization_url", auth.authorization_url)?,
            token_encoding,
            scope: auth.scope,
            server,
        })
    }
}

impl Server {
    /// Reads the metadata; it counts only if it is the expected issuer's (RFC 8414 §3.3).
    pub(super) fn read(metadata: &[u8], issuer: &str) -> Result<Self, String> {
        let server: Self = serde_json::from_slice(metadata)
            .map_err(|error| format!("The server's metadata cannot be read: {error}."))?;
        if server.issuer == issuer {
            Ok(server)
        } else {
            Err(format!("The server's metadata names the issuer “{}”, but it was read from “{issuer}”.", server.issuer))
        }
    }
}

fn endpoint(field: &str, value: Option<String>) -> Result<Url, String> {
    let value = value.ok_or_else(|| format!("The manifest's auth.{field} is missing."))?;
    web_address(&value).ok_or_else(|| format!("The manifest's auth.{field} is not a web address: “{value}”."))
}

/// Addresses end up in links and redirects, so a scheme like `javascript:` must never get that far.
fn web_address(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn server() -> Server {
        Server {
            issuer: "http://localhost:8080".to_owned(),
            revocation_endpoint: None,
            authorization_response_iss_parameter_supported: true,
        }
    }

    fn sample() -> Value {
        serde_json::from_str(include_str!("../../../.well-known/ai-plugin.json")).unwrap()
    }

    #[test]
    fn the_manifests_misleading_names_are_understood() {
        let plugin = Plugin::read(sample().to_string().as_bytes(), server()).unwrap();
        assert_eq!(plugin.authorization_endpoint.path(), "/authorize");
        assert_eq!(plugin.token_endpoint.path(), "/token");
        assert_eq!(plugin.token_encoding, Encoding::Json);
        assert_eq!(plugin.scope, "");
        assert!(plugin.name.chars().count() <= 20);
    }

    #[test]
    fn a_manifest_that_cannot_be_used_says_why() {
        for (pointer, value, word) in [
            ("/schema_version", json!("v2"), "schema_version"),
            ("/auth/type", json!("none"), "auth.type"),
            ("/auth/client_url", json!("javascript:alert(1)"), "client_url"),
            ("/auth/authorization_url", Value::Null, "authorization_url"),
            ("/auth/authorization_content_type", json!("text/xml"), "authorization_content_type"),
        ] {
            let mut manifest = sample();
            *manifest.pointer_mut(pointer).unwrap() = value;
            let why = Plugin::read(manifest.to_string().as_bytes(), server()).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }

    #[test]
    fn metadata_of_another_issuer_does_not_count() {
        let metadata = json!({ "issuer": "http://localhost:9" }).to_string();
        assert!(Server::read(metadata.as_bytes(), "http://localhost:8080").is_err());
    }
}
