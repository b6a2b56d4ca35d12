//! PKCE (RFC 7636): whoever sends a challenge is held to it, and nothing weaker than S256 is taken for one.

use consentry::model::client::Dialect;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    harness::{
        browser::{Browser, authorize, parameter},
        server::{CALLBACK, Registered, World},
    },
    on_both_engines,
};

// The example of RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn request(client: &Registered, more: &[(&str, &str)]) -> String {
    let own = [("response_type", "code"), ("client_id", client.client_id.as_str()), ("redirect_uri", CALLBACK)];
    authorize(&[&own, more].concat())
}

async fn redeem(world: &World, client: &Registered, code: &str, verifier: Option<&str>) -> (StatusCode, Value) {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.client_id.as_str()),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ];
    if !client.client_secret.is_empty() {
        fields.push(("client_secret", &client.client_secret));
    }
    fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    world.running.form("/token", &fields).await
}

on_both_engines! {
    /// Row 8: for a public client, for one with a secret, and for one that need not use PKCE at all but did.
    async fn a_verifier_left_out_or_wrong_is_refused_and_spoils_nothing(engine) {
        let world = World::new(engine).await;
        for dialect in [Dialect::Connector, Dialect::Custom, Dialect::Plugin] {
            let client = world.client(dialect).await;
            let asked = request(&client, &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
            let left = Browser::new(&world.running).agree(&asked, "ada@example.com").await;
            let code = parameter(&left, "code").expect("a code");
            let other = VERIFIER.replace('d', "e");
            let padded = format!("{VERIFIER}=");
            for verifier in [None, Some(""), Some(CHALLENGE), Some(&other), Some(&padded), Some("short")] {
                let (status, refused) = redeem(&world, &client, &code, verifier).await;
                assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_grant")), "{verifier:?}");
            }
            let (status, tokens) = redeem(&world, &client, &code, Some(VERIFIER)).await;
            assert_eq!(status, 200, "{dialect:?}: {tokens}");
        }
    }

    /// Row 8, the other way: a challenge stripped on the way is noticed by the verifier that comes.
    async fn a_verifier_nobody_announced_is_refused(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let left = Browser::new(&world.running).agree(&request(&client, &[]), "ada@example.com").await;
        let code = parameter(&left, "code").expect("a code");
        let (status, refused) = redeem(&world, &client, &code, Some(VERIFIER)).await;
        assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_grant")));
    }

    /// Row 9.
    async fn only_s256_is_a_method(engine) {
        let world = World::new(engine).await;
        for dialect in [Dialect::Connector, Dialect::Plugin] {
            let client = world.client(dialect).await;
            let browser = Browser::new(&world.running);
            for downgrade in [
                &[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")][..],
                &[("code_challenge", VERIFIER), ("code_challenge_method", "plain")],
                &[("code_challenge", CHALLENGE), ("code_challenge_method", "s256")],
                &[("code_challenge", CHALLENGE), ("code_challenge_method", "S512")],
                &[("code_challenge", CHALLENGE), ("code_challenge_method", "")],
                &[("code_challenge", CHALLENGE)],
                &[("code_challenge_method", "S256")],
                &[("code_challenge", "x"), ("code_challenge_method", "S256")],
                &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="), ("code_challenge_method", "S256")],
            ] {
                let left = browser.get(&request(&client, downgrade)).await.left();
                assert_eq!(parameter(&left, "error").as_deref(), Some("invalid_request"), "{dialect:?} {downgrade:?}");
            }
        }
        let public = world.client(Dialect::Connector).await;
        let left = Browser::new(&world.running).get(&request(&public, &[])).await.left();
        assert_eq!(parameter(&left, "error").as_deref(), Some("invalid_request"), "a public client must use PKCE");
    }
}
