//! Refusals in the audit log: somebody should hear of them, and nobody shall fill the log by causing them.

use chrono::{DateTime, TimeDelta};
use consentry::{clock::Clock, jobs::notes, model::client::Dialect};
use reqwest::Client;

use super::{
    assertions::Victim,
    by_hand::{Answer, ByHand},
};
use crate::{
    harness::{
        connector::Proof,
        program::{Program, make},
        server::{Options, World},
        signer::Signer,
    },
    on_both_engines,
    store::tables::Tables,
};

fn options() -> (Clock, Options) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    (clock.clone(), Options { clock, ..Options::default() })
}

/// What the log tells of these words: who, about what, and what more. An id is never told.
async fn told(world: &World) -> Vec<String> {
    notes::keep(&world.running.server).await.unwrap();
    let lines = "select action || ' by ' || actor || coalesce(' ' || token_name, '')
                        || case when account_id is null then '' else ' account' end
                        || case when client_id is null then '' else ' client' end
                        || case when plugin_id is null then '' else ' plugin' end
                        || case when length(request_id) = 16 then ' from ' || address else '' end
                        || coalesce(' by:' || (detail ->> 'by'), '') || coalesce(' failures:' || (detail ->> 'failures'), '')
                        || coalesce(' ' || (detail ->> 'because'), '') || coalesce(' ' || (detail ->> 'method'), '')
                        || coalesce(' ' || (detail ->> 'scope'), '') || ' times:' || (detail ->> 'times')
                   from audit_events where detail ->> 'times' is not null order by id";
    Tables::of(&world.database).await.lines(lines).await
}

async fn guess(world: &World, client_id: &str) -> u16 {
    let fields = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", "cst_guessed")];
    Client::new().post(format!("{}/token", world.running.url)).form(&fields).send().await.unwrap().status().as_u16()
}

/// Tries a password from a browser that nobody has signed in with.
async fn sign_in(world: &World, email: &str) -> Answer {
    let browser = ByHand::new();
    let page = browser.get(&world.running, "/sign-in").await;
    browser.sign_in(&world.running, &page, email, "a wrong password").await
}

on_both_engines! {
    /// Row 58: the log grows by one event an hour, however often a secret is guessed, and by none for who is unknown.
    async fn guessing_a_clients_secret_does_not_fill_the_log(engine) {
        let (clock, options) = options();
        let world = World::with(engine, options).await;
        let client = world.client(Dialect::Action).await;
        for turn in 0..40 {
            assert_eq!(guess(&world, &client.client_id).await, 401, "{turn}");
            assert_eq!(guess(&world, &format!("nobody-{turn}")).await, 401);
        }
        let first = told(&world).await;
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].starts_with("client.authentication_refused by server client plugin from 127.0.0.1 "), "{first:?}");
        assert!(first[0].ends_with(" times:40"), "{first:?}");
        for _ in 0..25 {
            guess(&world, &client.client_id).await;
            clock.advance(TimeDelta::minutes(2));
            assert_eq!(told(&world).await.len(), 1);
        }
        clock.advance(TimeDelta::minutes(10));
        let second = told(&world).await;
        assert_eq!(second.len(), 2, "{second:?}");
        assert!(second[1].ends_with(" times:25"), "{second:?}");
        clock.advance(TimeDelta::hours(3));
        assert_eq!(told(&world).await.len(), 2, "nothing goes on");
    }

    async fn a_sign_in_that_is_held_is_told_of_once_for_an_account_that_there_is(engine) {
        let (clock, options) = options();
        let world = World::with(engine, options).await;
        for email in ["ada@example.com", "nobody@example.com"] {
            for _ in 0..9 {
                assert_eq!(sign_in(&world, email).await.status, 422);
            }
            assert_eq!(told(&world).await, [""; 0], "nine are nobody's fault");
        }
        for email in ["ada@example.com", "nobody@example.com"] {
            assert_eq!(sign_in(&world, email).await.status, 422);
            assert_eq!(sign_in(&world, email).await.status, 429);
        }
        let held = "account.sign_in_held by server account from 127.0.0.1 by:password failures:10 times:1";
        assert_eq!(told(&world).await, [held]);
        clock.advance(TimeDelta::minutes(1));
        assert_eq!(sign_in(&world, "ada@example.com").await.status, 422);
        assert_eq!(told(&world).await, [held]);
    }

    async fn a_token_for_something_else_is_told_of_under_its_name(engine) {
        let (_, options) = options();
        let world = World::with(engine, options).await;
        let (_, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        let narrow = make(&world.running, account, &["log:read"]).await;
        let program = Program::with(&world.running, narrow.secret.reveal());
        for _ in 0..3 {
            assert_eq!(program.call("GET", "/plugins").await.status, 403);
        }
        let expected = "owner_token.refused by account The build account from 127.0.0.1 plugins:read times:3";
        assert_eq!(told(&world).await, [expected]);
    }

    async fn stolen_refresh_tokens_and_copied_assertions_are_told_of(engine) {
        let (clock, options) = options();
        let victim = Victim::with(engine, Signer::rs256("key-1"), options).await;
        for _ in 0..5 {
            assert_eq!(victim.connector(Proof::Nothing).refresh(&victim.token).await.0, 400);
        }
        let downgrade = "refresh.downgrade_refused by client account client plugin from 127.0.0.1 none times:5";
        assert_eq!(told(&victim.world).await, [downgrade]);
        clock.advance(TimeDelta::seconds(1));
        let assertion = victim.assertion();
        for status in [200, 401, 401] {
            assert_eq!(victim.connector(Proof::Assertion(&assertion)).refresh(&victim.token).await.0, status);
        }
        let lines = told(&victim.world).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].starts_with("client.assertion_replayed by server client"), "{lines:?}");
        assert!(lines[1].ends_with(" from 127.0.0.1 times:2"), "{lines:?}");
    }
}
