//! Whether the server's metadata says what callers decide by, and whether its keys are there.

use jsonwebtoken::{
    DecodingKey,
    jwk::{Jwk, JwkSet},
};
use serde_json::Value;
use url::Url;

use super::{Report, check::Check, documents::is_shut, reach::unanswered};
use crate::{
    protocol::presets::Preset,
    simulate::{
        discovery::{Discovery, ELSEWHERE, lists},
        wire::{Heard, Request, Wire},
    },
};

/// What a server takes whose metadata does not say (RFC 8414 §2).
const METHOD_UNSAID: &str = "client_secret_basic";

/// Members of a key that nobody may know.
const PRIVATE: [&str; 2] = ["d", "k"];

pub(super) async fn look(wire: &Wire, found: &Discovery, preset: &Preset, report: &mut Report) -> Option<JwkSet> {
    let server = found.server()?;
    report.checks.extend(judged(server));
    report.checks.extend([endpoints(server), auth_methods(server, &preset.methods)]);
    report.checks.push(cors(wire, server).await);
    let at = server["jwks_uri"].as_str()?;
    let Ok(url) = Url::parse(at) else {
        let says = format!("jwks_uri is {at:?}, which is no address.");
        report.checks.push(Check::wrong("keys.fetch", says, "Write it in full, with https://."));
        return None;
    };
    let (set, check) = keys(&url, &wire.read(&url).await);
    report.checks.push(check);
    set
}

/// Who runs in a person's browser asks for permission before it writes to another host.
async fn cors(wire: &Wire, server: &Value) -> Check {
    let name = "metadata.cors";
    for member in ["token_endpoint", "registration_endpoint"] {
        let Some(url) = server[member].as_str().and_then(|text| Url::parse(text).ok()) else { continue };
        let answer = match wire.send(Request::preflight(&url, ELSEWHERE)).await {
            Ok(answer) => answer,
            Err(silence) => return unanswered(name, &silence),
        };
        if is_shut(&answer) {
            return Check::warning(
                name,
                format!(
                    "{url} may not be asked by pages elsewhere: callers that run in a browser, as inspectors do, fail."
                ),
                "Answer OPTIONS there with Access-Control-Allow-Origin: *, and the POST too; no cookie is read there.",
            );
        }
    }
    Check::ok(name, "Callers that run in a browser may ask for tokens.")
}

/// Keys of a kind that is not known here are passed over: there may be others.
fn keys(at: &Url, heard: &Heard) -> (Option<JwkSet>, Check) {
    let name = "keys.fetch";
    let cure = format!("Serve the public signing keys at {at}, or name their address in jwks_uri (RFC 7517 §5).");
    let answer = match heard {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return (None, Check::wrong(name, format!("{at} answers {}.", answer.status), cure)),
        Err(silence) => return (None, unanswered(name, silence)),
    };
    let all = answer.object().and_then(|set| set["keys"].as_array().cloned()).unwrap_or_default();
    if all.iter().any(|key| PRIVATE.iter().any(|member| key.get(member).is_some())) {
        let cure = "Take it away and make a new key: with the private part anybody can make tokens.";
        return (None, Check::wrong(name, format!("{at} publishes the private part of a key."), cure));
    }
    let usable = |key: &Jwk| DecodingKey::from_jwk(key).is_ok();
    let keys: Vec<Jwk> = all.into_iter().filter_map(|key| serde_json::from_value(key).ok()).filter(usable).collect();
    if keys.is_empty() {
        return (None, Check::wrong(name, format!("{at} has no key that can be read."), cure));
    }
    let check = Check::ok(name, format!("{} keys stand at {at}.", keys.len()));
    (Some(JwkSet { keys }), check)
}

/// A list of the metadata, in a sentence.
fn said(server: &Value, member: &str) -> String {
    match server.get(member) {
        None => format!("The metadata has no {member}."),
        Some(value) => format!("The metadata says {member}: {value}."),
    }
}

fn listed(name: &'static str, server: &Value, (member, word): (&str, &str), cure: &str) -> Check {
    let says = said(server, member);
    if lists(server, member, word) { Check::ok(name, says) } else { Check::wrong(name, says, cure) }
}

fn endpoints(server: &Value) -> Check {
    let name = "metadata.endpoints";
    let is_address = |member: &&str| server[*member].as_str().is_some_and(|text| Url::parse(text).is_ok());
    match ["authorization_endpoint", "token_endpoint"].iter().find(|member| !is_address(member)) {
        None => Check::ok(name, "The metadata names the authorization and the token endpoint."),
        Some(member) => Check::wrong(
            name,
            said(server, member),
            format!("Name {member} in full, with https:// (RFC 8414 §2); nobody can connect without it."),
        ),
    }
}

