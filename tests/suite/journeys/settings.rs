//! A person's own account, form by form, as a person meets it: what is asked again, what is told, and what it changes.

use consentry::model::account::Account;
use serde_json::Value;

use super::people::Town;
use crate::{
    harness::{
        browser::{Browser, Page},
        server::{PASSWORD, World},
        smtp::link,
    },
    on_both_engines,
    store::tables::Tables,
};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";
const NEW: &str = "seven unlikely herons disagree";

/// Signs in on the way to the account's page.
async fn signed_in(world: &World, email: &str, password: &str) -> Browser {
    let browser = Browser::new(&world.running);
    sign_in_to(&browser, email, password).await;
    browser
}

async fn sign_in_to(browser: &Browser, email: &str, password: &str) {
    let page = browser.get("/account").await.page();
    assert_eq!((page.url.path(), page.hidden("next").as_str()), ("/sign-in", "account"));
    let (csrf, next) = (page.hidden("csrf"), page.hidden("next"));
    let fields = [("csrf", csrf.as_str()), ("next", &next), ("email", email), ("password", password)];
    assert_eq!(browser.post("/sign-in", &fields).await.page().url.path(), "/account");
}

async fn account(browser: &Browser) -> Page {
    browser.get("/account").await.page()
}

/// Sends a form of a page: `change`, and what was typed.
async fn send(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    let (csrf, id) = (page.hidden("csrf"), page.hidden("account"));
    let hidden = [("csrf", csrf.as_str()), ("account", id.as_str())];
    browser.post(page.url.path(), &[&hidden, fields].concat()).await.page()
}

async fn known(world: &World, email: &str) -> Option<(Account, Option<String>)> {
    world.running.server.store.account_by_email(&email.parse().unwrap()).await.unwrap()
}

