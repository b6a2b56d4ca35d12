//! The gate: whether a request may go on to a plugin's API. The route table says what it needs, its token what it has.
//!
//! `described` reads the table from the API's description, `headers` says which headers never pass. Neighbours: `bearer`
//! writes the challenge, `introspection` tells what is left of a token's scopes, `server::gate` brings the facts.

pub mod described;
pub mod headers;

use crate::model::{
    Timestamp, gate::Needs, plugin::Host, plugin_secret::is_at_or_below, resource::Resource, scope::Scopes,
};

/// A token that stands, as the gate knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// For which resource, in its canonical spelling.
    pub resource: String,
    /// What it was made for, as far as it is to be had today.
    pub scopes: Scopes,
    /// Worth nothing from then on, in seconds since 1970.
    pub expires_at: i64,
}

/// Why a request does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It brings no token; these scopes would do.
    Missing(Scopes),
    /// Its token is not good here; these scopes would do.
    Invalid(&'static str, Scopes),
    /// Its token stands, and has not all of these.
    Insufficient(Scopes),
}

/// The resource that a request's token must be for (RFC 8707): of those on this host the one whose path is the longest
/// part of the request's, by whole segments. One that has a query is for nobody here: a path does not name it.
pub fn resource_of<'a>(resources: &'a [Resource], host: &Host, path: &str) -> Option<&'a Resource> {
    let is_above = |resource: &&Resource| {
        let identifier = &resource.identifier;
        identifier.host().as_ref() == Some(host)
            && !identifier.tail().contains('?')
            && is_at_or_below(path, identifier.path())
    };
    resources.iter().filter(is_above).max_by_key(|resource| resource.identifier.path().len())
}

/// Decides with what the route needs and what came. `brought` is none where no token came, and its inner none where one
/// came that does not stand.
///
/// # Errors
///
/// Why not, with the scopes that the caller should ask for.
pub fn check(
    needs: &Needs,
    resource: &Resource,
    brought: Option<Option<&Bearer>>,
    now: Timestamp,
) -> Result<(), Refused> {
    let Needs::Token(alternatives) = needs else { return Ok(()) };
    let first = || alternatives.first().cloned().unwrap_or_default();
    let Some(token) = brought else { return Err(Refused::Missing(first())) };
    let Some(token) = token else {
        return Err(Refused::Invalid("The token is not good, or its connection has ended.", first()));
    };
    if token.resource != resource.identifier.canonical() {
        return Err(Refused::Invalid("The token is for another resource.", first()));
    }
    if now.timestamp() >= token.expires_at {
        return Err(Refused::Invalid("The token has expired.", first()));
    }
    if alternatives.iter().any(|scopes| scopes.is_subset(&token.scopes)) {
        return Ok(());
    }
    let missing = |scopes: &&Scopes| scopes.without(&token.scopes).iter().count();
    Err(Refused::Insufficient(alternatives.iter().min_by_key(missing).cloned().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::model::{
        id::{PluginId, ResourceId},
        plugin::SubjectSalt,
        public_key::SigningAlgorithm,
        scope::Catalogue,
    };

    fn resource(identifier: &str) -> Resource {
        Resource {
            id: ResourceId(Uuid::nil()),
            identifier: identifier.parse().unwrap(),
            plugin_id: PluginId(Uuid::nil()),
            plugin_slug: "todo".to_owned(),
            plugin_name: "To-do".to_owned(),
            is_default: true,
            subject_salt: SubjectSalt([0; 32]),
            signing_algorithm: SigningAlgorithm::Es256,
            scopes: Catalogue::default(),
        }
    }

    fn scopes(text: &str) -> Scopes {
        text.parse().unwrap()
    }

    #[test]
    fn a_request_is_of_the_nearest_resource_above_it() {
        let all: Vec<Resource> = [
            "https://api.example",
            "https://api.example/mcp/",
            "https://api.example/mcp/admin",
            "https://api.example/a:b",
            "https://other.example/todos",
            "https://api.example/todos?tenant=1",
        ]
        .map(resource)
        .into();
        let host: Host = "api.example".parse().unwrap();
        for (path, found) in [
            ("/", "https://api.example"),
            ("/todos", "https://api.example"),
            ("/mcp", "https://api.example/mcp/"),
            ("/mcp/", "https://api.example/mcp/"),
            ("/mcp/tools", "https://api.example/mcp/"),
            ("/mcp/admin/x", "https://api.example/mcp/admin"),
            ("/mcp/administration", "https://api.example/mcp/"),
            ("/mcpx", "https://api.example"),
            ("/a%3ab/x", "https://api.example/a:b"),
        ] {
            assert_eq!(resource_of(&all, &host, path).unwrap().identifier.as_str(), found, "{path}");
        }
        assert!(resource_of(&all, &"other.example".parse().unwrap(), "/").is_none());
        assert!(resource_of(&[], &host, "/").is_none());
    }

    #[test]
    fn a_token_passes_where_it_is_for_and_with_what_it_has() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let api = resource("HTTPS://api.example/");
        let token = |resource: &str, has: &str, expires_at| Bearer {
            resource: resource.to_owned(),
            scopes: scopes(has),
            expires_at: now.timestamp() + expires_at,
        };
        let both = Needs::Token(vec![scopes("read write"), scopes("admin")]);
        let good = token("https://api.example", "read write", 1);
        assert_eq!(check(&both, &api, Some(Some(&good)), now), Ok(()));
        assert_eq!(check(&both, &api, Some(Some(&token("https://api.example", "admin", 1))), now), Ok(()));
        assert_eq!(check(&Needs::Token(vec![Scopes::default()]), &api, Some(Some(&good)), now), Ok(()));
        assert_eq!(check(&both, &api, None, now), Err(Refused::Missing(scopes("read write"))));
        for (bearer, says) in [
            (None, "The token is not good, or its connection has ended."),
            (Some(token("https://api.example/mcp", "read write", 1)), "The token is for another resource."),
            (Some(token("https://api.example", "read write", 0)), "The token has expired."),
        ] {
            let refused = check(&both, &api, Some(bearer.as_ref()), now);
            assert_eq!(refused, Err(Refused::Invalid(says, scopes("read write"))));
        }
        let little = token("https://api.example", "write", 1);
        assert_eq!(check(&both, &api, Some(Some(&little)), now), Err(Refused::Insufficient(scopes("read write"))));
        for brought in [None, Some(None), Some(Some(&little))] {
            assert_eq!(check(&Needs::Nothing, &api, brought, now), Ok(()));
        }
    }
}
