//! Refreshing in a crowd: bursts get one successor, and nothing survives a revocation that overtakes it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use consentry::{clock::Clock, model::client::Dialect};
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, parameter, plugin_request, read},
        server::{Options, Registered, World},
    },
    on_both_engines,
};

/// How many lines are refreshed and revoked at the same time.
const RACES: usize = 48;

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
    (text(&tokens, "access_token"), text(&tokens, "refresh_token"))
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
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
                let given = answer["refresh_token"].as_str();
                assert_eq!((status.as_u16(), given), (200, Some(successor)), "round {round}");
            }
            successor.clone_into(&mut token);
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
        assert_eq!(won.len(), 1, "{answers:?}");
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
        let (http, browser) = (Client::new(), Browser::new(&world.running));
        let mut lines = Vec::new();
        for _ in 0..RACES {
            let left = browser.agree(&plugin_request(&client), "ada@example.com").await;
            let (_, tokens) = world.running.redeem(&client, &parameter(&left, "code").expect("a code")).await;
            lines.push((text(&tokens, "access_token"), text(&tokens, "refresh_token")));
        }
        let races = lines.iter().enumerate().map(async |(number, (_, token))| {
            // Either one first, by a little more or less: what is dangerous is a refresh that has begun when the
            // revocation is made, and is carried out afterwards.
            let lead = |turns: usize| tokio::time::sleep(Duration::from_micros(400 * turns as u64));
            let revocation = async {
                lead((RACES / 4).saturating_sub(number)).await;
                post(&world, &http, "/revoke", &client, &[("token", token)]).await.0
            };
            let refreshes = async {
                lead(number.saturating_sub(RACES / 4)).await;
                join_all((0..2).map(|_| refresh(&world, &http, &client, token))).await
            };
            join(revocation, refreshes).await
        });
        // A few at a time, so that each race is run by those who take part in it.
        let outcomes: Vec<_> = stream::iter(races).buffered(3).collect().await;
        for ((access, _), (status, answers)) in lines.iter().zip(outcomes) {
            assert_eq!(status, 200);
            let mut access_tokens = vec![access.clone()];
            for (_, tokens) in answers.iter().filter(|(status, _)| *status == 200) {
                access_tokens.push(text(tokens, "access_token"));
                let next = refresh(&world, &http, &client, &text(tokens, "refresh_token")).await;
                assert_eq!(next.1["error"], "invalid_grant", "{next:?}");
            }
            for access in access_tokens {
                assert_eq!(world.running.introspect(&service, &access).await.1, json!({ "active": false }));
            }
        }
    }
}
