//! Protected resource metadata (RFC 9728): what an API tells clients about itself, true to the letter.
//!
//! Clients throw the document away if its `resource` is not what they inserted the well-known path into, byte for byte
//! (§3.3). Neighbours: `bearer` names the document's address in challenges, `metadata` describes the server it names.

use serde::Serialize;

use crate::model::resource::Resource;

/// Where the document stands, before any path.
pub const PLACE: &str = "/.well-known/oauth-protected-resource";

/// Asks for refresh tokens, which are between client and server: an API has no such scope (MCP 2026-07-28, Refresh
/// Tokens).
const OFFLINE_ACCESS: &str = "offline_access";

/// The document at `/.well-known/oauth-protected-resource`.
#[derive(Clone, Debug, Serialize)]
pub struct ResourceMetadata<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    /// RFC 9728 §3.2: what has no values is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<&'a str>,
    bearer_methods_supported: [&'static str; 1],
    resource_name: &'a str,
}

/// Describes a resource of the server whose issuer identifier this is.
pub fn describe<'a>(issuer: &'a str, resource: &'a Resource) -> ResourceMetadata<'a> {
    ResourceMetadata {
        resource: resource.identifier.as_str(),
        authorization_servers: [issuer],
        scopes_supported: scopes(resource).collect(),
        bearer_methods_supported: ["header"],
        resource_name: &resource.plugin_name,
    }
}

/// The scopes a call of the API can need.
pub fn scopes(resource: &Resource) -> impl Iterator<Item = &str> {
    resource.scopes.iter().map(|scope| scope.name.as_str()).filter(|name| *name != OFFLINE_ACCESS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::model::{
        id::{PluginId, ResourceId},
        plugin::SubjectSalt,
        public_key::SigningAlgorithm,
        scope::{Catalogue, Scope},
    };

    fn resource(identifier: &str, scopes: &[&str]) -> Resource {
        let mut catalogue = Catalogue::default();
        for name in scopes {
            catalogue.put(Scope::new(*name, "May")).unwrap();
        }
        Resource {
            id: ResourceId(Uuid::nil()),
            identifier: identifier.parse().unwrap(),
            plugin_id: PluginId(Uuid::nil()),
            plugin_slug: "todo".to_owned(),
            plugin_name: "To-do".to_owned(),
            is_default: true,
            subject_salt: SubjectSalt([0; 32]),
            signing_algorithm: SigningAlgorithm::Es256,
            scopes: catalogue,
        }
    }

    #[test]
    fn the_document_says_what_is_registered() {
        let resource = resource("HTTPS://API.example/mcp/", &["todo.write", "offline_access", "todo.read"]);
        assert_eq!(
            serde_json::to_value(describe("https://a.example/auth", &resource)).unwrap(),
            json!({
                "resource": "HTTPS://API.example/mcp/",
                "authorization_servers": ["https://a.example/auth"],
                "scopes_supported": ["todo.write", "todo.read"],
                "bearer_methods_supported": ["header"],
                "resource_name": "To-do",
            })
        );
    }

    #[test]
    fn no_scopes_are_left_out() {
        for scopes in [&[][..], &["offline_access"]] {
            let resource = resource("https://api.example", scopes);
            let document = serde_json::to_value(describe("https://a.example", &resource)).unwrap();
            assert!(document.get("scopes_supported").is_none(), "{document}");
        }
    }
}
