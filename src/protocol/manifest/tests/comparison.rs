//! What is read back, held against what is served.

use serde_json::{Value, json};

use super::{changed, good, plugin, read_on};
use crate::{
    model::{legible::deceives, verification::Outcome},
    protocol::manifest::{Astray, Judgement, judge, may_lead},
};

fn judged(found: &Value) -> Judgement {
    let (words, _) = read_on("api.example.co.uk", &good()).unwrap();
    let plugin = plugin("api.example.co.uk", words.manifest);
    judge(&plugin, "https", "https://api.example.co.uk/x", found.to_string().as_bytes())
}

fn fields(judgement: &Judgement) -> Vec<&str> {
    judgement.findings.iter().map(|finding| finding.field.as_str()).collect()
}

#[test]
fn what_is_read_back_matches_only_with_its_token_and_every_member() {
    assert_eq!((judged(&good()).outcome, judged(&good()).findings), (Outcome::Matches, Vec::new()));
    for (pointer, found, field) in [
        ("/name_for_human", json!("Else"), "name_for_human"),
        ("/auth/client_url", json!("https://api.example.co.uk/oauth/authorize"), "auth.client_url"),
        ("/auth/scope", json!("todo.read"), "auth.scope"),
        ("/api/is_user_authenticated", json!("true"), "api.is_user_authenticated"),
        ("/api/has_user_authentication", json!(true), "api.has_user_authentication"),
        ("/auth.scope", json!(""), "\"auth.scope\""),
        ("/logo_url", json!("http://cdn.example.net/logo.png"), "logo_url"),
        ("/legal_info_url", Value::Null, "legal_info_url"),
    ] {
        let judgement = judged(&changed(pointer, found.clone()));
        assert_eq!((judgement.outcome, fields(&judgement)), (Outcome::Differs, vec![field]), "{pointer}");
        let finding = &judgement.findings[0];
        assert!(judgement.says.contains(field), "{}", judgement.says);
        let text = found.as_str().unwrap_or_default();
        assert!(finding.found.as_ref().is_none_or(|shown| shown.contains(text)), "{pointer}: {finding:?}");
        assert_eq!(finding.found.is_none(), found.is_null());
        assert_ne!(finding.served, finding.found);
    }
    assert!(judged(&changed("/logo_url", json!("http://a.example/l"))).findings[0].says.contains("plain http"));
    // A reader takes null for nothing, and so does this.
    assert_eq!(judged(&changed("/nothing", Value::Null)).outcome, Outcome::Matches);
}

#[test]
fn long_values_are_shown_where_they_part() {
    let long = format!("{}{}", "a".repeat(3000), "the end");
    let mut plugin = plugin("api.example.co.uk", good());
    plugin.manifest["description_for_model"] = json!(format!("{long} here"));
    let there = changed("/description_for_model", json!(format!("{long} there")));
    let judgement = judge(&plugin, "https", "https://a.example/", there.to_string().as_bytes());
    let finding = &judgement.findings[0];
    assert_eq!(finding.served.as_deref(), Some("…aaaaaaaaaaaathe end here"));
    assert_eq!(finding.found.as_deref(), Some("…aaaaaaaaaaaathe end there"));
}

#[test]
fn a_token_is_told_by_its_kind_and_never_shown() {
    let foreign = "9c81f2e7d4b3a6059c81f2e7d4b3a605";
    for (tokens, says, found) in [
        (json!({ "openai": foreign }), "another token", "another token"),
        (json!({ "openai": "d1f4c6e0a2b94f7e8d35b1c09a7e6f2" }), "another token", "another token"),
        (json!({ "openai": "REPLACE_ME" }), "placeholder", "no token"),
        (json!({ "openai": 7 }), "no text", "something that is no text"),
        (json!({ "other": foreign }), "missing", "nothing"),
        (json!({}), "missing", "nothing"),
        (json!([foreign]), "missing", "nothing"),
        (Value::Null, "missing", "nothing"),
    ] {
        let judgement = judged(&changed("/auth/verification_tokens", tokens.clone()));
        assert_eq!(judgement.outcome, Outcome::Differs, "{tokens}");
        assert_eq!(judgement.findings[0].field, "auth.verification_tokens.openai");
        assert!(judgement.findings[0].says.contains(says) && judgement.says.contains(says), "{judgement:?}");
        assert_eq!(judgement.findings[0].found.as_deref(), Some(found));
        let told = format!("{judgement:?}");
        assert!(!told.contains(&foreign[..6]) && !told.contains("d1f4c6"), "{told}");
    }
    // One that is published there and not here is told too, after ours.
    let both = json!({ "openai": "d1f4c6e0a2b94f7e8d35b1c09a7e6f21", "other": foreign });
    let judgement = judged(&changed("/auth/verification_tokens", both));
    assert_eq!((judgement.outcome, fields(&judgement)), (Outcome::Differs, vec!["auth.verification_tokens.other"]));
}

