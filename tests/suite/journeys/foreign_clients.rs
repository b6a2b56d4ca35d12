//! Other people's OAuth libraries against the running server: the `oauth2` crate here, `openid-client` and Authlib as
//! programs of their own (`tests/foreign/`). Code with PKCE, refresh and revocation; the secret in the body and by
//! HTTP Basic.

use consentry::model::client::Dialect;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RequestTokenError, RevocationUrl, Scope, StandardRevocableToken,
    TokenIntrospectionResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType},
};

use crate::{
    harness::{
        browser::{Browser, parameter},
        foreign::run,
        server::{CALLBACK, Options, PASSWORD, Registered, Running, World},
    },
    on_both_engines,
};

/// Where the server stands and how the client authenticates. The libraries find the metadata by themselves.
const WALKS: [(&str, &str); 3] =
    [("", "client_secret_post"), ("", "client_secret_basic"), ("/auth", "client_secret_post")];

on_both_engines! {
    async fn the_oauth2_crate_gets_refreshes_and_revokes(engine) {
        let world = World::new(engine).await;
        for method in [AuthType::RequestBody, AuthType::BasicAuth] {
            let client = world.client(Dialect::Custom).await;
            walk_with_the_crate(&world.running, &client, method).await;
        }
    }

    async fn openid_client_gets_refreshes_and_revokes(engine) {
        for (base, method) in WALKS {
            let world = World::with(engine, Options::under(base)).await;
            let client = world.client(Dialect::Custom).await;
            let told = told(&world.running, &client, method);
            walk("CONSENTRY_TEST_NODE", "CONSENTRY_TEST_NODE_FLOW", &told).await;
        }
    }

    async fn authlib_gets_refreshes_and_revokes(engine) {
        for (base, method) in WALKS {
            let world = World::with(engine, Options::under(base)).await;
            let client = world.client(Dialect::Custom).await;
            let told = told(&world.running, &client, method);
            walk("CONSENTRY_TEST_PYTHON", "CONSENTRY_TEST_PYTHON_FLOW", &told).await;
        }
    }
}

/// The crate as its documentation uses it, from the address to the last refusal.
async fn walk_with_the_crate(running: &Running, client: &Registered, method: AuthType) {
    let at = |path: &str| format!("{}{path}", running.url);
    let crate_client = BasicClient::new(ClientId::new(client.client_id.clone()))
        .set_client_secret(ClientSecret::new(client.client_secret.clone()))
        .set_auth_type(method)
        .set_auth_uri(AuthUrl::new(at("/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(at("/token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(at("/introspect")).unwrap())
        // The crate revokes over https only; `send` takes that back, since a server on loopback has nothing else.
        .set_revocation_url(RevocationUrl::new(at("/revoke").replace("http://", "https://")).unwrap())
        .set_redirect_uri(RedirectUrl::new(CALLBACK.into()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state) = crate_client
        .authorize_url(CsrfToken::new_random)
        .add_scope(Scope::new("todo.read".into()))
        .set_pkce_challenge(challenge)
        .url();
    let left = Browser::new(running).agree(address.as_str(), "ada@example.com").await;
    assert!(left.as_str().starts_with(CALLBACK), "{left}");
    assert_eq!(parameter(&left, "state").as_ref(), Some(state.secret()));
    assert_eq!(parameter(&left, "iss").as_ref(), Some(&running.url));

    let code = AuthorizationCode::new(parameter(&left, "code").unwrap());
    let first = crate_client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await.unwrap();
    // Equal to what was asked for, the server need not repeat it; if it does, it must be that.
    let granted: Vec<_> = first.scopes().into_iter().flatten().map(|scope| scope.as_str()).collect();
    assert_eq!(granted, ["todo.read"]);
    let refresh_token = first.refresh_token().unwrap();
    let second = crate_client.exchange_refresh_token(refresh_token).request_async(&send).await.unwrap();
    assert_ne!(second.access_token().secret(), first.access_token().secret());
    let refresh_token = second.refresh_token().unwrap().clone();
    let asked = crate_client.introspect(second.access_token()).request_async(&send).await.unwrap();
    assert!(asked.active());

    let token = StandardRevocableToken::RefreshToken(refresh_token.clone());
    crate_client.revoke_token(token).unwrap().request_async(&send).await.unwrap();
    let refused = crate_client.exchange_refresh_token(&refresh_token).request_async(&send).await.unwrap_err();
    let RequestTokenError::ServerResponse(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.error(), &BasicErrorResponseType::InvalidGrant);
    let asked = crate_client.introspect(second.access_token()).request_async(&send).await.unwrap();
    assert!(!asked.active());
}

/// The HTTP client the crate is given.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string().replace("https://localhost", "http://localhost");
    let answer = reqwest::Client::new().request(parts.method, url).headers(parts.headers).body(body).send().await?;
    let mut response = HttpResponse::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.into();
    Ok(response)
}

/// What a script is told, as an owner would tell it.
fn told(running: &Running, client: &Registered, method: &'static str) -> Vec<(&'static str, String)> {
    vec![
        ("ISSUER", running.url.clone()),
        ("CLIENT_ID", client.client_id.clone()),
        ("CLIENT_SECRET", client.client_secret.clone()),
        ("REDIRECT_URI", CALLBACK.to_owned()),
        ("EMAIL", "ada@example.com".to_owned()),
        ("PASSWORD", PASSWORD.to_owned()),
        ("SCOPE", "todo.read".to_owned()),
        ("TOKEN_AUTH_METHOD", method.to_owned()),
    ]
}

/// Runs a script to its end: the person signed in once, and refreshing gave another refresh token.
async fn walk(program: &str, script: &str, told: &[(&'static str, String)]) {
    let report = run(program, script, told).await;
    assert_eq!((&report["signIns"], &report["rotated"]), (&1.into(), &true.into()), "{report}");
}
