//! The same stories on a server that has only a path of its host to itself: `http://localhost:PORT/auth`.

use consentry::model::client::Dialect;
use reqwest::{Client, header::HOST, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::{
    attacks::by_hand::{Answer, ByHand},
    harness::{
        browser::{Browser, authorize, parameter, plugin_request, read},
        server::{CALLBACK, Options, PASSWORD, World},
    },
    on_both_engines,
};

/// Every address a page names is below the path, and what it loads is there.
async fn stays_below(world: &World, browser: &ByHand, page: &Answer, base: &str) {
    for attribute in [" action=\"", " href=\"", " src=\""] {
        for rest in page.body.split(attribute).skip(1) {
            let address = rest.split_once('"').expect("a closed attribute").0;
            assert!(address.starts_with(&format!("{base}/")) || !address.starts_with('/'), "{address}");
            if address.contains("/static/") {
                assert_eq!(browser.get(&world.running, address).await.status, 200, "{address}");
            }
        }
    }
    assert!(page.body.contains(&format!("href=\"{base}/static/consentry.css?v=")), "{}", page.body);
}

async fn issuer_in_the_metadata(world: &World) -> String {
    let metadata = reqwest::get(format!("{}/.well-known/oauth-authorization-server", world.running.own)).await;
    let metadata: Value = metadata.expect("an answer").json().await.expect("JSON");
    metadata["issuer"].as_str().expect("an issuer").to_owned()
}

/// The claims of an access token, not verified.
fn claims(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("claims")
}

on_both_engines! {
    async fn a_person_connects_uses_and_leaves(engine) {
        for base in ["/auth", "/a/b"] {
            let world = World::with(engine, Options::under(base)).await;
            let running = &world.running;
            let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
            let issuer = issuer_in_the_metadata(&world).await;
            assert_eq!(issuer, format!("{}{base}", running.own));

            let browser = ByHand::new();
            let asked = browser.get(running, &plugin_request(&client)).await;
            assert!(asked.redirect().starts_with(&format!("{base}/sign-in?r=")), "{}", asked.redirect());
            let cookie = asked.header("set-cookie");
            assert!(cookie.contains("Path=/;") || cookie.ends_with("Path=/"), "{cookie}");
            let page = browser.get(running, asked.redirect()).await;
            stays_below(&world, &browser, &page, base).await;
            let wrong = browser.sign_in(running, &page, "ada@example.com", "not the password").await;
            assert_eq!(wrong.status, 422);
            stays_below(&world, &browser, &wrong, base).await;
            let signed_in = browser.sign_in(running, &wrong, "ada@example.com", PASSWORD).await;
            assert!(signed_in.redirect().starts_with(&format!("{base}/consent?r=")), "{}", signed_in.redirect());
            let page = browser.get(running, signed_in.redirect()).await;
            stays_below(&world, &browser, &page, base).await;
            let left: Url = browser.decide(running, &page, "allow").await.redirect().parse().unwrap();
            assert!(left.as_str().starts_with(CALLBACK), "{left}");
            assert_eq!(parameter(&left, "iss").as_deref(), Some(issuer.as_str()));

            let (status, tokens) = running.redeem(&client, &parameter(&left, "code").unwrap()).await;
            assert_eq!(status, 200, "{tokens}");
            let access = tokens["access_token"].as_str().unwrap();
            assert_eq!(claims(access)["iss"], issuer.as_str());
            let (_, active) = running.introspect(&service, access).await;
            assert_eq!((&active["active"], &active["iss"]), (&Value::Bool(true), &Value::from(issuer.as_str())));
            let (status, next) = running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
            assert_eq!(status, 200, "{next}");
            let refresh_token = next["refresh_token"].as_str().unwrap();
            let own = [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret)];
            let (status, _) = running.form("/revoke", &[&own[..], &[("token", refresh_token)]].concat()).await;
            assert_eq!(status, 200);
            assert_eq!(running.introspect(&service, access).await.1["active"], false);

            // The public URL itself is the front page, as people type it and as redirects name it.
            for address in [format!("{}{base}", running.own), format!("{base}/")] {
                let home = browser.get(running, &address).await;
                assert!(home.body.contains("Ada Lovelace"), "{address}: {}", home.body);
                stays_below(&world, &browser, &home, base).await;
            }
            let already = browser.get(running, "/sign-in").await;
            assert_eq!(already.redirect(), format!("{base}/"));
            let home = browser.get(running, already.redirect()).await;
            let (r, csrf) = (home.hidden("r"), home.hidden("csrf"));
            let out = browser.post(running, "/sign-out", &[("r", &r), ("csrf", &csrf)]).await;
            assert_eq!(out.redirect(), format!("{base}/signed-out"));
            assert!(browser.get(running, out.redirect()).await.body.contains("You are signed out"));
            assert!(browser.get(running, "/").await.body.contains("You are not signed in"));
        }
    }

    async fn every_answer_names_the_issuer_of_the_metadata(engine) {
        for base in ["", "/auth"] {
            let world = World::with(engine, Options::under(base)).await;
            let client = world.client(Dialect::Plugin).await;
            let issuer = issuer_in_the_metadata(&world).await;
            let refused = authorize(&[
                ("response_type", "token"),
                ("client_id", &client.client_id),
                ("redirect_uri", CALLBACK),
                ("state", "s"),
            ]);
            let browser = Browser::new(&world.running);
            let wrong = browser.get(&refused).await.left();
            let page = browser.get(&plugin_request(&client)).await.page();
            let page = browser.sign_in(&page, "ada@example.com").await.page();
            let denied = browser.decide(&page, "deny").await.left();
            let allowed = browser.agree(&plugin_request(&client), "ada@example.com").await;
            for (answer, error) in
                [(wrong, Some("unsupported_response_type")), (denied, Some("access_denied")), (allowed, None)]
            {
                assert_eq!(parameter(&answer, "error").as_deref(), error, "{answer}");
                assert_eq!(parameter(&answer, "iss"), Some(issuer.clone()), "{answer}");
            }
        }
    }

    async fn a_caller_that_knows_only_the_plugins_host_finds_the_way(engine) {
        let world = World::with(engine, Options::under("/auth")).await;
        let client = world.client(Dialect::Plugin).await;
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        let query = plugin_request(&client);
        let public = world.running.server.settings.host.to_string();
        // At the root of any host, and below the path on others; only below the path of the public host it is itself.
        for (host, path) in [("api.example.com", ""), ("api.example.com", "/auth"), (&public, "")] {
            let asked = http.get(format!("{}{path}{query}", world.running.own)).header(HOST, host);
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), 303, "{host}{path}");
            assert_eq!(answer.headers()["location"], format!("{}{query}", world.running.url), "{host}{path}");
            assert!(answer.headers().get("set-cookie").is_none(), "{host}{path}");
        }
        let code = world.running.code(&client).await;
        for (host, path) in [("api.example.com", "/token"), (&public, "/token"), ("api.example.com", "/auth/token")] {
            let fields = [
                ("grant_type", "authorization_code"),
                ("client_id", &client.client_id),
                ("client_secret", &client.client_secret),
                ("code", &code),
                ("redirect_uri", CALLBACK),
            ];
            let asked = http.post(format!("{}{path}", world.running.own)).header(HOST, host).form(&fields);
            let (status, answer) = read(asked.send().await.unwrap()).await;
            // The first one wins; the second use of a code is refused, not unheard of.
            let expected = if host == "api.example.com" && path == "/token" { 200 } else { 400 };
            assert_eq!(status, expected, "{host}{path}: {answer}");
        }
        for path in ["/revoke", "/introspect", "/auth/revoke", "/auth/introspect"] {
            let (status, answer) = read(http.post(format!("{}{path}", world.running.own)).send().await.unwrap()).await;
            assert_eq!((status.as_u16(), &answer["error"]), (400, &Value::from("invalid_request")), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_stand_below_the_path_of_the_public_host_alone() {
    let world = World::with(crate::harness::databases::Engine::Sqlite, Options::under("/auth")).await;
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let public = world.running.server.settings.host.to_string();
    let pages = ["/", "/sign-in", "/consent", "/signed-out", "/sign-out"];
    let beside = pages.map(|page| (public.as_str(), page.to_owned()));
    let elsewhere = pages.map(|page| ("api.example.com", format!("/auth{page}")));
    let nearly = ["/auth/auth/sign-in", "/authsign-in", "/Auth/sign-in", "/auth//sign-in", "/static/consentry.css"]
        .map(|path| (public.as_str(), path.to_owned()));
    for (host, path) in beside.into_iter().chain(elsewhere).chain(nearly) {
        let asked = http.get(format!("{}{path}", world.running.own)).header(HOST, host).send().await.unwrap();
        assert!(asked.headers().get("set-cookie").is_none(), "{host}{path}");
        let (status, answer) = read(asked).await;
        assert_eq!((status.as_u16(), &answer["error"]), (404, &Value::from("not_found")), "{host}{path}");
    }
    for path in ["/health/live", "/health/ready", "/auth/health/live", "/auth/health/ready"] {
        assert_eq!(http.get(format!("{}{path}", world.running.own)).send().await.unwrap().status(), 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_comes_from_the_origin_and_never_from_the_issuer() {
    let world = World::with(crate::harness::databases::Engine::Sqlite, Options::under("/auth")).await;
    let running = &world.running;
    // Browsers say an origin in `Origin`; a path in it was written by somebody else.
    for (origin, status) in [(running.own.as_str(), 303), (running.url.as_str(), 403), ("https://evil.example", 403)] {
        let browser = ByHand::new();
        let page = browser.get(running, "/sign-in").await;
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let fields = [("r", r.as_str()), ("csrf", &csrf), ("email", "ada@example.com"), ("password", PASSWORD)];
        let answer = browser.post_with(running, "/sign-in", &fields, &[("origin", origin)]).await;
        assert_eq!(answer.status, status, "{origin}");
        assert_eq!(answer.location(), (status == 303).then_some("/auth/"), "{origin}");
    }
}