/// A caller takes the first method of its own that it finds; where its first choice is not there, it may do without.
fn auth_methods(server: &Value, methods: &[String]) -> Check {
    let (name, member) = ("metadata.auth_methods", "token_endpoint_auth_methods_supported");
    let takes = |method: &str| match server.get(member) {
        Some(_) => lists(server, member, method),
        None => method == METHOD_UNSAID,
    };
    let wanted = methods.first().map_or("none", String::as_str);
    let says = said(server, member);
    if takes(wanted) {
        return Check::ok(name, says);
    }
    // Whoever takes nothing less is stricter, and who signs gets along.
    let signs = "private_key_jwt";
    let by_documents = server["client_id_metadata_document_supported"] == true;
    if by_documents && lists(server, member, signs) && methods.iter().any(|method| method == signs) {
        let says = format!("{says} This caller signs, which cannot be played here.");
        let cure = "List \"none\" too for callers that do not sign, as programs on people's own computers do not.";
        return Check::warning(name, says, cure);
    }
    let cure = match wanted {
        "none" => {
            "List \"none\" there, and take clients without a secret that use PKCE: callers choose by that word whether \
             to be known by their document, and programs on people's own computers can do nothing else."
                .to_owned()
        }
        other => format!("List \"{other}\" there, and take it: that is how this caller proves itself."),
    };
    // Signing is left out: it is for callers known by a document, and those are taken by their first choice.
    if methods.iter().any(|method| method != "private_key_jwt" && takes(method)) {
        Check::warning(name, says, cure)
    } else {
        Check::wrong(name, says, cure)
    }
}

fn judged(server: &Value) -> Vec<Check> {
    let s256 = "Check S256 challenges, and write \"code_challenge_methods_supported\": [\"S256\"] into the metadata: \
                callers that do not read it there give up.";
    let code = "Write \"response_types_supported\": [\"code\"]; RFC 8414 §2 requires the member, and typed readers \
                refuse the document without it.";
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
        Check::warning(
            "metadata.iss",
            "It promises no iss, so callers cannot tell a mix-up, and some take a callback of each connection's own.",
            format!("Send iss with every answer, errors too (RFC 9207 §2), then say {iss}: true."),
        )
    };
    vec![
        listed("metadata.pkce", server, ("code_challenge_methods_supported", "S256"), s256),
        listed("metadata.response_types", server, ("response_types_supported", "code"), code),
        client_documents,
        promised,
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{State, samples::answer};

    #[test]
    fn each_member_is_missed_by_its_own_check() {
        let whole = json!({
            "code_challenge_methods_supported": ["S256"], "response_types_supported": ["code"],
            "client_id_metadata_document_supported": true, "authorization_response_iss_parameter_supported": true,
        });
        assert!(judged(&whole).iter().all(|check| check.state == State::Ok));
        for (member, name) in [
            ("code_challenge_methods_supported", "metadata.pkce"),
            ("response_types_supported", "metadata.response_types"),
            ("client_id_metadata_document_supported", "metadata.client_documents"),
            ("authorization_response_iss_parameter_supported", "metadata.iss"),
        ] {
            let mut server = whole.clone();
            server.as_object_mut().unwrap().remove(member);
            let checks = judged(&server);
            let missed: Vec<&str> =
                checks.iter().filter(|check| check.state != State::Ok).map(|check| check.name).collect();
            assert_eq!(missed, [name]);
        }
    }

    #[test]
    fn a_method_is_missed_by_those_who_have_no_other() {
        let state = |listed: Value, methods: &[&str]| {
            let methods: Vec<String> = methods.iter().map(|method| (*method).to_owned()).collect();
            auth_methods(&listed, &methods).state
        };
        let listed = |methods: &[&str]| json!({ "token_endpoint_auth_methods_supported": methods });
        assert_eq!(state(listed(&["none"]), &["none", "client_secret_post"]), State::Ok);
        assert_eq!(state(listed(&["client_secret_post"]), &["none", "client_secret_post"]), State::Warning);
        assert_eq!(state(listed(&["client_secret_post"]), &["none"]), State::Wrong);
        assert_eq!(state(listed(&["private_key_jwt"]), &["none", "private_key_jwt"]), State::Wrong);
        let mut documents = listed(&["private_key_jwt"]);
        documents["client_id_metadata_document_supported"] = true.into();
        assert_eq!(state(documents.clone(), &["none", "private_key_jwt"]), State::Warning, "it signs");
        assert_eq!(state(documents, &["none"]), State::Wrong);
        assert_eq!(state(json!({}), &["client_secret_post", "client_secret_basic"]), State::Warning, "basic is meant");
    }

    #[test]
    fn keys_are_read_one_by_one_and_never_private() {
        let state = |all: Value| {
            let heard = Ok(answer(200, &[], &json!({ "keys": all }).to_string()));
            let (set, check) = keys(&"https://a.example/jwks".parse().unwrap(), &heard);
            (set.map_or(0, |set| set.keys.len()), check.state)
        };
        let public = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        assert_eq!(state(json!([public, { "of": "another world" }])), (1, State::Ok));
        assert_eq!(state(json!([])), (0, State::Wrong));
        let mut private = public.clone();
        private["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into();
        assert_eq!(state(json!([private])), (0, State::Wrong));
    }
}
