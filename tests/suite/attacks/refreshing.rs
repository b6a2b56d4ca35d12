//! Refreshing in a crowd: bursts get one successor, and nothing survives a revocation that overtakes it.

use chrono::{DateTime, TimeDelta};
use consentry::{clock::Clock, model::client::Dialect};
use futures_util::future::{join, join_all};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::read,
        server::{Options, Registered, World},
    },
    on_both_engines,
};

async fn post(
    world: &World,
    http: &Client,
    path: &str,
    client: &Registered,
    more: &[(&str, &str)],
) -> (StatusCode, Value) {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = http.post(format!("{}{path}", world.running.url)).form(&[&own, more].concat());
    read(request.send().await.expect("an answer")).await
}

async fn refresh(world: &World, http: &Client, client: &Registered, token: &str) -> (StatusCode, Value) {
    post(world, http, "/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

async fn connect(world: &World, client: &Registered) -> (String, String) {
    let (status, tokens) = world.running.redeem(client, &world.running.code(client).await).await;
    assert_eq!(status, 200, "{tokens}");
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

on_both_engines! {
    /// Row 12. Each time the window is over the line turns once, however many ask it to.
    async fn fifty_refreshes_of_one_token_have_one_successor(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let (_, mut token) = connect(&world, &client).await;
        let http = Client::new();
        for round in 0..8 {
            let answers = join_all((0..50).map(|_| refresh(&world, &http, &client, &token))).await;
            let successor = answers[0].1["refresh_token"].as_str().unwrap_or_else(|| panic!("{:?}", answers[0]));
            assert_ne!(successor, token);
            for (status, answer) in &answers {
                assert_eq!((status.as_u16(), answer["refresh_token"].as_str()), (200, Some(successor)), "round {round}");
            }
            token = successor.to_owned();
            clock.advance(world.running.server.settings.refresh_grace + TimeDelta::seconds(1));
        }
    }

    /// Row 12 with no window: one winner, and the race of the others is a replay that ends the family.
    async fn without_a_window_one_refresh_wins(engine) {
        let options = Options { refresh_grace: TimeDelta::zero(), ..Options::default() };
        let world = World::with(engine, options).await;
        let client = world.client(Dialect::Plugin).await;
        let (access, token) = connect(&world, &client).await;
        let http = Client::new();
        let answers = join_all((0..20).map(|_| refresh(&world, &http, &client, &token))).await;
        let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert!(won.len() <= 1, "{answers:?}");
        let service = world.client(Dialect::Service).await;
        assert_eq!(world.running.introspect(&service, &access).await.1, json!({ "active": false }));
        for (_, tokens) in won {
            let again = refresh(&world, &http, &client, tokens["refresh_token"].as_str().unwrap()).await;
            assert_eq!(again.1["error"], "invalid_grant");
        }
    }

    /// Row 13: whichever comes first, after the revocation nothing that was ever handed out is active.
    async fn a_refresh_that_races_a_revocation_leaves_nothing_active(engine) {
        let world = World::new(engine).await;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let http = Client::new();
        for round in 0..4_u64 {
            let (access, token) = connect(&world, &client).await;
            let refreshes = join_all((0..6).map(|_| refresh(&world, &http, &client, &token)));
            let revocation = async {
                // Earlier in some rounds, later in others, so that both orders occur.
                tokio::time::sleep(std::time::Duration::from_millis(round * 3)).await;
                post(&world, &http, "/revoke", &client, &[("token", &token)]).await
            };
            let (answers, (status, _)) = join(refreshes, revocation).await;
            assert_eq!(status, 200);
            let handed_out = answers.iter().filter(|(status, _)| *status == 200).map(|(_, tokens)| tokens);
            let mut access_tokens = vec![access];
            for tokens in handed_out {
                access_tokens.push(tokens["access_token"].as_str().unwrap().to_owned());
                let next = refresh(&world, &http, &client, tokens["refresh_token"].as_str().unwrap()).await;
                assert_eq!(next.1["error"], "invalid_grant", "{next:?}");
            }
            for access in access_tokens {
                assert_eq!(world.running.introspect(&service, &access).await.1, json!({ "active": false }));
            }
        }
    }
}
