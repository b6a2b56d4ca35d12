//! Any bytes at all: whatever strangers send, the pure readers of it answer and never panic, and what they accept means
//! the same to whoever reads it next. Row 39 of the list; here no server runs, so that thousands of texts cost nothing.
//!
//! Most texts are good ones that were damaged in a few places: of mere noise nearly all fails at its first byte.

use std::sync::LazyLock;

use consentry::{
    model::{
        json::{self, Bounds},
        key_set::KeySet,
        redirect_uri::RedirectUri,
        resource::ResourceIdentifier,
    },
    protocol::{
        client_metadata::{NAME_LENGTH_MAX, REDIRECT_URIS_MAX, check_client_id, read_document, read_registration},
        parameters::Parameters,
        redirect_uri,
    },
    tokens::assertion,
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use crate::harness::{connector, signer::Signer};

/// So many texts each; what is asked of them is quick.
const CASES: u32 = 2000;

/// Pieces that stand for something in one of the grammars, put where nobody expects them.
const PIECES: &str = concat!(
    r#"¦"¦\¦\u0000¦\ud800¦{¦}¦[¦]¦:¦,¦null¦true¦0¦-1¦1e999¦1e308¦=¦&¦%¦%00¦+¦/¦//¦?¦#¦@¦.¦..¦*¦;¦e30¦e30.e30.e30¦"#,
    r#"client_id¦redirect_uris¦"keys":[]¦"kty":"oct"¦"alg":"none"¦"crit":["x"]¦https://¦http://127.1/¦é¦"#,
    "\0¦\n¦\u{202e}¦long long long long long long long long long long long long long long long long long long long",
);

fn one_of(pieces: &'static str) -> impl Strategy<Value = &'static str> {
    select(pieces.split('¦').collect::<Vec<_>>())
}

/// A good text with so many damages, or noise.
fn damaged(good: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        one_of(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..4),
    ];
    let damage = (any::<prop::sample::Index>(), 0..6_usize, piece);
    let damages = (select(good), prop::collection::vec(damage, 0..4)).prop_map(|(mut text, damages)| {
        for (place, length, piece) in damages {
            let start = place.index(text.len() + 1);
            let end = text.len().min(start + length);
            text.splice(start..end, piece);
        }
        text
    });
    prop_oneof![8 => damages, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

/// Addresses, put together from pieces that mean something to a parser.
fn address() -> impl Strategy<Value = String> {
    let scheme = one_of("https://¦HTTPS://¦http://¦https:¦https:/¦https:///¦cursor://¦com.example.app:/¦javascript:¦");
    let authority = prop_oneof![
        one_of("a.example¦A.Example¦a.example.¦a.example:443¦a.example:80¦a.example:8443¦127.0.0.1¦127.1¦localhost:1"),
        one_of("[::1]¦[::ffff:127.0.0.1]:9¦x@a.example¦@a.example¦xn--bcher-kva.example¦b\u{fc}cher.example¦"),
    ];
    let segment = one_of("¦/¦//¦/a¦/A¦/.¦/..¦/%2e%2e¦/%41¦/a b¦/*¦/\u{e4}¦/a;b¦\\");
    let path = prop::collection::vec(segment, 0..4).prop_map(|segments| segments.concat());
    let tail = one_of("¦?¦?a=b¦?a=%41&¦#¦#f¦?#¦??¦/");
    (scheme, authority, path, tail)
        .prop_map(|(scheme, authority, path, tail)| format!("{scheme}{authority}{path}{tail}"))
}

fn holds<S: Strategy>(texts: S, is_right: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&texts, is_right).unwrap_or_else(|error| panic!("{error}"));
}

/// RFC 6749 §5.2: what an `error_description` may hold.
fn is_a_description(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~' if b != b'"' && b != b'\\'))
}

static SIGNERS: LazyLock<[Signer; 3]> = LazyLock::new(|| [Signer::rs256("r"), Signer::es256("e"), Signer::eddsa("d")]);

fn key_sets() -> Vec<Vec<u8>> {
    SIGNERS.iter().map(|signer| signer.key_set().to_string().into_bytes()).collect()
}

/// Row 39.
#[test]
fn no_document_and_no_registration_makes_its_reader_panic() {
    let shapes = connector::shapes().map(|(_, document)| document.to_string().into_bytes());
    let address = connector::CLIENT_ID.parse().unwrap();
    holds(damaged(shapes.into()), |body| {
        for read in [read_document(&address, &body), read_registration(&body).map(|asked| asked.metadata)] {
            match read {
                Ok(told) => {
                    prop_assert!((1..=REDIRECT_URIS_MAX).contains(&told.redirect_uris.len()));
                    prop_assert!((1..=NAME_LENGTH_MAX).contains(&told.name.chars().count()));
                    prop_assert!(!told.methods.is_empty());
                }
                Err(refused) => prop_assert!(is_a_description(&refused.description), "{}", refused),
            }
        }
        Ok(())
    });
}

/// Row 39: and a set that is kept is read back as it was.
#[test]
fn no_key_set_makes_its_reader_panic() {
    holds(damaged(key_sets()), |text| {
        if let Ok(set) = KeySet::parse(&text) {
            prop_assert_eq!(KeySet::parse(set.as_json().as_bytes()), Ok(set));
        }
        Ok(())
    });
}

/// Rows 21 and 39: and none of them is signed but the one that was.
#[test]
fn no_assertion_makes_its_reader_panic() {
    let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let honest: Vec<_> = SIGNERS.iter().map(|signer| signer.assertion("c", "https://a.example", now)).collect();
    let sets = key_sets().iter().map(|text| KeySet::parse(text).unwrap()).collect::<Vec<_>>();
    holds(damaged(honest.iter().map(|text| text.clone().into_bytes()).collect()), |text| {
        let text = String::from_utf8_lossy(&text);
        let _ = assertion::peek(&text);
        for set in &sets {
            match assertion::verify(&text, set, None) {
                Ok(_) => prop_assert!(honest.iter().any(|honest| *honest == text), "{}", text),
                Err(fault) => prop_assert!(is_a_description(&fault.to_string()), "{}", fault),
            }
        }
        Ok(())
    });
}

/// Rows 4 and 39: and what is read is no longer than it may be, and of a form stood there once.
#[test]
fn no_json_and_no_form_makes_its_reader_panic() {
    const BOUNDS: Bounds = Bounds { bytes: 40, depth: 4 };
    let good = [r#"{"a":"b","c":[1,-2.5e3,{"d":null}],"e":true}"#, r#"{"a":"\u00e9\ud83d\ude42"}"#, "a=b&c=%C3%A9&a=d"];
    holds(damaged(good.iter().map(|text| text.as_bytes().to_vec()).collect()), |text| {
        if let Ok(members) = json::object(&text, BOUNDS) {
            prop_assert!(text.len() <= BOUNDS.bytes);
            prop_assert_eq!(serde_json::from_slice(&text).ok(), Some(members));
        }
        for parameters in [Parameters::from_form(&text), Parameters::from_json(&text)].into_iter().flatten() {
            if let Ok(Some(value)) = parameters.one("a", 10) {
                prop_assert!((1..=10).contains(&value.len()), "{}", value);
            }
        }
        if let Ok(parameters) = Parameters::from_form(&text) {
            let count = url::form_urlencoded::parse(&text).filter(|(name, _)| name == "a").count();
            prop_assert!(count < 2 || parameters.one("a", 10).is_err());
        }
        Ok(())
    });
}

/// Rows 2, 3 and 39: what is accepted as a redirect URI is kept, found and told byte for byte.
#[test]
fn a_redirect_uri_goes_round_byte_for_byte() {
    let noise = prop_oneof![6 => address(), 1 => ".{0,40}"];
    holds(noise, |text| {
        let Ok(uri) = text.parse::<RedirectUri>() else { return Ok(()) };
        prop_assert_eq!((uri.as_str(), uri.to_string()), (text.as_str(), text.clone()));
        prop_assert_eq!(redirect_uri::find(std::slice::from_ref(&uri), &text), Some(uri.clone()));
        prop_assert!(!text.contains(['#', '*', ' ', '\\']) && text.is_ascii(), "{}", text);
        prop_assert!(uri.url().username().is_empty() && uri.url().fragment().is_none());
        prop_assert!(!uri.display_host().is_empty());
        Ok(())
    });
}

/// Rows 33 and 39: one resource has one canonical spelling, which is a spelling of it, and stays as it is.
#[test]
fn a_canonical_spelling_is_the_last_one() {
    holds(prop_oneof![6 => address(), 1 => ".{0,40}"], |text| {
        let _ = check_client_id(&text);
        let Ok(identifier) = text.parse::<ResourceIdentifier>() else { return Ok(()) };
        prop_assert_eq!(identifier.as_str(), &text);
        let canonical = identifier.canonical();
        let again = canonical.parse::<ResourceIdentifier>().map(|again| again.canonical());
        prop_assert_eq!(again, Ok(canonical));
        Ok(())
    });
}
