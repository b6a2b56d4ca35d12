//! A client and the person before it, as plain as can be: requests by reqwest, forms by their field names.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use consentry::model::digest::Digest;
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::harness::faulty::{CLIENT_BY_HAND, Faulty};

/// Where it is sent back to.
pub const CALLBACK: &str = "http://127.0.0.1:8123/callback";

/// A state such as assistants send: what is encoded twice, or cut, no longer looks like it.
pub const STATE: &str = "a%2Fb_c-d e+=";

/// What its requests hold the hash of.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mBqs9tWbq0mPBNQlzXCvO0WXZ_WBmMtZ3";

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Form,
    Json,
}

/// Who visits a server.
pub struct Visitor<'a> {
    pub faulty: &'a Faulty,
    pub http: Client,
    /// What it calls itself: by hand at first.
    pub client_id: String,
    pub client_secret: Option<String>,
}

impl<'a> Visitor<'a> {
    /// The client by hand, with no cookies yet.
    pub fn new(faulty: &'a Faulty) -> Self {
        let http = Client::builder()
            .user_agent("visitor")
            .cookie_store(true)
            .redirect(Policy::none())
            .build()
            .expect("a client");
        let (client_id, client_secret) = (CLIENT_BY_HAND.0.to_owned(), Some(CLIENT_BY_HAND.1.to_owned()));
        Self { faulty, http, client_id, client_secret }
    }

    /// The address of one of the server's endpoints.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.faulty.issuer)
    }

    pub async fn get(&self, url: &str) -> Response {
        self.http.get(url).send().await.expect("an answer")
    }

    /// An authorization request; what is given replaces what is usual.
    pub fn request(&self, changes: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Digest::of(VERIFIER).0);
        let usual = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", CALLBACK),
            ("scope", "items.read"),
            ("state", STATE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).extend_pairs(changes).finish();
        format!("{}?{query}", self.at("/authorize"))
    }

    /// Where the browser is sent in the end, after the person has signed in and decided, if it is sent anywhere.
    pub async fn decide(&self, request: &str, decision: &str) -> Result<Url, StatusCode> {
        let mut answer = self.get(request).await;
        // Who has signed in before is asked for consent at once.
        if answer.status() == StatusCode::OK {
            let id = hidden(&answer.text().await.expect("a page"));
            let person = [("request", id.as_str()), ("email", "ada@example.com"), ("password", "any at all")];
            answer = self.http.post(self.at("/sign-in")).form(&person).send().await.expect("an answer");
        }
        let consent = Url::parse(&self.faulty.url).expect("a URL").join(&location(&answer)).expect("a place");
        let page = self.get(consent.as_str()).await.text().await.expect("a page");
        assert!(page.contains("name=\"decision\" value=\"allow\"") && page.contains("value=\"deny\""), "{page}");
        let decision = [("request", hidden(&page)), ("decision", decision.to_owned())];
        let answer = self.http.post(self.at("/consent")).form(&decision).send().await.expect("an answer");
        if answer.status() == StatusCode::SEE_OTHER {
            Ok(Url::parse(&location(&answer)).expect("a URL"))
        } else {
            Err(answer.status())
        }
    }

    /// A code that was consented to.
    pub async fn code(&self) -> String {
        let left = self.decide(&self.request(&[]), "allow").await.expect("a redirect");
        parameter(&left, "code").expect("a code")
    }

    /// Calls the token endpoint.
    pub async fn token(&self, encoding: Encoding, fields: &[(&str, &str)]) -> Answer {
        let secret = self.client_secret.as_deref().map(|secret| ("client_secret", secret));
        let fields: Vec<_> =
            fields.iter().copied().chain([("client_id", self.client_id.as_str())]).chain(secret).collect();
        let request = self.http.post(self.at("/token"));
        let request = match encoding {
            Encoding::Form => request.form(&fields),
            Encoding::Json => request
                .json(&Value::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect())),
        };
        Answer::of(request.send().await.expect("an answer")).await
    }

    pub async fn redeem(&self, encoding: Encoding, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(encoding, &fields).await
    }

    pub async fn refresh(&self, encoding: Encoding, token: &str) -> Answer {
        self.token(encoding, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Calls the MCP server.
    pub async fn call_api(&self, token: Option<&str>) -> Response {
        let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {} });
        let call = self.http.post(&self.faulty.resource).json(&hello);
        let call = if let Some(token) = token { call.bearer_auth(token) } else { call };
        call.send().await.expect("an answer")
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub cache_control: Option<String>,
    /// By the server's clock.
    pub date: Option<DateTime<Utc>>,
    pub json: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let content_type = header(&response, header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let cache_control = header(&response, header::CACHE_CONTROL.as_str());
        let date = header(&response, header::DATE.as_str()).and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
        let date = date.map(|date| date.to_utc());
        let text = response.text().await.expect("a body");
        Self { status, content_type, cache_control, date, json: serde_json::from_str(&text).unwrap_or_default() }
    }

    /// A member that is text.
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }
}

/// A header's text.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Where an answer leads.
pub fn location(response: &Response) -> String {
    header(response, "location").unwrap_or_else(|| panic!("{} leads nowhere", response.status()))
}

/// A parameter of a redirect.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

fn hidden(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("no form in {page}"));
    rest.split('"').next().expect("a value").to_owned()
}
