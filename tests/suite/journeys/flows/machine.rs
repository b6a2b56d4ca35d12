//! Where the client and the API are: documents, registration, redeeming, refreshing, the first call.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use consentry::model::{
    client::Dialect,
    digest::Digest,
    flow::{Outcome, Step},
    mechanisms::{Mechanisms, Registrants, RegistrationPolicy},
};
use serde_json::{Value, json};

use super::{Recorded, steps};
use crate::{
    attacks::by_hand::ByHand,
    harness::{
        browser::{Browser, parameter, plugin_request},
        connector::{Connector, Proof},
        server::{CALLBACK, Options, Registered},
    },
    on_both_engines,
};

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

impl Recorded {
    /// Tokens that Ada gave to a client.
    async fn connected(&self, client: &Registered) -> (String, String) {
        let code = self.world.running.code(client).await;
        let (status, tokens) = self.world.running.redeem(client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        (text(&tokens, "access_token"), text(&tokens, "refresh_token"))
    }
}

on_both_engines! {
    async fn documents_that_are_not_there_are_told(engine) {
        let recorded = Recorded::new(engine).await;
        let get = async |host: &str, path: &str| {
            let request = reqwest::Client::new().get(format!("{}{path}", recorded.world.running.url));
            request.header("host", host).header("user-agent", "a client/1.0").send().await.unwrap();
        };
        let own = recorded.world.running.server.settings.host.to_string();
        get(&own, "/.well-known/oauth-protected-resource/nothing/here").await;
        get(&own, "/.well-known/oauth-authorization-server/nothing/here").await;
        get("other.example", "/.well-known/ai-plugin.json").await;
        let events = recorded.discoveries().await;
        let said: Vec<_> = events.iter().map(|event| (event.outcome, event.says.as_str())).collect();
        let expected = [
            format!("No resource is registered at {own}/nothing/here; `consentry resource add` registers one."),
            "The server's metadata was looked for at /.well-known/oauth-authorization-server/nothing/here, where it is \
             not."
                .to_owned(),
            "A manifest was looked for on a host that no plugin is served on.".to_owned(),
        ];
        assert_eq!(said, expected.iter().map(|says| (Outcome::Refused, says.as_str())).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.user_agent.as_deref() == Some("a client/1.0")), "{events:#?}");
    }

