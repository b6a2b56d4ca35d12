//! The issuer at start: everything that will be served is rendered once and held against it.
//!
//! `protocol::metadata` says what must be equal; this file brings what this server would say.

use super::Settings;
use crate::{
    model::resource::Resource,
    protocol::{
        authorization,
        metadata::{self, IssuerError},
        resource_metadata,
    },
};

/// Refuses settings whose issuer would not be the same bytes wherever a client meets it.
pub(super) fn check(settings: &Settings) -> Result<(), IssuerError> {
    let issuer = settings.issuer.as_str();
    // A document that cannot be written names no issuer, and is refused for that.
    let documents = [serde_json::to_string(&metadata::describe(issuer, &settings.mechanisms)).unwrap_or_default()];
    let iss = authorization::iss_of_an_answer(issuer).unwrap_or_default();
    metadata::check_issuer(issuer, &documents, &iss)?;
    // The pages and the addresses of the documents are made from these two.
    metadata::check_written("the address of the pages", &format!("{}{}", settings.origin, settings.base), issuer)
}

/// The same for the documents of the resources that are registered.
pub(super) fn check_resources(settings: &Settings, resources: &[Resource]) -> Result<(), IssuerError> {
    let issuer = settings.issuer.as_str();
    let write = |resource| serde_json::to_string(&resource_metadata::describe(issuer, resource)).unwrap_or_default();
    let documents: Vec<String> = resources.iter().map(write).collect();
    metadata::check_issuer(issuer, &documents, issuer)
}

/// Resources come and go, so a default that is not there now is no reason not to start.
pub(super) fn look_for_default(settings: &Settings, resources: &[Resource]) {
    let Some(default) = &settings.default_resource else { return };
    if !resources.iter().any(|resource| resource.identifier.canonical() == default.canonical()) {
        tracing::warn!(
            resource = default.as_str(),
            "default_resource is not registered; until `consentry resource add` registers it, clients that name no \
             resource are refused"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(public_url: &str) -> Settings {
        Settings::defaults(public_url, "Example").unwrap()
    }

    #[test]
    fn the_defaults_split_a_public_url() {
        for (origin, base, host) in [
            ("https://a.example", "", "a.example"),
            ("http://localhost:8080", "", "localhost:8080"),
            ("https://a.example", "/auth", "a.example"),
            ("http://[::1]:8080", "/a/b", "[::1]:8080"),
        ] {
            let settings = settings(&format!("{origin}{base}"));
            assert_eq!(
                (settings.origin.as_str(), settings.base.as_str(), settings.host.as_str()),
                (origin, base, host)
            );
            check(&settings).unwrap();
        }
        assert!(Settings::defaults("", "Example").is_err());
        assert!(Settings::defaults("a.example", "Example").is_err());
    }

    #[test]
    fn a_public_url_in_another_spelling_is_refused_with_its_cure() {
        for (public_url, cure) in [
            ("https://a.example/", "write https://a.example"),
            ("https://a.example/auth/", "write https://a.example/auth"),
            ("https://A.example/auth", "write https://a.example/auth"),
            ("https://a.example:443", "write https://a.example"),
            ("https://a.example/auth?x=y", "write https://a.example/auth"),
            ("https://a.example/x/../auth", "write https://a.example/auth"),
            ("http://a.example", "write https://a.example"),
        ] {
            let told = check(&settings(public_url)).unwrap_err().to_string();
            assert!(told.contains(&format!("\"{public_url}\"")) && told.contains(cure), "{told}");
        }
    }

    #[test]
    fn pages_elsewhere_than_at_the_issuer_are_refused() {
        for moved in [
            Settings { base: String::new(), ..settings("https://a.example/auth") },
            Settings { base: "/auth".into(), ..settings("https://a.example") },
            Settings { origin: "http://a.example".into(), ..settings("https://a.example") },
        ] {
            let told = check(&moved).unwrap_err().to_string();
            assert!(told.contains("the address of the pages"), "{told}");
        }
    }
}
