//! Second factors as people meet them: an authenticator app, recovery codes, remembered browsers, and showing once more
//! who one is before something that matters.

use chrono::TimeDelta;
use consentry::model::{client::Dialect, scope::Scope};

use crate::{
    harness::{
        browser::{Browser, parameter, plugin_request},
        databases::Engine,
        second_factor::{ADA, Guarded, press, sign_in},
        server::PASSWORD,
    },
    on_both_engines,
};

on_both_engines! {
    async fn a_code_of_the_app_lets_in_once(engine) {
        let guarded = Guarded::new(engine).await;
        let first = guarded.code();
        let (browser, page) = guarded.half_way().await;
        assert!(page.html.contains("name=\"code\"") && !page.html.contains("type=\"password\""), "{}", page.html);
        let show = async |code: &str| {
            press(&browser, &page, "/second-step", &[("next", "connected-apps"), ("code", code)]).await.page()
        };
        for wrong in [first.as_str(), "", "123", "not a code", "000000"] {
            let told = show(wrong).await;
            assert!(told.status == 422 && told.html.contains("That was not right"), "{wrong}: {}", told.html);
        }
        let code = guarded.next_code();
        assert_eq!(show(&code).await.url.path(), "/connected-apps", "a person goes where they wanted to");
        assert_eq!(browser.get("/sessions").await.page().url.path(), "/sessions");
        let (other, page) = guarded.half_way().await;
        let again = press(&other, &page, "/second-step", &[("code", &code)]).await.page();
        assert_eq!(again.status, 422, "the code is used up, in any browser");
    }

    async fn a_recovery_code_stands_in_once(engine) {
        let guarded = Guarded::new(engine).await;
        let written = guarded.recovery_codes[4].to_uppercase().replace('-', "  ");
        let (browser, page) = guarded.half_way().await;
        let fields = [("next", "security"), ("code", written.as_str())];
        let page = press(&browser, &page, "/second-step", &fields).await.page();
        assert!(page.url.path() == "/security" && page.html.contains("9 codes are left"), "{}", page.html);
        let (other, page) = guarded.half_way().await;
        assert_eq!(press(&other, &page, "/second-step", &fields).await.page().status, 422);
    }

    /// The request that brought a person here waits through both steps.
    async fn a_request_goes_on_after_the_second_step(engine) {
        let guarded = Guarded::new(engine).await;
        let client = guarded.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&guarded.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        let step = browser.sign_in(&page, ADA).await.page();
        assert_eq!(step.url.path(), "/second-step");
        let (r, code) = (step.hidden("r"), guarded.next_code());
        let consent = press(&browser, &step, "/second-step", &[("r", &r), ("code", &code)]).await.page();
        assert_eq!(consent.url.path(), "/consent", "{}", consent.html);
        assert!(parameter(&browser.decide(&consent, "allow").await.left(), "code").is_some());
    }

    async fn a_remembered_browser_is_asked_again_when_it_is_forgotten(engine) {
        let guarded = Guarded::new(engine).await;
        let (browser, page) = guarded.half_way().await;
        let code = guarded.next_code();
        press(&browser, &page, "/second-step", &[("code", &code), ("remember", "yes")]).await.page();
        let sign_out = async || {
            let page = browser.get("/").await.page();
            press(&browser, &page, "/sign-out", &[]).await;
        };
        sign_out().await;
        assert_eq!(sign_in(&browser, ADA, "security").await.url.path(), "/security", "the password is enough here");
        let (elsewhere, _) = guarded.half_way().await;
        assert_eq!(elsewhere.get("/sessions").await.page().url.path(), "/sign-in", "and nowhere else");
        sign_out().await;
        guarded.clock.advance(TimeDelta::days(30));
        assert_eq!(sign_in(&browser, ADA, "security").await.url.path(), "/second-step", "not for ever");

        let page = browser.get("/second-step").await.page();
        let code = guarded.next_code();
        let fields = [("next", "security"), ("code", code.as_str()), ("remember", "yes")];
        let page = press(&browser, &page, "/second-step", &fields).await.page();
        assert!(page.html.contains("Remembered browsers"), "{}", page.html);
        let page = press(&browser, &page, "/security", &[("do", "forget-devices"), ("id", "all")]).await.page();
        assert!(!page.html.contains("Remembered browsers"), "{}", page.html);
        sign_out().await;
        assert_eq!(sign_in(&browser, ADA, "security").await.url.path(), "/second-step");
    }

    /// A browser that was left open changes nothing until its owner shows that it is them.
    async fn changes_want_to_know_that_it_is_you(engine) {
        let guarded = Guarded::new(engine).await;
        let browser = &guarded.browser;
        guarded.clock.advance(TimeDelta::minutes(11));
        let page = browser.get("/security").await.page();
        for act in ["remove-app", "make-codes", "set-up-app", "forget-devices", "remove-passkey", "add-passkey"] {
            let asked = press(browser, &page, "/security", &[("do", act)]).await.page();
            assert_eq!(asked.url.path(), "/prove", "{act}");
        }
        assert!(guarded.world.running.server.store.has_factors(guarded.account().await).await.unwrap());
        let asked = press(browser, &page, "/security", &[("do", "remove-app")]).await.page();
        assert!(!asked.html.contains("type=\"password\""), "a password alone puts no other factor in its place");
        let password = [("next", "security"), ("password", PASSWORD)];
        assert_eq!(press(browser, &asked, "/prove", &password).await.page().status, 422);
        let code = guarded.next_code();
        let right = [("next", "security"), ("code", code.as_str())];
        let page = press(browser, &asked, "/prove", &right).await.page();
        assert_eq!(page.url.path(), "/security");
        let page = press(browser, &page, "/security", &[("do", "remove-app")]).await.page();
        assert!(page.html.contains("It was removed") && !page.html.contains("Recovery codes"), "{}", page.html);
        let other = Browser::new(&guarded.world.running);
        assert_eq!(sign_in(&other, ADA, "sessions").await.url.path(), "/sessions", "one step is enough again");
    }

    /// A new password by mail is no second factor: it may be the mail that was stolen.
    async fn a_password_reset_leaves_the_second_step(engine) {
        let guarded = Guarded::new(engine).await;
        let (waiting, page) = guarded.half_way().await;
        let server = &guarded.world.running.server;
        let hash = server.passwords.hash("another password of some length").await.unwrap();
        let operator = guarded.world.running.operator();
        assert!(server.store.set_password(guarded.account().await, &hash, &operator).await.unwrap());
        let code = guarded.next_code();
        let stopped = press(&waiting, &page, "/second-step", &[("code", &code)]).await.page();
        assert_eq!(stopped.url.path(), "/sign-in", "who was half way by the old one begins anew");
        let browser = Browser::new(&guarded.world.running);
        let page = browser.get("/sign-in").await.page();
        let fields = [("email", ADA), ("password", "another password of some length")];
        assert_eq!(press(&browser, &page, "/sign-in", &fields).await.page().url.path(), "/second-step");
    }

    /// The owner of the API wants a second factor for one of its scopes.
    async fn consent_to_some_scopes_wants_a_second_factor(engine) {
        let guarded = Guarded::new(engine).await;
        let scope = Scope { step_up: true, ..Scope::new("todo.write", "Add and remove items") };
        guarded.world.import(|plugin| plugin.scopes.put(scope).unwrap()).await;
        let client = guarded.world.client(Dialect::Plugin).await;
        let browser = &guarded.browser;
        let shown_just_now = browser.get(&plugin_request(&client)).await.page();
        assert_eq!(shown_just_now.url.path(), "/consent");
        guarded.clock.advance(TimeDelta::minutes(11));
        let asked = browser.decide(&shown_just_now, "allow").await.page();
        assert_eq!(asked.url.path(), "/prove", "it was shown too long ago by now");
        assert!(!asked.html.contains("type=\"password\""), "a password is none: {}", asked.html);
        let r = asked.hidden("r");
        let by_password = [("r", r.as_str()), ("password", PASSWORD)];
        assert_eq!(press(browser, &asked, "/prove", &by_password).await.page().status, 422);
        let code = guarded.next_code();
        let consent = press(browser, &asked, "/prove", &[("r", &r), ("code", &code)]).await.page();
        assert_eq!(consent.url.path(), "/consent", "{}", consent.html);
        assert!(parameter(&browser.decide(&consent, "allow").await.left(), "code").is_some());
    }

    /// Who has none sets one up, and goes on from there.
    async fn who_has_no_factor_sets_one_up_on_the_way(engine) {
        let guarded = Guarded::new(engine).await;
        let scope = Scope { step_up: true, ..Scope::new("todo.write", "Add and remove items") };
        guarded.world.import(|plugin| plugin.scopes.put(scope).unwrap()).await;
        let client = guarded.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&guarded.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        let question = browser.sign_in(&page, "grace@example.com").await.page();
        assert_eq!(question.url.path(), "/consent", "she reads it first, and may say no: {}", question.html);
        let page = browser.decide(&question, "allow").await.page();
        assert_eq!(page.url.path(), "/security", "{}", page.html);
        assert!(page.html.contains("wants a second factor") && !page.html.contains("/consent?r="), "{}", page.html);
        let r = page.hidden("r");
        let offer = press(&browser, &page, "/security", &[("r", &r), ("do", "set-up-app")]).await.page();
        let key = crate::harness::second_factor::copied(&offer)[0].replace(' ', "");
        let (state, code) = (offer.hidden("state"), guarded.code_of(&key));
        let fields = [("r", r.as_str()), ("state", &state), ("code", &code), ("do", "confirm-app")];
        let codes = press(&browser, &offer, "/security", &fields).await.page();
        let back = codes.html.split("href=\"").find_map(|rest| rest.strip_prefix("/security?r=")).expect("a way on");
        let page = browser.get(&format!("/security?r={}", back.split('"').next().unwrap())).await.page();
        let on = page.html.split("href=\"").find_map(|rest| rest.strip_prefix("/consent?r=")).expect("a way on");
        let consent = browser.get(&format!("/consent?r={}", on.split('"').next().unwrap())).await.page();
        assert_eq!(consent.url.path(), "/consent");
        assert!(parameter(&browser.decide(&consent, "allow").await.left(), "code").is_some());
    }
}

impl Guarded {
    async fn account(&self) -> consentry::model::id::AccountId {
        let store = &self.world.running.server.store;
        store.account_by_email(&ADA.parse().unwrap()).await.unwrap().unwrap().0.id
    }
}

/// The operator's way for who has lost everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_lets_somebody_in_again() {
    let guarded = Guarded::new(Engine::Sqlite).await;
    let store = &guarded.world.running.server.store;
    assert!(store.remove_factors(guarded.account().await, &guarded.world.running.operator()).await.unwrap());
    let browser = Browser::new(&guarded.world.running);
    assert_eq!(sign_in(&browser, ADA, "sessions").await.url.path(), "/sessions");
}
