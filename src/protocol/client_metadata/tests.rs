//! Documents and registrations: what real clients write, and each way to write it wrong.

use serde_json::{Value, json};

use super::{NotADocumentAddress as No, *};
use crate::model::client::AuthenticationMethod::{self, ClientSecret, PrivateKeyJwt};

const ADDRESS: &str = "https://chatgpt.com/oauth/client.json";

/// ChatGPT's document as it was read on 2026-09-08.
fn live() -> Value {
    json!({
        "client_id": ADDRESS, "client_name": "ChatGPT", "client_uri": "https://chatgpt.com/",
        "logo_uri": "https://persistent.oaistatic.com/sonic/misc/openai-logo.png",
        "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg": "RS256", "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
    })
}

/// ChatGPT's registration request, which has no `scope`.
fn request() -> Value {
    json!({
        "client_name": "ChatGPT", "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

fn with(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}

fn document(changes: &Value) -> Result<ClientMetadata, String> {
    let body = with(live(), changes).to_string();
    read_document(&ADDRESS.parse().unwrap(), body.as_bytes()).map_err(|error| error.to_string())
}

fn registration(changes: &Value) -> Result<Registration, String> {
    read_registration(with(request(), changes).to_string().as_bytes()).map_err(|error| error.to_string())
}

fn methods(list: &[AuthenticationMethod]) -> AuthenticationMethods {
    list.iter().copied().collect()
}

fn inline_keys() -> Value {
    json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "kid": "e",
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY", "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    }]})
}

#[test]
fn methods_have_an_order_of_strength() {
    let all = methods(&AuthenticationMethod::ALL);
    assert!(AuthenticationMethod::None < ClientSecret && ClientSecret < PrivateKeyJwt);
    assert_eq!(all.strongest(), Some(PrivateKeyJwt));
    assert_eq!(all.to_string().parse::<AuthenticationMethods>().unwrap(), all);
    assert_eq!(all.iter().collect::<Vec<_>>(), AuthenticationMethod::ALL);
    assert!(AuthenticationMethods::default().strongest().is_none());
}

#[test]
fn all_three_shapes_of_a_document_are_read() {
    let (one, all) = ("token_endpoint_auth_method", "token_endpoint_auth_methods_supported");
    for (singular, plural, expected) in [
        (json!("none"), Value::Null, vec![AuthenticationMethod::None]),
        (json!("private_key_jwt"), Value::Null, vec![PrivateKeyJwt]),
        (json!("private_key_jwt"), json!(["none", "private_key_jwt"]), vec![AuthenticationMethod::None, PrivateKeyJwt]),
        (json!("none"), json!(["none", "private_key_jwt"]), vec![AuthenticationMethod::None, PrivateKeyJwt]),
        (Value::Null, json!(["private_key_jwt", "tls_client_auth"]), vec![PrivateKeyJwt]),
        (Value::Null, json!(["none"]), vec![AuthenticationMethod::None]),
        (Value::Null, Value::Null, vec![AuthenticationMethod::None]),
    ] {
        let read = document(&json!({ one: singular, all: plural })).unwrap();
        assert_eq!(read.methods, methods(&expected), "{singular} {plural}");
    }
}

#[test]
fn the_live_document_is_read_whole() {
    let read = document(&json!({})).unwrap();
    assert_eq!(read.name, "ChatGPT");
    assert_eq!(read.redirect_uris.len(), 1);
    assert_eq!(read.keys, Keys::Uri("https://chatgpt.com/oauth/jwks.json".parse().unwrap()));
    assert_eq!(read.signing_algorithm, Some(SigningAlgorithm::Rs256));
    assert!(read.lists_refresh_token);
    assert_eq!(read.client_uri.unwrap().as_str(), "https://chatgpt.com/");
    assert_eq!((read.scope, read.tos_uri), (None, None));
}

