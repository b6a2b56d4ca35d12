//! A whole walk on a sound server, with the `oauth2` crate where it speaks the step; and what a sound server refuses.

use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse, TokenUrl,
    basic::BasicClient,
};
use serde_json::{Value, json};

use super::visitor::{Answer, CALLBACK, Encoding, VERIFIER, Visitor, header, parameter};
use crate::harness::faulty::Faulty;

/// Sends what the crate writes.
async fn send(http: reqwest::Client, request: oauth2::HttpRequest) -> reqwest::Result<oauth2::HttpResponse> {
    let answer = http.execute(reqwest::Request::try_from(request)?).await?;
    let mut kept = oauth2::http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        kept = kept.header(name, value);
    }
    Ok(kept.body(answer.bytes().await?.to_vec()).expect("what was received can be written"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_server_passes_a_whole_walk() {
    for faulty in [Faulty::sound(), Faulty::sound_under_a_path()] {
        let visitor = Visitor::new(&faulty);
        let refused = visitor.call_api(None).await;
        let challenge = header(&refused, "www-authenticate").expect("a challenge");
        let place = challenge.split('"').nth(1).expect("an address");
        let document = Answer::of(visitor.get(place).await).await;
        let issuer = document.json["authorization_servers"][0].as_str().expect("an issuer");
        assert_eq!(issuer, faulty.issuer);
        let path = issuer.strip_prefix(&faulty.url).expect("the same host");
        let place = format!("{}/.well-known/oauth-authorization-server{path}", faulty.url);
        let metadata = Answer::of(visitor.get(&place).await).await;
        let client = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
        let registered = visitor.http.post(metadata.text("registration_endpoint")).json(&client).send().await;
        let registered = Answer::of(registered.expect("an answer")).await;
        assert_eq!((registered.status, registered.json.get("client_secret")), (201, None), "{registered:?}");

        let client = BasicClient::new(ClientId::new(registered.text("client_id").to_owned()))
            .set_auth_uri(AuthUrl::new(metadata.text("authorization_endpoint").to_owned()).unwrap())
            .set_token_uri(TokenUrl::new(metadata.text("token_endpoint").to_owned()).unwrap())
            .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (request, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("items.read".into()))
            .add_extra_param("resource", document.text("resource"))
            .set_pkce_challenge(challenge)
            .url();
        let left = visitor.decide(request.as_str(), "allow").await.expect("a redirect");
        assert_eq!(parameter(&left, "state").as_ref(), Some(state.secret()));
        assert_eq!(parameter(&left, "iss").as_deref(), Some(issuer));

        let http = |request| send(visitor.http.clone(), request);
        let code = AuthorizationCode::new(parameter(&left, "code").expect("a code"));
        let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await.expect("tokens");
        assert_eq!(visitor.call_api(Some(tokens.access_token().secret())).await.status(), 200);
        let old = tokens.refresh_token().expect("a refresh token");
        let next = client.exchange_refresh_token(old).request_async(&http).await.expect("tokens");
        assert_ne!(next.refresh_token().expect("a refresh token").secret(), old.secret(), "it is rotated");
        let token = next.access_token().secret();
        let called = visitor.call_api(Some(token)).await.json::<Value>().await.expect("JSON");
        assert_eq!(called["result"]["serverInfo"]["name"], "To-do", "{called}");
        let add = visitor.http.post(format!("{}/api/items", faulty.url)).bearer_auth(token).send().await.unwrap();
        let challenge = header(&add, "www-authenticate").expect("a challenge");
        assert_eq!(add.status(), 403, "it may only read");
        assert!(
            challenge.contains("insufficient_scope") && challenge.contains("items.read items.write"),
            "{challenge}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_server_refuses_what_it_must() {
    let faulty = Faulty::sound();
    let mut visitor = Visitor::new(&faulty);

    let code = visitor.code().await;
    let wrong = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    assert_eq!(visitor.token(Encoding::Form, &wrong).await.text("error"), "invalid_grant", "without the verifier");
    let elsewhere = [wrong[0], wrong[1], ("redirect_uri", "http://127.0.0.1/other"), ("code_verifier", VERIFIER)];
    assert_eq!(visitor.token(Encoding::Form, &elsewhere).await.text("error"), "invalid_grant", "for another redirect");
    let tokens = visitor.redeem(Encoding::Json, &code).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!(visitor.redeem(Encoding::Form, &code).await.text("error"), "invalid_grant", "a second time");
    let revoked = visitor.call_api(Some(tokens.text("access_token"))).await;
    assert_eq!(revoked.status(), 401, "a code that is used twice ends what came of it");
    assert!(header(&revoked, "www-authenticate").is_some_and(|challenge| challenge.contains("invalid_token")));

    let stays = [("client_id", "nobody"), ("redirect_uri", "https://evil.example/callback")];
    for change in stays {
        let answer = visitor.get(&visitor.request(&[change])).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (400, None), "{change:?}");
    }
    let another_port = visitor.get(&visitor.request(&[("redirect_uri", "http://127.0.0.1:9/callback")])).await;
    assert!(header(&another_port, "location").is_some_and(|place| place.starts_with("/consent?")));

    visitor.client_secret = Some("another".into());
    let refused = visitor.redeem(Encoding::Form, &visitor.code().await).await;
    assert_eq!((refused.status, refused.text("error")), (401, "invalid_client"));

    // A client that is a URL is believed without a fetch, must use PKCE, and has no secret.
    visitor.client_id = "https://client.example/oauth/client.json".into();
    visitor.client_secret = None;
    let without = visitor.get(&visitor.request(&[("code_challenge", "")])).await;
    let without = header(&without, "location").expect("a redirect");
    assert!(without.contains("error=invalid_request") && without.starts_with(CALLBACK), "{without}");
    let unknown = visitor.get(&visitor.request(&[("resource", "https://api.example.net")])).await;
    assert!(header(&unknown, "location").expect("a redirect").contains("error=invalid_target"));
    assert_eq!(visitor.redeem(Encoding::Form, &visitor.code().await).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_one_clients_is_no_others() {
    let faulty = Faulty::sound();
    let owner = Visitor::new(&faulty);
    let thief =
        Visitor { client_id: "https://thief.example/c.json".into(), client_secret: None, ..Visitor::new(&faulty) };
    let code = owner.code().await;
    assert_eq!(thief.redeem(Encoding::Form, &code).await.text("error"), "invalid_grant");
    let tokens = owner.redeem(Encoding::Form, &code).await;
    let refresh_token = tokens.text("refresh_token");
    assert_eq!(thief.refresh(Encoding::Form, refresh_token).await.text("error"), "invalid_grant");
    assert_eq!(owner.refresh(Encoding::Form, refresh_token).await.status, 200, "the thief has not ended it");

    // Consent is given by whoever is signed in, and by nobody else.
    let page = owner.get(&owner.request(&[])).await;
    let place = format!("{}{}", faulty.url, header(&page, "location").expect("the consent form"));
    let request = place.split_once("request=").expect("a request").1;
    let fields = [("request", request), ("decision", "allow")];
    let stranger = thief.http.post(owner.at("/consent")).form(&fields).send().await.expect("an answer");
    assert_eq!((stranger.status().as_u16(), header(&stranger, "location")), (400, None));
    let shown = thief.get(&place).await.text().await.expect("a page");
    assert!(shown.contains("type=\"password\"") && !shown.contains("decision"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_proves_itself_as_it_registered() {
    let faulty = Faulty::sound();
    for (method, in_body) in [("client_secret_post", true), ("client_secret_basic", false)] {
        let mut visitor = Visitor::new(&faulty);
        let client = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": method });
        let answer = visitor.http.post(visitor.at("/register")).json(&client).send().await.expect("an answer");
        let registered = Answer::of(answer).await;
        let secret = registered.text("client_secret").to_owned();
        visitor.client_id = registered.text("client_id").to_owned();
        visitor.client_secret = Some(secret.clone());
        let by_body = visitor.redeem(Encoding::Form, &visitor.code().await).await;
        assert_eq!(by_body.status == 200, in_body, "{method}: {by_body:?}");

        let code = visitor.code().await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let request = visitor.http.post(visitor.at("/token")).basic_auth(&visitor.client_id, Some(&secret));
        let answer = request.form(&fields).send().await.expect("an answer");
        let challenge = header(&answer, "www-authenticate");
        let by_header = Answer::of(answer).await;
        assert_eq!(by_header.status == 200, !in_body, "{method}: {by_header:?}");
        assert_eq!(challenge.is_some(), in_body, "whoever came with a header is told which (RFC 6749 §5.2)");
    }
}
