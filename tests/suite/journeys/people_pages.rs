//! The pages around one-time links, as a person meets them: the address is typed, the mail is read from a real mail
//! server, and its link is opened, looked at and used once.

use consentry::{
    model::{audit::Origin, client::Dialect, digest::Digest},
    server::people::{Asker, Change, Person, ask_to_change_email},
};

use super::people::Town;
use crate::{
    harness::{
        aside::at_once,
        browser::{Arrived, Browser, Page, parameter, plugin_request},
        chromium::Chromium,
        databases::Engine,
        landing::Landing,
        server::PASSWORD,
        smtp::link,
    },
    on_both_engines,
};

const NEW: &str = "seven unlikely herons disagree";

/// Types an address where a link can be had.
async fn ask_for_mail(browser: &Browser, page: &Page, path: &str, email: &str) -> Page {
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    browser.post(path, &[("r", &r), ("csrf", &csrf), ("email", email)]).await.page()
}

/// Presses the button of a page that a link has opened.
async fn use_link(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Arrived {
    let (link, csrf) = (page.hidden("link"), page.hidden("csrf"));
    let path = page.url.path().to_owned();
    browser.post(&path, &[&[("link", link.as_str()), ("csrf", &csrf)][..], fields].concat()).await
}

/// Opens the link of the newest mail to an address.
async fn open_mail(town: &Town, browser: &Browser, email: &str) -> Page {
    let (url, secret) = link(&town.mail_to(email).await);
    browser.get(&format!("{url}?link={secret}")).await.page()
}

on_both_engines! {
    async fn a_person_without_an_account_makes_one_and_goes_on(engine) {
        let town = Town::new(engine).await;
        let client = town.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        assert!(page.html.contains("/sign-up?r=") && page.html.contains("/reset-password?r="), "{}", page.html);
        let page = browser.get(&format!("/sign-up?r={}", page.hidden("r"))).await.page();
        let wrong = ask_for_mail(&browser, &page, "/sign-up", "no address").await;
        assert!(wrong.status == 422 && wrong.html.contains("no email address"), "{}", wrong.html);
        let told = ask_for_mail(&browser, &page, "/sign-up", "joan@example.com").await;
        assert!(told.html.contains("Look into your mail") && told.html.contains("joan@example.com"), "{}", told.html);

        let choose = open_mail(&town, &browser, "joan@example.com").await;
        assert!(choose.html.contains("Make your account"), "{}", choose.html);
        // Opened again, as programs that look through mail do: nothing is used up by that.
        assert_eq!(browser.get(choose.url.as_str()).await.page().status, 200);
        for (name, password, words) in [
            ("Joan", "short", "too short"),
            ("Joan", "passwordpassword", "first that anybody would guess"),
            ("\u{202e}", NEW, "write your name"),
        ] {
            let again = use_link(&browser, &choose, &[("name", name), ("password", password)]).await.page();
            assert!(again.status == 422 && again.html.contains(words), "{words}: {}", again.html);
        }
        let consent = use_link(&browser, &choose, &[("name", "Joan"), ("password", NEW)]).await.page();
        assert_eq!(consent.url.path(), "/consent", "the request that began it goes on: {}", consent.html);
        assert!(consent.html.contains("joan@example.com"));
        assert!(parameter(&browser.decide(&consent, "allow").await.left(), "code").is_some());
        let used = use_link(&browser, &choose, &[("name", "Joan"), ("password", NEW)]).await.page();
        assert!(used.status == 410 && used.html.contains("no longer good"), "{}", used.html);
    }

    /// Mail is read on another device often enough: the account is made there, and what waits stays where it began.
    async fn a_link_may_be_opened_in_another_browser(engine) {
        let town = Town::new(engine).await;
        let client = town.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        let page = browser.get(&format!("/sign-up?r={}", page.hidden("r"))).await.page();
        ask_for_mail(&browser, &page, "/sign-up", "joan@example.com").await;
        let elsewhere = Browser::new(&town.world.running);
        let choose = open_mail(&town, &elsewhere, "joan@example.com").await;
        let home = use_link(&elsewhere, &choose, &[("name", "Joan"), ("password", NEW)]).await.page();
        assert!(home.url.path() == "/" && home.html.contains("Joan"), "{}", home.html);
        assert_eq!(browser.get("/connected-apps").await.page().url.path(), "/sign-in", "here nobody is signed in");
    }

    /// Must be so on both engines: a link that is clicked fifty times at once sets one password.
    async fn of_fifty_clicks_on_a_reset_one_works(engine) {
        let town = Town::new(engine).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get("/reset-password").await.page();
        ask_for_mail(&browser, &page, "/reset-password", "ada@example.com").await;
        let choose = open_mail(&town, &browser, "ada@example.com").await;
        let (link, csrf) = (choose.hidden("link"), choose.hidden("csrf"));
        let (http, url) = (browser.http.clone(), format!("{}/reset-password", town.world.running.url));
        let statuses = at_once(50, move |number| {
            let (http, url, password) = (http.clone(), url.clone(), format!("{NEW} {number}"));
            let fields = [("link", link.clone()), ("csrf", csrf.clone()), ("password", password)];
            async move { http.post(url).form(&fields).send().await.unwrap().status().as_u16() }
        })
        .await;
        let won: Vec<_> = (0..50).filter(|number| statuses[*number] == 200).collect();
        assert_eq!(won.len(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 410].contains(status)), "{statuses:?}");
        assert!(town.knows("ada@example.com", &format!("{NEW} {}", won[0])).await);
        assert!(!town.knows("ada@example.com", PASSWORD).await);
    }

    async fn a_link_is_good_for_its_own_page_alone_and_for_no_forged_form(engine) {
        let town = Town::new(engine).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get("/reset-password").await.page();
        ask_for_mail(&browser, &page, "/reset-password", "ada@example.com").await;
        let choose = open_mail(&town, &browser, "ada@example.com").await;
        let link = choose.hidden("link");
        let elsewhere = browser.get(&format!("/change-email?link={link}")).await.page();
        assert_eq!(elsewhere.url.path(), "/sign-in", "that is for who has signed in, whatever the link is");
        for path in ["/sign-up", "/invitation", "/verify-email", "/restore-email"] {
            assert_eq!(browser.get(&format!("{path}?link={link}")).await.page().status, 410, "{path}");
            let fields = [("link", link.as_str()), ("csrf", &choose.hidden("csrf")), ("name", "Eve"), ("password", NEW)];
            assert_eq!(browser.post(path, &fields).await.page().status, 410, "{path}");
        }
        for path in ["/invitation", "/verify-email", "/change-email", "/restore-email"] {
            assert_eq!(browser.get(path).await.page().status, 404, "{path} asks nobody for an address");
        }
        let forged = [("link", link.as_str()), ("csrf", "forged"), ("password", NEW)];
        assert_eq!(browser.post("/reset-password", &forged).await.page().status, 403);
        let nothing = browser.post("/reset-password", &[("csrf", "forged"), ("email", "ada@example.com")]).await.page();
        assert_eq!(nothing.status, 403);
        assert!(town.knows("ada@example.com", PASSWORD).await);
    }

    /// Whoever reads the mail of a change that a stranger asked for is not led into saying yes to it: the page is for who
    /// has signed in to that account, and leads there first.
    async fn an_address_is_confirmed_in_its_own_account(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        let (ada, _) = server.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
        let person = Person { id: ada.id, session: Digest::of("here"), origin: Origin::default() };
        let to = "grace.hopper@example.com".parse().unwrap();
        let asked = ask_to_change_email(server, &person, PASSWORD, &to, &Asker::default()).await.unwrap();
        assert_eq!(asked, Change::Done);
        let (url, secret) = link(&town.mail_to("grace.hopper@example.com").await);
        let sign_in = async |email: &str| {
            let browser = Browser::new(&town.world.running);
            let page = browser.get(&format!("{url}?link={secret}")).await.page();
            assert_eq!((page.url.path(), page.hidden("next")), ("/sign-in", format!("change-email.{secret}")));
            let unasked = [("link", secret.as_str()), ("csrf", &page.hidden("csrf"))];
            assert_eq!(browser.post("/change-email", &unasked).await.page().url.path(), "/sign-in");
            let (csrf, next) = (page.hidden("csrf"), page.hidden("next"));
            let fields = [("csrf", csrf.as_str()), ("next", &next), ("email", email), ("password", PASSWORD)];
            let page = browser.post("/sign-in", &fields).await.page();
            assert_eq!(page.url.path(), "/change-email");
            (browser, page)
        };
        let (grace, page) = sign_in("grace@example.com").await;
        assert!(page.status == 410 && !page.html.contains("name=\"link\""), "{}", page.html);
        let csrf = grace.get("/").await.page().hidden("csrf");
        let answer = grace.post("/change-email", &[("link", secret.as_str()), ("csrf", &csrf)]).await.page();
        assert_eq!(answer.status, 410);
        let (ada, page) = sign_in("ada@example.com").await;
        let done = use_link(&ada, &page, &[]).await.page();
        assert!(done.status == 200 && done.html.contains("has this address now"), "{}", done.html);
        assert!(town.knows("grace.hopper@example.com", PASSWORD).await);
    }

    /// What is told, and how often one may ask, does not depend on who has an account.
    async fn asking_tells_nothing_and_is_counted(engine) {
        let town = Town::new(engine).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get("/reset-password").await.page();
        let told = async |email: &str| {
            let told = ask_for_mail(&browser, &page, "/reset-password", email).await;
            (told.status.as_u16(), told.html.replace(email, "ADDRESS"))
        };
        let known = told("ada@example.com").await;
        assert_eq!(known.0, 200);
        assert_eq!(told("nobody@example.com").await, known);
        let fields = [("r", page.hidden("r")), ("csrf", page.hidden("csrf")), ("email", "nobody@example.com".to_owned())];
        let mut counts = Vec::new();
        for _ in 0..80 {
            let post = browser.http.post(format!("{}/reset-password", town.world.running.url)).form(&fields);
            let answer = post.header("x-forwarded-for", "198.51.100.7").send().await.unwrap();
            counts.push(answer.status().as_u16());
        }
        assert!(counts[0] == 200 && counts[79] == 429, "{counts:?}");
    }
}