#[test]
fn a_document_is_forgiven_what_does_no_harm() {
    for changes in [
        json!({ "client_name": null }),
        json!({ "client_name": "  " }),
        json!({ "client_name": null, "redirect_uris": ["http://127.0.0.1/callback"] }),
    ] {
        assert_eq!(document(&changes).unwrap().name, "chatgpt.com", "the host stands for a name that is missing");
    }
    for changes in [
        json!({ "contacts": 7, "x": { "deep": [[[1]]] }, "application_type": "toaster" }),
        json!({ "grant_types": null, "response_types": null }),
        json!({ "grant_types": ["urn:x", "authorization_code"], "response_types": ["code", "token"] }),
        json!({ "policy_uri": "", "tos_uri": null, "scope": "" }),
        json!({ "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback", "a.b:/c"] }),
    ] {
        assert!(document(&changes).is_ok(), "{changes}");
    }
    assert!(!document(&json!({ "grant_types": ["authorization_code"] })).unwrap().lists_refresh_token);
    assert_eq!(document(&json!({ "client_name": " a \u{a0} b " })).unwrap().name, "a b");
    let twice = json!({ "redirect_uris": ["https://a.example/cb", "https://a.example/cb"] });
    assert_eq!(document(&twice).unwrap().redirect_uris.len(), 1);
    let keys = document(&json!({ "jwks_uri": null, "jwks": inline_keys() })).unwrap().keys;
    assert!(matches!(keys, Keys::Inline(_)), "{keys:?}");
}

#[test]
fn whoever_signs_in_a_way_that_is_not_verified_here_is_left_with_its_other_methods() {
    let unknown = json!({ "token_endpoint_auth_signing_alg": "PS256" });
    let read = document(&unknown).unwrap();
    assert_eq!((read.methods, read.signing_algorithm), (AuthenticationMethod::None.into(), None));
}

#[test]
fn keys_that_prove_nothing_here_may_be_of_any_kind() {
    let sets = [
        json!({ "keys": [{ "kty": "EC", "crv": "P-384", "x": "AQ", "y": "AQ" }] }),
        json!({ "keys": [with(inline_keys()["keys"][0].clone(), &json!({ "use": "enc" }))] }),
    ];
    let one = "token_endpoint_auth_method";
    for jwks in sets {
        let public = json!({ "jwks_uri": null, "jwks": jwks, one: "none", (format!("{one}s_supported")): null });
        let foreign = json!({ "jwks_uri": null, "jwks": jwks, "token_endpoint_auth_signing_alg": "PS256" });
        for changes in [public, foreign] {
            let read = document(&changes).unwrap();
            assert_eq!((read.methods, read.keys), (AuthenticationMethod::None.into(), Keys::None), "{changes}");
        }
        let told = document(&json!({ "jwks_uri": null, "jwks": jwks })).unwrap_err();
        assert!(told.contains("jwks.keys has no key that can be used here"), "{told}");
    }
    let secret = json!({ "keys": [{ "kty": "oct", "k": "AQ" }] });
    let told = document(&json!({ "jwks_uri": null, "jwks": secret, one: "none", (format!("{one}s_supported")): null }));
    assert!(told.unwrap_err().contains("secret"), "secrets never");
}

#[test]
fn a_member_that_is_null_is_not_there() {
    let nothing = json!({ "client_secret": null, "client_secret_expires_at": null, "jwks": null, "scope": null });
    assert!(document(&nothing).is_ok(), "some libraries write every member they know");
}

