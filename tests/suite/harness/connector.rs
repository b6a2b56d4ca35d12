//! A connector at work: its document, its authorization request, and its calls at the token endpoint with whatever it
//! proves itself by.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::{
    model::{Timestamp, digest::Digest},
    server::Server,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::{
    browser::{Browser, authorize, parameter, read},
    minted,
    server::Running,
    signer::Signer,
    strangers::{answer::Answer, host::Host},
};

/// Where the document of the tests stands.
pub const CLIENT_ID: &str = "https://chatgpt.com/oauth/client.json";
/// Where it is sent back to.
pub const REDIRECT_URI: &str = "https://chatgpt.com/connector_platform_oauth_redirect";
/// Where its keys stand.
pub const JWKS_URI: &str = "https://chatgpt.com/oauth/jwks.json";

/// What its authorization requests hold the hash of.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mBqs9tWbq0mPBNQlzXCvO0WXZ_WBmMtZ3";

/// The document as it is published, without what it says about authentication.
pub fn document() -> Value {
    json!({
        "client_id": CLIENT_ID,
        "client_name": "ChatGPT",
        "client_uri": "https://chatgpt.com/",
        "logo_uri": "https://persistent.oaistatic.com/sonic/misc/openai-logo.png",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    })
}

/// The three shapes it has been seen in: public, with keys alone, and with both.
pub fn shapes() -> [(&'static str, Value); 3] {
    let with = |members: &Value| {
        let mut document = document();
        let more = members.as_object().unwrap().clone();
        document.as_object_mut().unwrap().extend(more);
        document
    };
    let keys = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": JWKS_URI,
    });
    let mut both = with(&keys);
    both["token_endpoint_auth_methods_supported"] = json!(["none", "private_key_jwt"]);
    [("public", with(&json!({ "token_endpoint_auth_method": "none" }))), ("keys", with(&keys)), ("both", both)]
}

/// One of the shapes that sign, by its place, without the algorithm: the key alone decides.
pub fn of_any_algorithm(shape: usize) -> Value {
    let mut document = shapes()[shape].1.clone();
    document.as_object_mut().unwrap().remove("token_endpoint_auth_signing_alg");
    document
}

/// What a connector proves itself by.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// Nothing.
    Nothing,
    /// A fresh assertion for each call.
    Key(&'a Signer),
    /// This very assertion.
    Assertion(&'a str),
    /// A secret in the body.
    Secret(&'a str),
    /// A secret in the `Authorization` header.
    Basic(&'a str),
}

/// A connector that calls a server.
#[derive(Clone, Copy)]
pub struct Connector<'a> {
    /// The server.
    pub running: &'a Running,
    /// What it calls itself.
    pub client_id: &'a str,
    /// Where it is sent back to.
    pub redirect_uri: &'a str,
    /// What it proves itself by.
    pub proof: Proof<'a>,
}

impl<'a> Connector<'a> {
    /// The one with the document of the tests.
    pub fn new(running: &'a Running, proof: Proof<'a>) -> Self {
        Self { running, client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, proof }
    }

    /// The same, proving itself by something else.
    #[must_use]
    pub fn by(self, proof: Proof<'a>) -> Self {
        Self { proof, ..self }
    }

    /// Its authorization request; `more` is added.
    pub fn request(&self, more: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Digest::of(VERIFIER).0);
        let own = [
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("state", "oauth_s_691b"),
        ];
        authorize(&[&own, more].concat())
    }

    /// The redirect after Ada has agreed.
    pub async fn agreed(&self, more: &[(&str, &str)]) -> Url {
        Browser::new(self.running).agree(&self.request(more), "ada@example.com").await
    }

    /// A code Ada has agreed to.
    pub async fn code(&self, more: &[(&str, &str)]) -> String {
        let left = self.agreed(more).await;
        parameter(&left, "code").unwrap_or_else(|| panic!("no code in {left}"))
    }

    /// Calls an endpoint with its proof.
    pub async fn call(&self, path: &str, more: &[(&str, &str)]) -> (StatusCode, Value) {
        let issuer = &self.running.server.settings.issuer;
        let fresh = match self.proof {
            Proof::Key(signer) => signer.assertion(self.client_id, issuer, now(&self.running.server)),
            _ => String::new(),
        };
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let assertion = |text| vec![("client_assertion_type", kind), ("client_assertion", text)];
        let proof = match self.proof {
            Proof::Nothing => Vec::new(),
            Proof::Key(_) => assertion(fresh.as_str()),
            Proof::Assertion(text) => assertion(text),
            Proof::Secret(secret) => vec![("client_secret", secret)],
            Proof::Basic(secret) => return self.call_with_basic(path, secret, more).await,
        };
        self.running.form(path, &[&[("client_id", self.client_id)], proof.as_slice(), more].concat()).await
    }

    async fn call_with_basic(&self, path: &str, secret: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        minted::in_form(fields);
        let request = reqwest::Client::new().post(format!("{}{path}", self.running.url));
        let request = request.basic_auth(self.client_id, Some(secret)).form(fields);
        read(request.send().await.expect("an answer")).await
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.call("/token", &fields).await
    }

    /// Presents a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> (StatusCode, Value) {
        self.call("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Connects from the beginning: the first refresh token.
    pub async fn connect(&self) -> String {
        let (status, answer) = self.redeem(&self.code(&[]).await).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        refresh_token(&answer)
    }
}

/// The refresh token of an answer.
pub fn refresh_token(answer: &Value) -> String {
    answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Publishes a document and keys on the host that stands in for the real one.
pub fn publish(host: &Host, document: &Value, signer: &Signer) {
    host.answer("/oauth/client.json", Answer::json(document));
    host.answer("/oauth/jwks.json", Answer::json(&signer.key_set()));
}

/// The server's time.
pub fn now(server: &Server) -> Timestamp {
    server.clock.now()
}
