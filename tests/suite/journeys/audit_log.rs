//! The audit log, from the request that something came with to what the operator reads.

use chrono::{DateTime, TimeDelta};
use consentry::{clock::Clock, model::client::Dialect};
use reqwest::Client;

use crate::{
    harness::server::{CALLBACK, Options, Registered, World},
    on_both_engines,
    store::tables::Tables,
};

/// Asks the token endpoint for something; what it answers, and the id it gave the request.
async fn token(world: &World, client: &Registered, grant: &[(&str, &str)]) -> (serde_json::Value, String) {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = Client::new().post(format!("{}/token", world.running.url)).form(&[&own, grant].concat());
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (answer.json().await.unwrap(), id)
}

on_both_engines! {
    /// A connection's birth and its ends are written in statements of their own, on the engine that has those.
    async fn each_event_names_the_request_that_it_came_with(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let code = world.running.code(&client).await;
        let redeem = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
        let (answer, born) = token(&world, &client, &redeem).await;
        let mut tokens = vec![answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()];
        for _ in 0..3 {
            let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.last().unwrap().as_str())];
            let (answer, _) = token(&world, &client, &refresh).await;
            tokens.push(answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
            clock.advance(world.running.server.settings.refresh_grace + TimeDelta::seconds(1));
        }
        let (_, stolen) = token(&world, &client, &[("grant_type", "refresh_token"), ("refresh_token", &tokens[0])]).await;

        clock.advance(TimeDelta::milliseconds(1));
        let again = world.running.code(&client).await;
        let redeem = [("grant_type", "authorization_code"), ("code", again.as_str()), ("redirect_uri", CALLBACK)];
        let (_, second) = token(&world, &client, &redeem).await;
        clock.advance(TimeDelta::milliseconds(1));
        let (_, replayed) = token(&world, &client, &redeem).await;

        let told = "select action || ' ' || coalesce(request_id, '-') from audit_events where action like 'family.%' order by id";
        let lines = Tables::of(&world.database).await.lines(told).await;
        let expected = [("born", born), ("ended", stolen), ("born", second), ("ended", replayed)];
        assert_eq!(lines, expected.map(|(word, id)| format!("family.{word} {id}")));
        let consented = "audit_events where action = 'consent.granted' and length(request_id) = 16";
        assert_eq!(world.database.count(consented).await, 1);
    }
}
