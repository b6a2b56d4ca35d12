//! One kind of sealed, signed or random text presented as another, and requests in flight that were changed.

use consentry::model::client::Dialect;
use reqwest::Client;
use serde_json::json;

use super::{
    by_hand::ByHand,
    connecting::{Connecting, Registrant},
};
use crate::{
    harness::{
        browser::plugin_request,
        connector::{CLIENT_ID, Connector, Proof, now},
        databases::Engine,
        server::{CALLBACK, PASSWORD, Registered, World},
    },
    on_both_engines,
};

/// What is shown for a place, one of each kind that there is, and some in another one's clothes.
struct Kinds {
    connecting: Connecting,
    client: Registered,
    action: Registered,
    service: Registered,
    registrant: Registrant,
    browser: ByHand,
    texts: Vec<(&'static str, String)>,
}

impl Kinds {
    async fn new(engine: Engine) -> Self {
        let connecting = Connecting::new(engine).await;
        let (world, running) = (&connecting.world, connecting.running());
        let client = world.client(Dialect::Plugin).await;
        let action = world.client(Dialect::Action).await;
        let service = world.client(Dialect::Service).await;
        let registrant = connecting.register().await;
        let browser = ByHand::new();
        let start = browser.get(running, &plugin_request(&client)).await.redirect().to_owned();
        let page = browser.get(running, &start).await;
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        browser.sign_in(running, &page, "ada@example.com", PASSWORD).await;
        let (used, code) = (running.code(&client).await, running.code(&client).await);
        let (_, tokens) = running.redeem(&client, &used).await;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        let dressed =
            |prefix: &str, text: &str| format!("{prefix}{}", text.split_at(text.find("cst_").map_or(0, |_| 7)).1);
        let texts = vec![
            ("r in a code's clothes", dressed("cst_ac_", &r)),
            ("csrf in a code's clothes", dressed("cst_ac_", &csrf)),
            ("code without its prefix", dressed("", &code)),
            ("code in a refresh token's clothes", dressed("cst_rt_", &code)),
            ("refresh token in a code's clothes", dressed("cst_ac_", &refresh)),
            ("refresh token without its prefix", dressed("", &refresh)),
            ("csrf in a refresh token's clothes", dressed("cst_rt_", &csrf)),
            ("registration token in a secret's clothes", dressed("cst_cs_", &registrant.token)),
            ("secret in a registration token's clothes", dressed("cst_ra_", &registrant.client_secret)),
            ("registration token in a session's clothes", dressed("cst_ss_", &registrant.token)),
            ("initial token in a registration token's clothes", dressed("cst_ra_", &connecting.initial)),
            ("r", r),
            ("csrf", csrf),
            ("code", code),
            ("access", access),
            ("refresh", refresh),
            ("session", browser.cookie("consentry_session").unwrap()),
            ("mark", browser.cookie("consentry_browser").unwrap()),
            ("secret", client.client_secret.clone()),
            ("registrant's secret", registrant.client_secret.clone()),
            ("registration token", registrant.token.clone()),
            ("initial token", connecting.initial.clone()),
            ("assertion", connecting.signer.assertion(CLIENT_ID, &running.url, now(&running.server))),
        ];
        Self { connecting, client, action, service, registrant, browser, texts }
    }

    /// The text of a kind.
    fn text(&self, kind: &str) -> &str {
        self.texts.iter().find(|(known, _)| *known == kind).map(|(_, text)| text.as_str()).unwrap()
    }

    /// A text where no client has proven itself yet.
    async fn is_no_proof(&self, kind: &str, text: &str) {
        let (running, refresh) = (self.connecting.running(), self.text("refresh"));
        if kind != "secret" {
            let guess = Registered { client_id: self.client.client_id.clone(), client_secret: text.to_owned() };
            assert_eq!(running.refresh(&guess, refresh).await.0, 401, "{kind} as client secret");
            let guess = Registered { client_id: self.action.client_id.clone(), client_secret: text.to_owned() };
            assert_eq!(running.introspect(&guess, self.text("access")).await.0, 401, "{kind} as client secret");
        }
        if kind != "registrant's secret" {
            let connector =
                Connector { client_id: &self.registrant.client_id, ..Connector::new(running, Proof::Basic(text)) };
            assert_eq!(connector.refresh(refresh).await.0, 401, "{kind} as a registered client's secret");
        }
        if kind != "assertion" {
            let connector = Connector::new(running, Proof::Assertion(text));
            assert_eq!(connector.refresh(refresh).await.0, 401, "{kind} as assertion");
        }
    }