on_both_engines! {
    async fn a_name_and_a_language_are_chosen(engine) {
        let world = World::new(engine).await;
        let browser = signed_in(&world, ADA, PASSWORD).await;
        let page = account(&browser).await;
        for wrong in ["", "  ", "\u{202e}adA"] {
            let told = send(&browser, &page, &[("change", "name"), ("name", wrong)]).await;
            assert!(told.status == 422 && told.html.contains("id=\"name-wrong\""), "{wrong}: {}", told.html);
            assert!(told.html.contains("aria-describedby=\"name-wrong\""), "{}", told.html);
        }
        let told = send(&browser, &page, &[("change", "name"), ("name", " Ada King ")]).await;
        assert!(told.status == 200 && told.html.contains("role=\"status\""), "{}", told.html);
        assert!(told.html.contains("<bdi class=\"name\">Ada King</bdi>"), "{}", told.html);
        let german = send(&browser, &page, &[("change", "language"), ("language", "de")]).await;
        assert_eq!(german.url.path(), "/account");
        assert!(german.html.contains("<html lang=\"de\">") && german.html.contains("lang=\"de\" selected"));
        let (ada, _) = known(&world, ADA).await.unwrap();
        assert_eq!((ada.name.as_str(), ada.language.as_deref()), ("Ada King", Some("de")));
        let elsewhere = signed_in(&world, ADA, PASSWORD).await;
        assert!(account(&elsewhere).await.html.contains("<html lang=\"de\">"), "it comes along");
        let any = send(&browser, &page, &[("change", "language")]).await;
        assert!(any.html.contains("<html lang=\"en\">"), "{}", any.html);
        assert_eq!(known(&world, ADA).await.unwrap().0.language, None);
        assert_eq!(send(&browser, &page, &[("change", "everything")]).await.status, 400);
    }

    async fn an_address_is_confirmed_and_changed(engine) {
        let town = Town::new(engine).await;
        let browser = signed_in(&town.world, ADA, PASSWORD).await;
        let page = account(&browser).await;
        assert!(page.html.contains("not confirmed"), "{}", page.html);
        let told = send(&browser, &page, &[("change", "verify")]).await;
        assert!(told.status == 200 && told.html.contains("on its way"), "{}", told.html);
        follow(&town, &browser, ADA).await;
        let page = account(&browser).await;
        assert!(page.html.contains(">confirmed<") && !page.html.contains("not confirmed"), "{}", page.html);

        let wish = |to: &'static str, password: &'static str| [("change", "email"), ("email", to), ("password", password)];
        for (to, password, at) in [
            ("no address", PASSWORD, "email"),
            (ADA, PASSWORD, "email"),
            ("joan@example.com", "not the password", "email-password"),
            ("joan@example.com", "", "email-password"),
        ] {
            let told = send(&browser, &page, &wish(to, password)).await;
            assert!(told.status == 422 && told.html.contains(&format!("id=\"{at}-wrong\"")), "{to}: {}", told.html);
            assert!(told.html.contains(&format!("value=\"{to}\"")) && told.html.contains("<details open>"), "{}", told.html);
        }
        let told = send(&browser, &page, &wish("joan@example.com", PASSWORD)).await;
        assert!(told.status == 200 && told.html.contains("joan@example.com"), "{}", told.html);
        assert!(known(&town.world, ADA).await.is_some(), "nothing changes yet");
        follow(&town, &browser, "joan@example.com").await;
        let page = account(&browser).await;
        assert!(page.html.contains("<bdi class=\"email\">joan@example.com</bdi>"), "{}", page.html);
        assert!(known(&town.world, ADA).await.is_none());
        assert!(town.mail_to(ADA).await["text"].as_str().unwrap().contains("/restore-email?link="));

        for number in 0..4 {
            let to = format!("wish{number}@example.com");
            assert_eq!(send(&browser, &page, &[("change", "email"), ("email", &to), ("password", PASSWORD)]).await.status, 200);
        }
        let told = send(&browser, &page, &wish("one.more@example.com", PASSWORD)).await;
        assert!(told.status == 409 && told.html.contains("several links lately"), "{}", told.html);
    }

    async fn a_password_is_changed_and_ends_other_sessions(engine) {
        let town = Town::new(engine).await;
        let (here, there) =
            (signed_in(&town.world, ADA, PASSWORD).await, signed_in(&town.world, ADA, PASSWORD).await);
        let page = account(&here).await;
        for (current, new, at) in [
            ("not the password", NEW, "password"),
            ("", NEW, "password"),
            (PASSWORD, "short", "new-password"),
            (PASSWORD, "passwordpassword", "new-password"),
        ] {
            let fields = [("change", "password"), ("password", current), ("new_password", new)];
            let told = send(&here, &page, &fields).await;
            assert!(told.status == 422 && told.html.contains(&format!("id=\"{at}-wrong\"")), "{at}: {}", told.html);
        }
        assert_eq!(account(&there).await.url.path(), "/account");
        let fields = [("change", "password"), ("password", PASSWORD), ("new_password", NEW)];
        let told = send(&here, &page, &fields).await;
        assert!(told.status == 200 && told.html.contains("All other browsers were signed out"), "{}", told.html);
        assert_eq!(account(&here).await.url.path(), "/account");
        assert_eq!(account(&there).await.url.path(), "/sign-in");
        assert!(town.knows(ADA, NEW).await);
        assert!(town.mail_to(ADA).await["headers"]["subject"].as_str().unwrap().contains("was changed"));
    }

    async fn what_is_kept_is_given_for_the_password(engine) {
        let world = World::new(engine).await;
        let browser = signed_in(&world, ADA, PASSWORD).await;
        let page = account(&browser).await;
        let told = send(&browser, &page, &[("change", "export"), ("password", "not the password")]).await;
        assert!(told.status == 422 && told.html.contains("id=\"export-password-wrong\""), "{}", told.html);
        let (csrf, id) = (page.hidden("csrf"), page.hidden("account"));
        let fields = [("csrf", csrf.as_str()), ("account", &id), ("change", "export"), ("password", PASSWORD)];
        let answer = browser.http.post(format!("{}/account", world.running.url)).form(&fields).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-disposition"), "attachment; filename=\"account.json\"");
        assert_eq!((header("content-type").as_str(), header("cache-control").as_str()), ("application/json", "no-store"));
        let export: Value = answer.json().await.unwrap();
        assert_eq!((&export["account"]["email"], export["sessions"].as_array().unwrap().len()), (&ADA.into(), 1));
        assert!(!export.to_string().contains("argon2id") && !export.to_string().contains("grace"), "{export}");
    }

    async fn an_account_goes_with_everything_in_it(engine) {
        let town = Town::new(engine).await;
        let (here, there) =
            (signed_in(&town.world, ADA, PASSWORD).await, signed_in(&town.world, ADA, PASSWORD).await);
        let page = here.get("/account/delete").await.page();
        assert!(page.html.contains("signed out in 2 browsers") && page.html.contains("No app is connected"), "{}", page.html);
        let told = send(&here, &page, &[("password", "not the password")]).await;
        assert!(told.status == 422 && told.html.contains("id=\"password-wrong\""), "{}", told.html);
        assert!(known(&town.world, ADA).await.is_some());
        let gone = send(&here, &page, &[("password", PASSWORD)]).await;
        assert!(gone.url.path() == "/account/deleted" && gone.html.contains("Your account is deleted"), "{}", gone.html);
        assert!(known(&town.world, ADA).await.is_none());
        for browser in [&here, &there] {
            assert_eq!(account(browser).await.url.path(), "/sign-in");
        }
        // Pressed once more in another tab: nobody is signed in any more.
        assert_eq!(send(&here, &page, &[("password", PASSWORD)]).await.url.path(), "/sign-in");
        assert!(town.mail_to(ADA).await["headers"]["subject"].as_str().unwrap().contains("is deleted"));
    }

    /// Who has found a browser open guesses no faster than at the door, whichever form they try, and the owner goes on
    /// elsewhere.
    async fn guessing_on_ones_own_pages_is_counted(engine) {
        let world = World::new(engine).await;
        let (thief, owner) = (signed_in(&world, ADA, PASSWORD).await, signed_in(&world, ADA, PASSWORD).await);
        let page = account(&thief).await;
        let leaving = thief.get("/account/delete").await.page();
        let guess = |password: &'static str| [
            (&page, vec![("change", "email"), ("email", "new@example.com"), ("password", password)]),
            (&page, vec![("change", "password"), ("password", password), ("new_password", NEW)]),
            (&page, vec![("change", "export"), ("password", password)]),
            (&leaving, vec![("password", password)]),
        ];
        for turn in 0..10 {
            let (page, fields) = &guess("not the password")[turn % 4];
            assert_eq!(send(&thief, page, fields).await.status, 422, "{turn}");
        }
        for (page, fields) in guess(PASSWORD) {
            let (csrf, id) = (page.hidden("csrf"), page.hidden("account"));
            let fields = [vec![("csrf", csrf.as_str()), ("account", &id)], fields].concat();
            let answer = thief.http.post(page.url.clone()).form(&fields).send().await.unwrap();
            assert_eq!(answer.status(), 429, "{fields:?}");
            let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=31).contains(&wait), "{wait}");
        }
        let page = account(&owner).await;
        assert_eq!(send(&owner, &page, &[("change", "export"), ("password", PASSWORD)]).await.status, 200);
    }

    /// A form says whose page it is from: in another tab somebody else may have signed in since.
    async fn a_form_of_another_account_changes_nothing(engine) {
        let world = World::new(engine).await;
        let browser = signed_in(&world, ADA, PASSWORD).await;
        let (page, leaving) = (account(&browser).await, browser.get("/account/delete").await.page());
        browser.post("/sign-out", &[("csrf", &page.hidden("csrf"))]).await;
        let unsigned = send(&browser, &page, &[("change", "name"), ("name", "Nobody")]).await;
        assert_eq!(unsigned.url.path(), "/sign-in");
        sign_in_to(&browser, GRACE, PASSWORD).await;
        for (page, fields) in [
            (&page, &[("change", "name"), ("name", "Ada")][..]),
            (&page, &[("change", "language"), ("language", "ja")]),
            (&page, &[("change", "email"), ("email", "ada@example.org"), ("password", PASSWORD)]),
            (&page, &[("change", "password"), ("password", PASSWORD), ("new_password", NEW)]),
            (&page, &[("change", "export"), ("password", PASSWORD)]),
            (&leaving, &[("password", PASSWORD)]),
        ] {
            let told = send(&browser, page, fields).await;
            assert!(told.status == 409 && told.html.contains("another account meanwhile"), "{fields:?}: {}", told.html);
            assert!(told.html.contains(GRACE) && !told.html.contains(ADA), "{}", told.html);
        }
        let (grace, _) = known(&world, GRACE).await.unwrap();
        assert_eq!((grace.name.as_str(), grace.language), ("Grace Hopper", None));
        let mine = account(&browser).await;
        for (path, fields) in [
            ("/account", [("change", "name"), ("name", "Eve"), ("csrf", "forged")]),
            ("/account/delete", [("change", ""), ("password", PASSWORD), ("csrf", "")]),
        ] {
            let id = mine.hidden("account");
            let forged = [&fields[..], &[("account", id.as_str())]].concat();
            assert_eq!(browser.post(path, &forged).await.page().status, 403, "{path}");
        }
        assert!(known(&world, GRACE).await.is_some());
    }

    /// Who signs in by other means is offered a password, and asked for none they do not have.
    async fn an_account_without_a_password_can_get_one(engine) {
        let town = Town::new(engine).await;
        let browser = signed_in(&town.world, ADA, PASSWORD).await;
        let sql = "update accounts set password_hash = null where email = 'ada@example.com'";
        Tables::of(&town.world.database).await.change(sql).await;
        let page = account(&browser).await;
        assert!(page.html.contains("without a password") && !page.html.contains("type=\"password\""), "{}", page.html);
        let leaving = browser.get("/account/delete").await.page();
        assert!(leaving.html.contains("without a password") && !leaving.html.contains("type=\"password\""));
        assert_eq!(send(&browser, &page, &[("change", "name"), ("name", "Ada King")]).await.status, 200);
        for password in ["", "x"] {
            assert_eq!(send(&browser, &page, &[("change", "export"), ("password", password)]).await.status, 422);
        }
        let told = send(&browser, &page, &[("change", "set-password")]).await;
        assert!(told.status == 200 && told.html.contains("on its way"), "{}", told.html);
        let (url, secret) = link(&town.mail_to(ADA).await);
        let choose = browser.get(&format!("{url}?link={secret}")).await.page();
        let fields = [("link", secret.as_str()), ("csrf", &choose.hidden("csrf")), ("password", NEW)];
        assert_eq!(browser.post("/reset-password", &fields).await.page().status, 200);
        assert!(town.knows(ADA, NEW).await);
        let again = signed_in(&town.world, ADA, NEW).await;
        assert!(account(&again).await.html.contains("type=\"password\""));
    }

    async fn without_mail_nothing_is_promised(engine) {
        let world = World::new(engine).await;
        let browser = signed_in(&world, ADA, PASSWORD).await;
        let page = account(&browser).await;
        assert!(page.html.contains("sends no mail") && !page.html.contains("value=\"verify\""), "{}", page.html);
        assert_eq!(send(&browser, &page, &[("change", "verify")]).await.status, 404);
    }
}

/// Opens the link of the newest mail to an address, and presses its button.
async fn follow(town: &Town, browser: &Browser, email: &str) {
    let (url, secret) = link(&town.mail_to(email).await);
    let page = browser.get(&format!("{url}?link={secret}")).await.page();
    let fields = [("link", secret.as_str()), ("csrf", &page.hidden("csrf"))];
    let path = page.url.path().to_owned();
    assert_eq!(browser.post(&path, &fields).await.page().status, 200, "{path}");
}
