//! Signing in tells a stranger nothing about who has an account, and a password counts to its last byte.

use std::time::Duration;

use consentry::{
    model::{account::Role, id::AccountId},
    random,
    store::accounts::NewAccount,
};
use tokio::time::Instant;

use super::by_hand::ByHand;
use crate::{harness::server::World, on_both_engines};

/// Adds an account with that hash.
pub async fn add(world: &World, email: &str, password_hash: &str) {
    let at = world.running.server.clock.now();
    let account = NewAccount {
        id: AccountId(random::id(at)),
        email: email.parse().unwrap(),
        name: "Long".into(),
        role: Role::Person,
        password_hash: password_hash.to_owned(),
        at,
    };
    world.running.server.store.add_account(&account, &world.running.operator()).await.unwrap();
}

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

    /// Row 42: without an account there is a password to check all the same, and a wrong one is told at whole quarters
    /// of a second, so that an imported hash, which costs next to nothing here, does not show either. Each kind of
    /// refusal counts with the quickest of its turns, since whatever else the machine does only makes one slower.
    async fn an_unknown_address_takes_as_long_as_a_known_one(engine) {
        let world = World::new(engine).await;
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        let imported = "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS";
        add(&world, "imported@example.com", imported).await;
        let emails = ["ada@example.com", "imported@example.com", "nobody@example.com", "not an address"];
        let mut quickest = [Duration::MAX; 4];
        for _ in 0..6 {
            for (email, quickest) in emails.iter().zip(&mut quickest) {
                let began = Instant::now();
                let answer = browser.sign_in(&world.running, &page, email, "a wrong password").await;
                *quickest = began.elapsed().min(*quickest);
                assert_eq!(answer.status, 422, "{email}");
            }
        }
        assert!(quickest.iter().all(|time| *time >= Duration::from_millis(250)), "{quickest:?}");
        let (least, most) = (quickest.iter().min().unwrap(), quickest.iter().max().unwrap());
        assert!(*least > *most / 3, "{quickest:?}");
    }

    /// Row 24: nothing is cut off, as bcrypt does after 72 bytes and others at a NUL character.
    async fn a_password_counts_to_its_last_byte(engine) {
        let world = World::new(engine).await;
        let server = &world.running.server;
        let browser = ByHand::new();
        let long = "x".repeat(72);
        let with_zero = "correct horse\0battery staple".to_owned();
        let passwords = [format!("{long}a"), format!("{}a", "x".repeat(1000)), with_zero];
        for (number, password) in passwords.iter().enumerate() {
            let email = format!("long{number}@example.com");
            add(&world, &email, &server.passwords.hash_anew(password).await.unwrap()).await;
            let page = browser.get(&world.running, "/sign-in").await;
            let shorter = &password[..password.len() - 1];
            for wrong in [shorter, &format!("{shorter}b"), &format!("{password}a"), &long, "correct horse"] {
                assert_eq!(browser.sign_in(&world.running, &page, &email, wrong).await.status, 422, "{wrong}");
            }
            assert_eq!(browser.sign_in(&world.running, &page, &email, password).await.status, 303, "{password}");
            let csrf = browser.get(&world.running, "/").await.hidden("csrf");
            browser.post(&world.running, "/sign-out", &[("csrf", &csrf)]).await;
        }
    }
}
