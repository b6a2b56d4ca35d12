//! Client assertions (RFC 7523 §3 point 7) that come a second time: at the same moment, at another endpoint, for
//! another grant, at another node. Each is good once, and what it comes with is as good as before.

use chrono::DateTime;
use consentry::clock::Clock;
use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::assertions::Victim;
use crate::{
    harness::{
        connector::{Connector, Proof, now, refresh_token},
        databases::{Engine, without_postgres},
        log,
        server::{Options, Running},
        signer::Signer,
    },
    on_both_engines,
};

/// What an assertion can be used for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Use {
    Code,
    Refresh,
    Introspect,
    Revoke,
}

const USES: [Use; 4] = [Use::Code, Use::Refresh, Use::Introspect, Use::Revoke];

/// What is brought along, whatever it is for. An assertion of this client with nothing of ours is never used.
struct Brought<'a> {
    code: &'a str,
    token: &'a str,
    /// The token that is revoked.
    given_up: &'a str,
}

impl Use {
    async fn with(self, connector: Connector<'_>, brought: &Brought<'_>) -> (StatusCode, Value) {
        match self {
            Self::Code => connector.redeem(brought.code).await,
            Self::Refresh => connector.refresh(brought.token).await,
            Self::Introspect => connector.call("/introspect", &[("token", brought.token)]).await,
            Self::Revoke => connector.call("/revoke", &[("token", brought.given_up)]).await,
        }
    }
}

