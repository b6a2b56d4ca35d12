//! Guessing passwords: it gets slow, says nothing about who has an account, and locks no owner out.

use chrono::TimeDelta;
use consentry::clock::Clock;

use super::{
    by_hand::{Answer, ByHand},
    sign_in::add,
};
use crate::{
    harness::server::{Options, PASSWORD, World},
    on_both_engines,
};

const ADA: &str = "ada@example.com";

/// Tries a password from a browser that nobody has signed in with.
async fn stranger(world: &World, email: &str, password: &str) -> Answer {
    let browser = ByHand::new();
    let page = browser.get(&world.running, "/sign-in").await;
    browser.sign_in(&world.running, &page, email, password).await
}

async fn fail(world: &World, email: &str, times: usize) {
    for turn in 0..times {
        assert_eq!(stranger(world, email, "a wrong password").await.status, 422, "{email}, turn {turn}");
    }
}

on_both_engines! {
    /// Rows 35 and 42: after ten failures no password is looked at for a while, known address or not, however it is
    /// spelled; the wait ends by itself.
    async fn guessing_gets_slow_and_tells_nothing(engine) {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let mut told = Vec::new();
        let known = [ADA, "ADA@Example.com", " ada@example.com "];
        let unknown = ["nobody@example.com", "NOBODY@example.com", " nobody@example.com"];
        for spellings in [known, unknown] {
            for spelling in spellings {
                fail(&world, spelling, 3).await;
            }
            fail(&world, spellings[0], 1).await;
            for (spelling, password) in spellings.iter().zip(["a wrong password", PASSWORD, PASSWORD]) {
                let answer = stranger(&world, spelling, password).await;
                assert_eq!((answer.status, answer.header("retry-after")), (429, "31"), "{spelling}");
                let body = answer.body.replace(&answer.hidden("csrf"), "");
                told.push(body.replace(&format!("value=\"{spelling}\""), ""));
            }
        }
        assert!(told.iter().all(|body| body == &told[0]), "{told:#?}");
        clock.advance(TimeDelta::seconds(31));
        assert_eq!(stranger(&world, ADA, PASSWORD).await.status, 303);
        fail(&world, ADA, 1).await;
    }

    /// A stranger's failures are not the owner's: a browser that has signed in before has tries of its own, which end
    /// too, and are nobody else's.
    async fn a_stranger_locks_no_owner_out(engine) {
        let world = World::new(engine).await;
        let owners = ByHand::new();
        let page = owners.get(&world.running, "/sign-in").await;
        assert_eq!(owners.sign_in(&world.running, &page, ADA, PASSWORD).await.status, 303);
        let csrf = owners.get(&world.running, "/").await.hidden("csrf");
        owners.post(&world.running, "/sign-out", &[("csrf", &csrf)]).await;
        fail(&world, ADA, 10).await;
        assert_eq!(stranger(&world, ADA, PASSWORD).await.status, 429);
        let page = owners.get(&world.running, "/sign-in").await;
        assert_eq!(owners.sign_in(&world.running, &page, ADA, PASSWORD).await.status, 303, "the owner goes on");
        assert_eq!(stranger(&world, ADA, PASSWORD).await.status, 429, "and the stranger does not by that");
        // The mark is for that account alone.
        fail(&world, "nobody@example.com", 10).await;
        assert_eq!(owners.sign_in(&world.running, &page, "nobody@example.com", "x").await.status, 429);
        for _ in 0..10 {
            assert_eq!(owners.sign_in(&world.running, &page, ADA, "a wrong password").await.status, 422);
        }
        let stolen = owners.sign_in(&world.running, &page, ADA, PASSWORD).await;
        assert_eq!(stolen.status, 429, "a stolen browser guesses no faster");
    }

    /// Whoever signs in with another program's hash has one of ours afterwards.
    async fn an_imported_hash_is_replaced_at_the_first_sign_in(engine) {
        let world = World::new(engine).await;
        let (email, password) = ("bob@example.com", "correct horse battery staple");
        add(&world, email, "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS").await;
        let store = &world.running.server.store;
        let hash = async || store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap().1.expect("a hash");
        assert_eq!(stranger(&world, email, "a wrong password").await.status, 422);
        assert!(hash().await.starts_with("$2b$"));
        assert_eq!(stranger(&world, email, password).await.status, 303);
        let ours = hash().await;
        assert!(ours.starts_with("$argon2id$"), "{ours}");
        assert_eq!(stranger(&world, email, password).await.status, 303);
        assert_eq!(hash().await, ours, "once is enough");
    }
}