#[test]
fn a_malformed_document_is_refused_by_name() {
    let one = "token_endpoint_auth_method";
    let all = "token_endpoint_auth_methods_supported";
    for (changes, expected) in [
        (json!({ "client_id": null }), "client_id is missing"),
        (json!({ "client_id": 5 }), "client_id is not a text"),
        (json!({ "client_id": "https://chatgpt.com/oauth/client.json?" }), "client_id is not the address"),
        (json!({ "client_secret": "x" }), "client_secret has no place in a document"),
        (json!({ "client_secret_expires_at": 0 }), "client_secret_expires_at has no place in a document"),
        (json!({ one: "client_secret_post", all: null }), "token_endpoint_auth_method has client_secret_post"),
        (json!({ one: null, all: ["none", "client_secret_jwt"] }), "token_endpoint_auth_methods_supported has client_"),
        (json!({ one: "none", all: ["private_key_jwt"] }), "token_endpoint_auth_method is not one of"),
        (json!({ one: "tls_client_auth", all: null }), "token_endpoint_auth_method has nothing that is supported"),
        (json!({ one: null, all: [] }), "token_endpoint_auth_methods_supported has nothing that is supported"),
        (json!({ one: null, all: "none" }), "token_endpoint_auth_methods_supported is not an array of texts"),
        (json!({ one: ["none"] }), "token_endpoint_auth_method is not a text"),
        (
            json!({ all: null, "token_endpoint_auth_signing_alg": "HS256" }),
            "token_endpoint_auth_signing_alg is none of",
        ),
        (json!({ "token_endpoint_auth_signing_alg": 1 }), "token_endpoint_auth_signing_alg is not a text"),
        (json!({ "jwks_uri": null }), "jwks_uri is missing, and jwks too"),
        (json!({ "jwks_uri": "http://a.example/" }), "jwks_uri has the scheme http"),
        (json!({ "jwks": inline_keys() }), "jwks and jwks_uri are both there"),
        (json!({ "jwks_uri": null, "jwks": [] }), "jwks is not an object"),
        (json!({ "jwks_uri": null, "jwks": { "keys": [] } }), "jwks.keys is empty"),
        (json!({ "jwks_uri": null, "jwks": { "keys": [{ "kty": "RSA", "n": "!" }] } }), "jwks.keys[0].n is not base64"),
        (json!({ "jwks_uri": null, "jwks": { "keys": [{ "kty": "RSA", "d": "AQ" }] } }), "jwks.keys[0].d is secret"),
        (json!({ "grant_types": ["refresh_token"] }), "grant_types does not list authorization_code"),
        (json!({ "grant_types": "authorization_code" }), "grant_types is not an array of texts"),
        (json!({ "response_types": ["token"] }), "response_types does not list code"),
        (json!({ "client_name": 5 }), "client_name is not a text"),
        (json!({ "client_name": "Chat\u{202e}TPG" }), "client_name has an invisible character"),
        (json!({ "client_name": "Chat\nGPT" }), "client_name has an invisible character"),
        (json!({ "client_name": "x".repeat(101) }), "client_name has 101 characters"),
        (json!({ "logo_uri": "data:image/png;base64,AA" }), "logo_uri has the scheme data"),
        (json!({ "scope": ["a"] }), "scope is not a text"),
        (json!({ "scope": "a \"b\"" }), "scope: a scope has a character outside"),
    ] {
        let error = document(&changes).unwrap_err();
        let description = error.strip_prefix("invalid_client_metadata: ").unwrap_or(&error);
        assert!(description.starts_with(expected), "{changes}: {error}");
    }
}

#[test]
fn an_address_of_another_kind_does_not_sink_the_others() {
    let listed =
        json!({ "redirect_uris": ["http://a.example/cb", "warp:/cb", "warp://mcp/cb", "https://a.example/cb"] });
    let kept = ["warp://mcp/cb", "https://a.example/cb"];
    let texts = |uris: &[RedirectUri]| uris.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&document(&listed).unwrap().redirect_uris), kept);
    assert_eq!(texts(&registration(&listed).unwrap().metadata.redirect_uris), kept);
}

