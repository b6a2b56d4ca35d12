//! Signing in through others: an address nobody verified, an answer that belongs to somebody else, a provider that
//! answers for another.

use consentry::model::account::SignUps;
use url::Url;

use crate::{
    harness::{
        browser::{Browser, parameter},
        databases::Engine,
        elsewhere::Neighbours,
        server::PASSWORD,
    },
    on_both_engines,
};

/// The same address with another value of a parameter, or without it.
fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let others: Vec<_> =
        url.query_pairs().filter(|(known, _)| known != name).map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(others);
    if let Some(value) = value {
        changed.query_pairs_mut().append_pair(name, value);
    }
    changed
}

/// Whether somebody is signed in, in this browser.
async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/identities").await.page().url.path() == "/identities"
}

on_both_engines! {
    /// Row 37.
    async fn an_address_that_nobody_verified_opens_and_makes_nothing(engine) {
        let kinds = [("work", "openid"), ("shop", "direct"), ("club", "oauth")];
        let town = Neighbours::new(engine, &kinds, SignUps::Open).await;
        for number in 0..kinds.len() {
            for login in ["mallory", "eve"] {
                let browser = Browser::new(&town.world.running);
                let told = town.through(&browser, number, "next=", login).await.page();
                assert!(told.status == 403 && told.html.contains("confirmed email address"), "{}", told.html);
                assert!(!is_signed_in(&browser).await);
            }
            // Nor while its owner is signed in, who could be talked into it.
            let browser = Browser::new(&town.world.running);
            let page = browser.get("/sign-in").await.page();
            let csrf = page.hidden("csrf");
            browser.post("/sign-in", &[("csrf", &csrf), ("email", "ada@example.com"), ("password", PASSWORD)]).await;
            let told = town.through(&browser, number, "next=identities", "mallory").await.page();
            assert_eq!(told.status, 403, "{}", told.html);
            // And a verified address of somebody else's is not linked with hers either.
            let told = town.through(&browser, number, "next=identities", "grace").await.page();
            assert_eq!(told.status, 409, "{}", told.html);
        }
        assert_eq!(town.world.database.count("accounts").await, 2);
        assert_eq!(town.world.database.count("identities").await, 0);
    }

    /// Row 37: the address is verified, and still opens nothing by itself.
    /// Another offer that came into the place of the one on the page is not said yes to.
    async fn a_yes_is_to_the_offer_that_was_shown(engine) {
        let town = Neighbours::new(engine, &[("shop", "direct"), ("club", "oauth")], SignUps::Open).await;
        let browser = Browser::new(&town.world.running);
        let page = browser.get("/sign-in").await.page();
        let ada = [("csrf", page.hidden("csrf")), ("email", "ada@example.com".into()), ("password", PASSWORD.into())];
        let ada = ada.each_ref().map(|(name, value): &(_, String)| (*name, value.as_str()));
        assert_eq!(browser.post("/sign-in", &ada).await.page().url.path(), "/");
        let shop = town.through(&browser, 0, "next=", "ada").await.page();
        assert!(shop.html.contains("The shop"), "{}", shop.html);
        let club = town.through(&browser, 1, "next=", "ada").await.page();
        assert!(club.html.contains("The club"), "{}", club.html);
        let (csrf, offer) = (shop.hidden("csrf"), shop.hidden("offer"));
        for offer in ["", offer.as_str()] {
            let yes = [("csrf", csrf.as_str()), ("offer", offer), ("decision", "link")];
            let shown = browser.post("/identities/confirm", &yes).await.page();
            assert!(shown.url.path() == "/identities/confirm" && shown.html.contains("The club"), "{}", shown.html);
        }
        assert_eq!(town.world.database.count("identities").await, 0);
    }

    async fn a_verified_address_links_nothing_without_its_owner(engine) {
        let town = Neighbours::new(engine, &[("shop", "direct")], SignUps::Open).await;
        let browser = Browser::new(&town.world.running);
        let told = town.through(&browser, 0, "next=", "ada").await.page();
        assert!(told.html.contains("You have an account already") && !is_signed_in(&browser).await);
        // Somebody else signs in here meanwhile: it is no offer to them.
        let page = browser.get("/sign-in").await.page();
        let csrf = page.hidden("csrf");
        let grace = [("csrf", csrf.as_str()), ("email", "grace@example.com"), ("password", PASSWORD)];
        assert_eq!(browser.post("/sign-in", &grace).await.page().url.path(), "/");
        let forced = [("csrf", csrf.as_str()), ("decision", "link")];
        browser.post("/identities/confirm", &forced).await.page();
        // Nor is it one in a browser that never asked.
        let elsewhere = Browser::new(&town.world.running);
        let page = elsewhere.get("/sign-in").await.page();
        let ada = [("csrf", page.hidden("csrf")), ("email", "ada@example.com".into()), ("password", PASSWORD.into())];
        let ada = ada.each_ref().map(|(name, value): &(_, String)| (*name, value.as_str()));
        assert_eq!(elsewhere.post("/sign-in", &ada).await.page().url.path(), "/");
        let refused = elsewhere.post("/identities/confirm", &[("csrf", "x"), ("decision", "link")]).await.page();
        assert_eq!(refused.status, 403);
        assert_eq!(town.world.database.count("identities").await, 0);
    }
}

