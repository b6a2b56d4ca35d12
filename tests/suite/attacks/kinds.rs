//! One kind of sealed, signed or random text presented as another, and requests in flight that were changed.

use consentry::model::client::Dialect;

use super::by_hand::ByHand;
use crate::{
    harness::{
        browser::plugin_request,
        server::{PASSWORD, Registered, World},
    },
    on_both_engines,
};

on_both_engines! {
    /// Row 44: each kind of text is good in its own place and in no other.
    async fn no_kind_of_text_passes_for_another(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let action = world.client(Dialect::Action).await;
        let service = world.client(Dialect::Service).await;
        let browser = ByHand::new();
        let start = browser.get(&world.running, &plugin_request(&client)).await.redirect().to_owned();
        let page = browser.get(&world.running, &start).await;
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let session = browser.cookie("consentry_session").unwrap();
        let mark = browser.cookie("consentry_browser").unwrap();
        let (used, code) = (world.running.code(&client).await, world.running.code(&client).await);
        let (_, tokens) = world.running.redeem(&client, &used).await;
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let secret = client.client_secret.clone();
        let bare = code.strip_prefix("cst_ac_").unwrap().to_owned();
        let dressed = |prefix: &str, text: &str| format!("{prefix}{text}");
        let bare_refresh = refresh.strip_prefix("cst_rt_").unwrap();
        let texts = [
            ("r", r.clone()), ("csrf", csrf.clone()), ("session", session), ("mark", mark), ("code", code.clone()),
            ("access", access.clone()), ("refresh", refresh.clone()), ("secret", secret),
            ("r in a code's clothes", dressed("cst_ac_", &r)),
            ("csrf in a code's clothes", dressed("cst_ac_", &csrf)),
            ("code without its prefix", bare.clone()),
            ("code in a refresh token's clothes", dressed("cst_rt_", &bare)),
            ("refresh token in a code's clothes", dressed("cst_ac_", bare_refresh)),
            ("refresh token without its prefix", bare_refresh.to_owned()),
            ("csrf in a refresh token's clothes", dressed("cst_rt_", &csrf)),
        ];
        for (kind, text) in &texts {
            if *kind != "code" {
                let (status, answer) = world.running.redeem(&client, text).await;
                assert_eq!((status.as_u16(), answer["error"].as_str()), (400, Some("invalid_grant")), "{kind} as code");
            }
            if *kind != "refresh" {
                let (status, answer) = world.running.refresh(&client, text).await;
                // An access token is longer than any refresh token, so it is refused before it is looked at.
                let refused = if text.len() > 512 { "invalid_request" } else { "invalid_grant" };
                assert_eq!((status.as_u16(), answer["error"].as_str()), (400, Some(refused)), "{kind} as refresh token");
            }
            if *kind != "access" {
                let (_, told) = world.running.introspect(&service, text).await;
                assert_eq!(told["active"], false, "{kind} as access token");
            }
            if *kind != "secret" {
                let guess = Registered { client_id: client.client_id.clone(), client_secret: text.clone() };
                assert_eq!(world.running.refresh(&guess, &refresh).await.0, 401, "{kind} as client secret");
                let guess = Registered { client_id: action.client_id.clone(), client_secret: text.clone() };
                assert_eq!(world.running.introspect(&guess, &access).await.0, 401, "{kind} as client secret");
            }
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
        assert_eq!(world.running.redeem(&client, &code).await.0, 200, "the code was never consumed");
        assert_eq!(world.running.refresh(&client, &refresh).await.0, 200, "the refresh token never replayed");
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
