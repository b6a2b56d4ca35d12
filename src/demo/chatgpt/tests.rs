//! The stand-in over HTTP: a browser that keeps one cookie, an issuer on loopback, and the real sample API.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::{CALLBACK_PATH, ChatGpt, ChatGptConfig, configure};
use crate::demo::fake_issuer::{self, AUDIENCE, CLIENT, FakeIssuer, SERVICE, free_port, serve};
use crate::demo::todo_api::{self, TodoApi, TodoApiConfig};
use crate::demo::{Secret, bounded};

struct Browser {
    http: Client,
    page: String,
    cookie: Option<String>,
}

impl Browser {
    fn at(page: &str) -> Self {
        Self { http: bounded::client().unwrap(), page: page.to_owned(), cookie: None }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let answer = request.send().await.unwrap();
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        answer
    }

    async fn look(&mut self) -> String {
        let request = self.http.get(&self.page);
        self.send(request).await.text().await.unwrap()
    }

    async fn press(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(location(&answer), "/");
        self.look().await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.page)).form(fields);
        self.send(request).await
    }

    /// Presses "Install plugin"; answers where the browser is sent.
    async fn install(&mut self) -> HashMap<String, String> {
        let answer = self.post("/install", &[]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let url = Url::parse(location(&answer)).unwrap();
        assert_eq!(url.path(), "/authorize");
        url.query_pairs().into_owned().collect()
    }

    async fn come_back(&mut self, pairs: &[(&str, &str)]) -> Response {
        let url = format!("{}{CALLBACK_PATH}", self.page);
        let url = Url::parse_with_params(&url, pairs).unwrap();
        let request = self.http.get(url);
        self.send(request).await
    }

    async fn connect(&mut self, issuer: &FakeIssuer) -> String {
        let asked = self.install().await;
        let state = asked["state"].clone();
        let pairs = [("code", "good-code"), ("state", &state), ("iss", &issuer.url)];
        let answer = self.come_back(&pairs).await;
        assert_eq!(location(&answer), "/");
        self.look().await
    }
}

fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

/// The stand-in and the sample API, both talking to `issuer`.
fn start(issuer: &FakeIssuer) -> Browser {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let (listener, api_base) = free_port();
    let api = TodoApi::new(TodoApiConfig {
        issuer: issuer.url.clone(),
        audience: AUDIENCE.to_owned(),
        resource_metadata: format!("{AUDIENCE}/.well-known/oauth-protected-resource"),
        introspection: (SERVICE.0.to_owned(), Secret::new(SERVICE.1)),
        now: fake_issuer::now,
    });
    let api = web::Data::new(api.unwrap());
    serve(listener, move |cfg| todo_api::configure(cfg, api.clone()));

    let (listener, page) = free_port();
    let app = ChatGpt::new(ChatGptConfig {
        issuer: issuer.url.clone(),
        manifest_url: format!("{}/.well-known/ai-plugin.json", issuer.url),
        client_id: CLIENT.0.to_owned(),
        client_secret: Secret::new(CLIENT.1),
        redirect_uri: format!("{page}{CALLBACK_PATH}"),
        api_base,
        random: || format!("random-{}", COUNT.fetch_add(1, Ordering::SeqCst)),
    });
    let app = web::Data::new(app.unwrap());
    serve(listener, move |cfg| configure(cfg, app.clone()));
    Browser::at(&page)
}

