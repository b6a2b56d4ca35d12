//! Whether the server's metadata says what callers decide by, and whether its keys are there.

use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;
use url::Url;

use super::{Report, check::Check};
use crate::{
    model::client::Dialect,
    simulate::{
        discovery::{Discovery, lists},
        wire::Wire,
    },
};

pub(super) async fn look(wire: &Wire, found: &Discovery, dialect: Dialect, report: &mut Report) -> Option<JwkSet> {
    let server = found.server()?;
    report.checks.extend(judged(server, dialect));
    let at = server["jwks_uri"].as_str().and_then(|at| Url::parse(at).ok())?;
    let heard = wire.read(&at).await;
    let set = heard
        .as_ref()
        .ok()
        .filter(|answer| answer.status == 200)
        .and_then(|answer| serde_json::from_slice::<JwkSet>(&answer.body).ok().filter(|set| !set.keys.is_empty()));
    let got = heard.map_or_else(|silence| silence.to_string(), |answer| answer.status.to_string());
    let says = match &set {
        Some(set) => format!("{} keys are at {at}.", set.keys.len()),
        None => format!("{at} answers {got}, and has no keys that can be read."),
    };
    report.checks.push(Check::of(
        "keys.fetch",
        set.is_some(),
        says,
        "Serve the signing keys as a JWK set at jwks_uri.",
    ));
    set
}

fn judged(server: &Value, dialect: Dialect) -> Vec<Check> {
    let said = |member: &str| format!("{member}: {}", server.get(member).unwrap_or(&Value::Null));
    let has = |member: &str, word: &str| lists(server, member, word);
    let (challenges, responses) = ("code_challenge_methods_supported", "response_types_supported");
    let methods = "token_endpoint_auth_methods_supported";
    let (word, why) = match dialect {
        Dialect::Connector => ("none", "public clients and those with a document choose by it"),
        _ => ("client_secret_post", "this caller sends its secret in the body"),
    };
    let documents = server["client_id_metadata_document_supported"] == true;
    let registers = server["registration_endpoint"].is_string();
    let client_documents = match (documents, registers) {
        (true, _) => Check::ok("metadata.client_documents", "Clients may be known by their documents."),
        (false, true) => Check::warning(
            "metadata.client_documents",
            "Clients have to register; their documents are not taken.",
            "Take client metadata documents, and say client_id_metadata_document_supported: true.",
        ),
        (false, false) => Check::warning(
            "metadata.client_documents",
            "Clients are known by hand alone, so people type in an id.",
            "Take client metadata documents or registrations (RFC 7591), and say so.",
        ),
    };
    let iss = "authorization_response_iss_parameter_supported";
    let promised = if server[iss] == true {
        Check::ok("metadata.iss", "It promises iss in its answers.")
    } else {
        let cure = "Send iss with every answer (RFC 9207), then promise it.";
        Check::warning("metadata.iss", "It promises no iss, so callers take another callback.", cure)
    };
    vec![
        Check::of("metadata.pkce", has(challenges, "S256"), said(challenges), "List S256; without it callers give up."),
        Check::of("metadata.response_types", has(responses, "code"), said(responses), "List code (RFC 8414 §2)."),
        Check::of("metadata.auth_methods", has(methods, word), said(methods), format!("List {word}: {why}.")),
        client_documents,
        promised,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::State;

    #[test]
    fn each_member_is_missed_by_its_own_check() {
        let whole = json!({
            "code_challenge_methods_supported": ["S256"], "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["none"], "client_id_metadata_document_supported": true,
            "authorization_response_iss_parameter_supported": true,
        });
        assert!(judged(&whole, Dialect::Connector).iter().all(|check| check.state == State::Ok));
        for (member, name) in [
            ("code_challenge_methods_supported", "metadata.pkce"),
            ("response_types_supported", "metadata.response_types"),
            ("token_endpoint_auth_methods_supported", "metadata.auth_methods"),
            ("client_id_metadata_document_supported", "metadata.client_documents"),
            ("authorization_response_iss_parameter_supported", "metadata.iss"),
        ] {
            let mut server = whole.clone();
            server.as_object_mut().unwrap().remove(member);
            let checks = judged(&server, Dialect::Connector);
            let missed: Vec<&str> =
                checks.iter().filter(|check| check.state != State::Ok).map(|check| check.name).collect();
            assert_eq!(missed, [name]);
        }
    }
}
