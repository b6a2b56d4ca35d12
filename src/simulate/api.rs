//! The API: called with a token as its caller would, by an MCP client's first message, or for a manifest by the first
//! thing its description lets be read.

use reqwest::header::AUTHORIZATION;
use serde_json::Value;
use url::Url;

use super::{
    discovery::{self, Discovery},
    wire::{Heard, Request, Wire},
};

/// What is called.
#[derive(Clone, Debug)]
pub enum Api {
    /// An MCP server.
    Mcp(Url),
    /// What a description names first.
    Operation(Url),
}

impl Api {
    /// What a connector calls: what was typed.
    pub fn of_target(found: &Discovery) -> Self {
        Self::Mcp(found.target.clone())
    }

    /// What a plugin calls: the first reading its manifest's description names.
    pub async fn of_manifest(wire: &Wire, found: &Discovery) -> Option<Self> {
        let address = found.manifest.document.as_ref()?["api"]["url"].as_str()?;
        let at = Url::parse(address).ok()?;
        let description = wire.read(&at).await.ok()?.object()?;
        let first = |paths: &Value| {
            let reads = |(path, operations): (&String, &Value)| {
                (operations["get"].is_object() && !path.contains('{')).then(|| path.clone())
            };
            paths.as_object()?.iter().find_map(reads)
        };
        let path = first(&description["paths"])?;
        let base = description["servers"][0]["url"].as_str().and_then(|base| at.join(base).ok()).unwrap_or(at);
        Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/'))).ok().map(Self::Operation)
    }

    /// Calls it.
    pub async fn call(&self, wire: &Wire, token: &str) -> Heard {
        let request = match self {
            Self::Mcp(url) => discovery::first_call(url),
            Self::Operation(url) => Request::get(url),
        };
        wire.send(request.with(AUTHORIZATION, &format!("Bearer {token}"))).await
    }
}
