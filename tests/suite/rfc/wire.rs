//! Requests as they go over the wire, with nothing followed and nothing kept, and whole answers to look at.

use consentry::{
    model::{client::Client as Row, consent::Consent},
    store::consents::ConsentKey,
};
use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::harness::{
    browser::{Browser, authorize, parameter},
    server::{CALLBACK, Registered, Running, World},
};

/// The verifier of RFC 7636 Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its challenge.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a readable header"))
    }

    /// The body, which must be JSON and say so.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Status and error code of an error in the shape RFC 6749 §5.2 gives it, with the request id in both places.
    pub fn error(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{self:?}");
        assert!(body["error_description"].is_string(), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        (self.status, body["error"].as_str().expect("an error code").to_owned())
    }

    /// Asserts that this is a page for a person and leads nowhere.
    pub fn assert_page(&self, status: StatusCode, case: &str) {
        assert_eq!(self.status, status.as_u16(), "{case}: {self:?}");
        assert_eq!(self.header("location"), None, "{case}");
        assert_eq!(self.header("refresh"), None, "{case}");
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"), "{case}");
    }
}

/// A program without cookies that follows nothing.
pub fn http() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.expect("a body") }
}

impl Running {
    /// An address on this server.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Gets an address without cookies.
    pub async fn look(&self, path: &str) -> Answer {
        send(http().get(self.at(path))).await
    }

    /// Posts a form without looking at the answer's meaning.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        send(http().post(self.at(path)).form(fields)).await
    }

    /// Posts a form with HTTP Basic.
    pub async fn post_basic(&self, path: &str, client: &Registered, fields: &[(&str, &str)]) -> Answer {
        let request = http().post(self.at(path)).basic_auth(&client.client_id, Some(&client.client_secret));
        send(request.form(fields)).await
    }

    /// Redeems a code of [`pkce_request`]; the client proves itself with what it has, in the body.
    pub async fn redeem_pkce(&self, client: &Registered, code: &str) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", &client.client_id),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        if !client.client_secret.is_empty() {
            fields.push(("client_secret", &client.client_secret));
        }
        self.post("/token", &fields).await
    }

    /// A code for a client that uses PKCE, agreed to by Ada in a browser of her own.
    pub async fn code_pkce(&self, client: &Registered) -> String {
        self.code_for(&authorize(&pkce_request(client))).await
    }

    /// A code for any request, agreed to by Ada in a browser of her own.
    pub async fn code_for(&self, address: &str) -> String {
        let left = Browser::new(self).agree(address, "ada@example.com").await;
        parameter(&left, "code").unwrap_or_else(|| panic!("no code in {left}"))
    }

    /// Tokens for a plugin or action, agreed to by Ada.
    pub async fn tokens(&self, client: &Registered) -> Value {
        let code = self.code(client).await;
        let (status, tokens) = self.redeem(client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// A client's row.
    pub async fn row(&self, client: &Registered) -> Row {
        let found = self.server.store.client(&client.client_id, self.server.clock.now()).await;
        found.expect("the store answers").expect("a client")
    }
}

impl World {
    /// Which consent Ada's, or somebody else's, to a client is.
    pub async fn consent_key(&self, client: &Registered, email: &str) -> ConsentKey {
        let store = &self.running.server.store;
        let (account, _) = store.account_by_email(&email.parse().expect("an address")).await.unwrap().unwrap();
        let client_id = self.running.row(client).await.id;
        ConsentKey { account_id: account.id, client_id, resource: self.plugin.resource.clone() }
    }

    /// What somebody consented to.
    pub async fn consent(&self, client: &Registered, email: &str) -> Option<Consent> {
        let key = self.consent_key(client, email).await;
        self.running.server.store.consent(&key).await.expect("the store answers")
    }
}

/// The parameters of a request that is right for a client that uses PKCE.
pub fn pkce_request(client: &Registered) -> Vec<(&str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", CALLBACK),
        ("state", "s-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The same parameters with one of them said differently, or added.
pub fn with<'a>(mut request: Vec<(&'a str, &'a str)>, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    match request.iter_mut().find(|(known, _)| *known == name) {
        Some(pair) => pair.1 = value,
        None => request.push((name, value)),
    }
    request
}

/// The same parameters without one of them.
pub fn without<'a>(mut request: Vec<(&'a str, &'a str)>, name: &str) -> Vec<(&'a str, &'a str)> {
    request.retain(|(known, _)| *known != name);
    request
}

/// A member of a JSON object that is text.
pub fn text<'a>(json: &'a Value, member: &str) -> &'a str {
    json[member].as_str().unwrap_or_else(|| panic!("no {member} in {json}"))
}

/// The redirect of an answer.
pub fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").expect("a Location").parse().expect("a whole URL")
}
