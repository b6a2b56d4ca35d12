//! Signing in tells a stranger nothing about who has an account.

use super::by_hand::ByHand;
use crate::{harness::server::World, on_both_engines};

on_both_engines! {
    /// Row 42: a known address with a wrong password and an unknown address get the same page.
    async fn an_unknown_address_is_told_the_same_as_a_known_one(engine) {
        let world = World::new(engine).await;
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        let mut told = Vec::new();
        for email in ["ada@example.com", "ADA@example.com", "nobody@example.com", "ada@example.org", "not an address"] {
            for password in ["a wrong password", "x", &"x".repeat(2000)] {
                let answer = browser.sign_in(&world.running, &page, email, password).await;
                assert!(answer.headers.get("set-cookie").is_none(), "{email}");
                let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
                names.sort();
                let body = answer.body.replace(&format!("value=\"{email}\""), "value=\"\"");
                assert_ne!(body, answer.body, "the page shows what was typed");
                told.push((answer.status, names, body));
            }
        }
        assert_eq!(told[0].0, 422);
        for (index, other) in told.iter().enumerate() {
            assert_eq!(other, &told[0], "attempt {index}");
        }
    }

    /// Row 42, with somebody asking: the request in flight is sealed anew each time, the rest is the same.
    async fn an_unknown_address_is_told_the_same_in_the_middle_of_a_request(engine) {
        let world = World::new(engine).await;
        let client = world.client(consentry::model::client::Dialect::Plugin).await;
        let browser = ByHand::new();
        let start = browser.get(&world.running, &crate::harness::browser::plugin_request(&client)).await;
        let page = browser.get(&world.running, start.redirect()).await;
        let mut told = Vec::new();
        for email in ["ada@example.com", "nobody@example.com"] {
            let answer = browser.sign_in(&world.running, &page, email, "a wrong password").await;
            told.push((answer.status, answer.body.replace(&answer.hidden("r"), "r").replace(email, "email")));
        }
        assert_eq!(told[0].0, 422);
        assert_eq!(told[0], told[1]);
    }
}
