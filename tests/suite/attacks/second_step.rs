//! Between the two steps of signing in: who has shown the password alone is nobody yet, wherever they try, and codes
//! cannot be guessed.

use chrono::TimeDelta;
use consentry::{model::client::Dialect, tokens};

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        browser::plugin_request,
        second_factor::{ADA, Guarded},
        server::PASSWORD,
    },
    on_both_engines,
};

const COOKIE: &str = "consentry_second_step";

/// Shows the password, on the way to a page.
async fn half_way(guarded: &Guarded) -> ByHand {
    let browser = ByHand::new();
    let page = browser.get(&guarded.world.running, "/sign-in").await;
    let answer = browser.sign_in(&guarded.world.running, &page, ADA, PASSWORD).await;
    assert!(answer.status == 303 && answer.redirect().starts_with("/second-step"), "{answer:?}");
    assert!(browser.cookie("consentry_session").is_none() && browser.cookie(COOKIE).is_some());
    assert!(browser.cookie("consentry_device").is_none(), "nor is it a browser anybody has signed in with");
    browser
}

async fn show(guarded: &Guarded, browser: &ByHand, code: &str) -> Answer {
    let csrf = browser.get(&guarded.world.running, "/sign-in").await.hidden("csrf");
    browser.post(&guarded.world.running, "/second-step", &[("csrf", &csrf), ("code", code)]).await
}