/// In a real browser, with the mail from a real mail server: sign up, say yes, look at what is connected, end it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_signs_up_consents_and_disconnects() {
    let town = Town::new(Engine::Sqlite).await;
    let (running, landing) = (&town.world.running, Landing::page());
    let callback = landing.url("/callback");
    let client = running.add_client(&town.world.plugin, Dialect::Plugin, &[&callback]).await;
    let chromium = Chromium::start().await;
    let request = crate::harness::browser::authorize(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", &callback),
        ("scope", ""),
        ("state", "s"),
    ]);
    chromium.open(&format!("{}{request}", running.url)).await;
    chromium.press("Make an account").await;
    chromium.looks_well("sign_up").await;
    chromium.find("input[name=email]").await.send_keys("joan@example.com").await.expect("a field");
    chromium.press("Send me a link").await;
    chromium.reads("Look into your mail").await;
    chromium.looks_well("check_mail").await;
    let (url, secret) = link(&town.mail_to("joan@example.com").await);
    chromium.open(&format!("{url}?link={secret}")).await;
    chromium.looks_well("choose_name_and_password").await;
    chromium.find("input[name=name]").await.send_keys("Joan Clarke").await.expect("a field");
    chromium.find("input[name=password]").await.send_keys(NEW).await.expect("a field");
    chromium.press("Make the account").await;
    chromium.arrives(&format!("{}/consent", running.url)).await;
    chromium.press("Allow").await;
    let code = parameter(&chromium.arrives(&callback).await, "code").expect("a code");
    assert_eq!(running.redeem_at(&client, &code, &callback).await.0, 200);
    chromium.open(&format!("{}/connected-apps", running.url)).await;
    chromium.press("Disconnect").await;
    chromium.reads("One connection ended").await;
    chromium.open(&format!("{url}?link={secret}")).await;
    chromium.reads("no longer good").await;
    chromium.looks_well("link_gone").await;
    chromium.open(&format!("{}/reset-password", running.url)).await;
    chromium.looks_well("reset_password").await;
}
