//! Bring your own login, with the sample page of `examples/own_login.py` as it is: what it says opens an account, and
//! nothing that it has not said to this browser, a moment ago, once.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::{
    clock::Clock,
    model::{account::SignUps, client::Dialect, provider::OwnLogin},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, header::LOCATION, redirect::Policy};
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    harness::{
        browser::{Browser, Page, parameter, plugin_request},
        chromium::setting,
        databases::Engine,
        process::{free_port, write_private},
        server::{Options, World},
    },
    on_both_engines,
};

const KEY: [u8; 32] = *b"a key that both of them know....";

/// The sample page, and a server that sends people there.
struct Own {
    world: World,
    page: String,
    program: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Own {
    async fn new(engine: Engine, is_only: bool) -> Self {
        let [port, page_port] = [free_port(), free_port()];
        let page = format!("http://localhost:{page_port}/sign-in");
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("own_login.key");
        write_private(&key, &STANDARD.encode(KEY));
        let program = Command::new(setting("CONSENTRY_TEST_PYTHON"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_login.py"))
            .env("CONSENTRY_URL", format!("http://localhost:{port}"))
            .env("OWN_LOGIN_KEY_FILE", &key)
            .env("PORT", page_port.to_string())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", page_port)).is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let own = OwnLogin {
            url: page.parse().unwrap(),
            label: "Example".into(),
            key: Zeroizing::new(KEY.to_vec()).into(),
            is_only,
        };
        let options = Options { port, own_login: Some(own), sign_ups: SignUps::Off, ..Options::default() };
        Self { world: World::with(engine, options).await, page, program, _folder: folder }
    }

    /// What a person does at the page: where its form leads.
    async fn sign_in(&self, left: &Url, user: &str, password: &str) -> Url {
        assert!(left.as_str().starts_with(&self.page), "{left}");
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        let html = browser.get(left.clone()).send().await.unwrap().text().await.unwrap();
        let challenge = html.split("name=\"challenge\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = [("challenge", challenge), ("user", user), ("password", password)];
        let answer = browser.post(left.clone()).form(&form).send().await.unwrap();
        answer.headers()[LOCATION].to_str().unwrap().parse().unwrap()
    }

    /// An answer that the page has not written.
    async fn forged(&self, browser: &Browser, change: Value, key: &[u8]) -> Page {
        let left = browser.get("/sign-in/own?next=").await.left();
        let now = Clock::system().now().timestamp();
        let mut claims = json!({
            "aud": self.world.running.url, "challenge": parameter(&left, "challenge"), "sub": "user-1041",
            "email": "joan@example.com", "email_verified": true, "iat": now, "exp": now + 60,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let answer = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key)).unwrap();
        browser.get(&format!("/sign-in/own/callback?answer={answer}")).await.page()
    }
}

/// Whether somebody is signed in, in this browser.
async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/sessions").await.page().url.path() == "/sessions"
}

on_both_engines! {
    /// Not an attack, and the ground the others stand on: accounts are made as people come, and need not be moved.
    async fn whoever_the_owner_knows_is_let_in_and_goes_on(engine) {
        let own = Own::new(engine, false).await;
        let client = own.world.client(Dialect::Plugin).await;
        for (round, expected) in [(1, 3), (2, 3)] {
            let browser = Browser::new(&own.world.running);
            let page = browser.get(&plugin_request(&client)).await.page();
            assert!(page.html.contains("/sign-in/own?r="), "{}", page.html);
            let left = browser.get(&format!("/sign-in/own?r={}", page.hidden("r"))).await.left();
            let back = own.sign_in(&left, "joan", "bletchley").await;
            let arrived = browser.get(back.as_str()).await;
            if round == 1 {
                let consent = arrived.page();
                assert!(consent.url.path() == "/consent" && consent.html.contains("Joan Clarke"), "{}", consent.html);
                assert!(parameter(&browser.decide(&consent, "allow").await.left(), "code").is_some());
            } else {
                assert!(parameter(&arrived.left(), "code").is_some(), "she has agreed before");
            }
            assert_eq!(own.world.database.count("accounts").await, expected);
        }
        // An address the owner has not verified makes nothing; one that an account has is asked about.
        for (user, password, words) in [("eve", "listens", "confirmed email"), ("ada", "engine", "an account already")] {
            let browser = Browser::new(&own.world.running);
            let left = browser.get("/sign-in/own?next=").await.left();
            let told = browser.get(own.sign_in(&left, user, password).await.as_str()).await.page();
            assert!(told.html.contains(words) && !is_signed_in(&browser).await, "{}", told.html);
        }
        assert_eq!(own.world.database.count("accounts").await, 3);
    }

    /// Row 21, for the owner's answers: used twice, by another browser, at the same time.
    async fn an_answer_is_good_once_in_the_browser_that_was_challenged(engine) {
        let own = Own::new(engine, false).await;
        let (browser, other) = (Browser::new(&own.world.running), Browser::new(&own.world.running));
        other.get("/sign-in").await.page();
        let left = browser.get("/sign-in/own?next=").await.left();
        let back = own.sign_in(&left, "joan", "bletchley").await;
        let told = other.get(back.as_str()).await.page();
        assert!(told.status == 400 && !is_signed_in(&other).await, "{}", told.html);
        assert!(browser.get(back.as_str()).await.page().status == 200 && is_signed_in(&browser).await);
        // Another answer to the same challenge is a second time too.
        let second = own.sign_in(&left, "joan", "bletchley").await;
        let csrf = browser.get("/").await.page().hidden("csrf");
        browser.post("/sign-out", &[("csrf", &csrf), ("r", "")]).await.page();
        for address in [back, second] {
            let told = browser.get(address.as_str()).await.page();
            assert!(told.status == 400 && !is_signed_in(&browser).await, "{}", told.html);
        }
    }
}

/// Row 21, for the owner's answers: forged, old, or meant for others.
#[tokio::test]
async fn an_answer_that_the_owner_did_not_sign_for_us_just_now_says_nothing() {
    let own = Own::new(Engine::Sqlite, false).await;
    let browser = Browser::new(&own.world.running);
    let now = Clock::system().now().timestamp();
    let state = parameter(&browser.get("/sign-in/own?next=").await.left(), "challenge").unwrap();
    for (change, key, status) in [
        (json!({}), *b"a key that only one of them has.", 502),
        (json!({ "exp": now - 1 }), KEY, 502),
        (json!({ "exp": now + 3600 }), KEY, 502),
        (json!({ "iat": now + 600, "exp": now + 660 }), KEY, 502),
        (json!({ "aud": "https://other.example" }), KEY, 502),
        (json!({ "sub": "" }), KEY, 502),
        (json!({ "challenge": "none" }), KEY, 400),
        (json!({ "challenge": &state[1..] }), KEY, 400),
        (json!({ "email_verified": false }), KEY, 403),
    ] {
        let told = own.forged(&browser, change.clone(), &key).await;
        assert_eq!(told.status, status, "{change}: {}", told.html);
        assert!(!is_signed_in(&browser).await, "{change}");
    }
    assert_eq!(own.world.database.count("accounts").await, 2);
    assert_eq!(own.forged(&browser, json!({}), &KEY).await.status, 200, "all that was changed was what was told");
    assert!(is_signed_in(&browser).await);
}

/// Where it is the only way, it is gone at once; who asks for the form still gets it.
#[tokio::test]
async fn the_only_way_is_gone_at_once() {
    let own = Own::new(Engine::Sqlite, true).await;
    let client = own.world.client(Dialect::Plugin).await;
    let browser = Browser::new(&own.world.running);
    let left = browser.get(&plugin_request(&client)).await.left();
    let back = own.sign_in(&left, "joan", "bletchley").await;
    assert_eq!(browser.get(back.as_str()).await.page().url.path(), "/consent");
    let form = Browser::new(&own.world.running).get("/sign-in?form=yes").await.page();
    assert!(form.html.contains("name=\"password\""), "{}", form.html);
}
