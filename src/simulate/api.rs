//! The API: called with a token as its caller would, by an MCP client's first message, or for a manifest by the first
//! thing its description lets be read.

use std::net::IpAddr;

use reqwest::header::AUTHORIZATION;
use serde_json::Value;
use url::Url;

use super::{
    discovery::{self, Discovery},
    wire::{Heard, Request, Wire},
};
use crate::{model::client::Dialect, protocol::manifest::openapi};

/// What is called.
#[derive(Clone, Debug)]
pub enum Api {
    /// An MCP server.
    Mcp(Url),
    /// What a description names first.
    Operation(Url),
}

impl Api {
    /// What a caller of this kind calls.
    pub async fn of(wire: &Wire, found: &Discovery, dialect: Dialect) -> Result<Option<Self>, String> {
        match dialect {
            Dialect::Connector => Ok(Some(Self::of_target(found))),
            _ => Self::of_manifest(wire, found).await,
        }
    }

    /// What stands at an address that was found before.
    pub fn at(is_mcp: bool, address: &str) -> Result<Self, String> {
        let url = Url::parse(address).map_err(|error| format!("{address} is no address: {error}"))?;
        Ok(if is_mcp { Self::Mcp(url) } else { Self::Operation(url) })
    }

    /// Where it is.
    pub fn address(&self) -> &Url {
        let (Self::Mcp(url) | Self::Operation(url)) = self;
        url
    }

    /// What a connector calls: what was typed.
    fn of_target(found: &Discovery) -> Self {
        Self::Mcp(found.target.clone())
    }

    /// What a plugin calls: the first reading its manifest's description names, if there is one. It stands on the
    /// manifest's own domain: to any other no token is given.
    async fn of_manifest(wire: &Wire, found: &Discovery) -> Result<Option<Self>, String> {
        let Some(manifest) = &found.manifest.document else { return Ok(None) };
        let at = manifest["api"]["url"].as_str().and_then(|address| Url::parse(address).ok());
        let at = at.ok_or("the manifest's api.url is no address")?;
        let answer = wire.read(&at).await.map_err(|silence| format!("the API's description: {silence}"))?;
        if answer.status != 200 {
            return Err(format!("the API's description at {at} is answered {}", answer.status));
        }
        let described = openapi::document(&answer.body).map_err(|error| format!("the API's description: {error}"))?;
        let Some(url) = first_reading(&described.1, &at) else { return Ok(None) };
        let [own, other] = [&found.target, &url].map(|url| root_domain(url.host_str().unwrap_or_default()));
        if own != other {
            return Err(format!("its description names {other}, and {own} is its domain, so no token was sent there"));
        }
        Ok(Some(Self::Operation(url)))
    }

    /// Calls it, with a token or without.
    pub async fn call(&self, wire: &Wire, token: Option<&str>) -> Heard {
        let request = match self {
            Self::Mcp(url) => discovery::first_call(url),
            Self::Operation(url) => Request::get(url),
        };
        let bearer = |token: &str| request.clone().with(AUTHORIZATION, &format!("Bearer {token}"));
        wire.send(token.map_or_else(|| request.clone(), bearer)).await
    }

    /// What came of a call with a token.
    pub fn told(&self, heard: &Heard) -> Result<String, String> {
        let answer = heard.as_ref().map_err(ToString::to_string)?;
        match (self, answer.status) {
            (_, status @ 200..=299) => Ok(format!("the API took the token, and answered {status}")),
            (_, 401 | 403) => {
                Err(format!("the API refused the token: {}", answer.header("www-authenticate").unwrap_or("no reason")))
            }
            // It may want parameters that are not known here.
            (Self::Operation(_), status @ (400 | 405..=499)) => {
                Ok(format!("the API did not refuse the token, and answered {status}"))
            }
            (_, status) => Err(format!("the API answered {status} to a call with a token")),
        }
    }
}

/// The first thing that can be read without knowing more. Where no server is named it is the host's root
/// (OpenAPI 3.1 §4.8.1).
fn first_reading(description: &Value, at: &Url) -> Option<Url> {
    let reads = |(path, operations): (&String, &Value)| {
        (operations["get"].is_object() && !path.contains('{')).then(|| path.clone())
    };
    let path = description["paths"].as_object()?.iter().find_map(reads)?;
    let base = at.join(description["servers"][0]["url"].as_str().unwrap_or("/")).ok()?;
    Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/'))).ok()
}

/// What hosts of one owner have in common.
pub fn root_domain(host: &str) -> &str {
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if is_address { host } else { psl::domain_str(host).unwrap_or(host) }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::{model::Timestamp, simulate::wire::Answer};

    #[test]
    fn the_first_reading_is_found_as_openapi_says() {
        let first = |description: &Value| {
            let at = "https://a.example/docs/openapi.yaml".parse().unwrap();
            first_reading(description, &at).map(|url| url.to_string())
        };
        let paths = json!({ "/items": { "post": {} }, "/items/{id}": { "get": {} }, "/todos": { "get": {} } });
        let with = |servers: Value| first(&json!({ "servers": servers, "paths": paths }));
        assert_eq!(first(&json!({ "paths": paths })).as_deref(), Some("https://a.example/todos"));
        assert_eq!(with(json!([{ "url": "/v1/" }])).as_deref(), Some("https://a.example/v1/todos"));
        assert_eq!(with(json!([{ "url": "https://b.example" }])).as_deref(), Some("https://b.example/todos"));
        assert_eq!(first(&json!({ "paths": { "/items": { "post": {} } } })), None);
        let (_, yaml) = openapi::document(b"openapi: 3.0.1\npaths:\n  /todos:\n    get: {}\n").unwrap();
        assert_eq!(first(&yaml).as_deref(), Some("https://a.example/todos"));
    }

    #[test]
    fn an_answer_that_is_none_of_the_api_s_is_no_success() {
        let url: Url = "https://a.example/x".parse().unwrap();
        let (mcp, operation) = (Api::Mcp(url.clone()), Api::Operation(url));
        let answer =
            |status| Answer { status, headers: HeaderMap::default(), body: Vec::new(), at: Timestamp::default() };
        let good = |api: &Api| [200, 302, 400, 401, 404, 422, 500].map(|status| api.told(&Ok(answer(status))).is_ok());
        assert_eq!(good(&mcp), [true, false, false, false, false, false, false]);
        assert_eq!(good(&operation), [true, false, true, false, false, true, false]);
    }

    #[test]
    fn a_domain_is_not_an_address_s_end() {
        assert_eq!(root_domain("auth.example.co.uk"), "example.co.uk");
        assert_ne!(root_domain("10.1.0.1"), root_domain("10.2.0.1"));
        assert_eq!(root_domain("localhost"), "localhost");
    }
}
