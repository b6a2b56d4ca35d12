//! A program of a plugin owner's: it shows a token to the owners' API, and keeps nothing.

use consentry::{
    model::{account::Role, id::AccountId, owner_token::OwnerScope},
    registry::owner_tokens::{self, Made, OwnerTokenForm},
};
use reqwest::{Client, Method, Response, header::HeaderMap};
use serde_json::Value;

use super::{minted, server::Running};

/// What an owner's program holds.
pub struct Program {
    /// Where the API is.
    pub url: String,
    /// What it shows.
    pub token: String,
    http: Client,
}

/// What it was answered.
#[derive(Debug)]
pub struct Told {
    /// How.
    pub status: u16,
    /// With which headers.
    pub headers: HeaderMap,
    /// The body as JSON; null where there is none.
    pub json: Value,
}

/// Every word that a token can have.
pub fn all_scopes() -> Vec<&'static str> {
    OwnerScope::ALL.iter().map(|scope| scope.as_str()).collect()
}

/// Makes a token, as the command line does.
pub async fn make(running: &Running, account: AccountId, scopes: &[&str]) -> Made {
    let server = &running.server;
    let registry = running.registry();
    let scopes = scopes.iter().map(|&word| word.to_owned()).collect();
    let form = OwnerTokenForm { name: "The build".into(), scopes, days: "30".into() };
    let (account, _) = server.store.account(account).await.unwrap().unwrap();
    let made = owner_tokens::make(&registry, &account, &form).await.unwrap();
    minted::note("owner_token", made.secret.reveal());
    made
}

impl Program {
    /// One that shows this.
    pub fn with(running: &Running, token: &str) -> Self {
        Self { url: format!("{}/api/v1", running.url), token: token.to_owned(), http: Client::new() }
    }

    /// One that may do everything for a new owner.
    pub async fn of_a_new_owner(running: &Running, email: &str) -> (Self, AccountId) {
        let account = running.add_account_as(email, "Olive Owner", Role::Owner).await;
        let made = make(running, account, &all_scopes()).await;
        (Self::with(running, made.secret.reveal()), account)
    }

    /// Calls without a body.
    pub async fn call(&self, method: &str, path: &str) -> Told {
        self.send(method, path, |request| request).await
    }

    /// Calls with a body.
    pub async fn call_with(&self, method: &str, path: &str, body: &Value) -> Told {
        minted::in_json(body);
        self.send(method, path, |request| request.json(body)).await
    }

    /// Calls with a body, which must work.
    pub async fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let told = self.call_with(method, path, body).await;
        assert!((200..300).contains(&told.status), "{method} {path}: {told:?}");
        told.json
    }

    /// Calls with what somebody adds to the request.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        add: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Told {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        Told::read(add(request).send().await.unwrap()).await
    }
}

impl Told {
    /// Reads an answer whole.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let json = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        minted::in_json(&json);
        Self { status, headers, json }
    }

    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The fields that are said to be wrong.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().into_iter().flatten();
        errors.map(|error| error["field"].as_str().unwrap_or_default()).collect()
    }
}