/// Row 37: the code of one provider, brought to where another's is expected.
#[tokio::test]
async fn one_provider_cannot_answer_for_another() {
    let kinds = [("honest", "direct"), ("evil", "direct")];
    let town = Neighbours::new(Engine::Sqlite, &kinds, SignUps::Open).await;
    let browser = Browser::new(&town.world.running);
    let [honest, evil] = &town.elsewhere[..] else { panic!("two") };
    let left = town.leave(&browser, 0, "next=").await;
    let back = honest.sign_in(&left, "joan").await;
    assert_eq!(parameter(&back, "iss").as_deref(), Some(honest.origin.as_str()));

    // To the other's address, with the state that led to the first: nobody left for there.
    let mut elsewhere = back.clone();
    elsewhere.set_path("/sign-in/with/evil/callback");
    let told = browser.get(elsewhere.as_str()).await.page();
    assert!(told.status == 400 && told.html.contains("try again in this browser"), "{}", told.html);
    // With a state that led there: the code is another's, whose issuer says so; and without that word it is missing.
    let to_evil = town.leave(&browser, 1, "next=").await;
    let state = parameter(&to_evil, "state").unwrap();
    let mixed = with(&elsewhere, "state", Some(&state));
    for iss in [Some(honest.origin.as_str()), Some(evil.origin.as_str()), None] {
        let told = browser.get(with(&mixed, "iss", iss).as_str()).await.page();
        assert!(told.status == 502 && told.html.contains("did not work"), "{}", told.html);
    }
    // At the right address, in the name of the other, and in nobody's.
    for iss in [Some(evil.origin.as_str()), Some(""), None] {
        assert_eq!(browser.get(with(&back, "iss", iss).as_str()).await.page().status, 502);
    }
    assert!(!is_signed_in(&browser).await);
    // None of that has used the code up.
    assert_eq!(browser.get(back.as_str()).await.page().status, 200);
    assert!(is_signed_in(&browser).await);
}