on_both_engines! {
    async fn half_way_is_nowhere(engine) {
        let guarded = Guarded::new(engine).await;
        let running = &guarded.world.running;
        let client = guarded.world.client(Dialect::Plugin).await;
        let browser = half_way(&guarded).await;
        let csrf = browser.get(running, "/sign-in").await.hidden("csrf");
        for path in ["/connected-apps", "/sessions", "/security", "/prove"] {
            let answer = browser.get(running, path).await;
            assert!(answer.redirect().starts_with("/sign-in"), "{path}: {answer:?}");
            let fields = [("csrf", csrf.as_str()), ("do", "make-codes"), ("session", "others"), ("code", "000000")];
            let answer = browser.post(running, path, &fields).await;
            assert!(answer.redirect().starts_with("/sign-in"), "{path}: {answer:?}");
        }
        for wanted in ["prove", "add"] {
            let answer = browser.post(running, "/passkey-options", &[("csrf", &csrf), ("for", wanted)]).await;
            assert_eq!(answer.status, 403, "{wanted}");
        }
        let start = browser.get(running, &plugin_request(&client)).await;
        assert!(start.redirect().starts_with("/sign-in"), "{start:?}");
        let consent = browser.get(running, &start.redirect().replace("/sign-in", "/consent")).await;
        assert!(consent.redirect().starts_with("/sign-in"), "{consent:?}");
        // What says that somebody is half way opens as no session and as no request in flight.
        let sealed = browser.cookie(COOKIE).unwrap();
        assert_eq!(browser.get(running, &format!("/consent?r={sealed}")).await.status, 400);
        browser.plant("consentry_session", &sealed);
        assert!(browser.get(running, "/connected-apps").await.redirect().starts_with("/sign-in"));
    }

    async fn half_way_is_for_one_browser_and_ten_minutes(engine) {
        let guarded = Guarded::new(engine).await;
        let browser = half_way(&guarded).await;
        let sealed = browser.cookie(COOKIE).unwrap();
        let other = ByHand::new();
        other.get(&guarded.world.running, "/sign-in").await;
        other.plant(COOKIE, &sealed);
        let code = guarded.next_code();
        assert!(show(&guarded, &other, &code).await.redirect().starts_with("/sign-in"), "another browser's");
        let mut damaged = sealed.clone().into_bytes();
        let last = damaged.len() - 1;
        damaged[last] = if damaged[last] == b'A' { b'B' } else { b'A' };
        browser.plant(COOKIE, std::str::from_utf8(&damaged).unwrap());
        assert!(show(&guarded, &browser, &code).await.redirect().starts_with("/sign-in"), "a damaged one");
        browser.plant(COOKIE, &sealed);
        guarded.clock.advance(TimeDelta::minutes(10));
        let code = guarded.code();
        assert!(show(&guarded, &browser, &code).await.redirect().starts_with("/sign-in"), "one that is too old");
        let browser = half_way(&guarded).await;
        let answer = show(&guarded, &browser, &code).await;
        assert!(answer.redirect() == "/" && browser.cookie("consentry_session").is_some(), "{answer:?}");
        assert!(browser.cookie(COOKIE).is_none(), "it is taken away");
    }

    /// Six digits are a million: after ten failures nothing is looked at for a while, whatever browser they came from.
    async fn codes_cannot_be_guessed(engine) {
        let guarded = Guarded::new(engine).await;
        let code = guarded.next_code();
        let server = &guarded.world.running.server;
        let (account, _) = server.store.account_by_email(&ADA.parse().unwrap()).await.unwrap().unwrap();
        for turn in 0..5 {
            let browser = half_way(&guarded).await;
            // The mark of a browser in which the password alone was shown, before there was a second factor.
            let mark = tokens::device::write(&server.keyring.current(), "", &account, [turn; 16]).unwrap();
            browser.plant("consentry_device", &mark);
            for guess in ["000000", "aaaa-bbbb-cccc-dddd"] {
                assert_eq!(show(&guarded, &browser, guess).await.status, 422, "turn {turn}");
            }
        }
        let browser = half_way(&guarded).await;
        let held = show(&guarded, &browser, &code).await;
        assert_eq!((held.status, held.header("retry-after")), (429, "31"), "the right one is not looked at either");
        let recovery = show(&guarded, &browser, &guarded.recovery_codes[0]).await;
        assert_eq!(recovery.status, 429);
        guarded.clock.advance(TimeDelta::seconds(31));
        assert_eq!(show(&guarded, &browser, &guarded.code()).await.status, 303, "the wait ends by itself");
    }

    /// Whoever has copied the cookies of a browser that was remembered has nothing once it is forgotten, though it is
    /// remembered again.
    async fn a_copied_mark_is_worth_nothing_once_its_browser_is_forgotten(engine) {
        let guarded = Guarded::new(engine).await;
        let running = &guarded.world.running;
        let (owner, thief) = (half_way(&guarded).await, ByHand::new());
        let remember = async |browser: &ByHand| {
            let csrf = browser.get(running, "/sign-in").await.hidden("csrf");
            let code = guarded.next_code();
            let fields = [("csrf", csrf.as_str()), ("code", &code), ("remember", "yes")];
            assert_eq!(browser.post(running, "/second-step", &fields).await.redirect(), "/");
            browser.cookie("consentry_device").unwrap()
        };
        let copied = remember(&owner).await;
        let sign_in = async |browser: &ByHand| {
            let csrf = browser.get(running, "/").await.hidden("csrf");
            browser.post(running, "/sign-out", &[("csrf", &csrf)]).await;
            let page = browser.get(running, "/sign-in").await;
            browser.sign_in(running, &page, ADA, PASSWORD).await.redirect().to_owned()
        };
        thief.plant("consentry_device", &copied);
        let page = thief.get(running, "/sign-in").await;
        assert_eq!(thief.sign_in(running, &page, ADA, PASSWORD).await.redirect(), "/", "so far it is that browser");
        let (account, _) = running.server.store.account_by_email(&ADA.parse().unwrap()).await.unwrap().unwrap();
        running.server.store.forget_devices(account.id, None, &running.operator()).await.unwrap();
        assert_eq!(sign_in(&owner).await, "/second-step?next=");
        assert_ne!(remember(&owner).await, copied);
        assert_eq!(sign_in(&owner).await, "/", "it is remembered again");
        assert_eq!(sign_in(&thief).await, "/second-step?next=", "and its copy is not");
    }

    async fn a_form_of_another_site_shows_no_factor(engine) {
        let guarded = Guarded::new(engine).await;
        let browser = half_way(&guarded).await;
        let code = guarded.next_code();
        for path in ["/second-step", "/prove", "/security", "/passkey", "/passkey-options"] {
            let answer = browser.post(&guarded.world.running, path, &[("csrf", "forged"), ("code", &code)]).await;
            assert_eq!(answer.status, 403, "{path}");
        }
        assert_eq!(show(&guarded, &browser, &code).await.status, 303, "and the code was not used up by that");
    }
}