    /// A text where registrations are made and managed.
    async fn is_no_registration(&self, kind: &str, text: &str) {
        let (http, url) = (Client::new(), format!("{}/register", self.connecting.running().url));
        let body = json!({ "redirect_uris": [CALLBACK], "client_id": self.registrant.client_id });
        if kind != "initial token" {
            let answer = http.post(&url).bearer_auth(text).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{kind} as initial token");
        }
        if kind != "registration token" {
            let own = format!("{url}/{}", self.registrant.client_id);
            for request in [http.get(&own), http.put(&own).json(&body), http.delete(&own)] {
                let answer = request.bearer_auth(text).send().await.unwrap();
                assert_eq!(answer.status(), 401, "{kind} as registration token");
            }
        }
    }
}

on_both_engines! {
    /// Row 44: each kind of text is good in its own place and in no other.
    async fn no_kind_of_text_passes_for_another(engine) {
        let kinds = Kinds::new(engine).await;
        let Kinds { connecting, client, service, browser, texts, .. } = &kinds;
        let world = &connecting.world;
        for (kind, text) in texts {
            if *kind != "code" {
                let (status, answer) = world.running.redeem(client, text).await;
                assert_eq!((status.as_u16(), answer["error"].as_str()), (400, Some("invalid_grant")), "{kind} as code");
            }
            if *kind != "refresh" {
                let (status, answer) = world.running.refresh(client, text).await;
                // An access token is longer than any refresh token, so it is refused before it is looked at.
                let refused = if text.len() > 512 { "invalid_request" } else { "invalid_grant" };
                let told = (status.as_u16(), answer["error"].as_str());
                assert_eq!(told, (400, Some(refused)), "{kind} as refresh token");
            }
            if *kind != "access" {
                let (_, told) = world.running.introspect(service, text).await;
                assert_eq!(told["active"], false, "{kind} as access token");
            }
            kinds.is_no_proof(kind, text).await;
            kinds.is_no_registration(kind, text).await;
            if *kind != "session" {
                let visitor = ByHand::new();
                visitor.plant("consentry_session", text);
                let home = visitor.get(&world.running, "/").await;
                assert!(!home.body.contains("ada@example.com"), "{kind} as session");
            }
            if *kind != "r" {
                for page in ["/consent", "/sign-in"] {
                    let answer = browser.get(&world.running, &format!("{page}?r={text}")).await;
                    assert_eq!(answer.status, 400, "{kind} as r");
                }
            }
            if *kind != "csrf" {
                let answer = browser.post(&world.running, "/sign-out", &[("csrf", text)]).await;
                assert!(matches!(answer.status, 400 | 403), "{kind} as form token");
            }
        }
        assert_eq!(world.running.redeem(client, kinds.text("code")).await.0, 200, "the code was never consumed");
        let (status, _) = world.running.refresh(client, kinds.text("refresh")).await;
        assert_eq!(status, 200, "the refresh token never replayed");
        let url = format!("{}/register/{}", world.running.url, kinds.registrant.client_id);
        let own = Client::new().get(url).bearer_auth(&kinds.registrant.token).send().await.unwrap();
        assert_eq!(own.status(), 200, "the registration neither changed nor ended");
    }

    /// Row 28: a request in flight that was changed is no request.
    async fn a_changed_request_in_flight_is_shown_an_error(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let start = browser.get(&world.running, &plugin_request(&client)).await.redirect().to_owned();
        let r = start.split_once("?r=").unwrap().1.to_owned();
        assert_eq!(browser.get(&world.running, &start).await.status, 200);
        for position in (0..r.len()).step_by(7).chain([r.len() - 1]) {
            let mut changed = r.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let answer = browser.get(&world.running, &format!("/sign-in?r={changed}")).await;
            assert_eq!((answer.status, answer.location()), (400, None), "position {position}");
        }
        for changed in [&r[1..], &r[..r.len() - 1], &r[..r.len() / 2], &format!("{r}="), &format!("{r}A"), "AA"] {
            let answer = browser.get(&world.running, &format!("/sign-in?r={changed}")).await;
            assert_eq!((answer.status, answer.location()), (400, None), "{changed}");
        }
    }

    /// Row 28: what was allowed when the request began is checked again at every step.
    async fn a_client_disabled_meanwhile_gets_nothing(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let start = browser.get(&world.running, &plugin_request(&client)).await.redirect().to_owned();
        let page = browser.get(&world.running, &start).await;
        let signed_in = browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let consent = browser.get(&world.running, signed_in.redirect()).await;
        let audit = world.running.operator();
        world.running.server.store.disable_client(&client.client_id, &audit).await.unwrap().expect("the client");
        for answer in [
            browser.get(&world.running, &start).await,
            browser.get(&world.running, signed_in.redirect()).await,
            browser.decide(&world.running, &consent, "allow").await,
        ] {
            assert_eq!((answer.status, answer.location()), (400, None), "{}", answer.body);
        }
    }
}