    async fn a_registration_that_is_refused_says_why(engine) {
        let registration = |registrants: Registrants| Options {
            mechanisms: Mechanisms {
                registration: RegistrationPolicy {
                    registrants,
                    per_minute: NonZeroU32::new(4).unwrap(),
                    ..Mechanisms::default().registration
                },
                ..Mechanisms::default()
            },
            ..Options::default()
        };
        let good = json!({ "redirect_uris": [CALLBACK] });
        let mut recorded = Recorded::with(engine, registration(Registrants::Anybody)).await;
        for (body, why) in [
            (json!({}), "redirect_uris"),
            (json!({ "redirect_uris": ["javascript:alert(1)"] }), "redirect_uris"),
            (json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "magic" }), "token_endpoint_auth_method"),
        ] {
            recorded.world.running.json("/register", &body).await;
            recorded.refused_at(Step::Registration, why).await;
        }
        for number in 0..10 {
            let named = json!({ "redirect_uris": [CALLBACK], "client_name": number.to_string() });
            recorded.world.running.json("/register", &named).await;
        }
        let last = recorded.events().await.pop().unwrap();
        assert_eq!((last.step, last.outcome), (Step::Registration, Outcome::Refused));
        assert!(last.says.contains("registration_rate"), "{last:?}");
        let mut recorded = Recorded::with(engine, registration(Registrants::Nobody)).await;
        recorded.world.running.json("/register", &good).await;
        recorded.refused_at(Step::Registration, "takes no registrations").await;
        let mut recorded = Recorded::with(engine, registration(Registrants::Bearer(Digest::of("x").into()))).await;
        recorded.world.running.json("/register", &good).await;
        recorded.refused_at(Step::Registration, "needs the initial access token").await;
    }

    async fn a_code_that_is_not_redeemed_says_why(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let other = recorded.world.client(Dialect::Plugin).await;
        let wrong = |secret: &Registered| Registered { client_secret: secret.client_secret.clone(), ..client.clone() };
        let unknown = Registered { client_id: "nobody-1f2e".into(), ..client.clone() };
        let secretless = Registered { client_secret: String::new(), ..client.clone() };
        for (who, why) in [
            (wrong(&other), "The secret is not the client's"),
            (unknown, "No client is registered here as \"nobody-1f2e\""),
            (secretless, "authenticated by none; it is registered with client_secret"),
            (other, "given to another client"),
        ] {
            let code = recorded.world.running.code(&client).await;
            recorded.world.running.redeem(&who, &code).await;
            recorded.refused_at(Step::Token, why).await;
        }
        let code = recorded.world.running.code(&client).await;
        recorded.clock.advance(TimeDelta::seconds(90));
        recorded.world.running.redeem(&client, &code).await;
        recorded.refused_at(Step::Token, "s after its end").await;
        let code = recorded.world.running.code(&client).await;
        let elsewhere = [
            ("grant_type", "authorization_code"),
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
            ("code", &code),
            ("redirect_uri", "https://chatgpt.com/another"),
        ];
        recorded.world.running.form("/token", &elsewhere).await;
        recorded.refused_at(Step::Token, "another redirect_uri").await;
        let code = recorded.world.running.code(&client).await;
        assert_eq!(recorded.world.running.redeem(&client, &code).await.0, 200);
        recorded.world.running.redeem(&client, &code).await;
        recorded.refused_at(Step::Token, "a second time").await;
        recorded.world.running.redeem(&client, "Zm9v").await;
        recorded.refused_at(Step::Token, "none this server made").await;
        let fields = [("grant_type", "password"), ("client_id", &client.client_id)];
        recorded.world.running.form("/token", &[&fields[..], &[("client_secret", &client.client_secret)]].concat()).await;
        recorded.refused_at(Step::Token, "unsupported_grant_type").await;
        let code = recorded.world.running.code(&client).await;
        let running = &recorded.world.running;
        running.server.store.disable_client(&client.client_id, &running.operator()).await.unwrap();
        running.redeem(&client, &code).await;
        recorded.refused_at(Step::Token, "The client is disabled").await;
    }

    async fn a_verifier_that_does_not_match_is_told(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Connector).await;
        let connector = Connector {
            client_id: &client.client_id,
            redirect_uri: CALLBACK,
            ..Connector::new(&recorded.world.running, Proof::Nothing)
        };
        let code = connector.code(&[]).await;
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        connector.call("/token", &fields).await;
        recorded.refused_at(Step::Token, "code_verifier is missing").await;
    }

    async fn a_refresh_that_is_refused_says_why(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let other = recorded.world.client(Dialect::Plugin).await;
        let refresh = async |recorded: &Recorded, token: &str, more: &[(&str, &str)]| {
            let own = [
                ("grant_type", "refresh_token"),
                ("client_id", &client.client_id),
                ("client_secret", &client.client_secret),
                ("refresh_token", token),
            ];
            recorded.world.running.form("/token", &[&own, more].concat()).await
        };
        let (_, token) = recorded.connected(&client).await;
        refresh(&recorded, &token, &[("scope", "unknown")]).await;
        recorded.refused_at(Step::Refresh, "none of the scopes named").await;
        let (_, token) = recorded.connected(&client).await;
        refresh(&recorded, &token, &[("resource", "https://other.example/")]).await;
        recorded.refused_at(Step::Refresh, "not the one that was authorized").await;
        let (_, token) = recorded.connected(&client).await;
        recorded.world.running.refresh(&other, &token).await;
        recorded.refused_at(Step::Refresh, "another client's").await;
        let (_, token) = recorded.connected(&client).await;
        let mut next = token.clone();
        for _ in 0..2 {
            next = text(&refresh(&recorded, &next, &[]).await.1, "refresh_token");
            recorded.clock.advance(TimeDelta::minutes(3));
        }
        refresh(&recorded, &token, &[]).await;
        recorded.refused_at(Step::Refresh, "replaced by a newer one").await;
        let (_, token) = recorded.connected(&client).await;
        recorded.clock.advance(TimeDelta::days(120));
        refresh(&recorded, &token, &[]).await;
        recorded.refused_at(Step::Refresh, "idle for too long").await;
        refresh(&recorded, "Zm9v", &[]).await;
        recorded.refused_at(Step::Refresh, "none this server made").await;
    }

    async fn a_first_call_that_fails_says_why(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let service = recorded.world.client(Dialect::Service).await;
        let stranger = recorded.world.client(Dialect::Action).await;
        let asking = async |recorded: &Recorded, token: &str, resource: &str| {
            let request = reqwest::Client::new().post(format!("{}/introspect", recorded.world.running.url));
            let request = request.basic_auth(&service.client_id, Some(&service.client_secret));
            request.form(&[("token", token), ("resource", resource)]).send().await.unwrap().json::<Value>().await.unwrap()
        };
        let inactive = json!({ "active": false });
        let (access, _) = recorded.connected(&client).await;
        assert_eq!(asking(&recorded, &access, "https://other.example/").await, inactive);
        recorded.refused_at(Step::Introspection, "https://other.example, and the token is for").await;
        let (access, _) = recorded.connected(&client).await;
        assert_eq!(recorded.world.running.introspect(&stranger, &access).await.1, inactive);
        recorded.refused_at(Step::Introspection, "not for its API").await;
        let (access, refresh) = recorded.connected(&client).await;
        let (id, secret) = (client.client_id.as_str(), client.client_secret.as_str());
        let lets_go = [("token", refresh.as_str()), ("client_id", id), ("client_secret", secret)];
        assert_eq!(recorded.world.running.form("/revoke", &lets_go).await.0, 200);
        assert_eq!(recorded.world.running.introspect(&service, &access).await.1, inactive);
        recorded.refused_at(Step::Introspection, "has ended").await;
        let (_, refresh) = recorded.connected(&client).await;
        assert_eq!(recorded.world.running.introspect(&service, &refresh).await.1, inactive);
        recorded.refused_at(Step::Introspection, "a refresh token that is old, ended, or another client's").await;
        assert_eq!(recorded.world.running.introspect(&service, "not a token").await.1, inactive);
        recorded.refused_at(Step::Introspection, "no token of this server").await;
        let impostor = Registered { client_secret: client.client_secret.clone(), ..service.clone() };
        let (access, _) = recorded.connected(&client).await;
        recorded.world.running.introspect(&impostor, &access).await;
        recorded.refused_at(Step::Introspection, "The secret is not the client's").await;
    }

    /// A token that has expired is how a client learns to refresh; and whoever is refused once may go on all the same.
    async fn a_connection_that_goes_on_is_not_refused(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let service = recorded.world.client(Dialect::Service).await;
        let (access, refresh) = recorded.connected(&client).await;
        recorded.clock.advance(TimeDelta::minutes(16));
        assert_eq!(recorded.world.running.introspect(&service, &access).await.1, json!({ "active": false }));
        assert_eq!(steps(&recorded.newest().await).last(), Some(&(Step::Token, true)));
        let impostor = Registered { client_secret: service.client_secret.clone(), ..client.clone() };
        assert_eq!(recorded.world.running.refresh(&impostor, &refresh).await.0, 401);
        assert_eq!(recorded.world.running.refresh(&client, &refresh).await.0, 200);
        recorded.clock.advance(TimeDelta::minutes(2));
        assert_eq!(recorded.world.running.refresh(&client, &refresh).await.0, 200);
        let expected = [(Step::Token, true), (Step::Refresh, false), (Step::Refresh, true)];
        assert_eq!(steps(&recorded.events().await)[4..], expected);
    }

    /// What was typed into the wrong field is not kept.
    async fn a_secret_in_the_place_of_the_id_is_not_repeated(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let swapped = Registered { client_id: client.client_secret.clone(), client_secret: client.client_id.clone() };
        recorded.world.running.redeem(&swapped, "x").await;
        recorded.refused_at(Step::Token, "What came as client_id is a client secret").await;
        ByHand::new().get(&recorded.world.running, &plugin_request(&swapped)).await;
        recorded.refused_at(Step::Authorization, "What came as client_id is a client secret").await;
        let kept = format!("{:?}", recorded.events().await);
        assert!(!kept.contains(&client.client_secret[10..30]), "{kept}");
    }

    async fn letting_go_is_told(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let (_, refresh) = recorded.connected(&client).await;
        let (id, secret) = (client.client_id.as_str(), client.client_secret.as_str());
        recorded.world.running.form("/revoke", &[("token", &refresh), ("client_id", id), ("client_secret", secret)]).await;
        assert_eq!(steps(&recorded.newest().await).last(), Some(&(Step::Revocation, true)));
    }

    /// Two answers to one request have codes of their own: whoever redeems both has two connections, and one flow.
    async fn answers_to_one_request_are_told_apart(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&recorded.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        let page = browser.sign_in(&page, "ada@example.com").await.page();
        for _ in 0..2 {
            let code = parameter(&browser.decide(&page, "allow").await.left(), "code").unwrap();
            assert_eq!(recorded.world.running.redeem(&client, &code).await.0, 200);
            recorded.clock.advance(TimeDelta::minutes(1));
        }
        let redeemed = recorded.newest().await.into_iter().filter(|event| event.step == Step::Token).count();
        assert_eq!(redeemed, 2);
    }
}