#[test]
fn redirect_uris_have_an_error_of_their_own() {
    let many: Vec<String> = (0..21).map(|n| format!("https://a.example/{n}")).collect();
    for (uris, expected) in [
        (Value::Null, "redirect_uris is missing"),
        (json!([]), "redirect_uris has 0 entries"),
        (json!(many), "redirect_uris has 21 entries"),
        (json!("https://a.example/cb"), "redirect_uris is not an array of texts"),
        (json!(["https://a.example/cb", 5]), "redirect_uris is not an array of texts"),
        (json!(["https://a.example/cb", "https://a.example/c#d"]), "redirect_uris[1]: 'https://a.example/c#d' has a"),
        (json!(["javascript:alert(1)"]), "redirect_uris[0]: the scheme of 'javascript:alert(1)' is not allowed"),
        (json!(["http://a.example/cb"]), "redirect_uris[0]: 'http://a.example/cb' is plain http"),
        (json!(["warp:/cb", "http://a.example/cb"]), "redirect_uris[0]: the scheme of 'warp:/cb' has no dot"),
        (json!(["https://a.example/cb", "https:b.example/cb"]), "redirect_uris[1]: 'https:b.example/cb' has no host"),
        (json!(["https://a.example/\u{e4}\\"]), "redirect_uris[0]: 'https://a.example/??' has a space"),
    ] {
        let changes = json!({ "redirect_uris": uris });
        for error in [document(&changes).unwrap_err(), registration(&changes).unwrap_err()] {
            let description = error.strip_prefix("invalid_redirect_uri: ").unwrap_or_else(|| panic!("{error}"));
            assert!(description.starts_with(expected), "{error}");
            assert!(description.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{error}");
        }
    }
}

#[test]
fn a_body_that_is_no_object_is_refused_before_it_is_built() {
    let address = ADDRESS.parse().unwrap();
    let long = format!("{{\"x\":\"{}\"}}", "y".repeat(DOCUMENT_BYTES_MAX));
    let deep = format!("{{\"x\":{}", "[".repeat(4000));
    let read = |body: &str| read_document(&address, body.as_bytes()).unwrap_err().description;
    assert_eq!(read(""), "the document is not a JSON object");
    assert_eq!(read("<html>"), "the document is not a JSON object");
    assert_eq!(read(&long), "the document has 5128 bytes; at most 5120 are read");
    assert_eq!(read(&deep), "the document is nested more than 8 levels deep");
    assert_eq!(read(r#"{"client_id":"a","client_id":"b"}"#), "the document has the member client_id twice");
    let deep = "[".repeat(REGISTRATION_BYTES_MAX);
    let error = read_registration(deep.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "invalid_client_metadata: the request is nested more than 8 levels deep");
    let error = read_registration(&vec![b' '; REGISTRATION_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(error.description, "the request has 8193 bytes; at most 8192 are read");
}

#[test]
fn a_client_id_is_an_address_only_in_one_spelling() {
    for good in [
        ADDRESS,
        "https://a.example:8443/c",
        "https://a.example/client.json?token_endpoint_auth_method=none",
        "https://a.example/a//b/...",
        "https://a.example/c/",
    ] {
        assert!(is_document(good) && check_client_id(good).is_ok(), "{good}");
    }
    for (bad, expected) in [
        ("http://a.example/c", No::NotHttps),
        ("HTTPS://a.example/c", No::NotHttps),
        ("client-1", No::NotHttps),
        ("https://a.example", No::NoPath),
        ("https://a.example/", No::NoPath),
        ("https://a.example/?a=/c", No::NoPath),
        ("https://a.example?x", No::NoPath),
        ("https://a.example/c#", No::Fragment),
        ("https://a.example/c#d", No::Fragment),
        ("https://a.example@evil.example/c", No::Userinfo),
        ("https://@a.example/c", No::Userinfo),
        ("https://a.example/../c", No::DotSegment),
        ("https://a.example/./c", No::DotSegment),
        ("https://a.example/b/%2E%2e/c", No::DotSegment),
        ("https://a.example/b/.%2e", No::DotSegment),
        ("https://a.example\\@evil.example/c", No::Unprintable),
        ("https://a.example/c\t", No::Unprintable),
        ("https://a.example/\u{e4}", No::Unprintable),
        ("https://A.example/c", No::Spelling),
        ("https://a.example:443/c", No::Spelling),
        ("https://2130706433/c", No::Spelling),
        ("https:///c", No::Spelling),
        ("https://a.example/c\"", No::Spelling),
    ] {
        assert_eq!(check_client_id(bad), Err(expected), "{bad}");
    }
    let long = format!("https://a.example/{}", "c".repeat(2048));
    assert_eq!(check_client_id(&long), Err(No::TooLong));
}

#[test]
fn registrations_of_real_clients_are_read() {
    let read = registration(&json!({})).unwrap();
    assert_eq!((read.method, read.metadata.name.as_str()), (TokenEndpointAuthMethod::None, "ChatGPT"));
    let callbacks = [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ];
    let read = registration(&json!({ "redirect_uris": callbacks, "application_type": "native" })).unwrap();
    assert_eq!(read.metadata.redirect_uris.len(), 3);
    assert_eq!(read.application_type, Some(ApplicationType::Native));
    let bare = read_registration(br#"{"redirect_uris":["http://127.0.0.1:33418/"]}"#).unwrap();
    assert_eq!(bare.method, TokenEndpointAuthMethod::ClientSecretBasic);
    assert_eq!(bare.metadata.methods, ClientSecret.into());
    assert_eq!(bare.metadata.name, "127.0.0.1:33418");
    assert!(!bare.metadata.lists_refresh_token, "the default is authorization_code alone");
}

#[test]
fn a_registration_may_say_more_than_is_read() {
    let changes = json!({
        "software_id": 5, "software_version": {}, "software_statement": "x.y.z", "contacts": "me", "unknown": [[{}]],
        "client_uri": "", "policy_uri": null, "scope": "b a", "grant_types": ["implicit", "authorization_code"],
        "client_id": "mine", "client_secret": "s",
    });
    let read = registration(&changes).unwrap();
    assert_eq!(read.metadata.scope.unwrap().to_string(), "a b");
    assert_eq!(
        (read.client_id.as_deref(), read.client_secret),
        (Some("mine"), Some(crate::model::digest::Digest::of("s")))
    );
}

#[test]
fn every_method_can_be_registered() {
    for method in TokenEndpointAuthMethod::ALL {
        let changes = json!({ "token_endpoint_auth_method": method.as_str(), "jwks": inline_keys() });
        let read = registration(&changes).unwrap();
        assert_eq!((read.method, read.metadata.methods), (method, method.method().into()));
    }
    let choices = json!(["tls_client_auth", "client_secret_post", "none"]);
    let changes = json!({ "token_endpoint_auth_method": null, "token_endpoint_auth_methods_supported": choices });
    assert_eq!(registration(&changes).unwrap().method, TokenEndpointAuthMethod::ClientSecretPost);
}

#[test]
fn a_malformed_registration_is_refused_by_name() {
    let one = "token_endpoint_auth_method";
    for (changes, expected) in [
        (json!({ one: "client_secret_jwt" }), "token_endpoint_auth_method has nothing that is supported here"),
        (json!({ one: "private_key_jwt" }), "jwks_uri is missing, and jwks too"),
        (json!({ one: 5 }), "token_endpoint_auth_method is not a text"),
        (
            json!({ one: "private_key_jwt", "jwks": inline_keys(), "token_endpoint_auth_signing_alg": "none" }),
            "token_endpoint_auth_signing_alg is none of those supported here",
        ),
        (json!({ "application_type": "service" }), "application_type is neither native nor web"),
        (json!({ "application_type": [] }), "application_type is not a text"),
        (json!({ "client_uri": "javascript:alert(1)" }), "client_uri has the scheme javascript"),
        (json!({ "logo_uri": "data:text/html,x" }), "logo_uri has the scheme data"),
        (json!({ "policy_uri": "http://a.example/" }), "policy_uri has the scheme http"),
        (json!({ "tos_uri": "java\tscript:x" }), "tos_uri has a space"),
        (json!({ "tos_uri": "https://a.example@evil.example/" }), "tos_uri has a user name"),
        (json!({ "client_uri": "/home" }), "client_uri is not an absolute URL"),
        (json!({ "client_uri": format!("https://a.example/{}", "x".repeat(2048)) }), "client_uri is longer"),
        (json!({ "client_id": [] }), "client_id is not a text"),
        (json!({ "grant_types": ["client_credentials"] }), "grant_types does not list authorization_code"),
        (json!({ "response_types": [] }), "response_types does not list code"),
    ] {
        let error = registration(&changes).unwrap_err();
        let description = error.strip_prefix("invalid_client_metadata: ").unwrap_or_else(|| panic!("{error}"));
        assert!(description.starts_with(expected), "{changes}: {error}");
    }
}