/// Row 48: an answer that belongs to another browser would sign this one in as somebody else.
#[tokio::test]
async fn an_answer_is_good_in_the_browser_that_asked_once_and_for_what_it_asked() {
    let town = Neighbours::new(Engine::Sqlite, &[("shop", "direct"), ("club", "oauth")], SignUps::Open).await;
    for (number, elsewhere) in town.elsewhere.iter().enumerate() {
        let (browser, victim) = (Browser::new(&town.world.running), Browser::new(&town.world.running));
        victim.get("/sign-in").await.page();
        let left = town.leave(&browser, number, "next=").await;
        let back = elsewhere.sign_in(&left, "joan").await;
        for other in [&victim, &Browser::new(&town.world.running)] {
            let told = other.get(back.as_str()).await.page();
            assert!(told.status == 400 && told.html.contains("try again in this browser"), "{}", told.html);
            assert!(!is_signed_in(other).await);
        }
        // Changed, cut, or of another kind.
        let state = parameter(&back, "state").unwrap();
        for changed in [&state[1..], &state[..state.len() - 2], "x", ""] {
            assert_eq!(browser.get(with(&back, "state", Some(changed)).as_str()).await.page().status, 400);
        }
        let again = browser.get(&format!("/sign-in?r={state}")).await.page();
        assert_eq!(again.status, 400, "a state is no request in flight: {}", again.html);
        let home = browser.get(back.as_str()).await.page();
        assert!(home.status == 200 && is_signed_in(&browser).await, "{}", home.html);
        // A second time it is worth nothing, whoever finds it in the history.
        let csrf = browser.get("/").await.page().hidden("csrf");
        browser.post("/sign-out", &[("csrf", &csrf), ("r", "")]).await.page();
        assert_eq!(browser.get(back.as_str()).await.page().status, 502);
        assert!(!is_signed_in(&browser).await);
        // The second provider knows the address of an account already.
        town.world.database.execute("delete from identities").await;
        town.world.database.execute("delete from sessions").await;
        town.world.database.execute("delete from accounts where email = 'joan@example.com'").await;
    }
}

/// Row 37: an ID token is for this very answer.
#[tokio::test]
async fn an_id_token_with_another_nonce_says_nothing() {
    let town = Neighbours::new(Engine::Sqlite, &[("shop", "direct")], SignUps::Open).await;
    let browser = Browser::new(&town.world.running);
    let left = town.leave(&browser, 0, "next=").await;
    assert!(
        parameter(&left, "nonce").is_some() && parameter(&left, "code_challenge_method").as_deref() == Some("S256")
    );
    let back = town.elsewhere[0].sign_in(&with(&left, "nonce", Some("another")), "joan").await;
    let told = browser.get(back.as_str()).await.page();
    assert_eq!(told.status, 502, "{}", told.html);
    // A code that was asked for with another challenge is not redeemed.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let left = town.leave(&browser, 0, "next=").await;
    let back = town.elsewhere[0].sign_in(&with(&left, "code_challenge", Some(challenge)), "joan").await;
    assert_eq!(browser.get(back.as_str()).await.page().status, 502);
    assert!(!is_signed_in(&browser).await);
    assert_eq!(town.world.database.count("accounts").await, 2);
}

/// Row 5, at these addresses: nothing in them leads a browser anywhere but to the provider, and home.
#[tokio::test]
async fn signing_in_elsewhere_leads_to_no_strange_address() {
    let town = Neighbours::new(Engine::Sqlite, &[("club", "oauth")], SignUps::Open).await;
    let browser = Browser::new(&town.world.running);
    for query in [
        "next=https://evil.example",
        "next=//evil.example",
        "next=%2F%2Fevil.example",
        "redirect_uri=https://evil.example",
    ] {
        let left = town.leave(&browser, 0, query).await;
        assert_eq!(left.origin().ascii_serialization(), town.elsewhere[0].origin);
        let back = parameter(&left, "redirect_uri").unwrap();
        assert_eq!(back, format!("{}/sign-in/with/club/callback", town.world.running.url));
        let back = town.elsewhere[0].sign_in(&left, "joan").await;
        assert_eq!(browser.get(back.as_str()).await.page().url.path(), "/", "{query}");
    }
    for (query, status) in [("", 400), ("state=x&error=access_denied", 400), ("state=x&state=x&code=1", 400)] {
        assert_eq!(browser.get(&format!("/sign-in/with/club/callback?{query}")).await.page().status, status, "{query}");
    }
    assert_eq!(browser.get("/sign-in/with/nobody").await.page().status, 404);
    let left = town.leave(&browser, 0, "next=").await;
    let refused =
        format!("/sign-in/with/club/callback?error=access_denied&state={}", parameter(&left, "state").unwrap());
    let told = browser.get(&refused).await.page();
    assert!(told.status == 400 && told.html.contains("You are not signed in"), "{}", told.html);
}
