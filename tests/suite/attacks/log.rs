//! The log: nothing that opens anything is ever written to it, whatever goes wrong.

use consentry::model::client::Dialect;

use super::{by_hand::ByHand, connecting::Connecting};
use crate::{
    harness::{
        browser::plugin_request,
        log::Details,
        server::{CALLBACK, PASSWORD, Registered, World},
    },
    on_both_engines,
};

/// Whether a secret, or a part of one, is in the log. The beginning alone would do for a search in a log, and a third
/// of a token is no business of it either.
fn is_told(log: &str, secret: &str) -> bool {
    log.contains(secret) || log.contains(&secret[secret.len() / 3..secret.len() * 2 / 3])
}

on_both_engines! {
    /// Row 29: a whole flow with every mistake on the way, at the most talkative level.
    async fn no_secret_is_ever_logged(engine) {
        let listener = Details::listen();
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let action = world.client(Dialect::Action).await;
        let service = world.client(Dialect::Service).await;
        let typed = format!("a mistyped password {}", client.client_id);
        let browser = ByHand::new();
        let start = browser.get(&world.running, &plugin_request(&client)).await.redirect().to_owned();
        let page = browser.get(&world.running, &start).await;
        assert_eq!(browser.sign_in(&world.running, &page, "ada@example.com", &typed).await.status, 422);
        assert_eq!(browser.sign_in(&world.running, &page, "nobody@example.com", &typed).await.status, 422);
        let signed_in = browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let consent = browser.get(&world.running, signed_in.redirect()).await;
        let (r, csrf) = (consent.hidden("r"), consent.hidden("csrf"));
        // Forms and links that are refused, each with something real in it.
        browser.post(&world.running, "/consent", &[("r", &r), ("csrf", "x"), ("decision", "allow")]).await;
        browser.post(&world.running, "/consent", &[("r", &r), ("csrf", &csrf), ("decision", "perhaps")]).await;
        browser.get(&world.running, &format!("/consent?r={r}x")).await;
        ByHand::new().get(&world.running, &format!("/consent?r={r}")).await;
        let code = browser.decide(&world.running, &consent, "allow").await;
        let code: url::Url = code.redirect().parse().unwrap();
        let code = crate::harness::browser::parameter(&code, "code").unwrap();
        // Machines that make every mistake there is.
        let wrong = Registered { client_id: client.client_id.clone(), client_secret: action.client_secret.clone() };
        world.running.redeem(&wrong, &code).await;
        world.running.redeem(&action, &code).await;
        world.running.introspect(&client, &code).await;
        world.running.form("/token", &[("code", &code), ("client_secret", &client.client_secret)]).await;
        let broken = format!("{{\"code\":\"{code}\",\"client_secret\":\"{}\"", client.client_secret);
        for content_type in ["application/json", "text/plain"] {
            let request = reqwest::Client::new().post(format!("{}/token", world.running.url)).body(broken.clone());
            request.header("content-type", content_type).send().await.unwrap();
        }
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        let first = tokens["refresh_token"].as_str().unwrap().to_owned();
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        world.running.introspect(&service, &access).await;
        let (_, next) = world.running.refresh(&client, &first).await;
        let second = next["refresh_token"].as_str().unwrap().to_owned();
        world.running.refresh(&action, &second).await;
        let get = format!("/token?code={code}&refresh_token={second}&client_secret={}", client.client_secret);
        browser.get(&world.running, &get).await;
        let callback = format!("{CALLBACK}?access_token={access}");
        browser.post(&world.running, "/revoke", &[("token", &access), ("redirect_uri", &callback)]).await;
        assert_eq!(world.running.redeem(&client, &code).await.0, 400, "a replay, which is logged");
        world.running.refresh(&client, &second).await;

        let log = listener.written();
        for line in ["The password was not the account's", "The secret is not the client's",
            "did not come from a page of this server", "The code was presented a second time"] {
            assert!(log.contains(line), "the log was heard: {line}");
        }
        let session = browser.cookie("consentry_session").unwrap();
        let mark = browser.cookie("consentry_browser").unwrap();
        let secrets = [
            ("password", PASSWORD), ("mistyped password", &typed), ("r", &r), ("form token", &csrf),
            ("code", &code), ("access token", &access), ("refresh token", &first), ("next refresh token", &second),
            ("client secret", &client.client_secret), ("another client secret", &action.client_secret),
            ("the API's secret", &service.client_secret), ("session", &session), ("browser mark", &mark),
        ];
        for (kind, secret) in secrets {
            assert!(!is_told(&log, secret), "{kind} is in the log");
        }
    }

    /// Row 29: the same of what connectors show, and are shown when they register.
    async fn no_secret_of_a_connector_is_ever_logged(engine) {
        let listener = Details::listen();
        let connecting = Connecting::new(engine).await;
        let secrets = connecting.with_every_mistake().await;
        let log = listener.written();
        for line in [
            "A client registered itself", "a registration access token is not good", "The secret is not the",
        ] {
            assert!(log.contains(line), "the log was heard: {line}");
        }
        for (kind, secret) in secrets {
            assert!(!is_told(&log, &secret), "{kind} is in the log");
        }
    }

    /// Row 29, the other way: what a caller sends stays on its own line of the log.
    async fn nobody_can_write_a_line_of_their_own(engine) {
        let listener = Details::listen();
        let world = World::new(engine).await;
        let line = format!("forged at {}", world.running.url);
        let client_id = format!("x\n{line}\r{line}\u{1b}[31m");
        let nobody = Registered { client_id: client_id.clone(), client_secret: String::new() };
        assert_eq!(world.running.refresh(&nobody, "x").await.0, 401);
        ByHand::new().get(&world.running, &crate::harness::browser::plugin_request(&nobody)).await;
        let foreign = world.client(Dialect::Plugin).await;
        let asked = [("client_id", foreign.client_id.as_str()), ("redirect_uri", &client_id)];
        let asked = crate::harness::browser::authorize(&asked);
        assert_eq!(ByHand::new().get(&world.running, &asked).await.status, 400);
        let log = listener.written();
        let told = log.lines().find(|told| told.contains(&line) && told.contains("a step of a connection was refused"));
        assert!(told.expect("the log was heard").contains("client.address=\"127.0.0.1\""), "it says from where");
        for forged in [format!("\n{line}"), format!("\r{line}"), "\u{1b}".to_owned()] {
            assert!(!log.contains(&forged), "{forged:?} is in the log");
        }
    }
}
