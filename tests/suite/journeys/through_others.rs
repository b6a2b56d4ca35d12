//! Signing in through others, as a person does: at a real second OpenID provider and at one that speaks OAuth 2 alone.

use consentry::model::{account::SignUps, client::Dialect};

use crate::{
    harness::{
        browser::{Arrived, Browser, Page, parameter, plugin_request},
        elsewhere::Neighbours,
    },
    on_both_engines,
};

/// Answers whether the two shall be linked.
async fn answer(browser: &Browser, page: &Page, decision: &str) -> Arrived {
    let [r, csrf, next, offer] = ["r", "csrf", "next", "offer"].map(|name| page.hidden(name));
    let fields = [("r", r.as_str()), ("csrf", &csrf), ("next", &next), ("offer", &offer), ("decision", decision)];
    browser.post("/identities/confirm", &fields).await
}

async fn count(town: &Neighbours, what: &str) -> i64 {
    town.world.database.count(what).await
}

on_both_engines! {
    async fn whoever_has_no_account_gets_one_and_goes_on(engine) {
        let kinds = [("work", "openid"), ("shop", "direct"), ("club", "oauth")];
        let town = Neighbours::new(engine, &kinds, SignUps::Open).await;
        let client = town.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        assert!(page.html.contains("Sign in with") && page.html.contains("/sign-in/with/work?r="), "{}", page.html);
        // Where the person is to sign in anew, that is no way: the provider may let them in without a question.
        let anew = browser.get(&format!("{}&prompt=login", plugin_request(&client))).await.page();
        assert!(!anew.html.contains("/sign-in/with/"), "{}", anew.html);
        let sent_back = browser.get(&format!("/sign-in/with/work?r={}", anew.hidden("r"))).await.page();
        assert_eq!(sent_back.url.path(), "/sign-in");
        let consent = town.through(&browser, 0, &format!("r={}", page.hidden("r")), "joan").await.page();
        assert_eq!(consent.url.path(), "/consent", "the request that began it goes on: {}", consent.html);
        assert!(consent.html.contains("Joan Clarke") && consent.html.contains("joan@example.com"));
        assert!(parameter(&browser.decide(&consent, "allow").await.left(), "code").is_some());

        // Known again, in another browser, to the same account.
        let other = Browser::new(&town.world.running);
        let home = town.through(&other, 0, "next=identities", "joan").await.page();
        assert!(home.url.path() == "/identities" && home.html.contains("The work"), "{}", home.html);
        assert_eq!(count(&town, "accounts").await, 3);
        assert_eq!(count(&town, "accounts where password_hash is null and email_verified_at is not null").await, 1);
        assert_eq!(count(&town, "identities where last_used_at is not null").await, 1);
        // It is the only way to sign in, so it stays.
        let (csrf, id) = (home.hidden("csrf"), unlink_id(&home));
        let kept = other.post("/identities", &[("csrf", &csrf), ("identity", &id)]).await.page();
        assert!(kept.html.contains("only way to sign in"), "{}", kept.html);
        assert_eq!(count(&town, "identities").await, 1);
        // Another service with the same address is asked about, and not linked unasked; then each does for the other.
        let asked = town.through(&other, 2, "next=identities", "joan").await.page();
        assert_eq!(asked.url.path(), "/identities/confirm", "{}", asked.html);
        assert_eq!(answer(&other, &asked, "link").await.page().url.path(), "/identities");
        let gone = other.post("/identities", &[("csrf", &csrf), ("identity", &id)]).await.page();
        assert!(gone.html.contains("no longer be used") && gone.html.contains("The club"), "{}", gone.html);
        let home = town.through(&Browser::new(&town.world.running), 2, "next=", "joan").await.page();
        assert!(home.url.path() == "/" && home.html.contains("Joan Clarke"), "{}", home.html);
        // A third, whose ID token says all there is.
        let home = town.through(&Browser::new(&town.world.running), 1, "next=", "eve").await.page();
        assert!(home.html.contains("confirmed email address"), "{}", home.html);
        assert_eq!(count(&town, "accounts").await, 3);
    }

    async fn whoever_has_an_account_signs_in_to_it_first_and_is_asked_once(engine) {
        let town = Neighbours::new(engine, &[("shop", "direct")], SignUps::Invited).await;
        let client = town.world.client(Dialect::Plugin).await;
        for decision in ["leave", "link"] {
            let browser = Browser::new(&town.world.running);
            let page = browser.get(&plugin_request(&client)).await.page();
            let told = town.through(&browser, 0, &format!("r={}", page.hidden("r")), "ada").await.page();
            assert!(told.status == 200 && told.html.contains("You have an account already"), "{}", told.html);
            assert!(told.html.contains("/sign-in?r="), "{}", told.html);
            assert_eq!(count(&town, "identities").await, 0);
            assert_eq!(browser.get("/identities").await.page().url.path(), "/sign-in", "nobody is signed in by that");
            let asked = browser.sign_in(&page, "ada@example.com").await.page();
            assert!(asked.url.path() == "/identities/confirm" && asked.html.contains("The shop"), "{}", asked.html);
            let consent = answer(&browser, &asked, decision).await.page();
            assert_eq!(consent.url.path(), "/consent", "{}", consent.html);
            assert_eq!(count(&town, "identities").await, i64::from(decision == "link"));
            let home = browser.get("/identities/confirm").await.page();
            assert_eq!(home.url.path(), "/", "it is asked once: {}", home.html);
        }
        assert_eq!(count(&town, "audit_events where action = 'identity.linked'").await, 1);
        let browser = Browser::new(&town.world.running);
        let page = town.through(&browser, 0, "next=identities", "ada").await.page();
        assert!(page.url.path() == "/identities" && page.html.contains("ada@example.com"), "{}", page.html);
        let fields = [("csrf", page.hidden("csrf")), ("identity", unlink_id(&page))];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = browser.post("/identities", &fields).await.page();
        assert!(page.html.contains("no longer be used"), "{}", page.html);
        assert_eq!(count(&town, "audit_events where action = 'identity.unlinked'").await, 1);
        let told = town.through(&Browser::new(&town.world.running), 0, "next=", "ada").await.page();
        assert!(told.html.contains("You have an account already"), "{}", told.html);
        // Whoever was not invited has no account, and gets none.
        let told = town.through(&Browser::new(&town.world.running), 0, "next=", "joan").await.page();
        assert!(told.status == 403 && told.html.contains("no account for you yet"), "{}", told.html);
        assert_eq!(count(&town, "accounts").await, 2);
    }
}

/// The id in the first form of the list.
fn unlink_id(page: &Page) -> String {
    let after = page.html.split("name=\"identity\" value=\"").nth(1).unwrap_or_else(|| panic!("{}", page.html));
    after.split('"').next().unwrap().to_owned()
}
