//! A client talked down to a weaker way of proving itself: a refresh token is stolen, and whoever has it holds no key.

use chrono::{DateTime, TimeDelta};
use consentry::clock::Clock;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::assertions::{Victim, document};
use crate::{
    harness::{
        connector::{Connector, Proof, publish, refresh_token, shapes},
        databases::Engine,
        log,
        server::Options,
        signer::Signer,
    },
    on_both_engines,
};

/// A victim in whose world time stands still until it is moved.
async fn victim(engine: Engine, refresh_grace: TimeDelta) -> (Victim, Clock) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let options = Options { clock: clock.clone(), refresh_grace, ..Options::default() };
    (Victim::with(engine, Signer::rs256("key-1"), options).await, clock)
}

fn assert_refused((status, told): (StatusCode, Value), case: &str) {
    assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")), "{case}: {told}");
    let why = "the client authenticated by none, but this connection has had private_key_jwt, which the client still \
               offers";
    assert_eq!(told["error_description"], why, "{case}");
}

on_both_engines! {
    /// Row 46. The document offers `none` too; the family does not. Within the window, after it, and without one.
    async fn a_stolen_refresh_token_of_a_client_with_a_key_is_worth_nothing_without_it(engine) {
        for grace in [TimeDelta::minutes(2), TimeDelta::zero()] {
            let (victim, clock) = victim(engine, grace).await;
            let (thief, rightful) = (victim.connector(Proof::Nothing), victim.connector(Proof::Key(&victim.signer)));
            assert_refused(thief.refresh(&victim.token).await, "before it was ever used");
            let (status, told) = victim.connector(Proof::Secret("guess")).refresh(&victim.token).await;
            assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{told}");
            let (status, answer) = rightful.refresh(&victim.token).await;
            assert_eq!(status, StatusCode::OK, "trying cost the victim nothing: {answer}");
            let next = refresh_token(&answer);
            for pause in [TimeDelta::zero(), TimeDelta::seconds(30), TimeDelta::minutes(2)] {
                clock.advance(pause);
                for stolen in [&victim.token, &next] {
                    assert_refused(thief.refresh(stolen).await, &format!("grace {grace}, {pause} later"));
                }
            }
            let (status, answer) = rightful.refresh(&next).await;
            assert_eq!(status, StatusCode::OK, "grace {grace}: {answer}");
        }
    }

    /// Row 46. One that began without a key is held to it from the first time it shows it, whatever that was for.
    async fn a_client_that_begins_to_show_its_key_is_held_to_it(engine) {
        log::listen();
        let (victim, clock) = victim(engine, TimeDelta::minutes(2)).await;
        let (public, rightful) = (victim.connector(Proof::Nothing), victim.connector(Proof::Key(&victim.signer)));
        let first = public.connect().await;
        let (status, answer) = public.refresh(&first).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let second = refresh_token(&answer);
        clock.advance(TimeDelta::seconds(30));
        // Its answer was lost; it asks again, and by now it has a key.
        let (status, again) = rightful.refresh(&first).await;
        assert_eq!((status, refresh_token(&again)), (StatusCode::OK, second.clone()));
        for pause in [0, 30, 61] {
            clock.advance(TimeDelta::seconds(pause));
            for stolen in [&first, &second] {
                assert_refused(public.refresh(stolen).await, &format!("{pause} seconds later"));
            }
        }
        let (status, answer) = rightful.refresh(&second).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // Other tests are heard too, and not one of these lines leaves out from where it came.
        let told = log::told();
        let is_it = |line: &&str| line.contains("Was the refresh token stolen? It was presented, and");
        let mut lines = told.lines().filter(is_it).peekable();
        assert!(lines.peek().is_some(), "the log was heard");
        assert!(lines.all(|line| line.contains(" client.address=")));
    }

    async fn what_the_document_no_longer_offers_is_not_asked_for(engine) {
        let (victim, clock) = victim(engine, TimeDelta::minutes(2)).await;
        let public = victim.connector(Proof::Nothing);
        let turn = async |document: &Value, token: &str| {
            publish(&victim.host, document, &victim.signer);
            clock.advance(TimeDelta::minutes(61));
            public.refresh(token).await
        };
        assert_refused(turn(&document(), &victim.token).await, "both are offered");
        let (status, answer) = turn(&shapes()[0].1, &victim.token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // With the key offered again nothing is asked of it that it has not had since.
        let (status, answer) = turn(&document(), &refresh_token(&answer)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    async fn only_who_holds_the_token_is_told_why(engine) {
        let (victim, _) = victim(engine, TimeDelta::minutes(2)).await;
        let usual = "the refresh token is not good: unknown, ended, or another client's";
        // Another client that could do as well, and does not.
        let other = victim.running().add_client_with_key(&victim.world.plugin, &victim.signer.key_set()).await;
        let both = format!("'none private_key_jwt' where client_id = '{}'", other.client_id);
        victim.world.database.execute(&format!("update clients set authentication_methods = {both}")).await;
        let thief = victim.connector(Proof::Nothing);
        let (status, told) = Connector { client_id: &other.client_id, ..thief }.refresh(&victim.token).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        assert_eq!(told["error_description"], usual, "another client");
        // Letting go asks for no key, and of what has ended nothing is told.
        let (status, told) = thief.call("/revoke", &[("token", &victim.token)]).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let (_, told) = thief.refresh(&victim.token).await;
        assert_eq!(told["error_description"], usual, "ended");
    }
}