fn assert_refused((status, told): &(StatusCode, Value), case: &str) {
    assert_eq!((*status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{case}: {told}");
    assert_eq!(told["error_description"], "client_assertion: its jti has been used before", "{case}");
}

on_both_engines! {
    /// Row 21.
    async fn an_assertion_is_good_once_even_for_fifty_at_the_same_time(engine) {
        let victim = Victim::new(engine).await;
        let assertion = victim.assertion();
        let connector = victim.connector(Proof::Assertion(&assertion));
        let answers = futures_util::future::join_all((0..50).map(|_| connector.refresh(&victim.token))).await;
        let good = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
        assert_eq!(good, 1);
        assert!(answers.iter().all(|(status, told)| *status == StatusCode::OK || told["error"] == "invalid_client"));
        // Nothing of it was taken for a theft of the token.
        let (status, told) = victim.connector(Proof::Key(&victim.signer)).refresh(&victim.token).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }

    /// Row 21. Whatever it was used for, it is used for everything.
    async fn a_used_assertion_serves_no_other_endpoint(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let victim = Victim::with(engine, Signer::rs256("key-1"), Options { clock, ..Options::default() }).await;
        let honest = victim.connector(Proof::Key(&victim.signer));
        let spare = honest.code(&[]).await;
        for first in USES {
            let assertion = victim.assertion();
            let connector = victim.connector(Proof::Assertion(&assertion));
            let (code, given_up) = (honest.code(&[]).await, honest.connect().await);
            let brought = Brought { code: &code, token: &victim.token, given_up: &given_up };
            let (status, told) = first.with(connector, &brought).await;
            assert_eq!(status, StatusCode::OK, "{first:?}: {told}");
            for second in USES {
                let answer = second.with(connector, &Brought { code: &spare, ..brought }).await;
                assert_refused(&answer, &format!("{first:?}, then {second:?}"));
            }
        }
        let (status, told) = honest.redeem(&spare).await;
        assert_eq!(status, StatusCode::OK, "the code is as good as before: {told}");
        let (status, told) = honest.refresh(&victim.token).await;
        assert_eq!(status, StatusCode::OK, "and so is the token: {told}");
    }

    /// Row 21, where nothing but the assertion is consumed.
    async fn a_program_acting_for_itself_uses_an_assertion_once(engine) {
        log::listen();
        let victim = Victim::new(engine).await;
        let client = victim.running().add_service_with_key(&victim.world.plugin, &victim.signer.key_set()).await;
        let honest = Connector { client_id: &client.client_id, ..victim.connector(Proof::Key(&victim.signer)) };
        let grant = [("grant_type", "client_credentials")];
        // Another's: it may ask about it, and must not revoke it.
        let token = [("token", victim.token.as_str())];
        // Of nobody: no longer a token, or never one.
        let gone = [("token", "x")];
        for (path, fields, expected) in [
            ("/token", grant, StatusCode::OK),
            ("/introspect", token, StatusCode::OK),
            ("/introspect", gone, StatusCode::OK),
            ("/revoke", token, StatusCode::BAD_REQUEST),
            ("/revoke", gone, StatusCode::OK),
        ] {
            let running = victim.running();
            let assertion = victim.signer.assertion(&client.client_id, &running.url, now(&running.server));
            let connector = honest.by(Proof::Assertion(&assertion));
            let (status, told) = connector.call(path, &fields).await;
            assert_eq!(status, expected, "{path}: {told}");
            for _ in 0..2 {
                assert_refused(&connector.call("/token", &grant).await, &format!("after {path}"));
            }
        }
        let (status, told) = honest.call("/token", &grant).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        // Whoever runs the server hears of each copy once, and from where it came.
        let told = log::told();
        let of_this = told.lines().filter(|line| line.contains(&client.client_id));
        let lines: Vec<&str> = of_this.filter(|line| line.contains("assertion was presented twice")).collect();
        assert_eq!(lines.len(), 10);
        assert!(lines.iter().all(|line| line.contains("client.address=\"127.0.0.1\"")), "{lines:?}");
    }
}

/// A second node of the victim's server, called under its own address: machine endpoints answer on any host, and the
/// issuer is the shared one.
async fn second_node(victim: &Victim) -> Running {
    let options = Options {
        public_url: Some(victim.running().url.clone()),
        outbound: victim.strangers.settings(),
        ..Options::default()
    };
    let mut second = Running::start(&victim.world.database, options).await;
    second.url.clone_from(&second.own);
    second
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_used_at_one_node_is_refused_at_another() {
    if without_postgres() {
        return;
    }
    let victim = Victim::new(Engine::Postgres).await;
    let second = second_node(&victim).await;
    let assertion = victim.assertion();
    let (status, answer) = victim.connector(Proof::Assertion(&assertion)).refresh(&victim.token).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let there = Connector::new(&second, Proof::Assertion(&assertion));
    assert_refused(&there.refresh(&refresh_token(&answer)).await, "the other node");
    let fresh = victim.assertion();
    let (status, told) = there.by(Proof::Assertion(&fresh)).refresh(&refresh_token(&answer)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_raced_at_two_nodes_is_good_once() {
    if without_postgres() {
        return;
    }
    let victim = Victim::new(Engine::Postgres).await;
    let second = second_node(&victim).await;
    let client = victim.running().add_service_with_key(&victim.world.plugin, &victim.signer.key_set()).await;
    let grant = [("grant_type", "client_credentials")];
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", victim.token.as_str())];
    for round in 0..20 {
        for (client_id, fields) in [(None, &refresh[..]), (Some(client.client_id.as_str()), &grant[..])] {
            let here = victim.connector(Proof::Nothing);
            let here = Connector { client_id: client_id.unwrap_or(here.client_id), ..here };
            let running = victim.running();
            let assertion = victim.signer.assertion(here.client_id, &running.url, now(&running.server));
            let here = here.by(Proof::Assertion(&assertion));
            let there = Connector { running: &second, ..here };
            let (here, there) = join(here.call("/token", fields), there.call("/token", fields)).await;
            let refused = match (here.0, there.0) {
                (StatusCode::OK, _) => there,
                (_, StatusCode::OK) => here,
                _ => panic!("round {round}: {here:?}, {there:?}"),
            };
            assert_refused(&refused, &format!("round {round} for {fields:?}"));
        }
    }
}
