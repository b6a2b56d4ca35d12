//! Authorization server metadata (RFC 8414): what this server can do, true to the letter.
//!
//! Clients throw the document away, and the answers with it, if the issuer in it is not the one they asked for, byte
//! for byte (RFC 8414 §3.3, RFC 9207 §2.4). So the server holds everything that names its issuer against it when it
//! starts: [`check_issuer`]. Neighbour: `model::public_url` knows the one spelling.

use serde::Serialize;
use serde_json::Value;

use crate::model::{
    mechanisms::{Mechanisms, Registrants},
    public_url::PublicUrl,
};

/// The document at `/.well-known/oauth-authorization-server`.
#[derive(Clone, Debug, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 3],
    authorization_response_iss_parameter_supported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id_metadata_document_supported: Option<bool>,
}

/// Describes the server whose issuer identifier this is (the public URL, without trailing slash), and which lets
/// clients become known in these ways.
pub fn describe(issuer: &str, mechanisms: &Mechanisms) -> Metadata {
    let at = |path: &str| format!("{issuer}{path}");
    // `none` must be among them: some clients take a document only where it is.
    let methods = ["none", "client_secret_post", "client_secret_basic", "private_key_jwt"];
    let algorithms = ["RS256", "ES256", "EdDSA"];
    let may_register = !matches!(mechanisms.registration.registrants, Registrants::Nobody);
    Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        revocation_endpoint: at("/revoke"),
        introspection_endpoint: at("/introspect"),
        registration_endpoint: may_register.then(|| at("/register")),
        jwks_uri: at("/.well-known/jwks.json"),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: methods,
        token_endpoint_auth_signing_alg_values_supported: algorithms,
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
        introspection_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        introspection_endpoint_auth_signing_alg_values_supported: algorithms,
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: mechanisms.documents.enabled.then_some(true),
    }
}

/// Why the server's issuer would not be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Clients that write it in its usual form would compare it with another text.
    #[error("the public URL \"{issuer}\" cannot be the issuer: {problem}; {cure}")]
    Misspelled {
        /// What came in.
        issuer: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        cure: String,
    },
    /// Something says another issuer, or none.
    #[error(
        "{place} says \"{found}\" where the issuer is \"{issuer}\"; clients compare every byte, so give the server \
         one public URL and let both be made from it"
    )]
    Differs {
        /// Who says so.
        place: String,
        /// What it says; empty for nothing.
        found: String,
        /// What it should say.
        issuer: String,
    },
}

/// Refuses an issuer that is not in its one spelling, or that is not the same bytes in the documents as they are
/// served and in the `iss` of an authorization answer. A document names it as `issuer` (RFC 8414) or in
/// `authorization_servers` (RFC 9728); one that does neither is refused too, or nobody would notice it was not read.
pub fn check_issuer(issuer: &str, documents: &[String], iss: &str) -> Result<(), IssuerError> {
    PublicUrl::parse(issuer).map_err(|(problem, cure)| IssuerError::Misspelled {
        issuer: issuer.to_owned(),
        problem,
        cure,
    })?;
    for document in documents {
        let document = serde_json::from_str(document).unwrap_or(Value::Null);
        let place = document["resource"].as_str().map_or_else(
            || "the authorization server metadata".to_owned(),
            |resource| format!("the metadata of the resource {resource}"),
        );
        let named =
            [vec![&document["issuer"]], document["authorization_servers"].as_array().into_iter().flatten().collect()];
        let named: Vec<&Value> = named.concat().into_iter().filter(|value| !value.is_null()).collect();
        if named.is_empty() {
            check_written(&place, "", issuer)?;
        }
        for name in named {
            check_written(&place, name.as_str().unwrap_or_default(), issuer)?;
        }
    }
    check_written("the `iss` of an authorization answer", iss, issuer)
}

/// Refuses a text that should be the issuer and is not.
pub fn check_written(place: &str, found: &str, issuer: &str) -> Result<(), IssuerError> {
    if found.as_bytes() == issuer.as_bytes() {
        return Ok(());
    }
    Err(IssuerError::Differs { place: place.to_owned(), found: found.to_owned(), issuer: issuer.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://a.example/auth";

    fn metadata(issuer: &str) -> String {
        serde_json::to_string(&describe(issuer, &Mechanisms::default())).unwrap()
    }

    #[test]
    fn every_address_begins_with_the_issuer() {
        let described: Value = serde_json::from_str(&metadata(ISSUER)).unwrap();
        let texts: Vec<_> = described.as_object().unwrap().values().filter_map(Value::as_str).collect();
        assert!(texts.len() >= 6 && texts.iter().all(|text| text.starts_with(ISSUER)), "{texts:?}");
    }

    #[test]
    fn one_issuer_everywhere_is_taken() {
        let resource = json!({ "resource": "https://api.example", "authorization_servers": [ISSUER] }).to_string();
        check_issuer(ISSUER, &[metadata(ISSUER), resource], ISSUER).unwrap();
    }

    #[test]
    fn another_byte_anywhere_is_refused() {
        let good = || metadata(ISSUER);
        for other in
            ["https://a.example/auth/", "https://A.example/auth", "https://a.example:443/auth", "https://a.example"]
        {
            let resource = |servers: Value| json!({ "resource": "r", "authorization_servers": servers }).to_string();
            for (documents, iss, place) in [
                (vec![metadata(other)], ISSUER, "the authorization server metadata"),
                (vec![good(), resource(json!([other]))], ISSUER, "the metadata of the resource r"),
                (vec![good(), resource(json!([ISSUER, other]))], ISSUER, "the metadata of the resource r"),
                (vec![good()], other, "the `iss` of an authorization answer"),
            ] {
                let error = check_issuer(ISSUER, &documents, iss).unwrap_err();
                let (found, issuer) = (other.to_owned(), ISSUER.to_owned());
                assert_eq!(error, IssuerError::Differs { place: place.to_owned(), found, issuer });
            }
            let misspelled = check_issuer(other, &[metadata(other)], other);
            assert_eq!(misspelled.is_err(), other != "https://a.example", "{other}");
        }
    }

    #[test]
    fn a_document_that_names_no_issuer_is_refused() {
        for document in
            ["", "{}", "[]", "null", r#"{"issuer":null}"#, r#"{"issuer":7}"#, r#"{"authorization_servers":[]}"#]
        {
            assert!(check_issuer(ISSUER, &[document.to_owned()], ISSUER).is_err(), "{document}");
        }
        assert!(check_issuer(ISSUER, &[metadata(ISSUER)], "").is_err());
    }
}
