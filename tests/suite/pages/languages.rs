//! The languages of pages: the one the browser asks for, the one chosen on a page, and how each looks.

use reqwest::header::{ACCEPT_LANGUAGE, HOST, SET_COOKIE};

use super::asking::Asking;
use crate::harness::{browser::Browser, chromium::Chromium, databases::Engine, server::World};

/// What a browser that asks for these languages, and brings this cookie, is shown.
async fn shown(browser: &Browser, address: &str, asks_for: &str) -> String {
    let answer = browser.http.get(address).header(ACCEPT_LANGUAGE, asks_for).send().await.expect("an answer");
    answer.text().await.expect("a page")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_speaks_the_language_asked_for_until_one_is_chosen() {
    let world = World::new(Engine::Sqlite).await;
    let (browser, url) = (Browser::new(&world.running), &world.running.url);
    let german = shown(&browser, url, "de-CH, de;q=0.9, en;q=0.8").await;
    assert!(german.contains("<html lang=\"de\">") && german.contains("Sie entscheiden"), "{german}");
    let unknown = shown(&browser, url, "tlh").await;
    assert!(unknown.contains("<html lang=\"en\">") && unknown.contains("You decide"), "{unknown}");

    let chosen = shown(&browser, &format!("{url}/?language=es"), "de").await;
    assert!(chosen.contains("<html lang=\"es\">") && chosen.contains("Usted decide"), "{chosen}");
    // From now on, also where the address does not say so, and where there is no page.
    assert!(shown(&browser, url, "de").await.contains("Usted decide"));
    let nowhere =
        browser.http.get(format!("{url}/nowhere")).header("accept", "text/html").send().await.expect("a page");
    assert!(nowhere.text().await.expect("a page").contains("Aquí no hay nada"));
    // What is no language chooses nothing.
    assert!(shown(&browser, &format!("{url}/?language=\"><script>"), "de").await.contains("<html lang=\"es\">"));
}

/// The links to other languages keep what the page was asked, and lead nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_goes_on_in_another_language() {
    let world = World::new(Engine::Sqlite).await;
    let browser = Browser::new(&world.running);
    let page = browser.get(&Asking::default().register(&world).await).await.page();
    let query = page.url.query().expect("a request");
    assert!(page.html.contains(&format!("href=\"?{query}&#38;language=ja\"")), "{}", page.html);
    let japanese = browser.get(&format!("{}&language=ja", page.url)).await.page();
    assert!(japanese.html.contains("<html lang=\"ja\">"), "{}", japanese.html);
    let consent = browser.sign_in(&japanese, "ada@example.com").await.page();
    assert!(consent.html.contains("<html lang=\"ja\">") && consent.html.contains("許可する"), "{}", consent.html);
    assert!(browser.decide(&consent, "allow").await.left().query().is_some_and(|query| query.contains("code=")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_language_is_kept_on_the_public_host_alone() {
    let world = World::new(Engine::Sqlite).await;
    let browser = Browser::new(&world.running);
    let address = format!("{}/nowhere?language=de", world.running.url);
    let kept = async |host: Option<&str>| {
        let mut request = browser.http.get(&address);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let answer = request.send().await.expect("an answer");
        answer.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().expect("text").to_owned())
    };
    let cookie = kept(None).await.expect("a cookie");
    assert!(cookie.starts_with("consentry_language=de; HttpOnly; SameSite=Lax; Path=/; Max-Age="), "{cookie}");
    assert_eq!(kept(Some("todo.example")).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_language_looks_well() {
    let world = World::new(Engine::Sqlite).await;
    let asking = Asking::default().register(&world).await;
    for (tag, name) in [("de", "Deutsch"), ("es", "Español"), ("ja", "日本語")] {
        let chromium = Chromium::start().await;
        chromium.open(&asking).await;
        chromium.press(name).await;
        chromium.find(&format!("html[lang={tag}]")).await;
        chromium.looks_well(&format!("sign_in_{tag}")).await;
        chromium.sign_in("ada@example.com").await;
        chromium.arrives(&format!("{}/consent", world.running.url)).await;
        chromium.looks_well(&format!("consent_{tag}")).await;
        chromium.open(&format!("{}/authorize?client_id=nobody", world.running.url)).await;
        chromium.looks_well(&format!("error_{tag}")).await;
    }
}