#[test]
fn without_a_token_here_there_is_nothing_to_verify() {
    let mut bare = good();
    bare["auth"]["verification_tokens"] = json!({});
    let (words, _) = read_on("api.example.co.uk", &bare).unwrap();
    let plugin = plugin("api.example.co.uk", words.manifest);
    let judgement = judge(&plugin, "https", "https://api.example.co.uk/x", bare.to_string().as_bytes());
    assert_eq!((judgement.outcome, judgement.findings.len()), (Outcome::NoToken, 0));
    assert!(judgement.says.contains("no verification token yet"), "{}", judgement.says);
}

#[test]
fn what_a_stranger_makes_up_is_short_and_legible() {
    let mut hostile = good();
    hostile["name_for_human"] = json!(format!("\u{202e}{}", "x".repeat(5000)));
    for number in 0..200 {
        hostile[format!("\u{1b}[2J\n{number}{}", "y".repeat(200))] = json!({ "a\u{0}": ["<script>"] });
    }
    let judgement = judged(&hostile);
    assert_eq!(judgement.findings.len(), 31);
    assert!(judgement.findings[30].says.contains("more"), "{judgement:?}");
    for text in judgement.findings.iter().flat_map(|it| [Some(&it.field), Some(&it.says), it.found.as_ref()]).flatten()
    {
        assert!(text.chars().count() <= 500 && !text.chars().any(deceives), "{text:?}");
    }
    assert!(judgement.says.chars().count() < 600 && !judgement.says.chars().any(deceives));
    for (body, says) in [("<html>", "not JSON"), ("[]", "not an object"), ("", "not JSON"), ("{\"a\"", "not JSON")] {
        let (words, _) = read_on("api.example.co.uk", &good()).unwrap();
        let judgement =
            judge(&plugin("api.example.co.uk", words.manifest), "https", "https://a.example/", body.as_bytes());
        assert_eq!(judgement.outcome, Outcome::NoManifest);
        assert!(judgement.says.contains(says), "{}", judgement.says);
    }
}

/// Same, child, `www.` and back; never a parent, a sibling or another domain.
#[test]
fn redirections_are_followed_as_readers_follow_them() {
    let lead = |from: &str, to: &str| may_lead(&from.parse().unwrap(), &to.parse().unwrap());
    for (from, to) in [
        ("https://example.com/a", "https://example.com/b"),
        ("https://example.com/", "https://www.example.com/"),
        ("https://www.example.com/", "https://example.com/"),
        ("https://example.com/", "https://api.example.com/"),
        ("https://api.example.com/", "https://v1.api.example.com/"),
    ] {
        assert_eq!(lead(from, to), Ok(()), "{from} {to}");
    }
    for (from, to) in [
        ("https://api.example.com/", "https://example.com/"),
        ("https://api.example.com/", "https://app.example.com/"),
        ("https://example.com/", "https://example.net/"),
        ("https://example.com/", "https://notexample.com/"),
        ("https://example.com/", "https://example.com.evil.net/"),
        ("https://example.com/", "https://example.com@evil.net/"),
        ("https://a.github.io/", "https://b.github.io/"),
        ("https://example.com/", "https://127.0.0.1/"),
    ] {
        assert_eq!(lead(from, to), Err(Astray::Elsewhere), "{from} {to}");
    }
    for to in ["http://example.com/", "ftp://example.com/", "data:text/html,x", "javascript:alert(1)"] {
        assert_eq!(lead("https://example.com/", to), Err(Astray::NotHttps), "{to}");
    }
}