#[tokio::test]
async fn the_whole_story_in_the_manifests_dialect() {
    let issuer = FakeIssuer::start();
    let mut browser = start(&issuer);

    let asked = browser.install().await;
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], CLIENT.0);
    assert_eq!(asked["scope"], "");
    assert_eq!(asked["redirect_uri"], format!("{}{CALLBACK_PATH}", browser.page));
    assert!(browser.look().await.contains("Waiting for you"));

    let page = browser.connect(&issuer).await;
    assert!(page.contains("Your list is empty"), "{page}");
    let (_, content_type, body) = issuer.posts().pop().unwrap();
    assert_eq!(content_type, "application/json");
    let body: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({
        "grant_type": "authorization_code", "code": "good-code",
        "client_id": CLIENT.0, "client_secret": CLIENT.1,
        "redirect_uri": format!("{}{CALLBACK_PATH}", browser.page),
    });
    assert_eq!(body, expected);

    let page = browser.press("/todos", &[("text", "Feed <the> cat")]).await;
    assert!(page.contains("Feed &#60;the&#62; cat"), "{page}");
    let page = browser.press("/refresh", &[]).await;
    assert!(page.contains("Refreshed"), "{page}");
    let (_, content_type, body) = issuer.posts().pop().unwrap();
    assert_eq!(content_type, "application/json");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["grant_type"], "refresh_token");
    let page = browser.press("/todos/remove", &[("id", "1")]).await;
    assert!(page.contains("Your list is empty"), "{page}");

    let page = browser.press("/disconnect", &[]).await;
    assert!(page.contains("Disconnected"), "{page}");
    let (path, content_type, body) = issuer.posts().pop().unwrap();
    assert_eq!(path, "/revoke");
    assert_eq!(content_type, "application/x-www-form-urlencoded");
    assert!(body.contains("token=crt_") && body.contains("token_type_hint=refresh_token"));

    let page = browser.press("/call", &[]).await;
    assert!(page.contains("I no longer have access"), "{page}");
    assert!(page.contains("401 Unauthorized"), "{page}");
    for secret in [CLIENT.1, "good-code"] {
        assert!(!page.contains(secret), "{secret} is shown");
    }
    let page = browser.press("/start-over", &[]).await;
    assert!(page.contains("Install plugin"), "{page}");
}

#[tokio::test]
async fn a_manifest_that_asks_for_forms_gets_forms() {
    let issuer = FakeIssuer::start_with("application/x-www-form-urlencoded");
    start(&issuer).connect(&issuer).await;
    let (_, content_type, body) = issuer.posts().pop().unwrap();
    assert_eq!(content_type, "application/x-www-form-urlencoded");
    assert!(body.contains("grant_type=authorization_code"), "{body}");
}

#[tokio::test]
async fn an_answer_to_another_browser_is_not_used() {
    let issuer = FakeIssuer::start();
    let mut browser = start(&issuer);
    let mut other = Browser::at(&browser.page);
    let theirs = other.install().await;
    let ours = browser.install().await;
    assert_ne!(theirs["state"], ours["state"]);

    let iss = issuer.url.as_str();
    let slipped_in = [("code", "good-code"), ("state", theirs["state"].as_str()), ("iss", iss)];
    let answer = browser.come_back(&slipped_in).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("was not used"));

    let mut stranger = Browser::at(&browser.page);
    let answer = stranger.come_back(&slipped_in).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(issuer.posts(), [], "no code was redeemed");

    // The right answer still counts afterwards, and only once.
    let right = [("code", "good-code"), ("state", ours["state"].as_str()), ("iss", iss)];
    let answer = browser.come_back(&right).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let answer = browser.come_back(&right).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(issuer.posts().len(), 1);
}

#[tokio::test]
async fn errors_are_told_in_plain_words() {
    let issuer = FakeIssuer::start();
    let mut browser = start(&issuer);
    let iss = issuer.url.as_str();

    let asked = browser.install().await;
    let denied = [("error", "access_denied"), ("state", asked["state"].as_str()), ("iss", iss)];
    browser.come_back(&denied).await;
    assert!(browser.look().await.contains("You said no"));

    let asked = browser.install().await;
    let spent = [("code", "spent-code"), ("state", asked["state"].as_str()), ("iss", iss)];
    browser.come_back(&spent).await;
    assert!(browser.look().await.contains("The connection has ended"));

    browser.connect(&issuer).await;
    issuer.inside.revoked.store(true, Ordering::SeqCst);
    let page = browser.press("/refresh", &[]).await;
    assert!(page.contains("The connection has ended"), "{page}");
    assert!(page.contains("invalid_grant"), "{page}");

    issuer.inside.down.store(true, Ordering::SeqCst);
    let page = browser.press("/install", &[]).await;
    assert!(page.contains("The plugin cannot be installed"), "{page}");
    assert!(page.contains("503 Service Unavailable"), "{page}");
}

#[tokio::test]
async fn forms_of_other_pages_are_refused() {
    let issuer = FakeIssuer::start();
    let browser = start(&issuer);
    for site in ["cross-site", "same-site"] {
        let request = browser.http.post(format!("{}/install", browser.page));
        let answer = request.header("sec-fetch-site", site).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{site}");
    }
}

#[tokio::test]
async fn the_page_needs_no_script_and_no_inline_style() {
    let issuer = FakeIssuer::start();
    let mut browser = start(&issuer);
    browser.connect(&issuer).await;
    let request = browser.http.get(&browser.page);
    let answer = browser.send(request).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer.text().await.unwrap();
    assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("<style"));
}
