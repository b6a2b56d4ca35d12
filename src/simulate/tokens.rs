//! Tokens: a code becomes them, and refreshing renews them (RFC 6749 §4.1.3 and §6). The `oauth2` crate writes the
//! requests; what came back is given as it came, since the crate reads only what is right.

use std::sync::{Mutex, PoisonError};

use oauth2::{
    AuthType, AuthorizationCode, ClientId, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken,
    TokenUrl, basic::BasicClient,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    registration::Client,
    wire::{Heard, Request, Silence, Wire},
};

/// How a token request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// As RFC 6749 says.
    Form,
    /// As the classic manifest may ask.
    Json,
}

/// A token endpoint, and who calls it how.
#[derive(Clone, Debug)]
pub struct Counter<'a> {
    /// The wire.
    pub wire: &'a Wire,
    /// The endpoint.
    pub endpoint: Url,
    /// The caller.
    pub client: &'a Client,
    /// How it writes.
    pub encoding: Encoding,
    /// What tokens are to be for.
    pub resource: Option<String>,
}

/// Tokens as they came. They do not print.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: Option<String>,
}

impl Tokens {
    /// Those of an answer.
    pub fn of(heard: &Heard) -> Option<Self> {
        let answer = heard.as_ref().ok().filter(|answer| answer.status == 200)?;
        let body = answer.object()?;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Self { access: text("access_token")?, refresh: text("refresh_token") })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unwritable(String);

impl Counter<'_> {
    /// Redeems a code.
    pub async fn redeem(&self, code: &str, verifier: Option<&PkceCodeVerifier>) -> Heard {
        let heard = Mutex::default();
        let line = |request| self.call(request, &heard);
        let callback = RedirectUrl::new(self.client.redirect_uri.clone()).map_err(broken)?;
        let oauth = self.oauth().set_redirect_uri(callback);
        let mut request = oauth.exchange_code(AuthorizationCode::new(code.to_owned()));
        if let Some(verifier) = verifier {
            self.wire.learn(verifier.secret());
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.secret().clone()));
        }
        if let Some(resource) = &self.resource {
            request = request.add_extra_param("resource", resource.clone());
        }
        // The crate's own reading is left: it fails where the doctor wants to say what is missing.
        let _ = request.request_async(&line).await;
        told(heard)
    }

    /// Presents a refresh token.
    pub async fn refresh(&self, token: &str) -> Heard {
        let heard = Mutex::default();
        let line = |request| self.call(request, &heard);
        let (oauth, token) = (self.oauth(), RefreshToken::new(token.to_owned()));
        let mut request = oauth.exchange_refresh_token(&token);
        if let Some(resource) = &self.resource {
            request = request.add_extra_param("resource", resource.clone());
        }
        let _ = request.request_async(&line).await;
        told(heard)
    }

    fn oauth(
        &self,
    ) -> BasicClient<
        oauth2::EndpointNotSet,
        oauth2::EndpointNotSet,
        oauth2::EndpointNotSet,
        oauth2::EndpointNotSet,
        oauth2::EndpointSet,
    > {
        let by = if self.client.by_header { AuthType::BasicAuth } else { AuthType::RequestBody };
        let mut oauth = BasicClient::new(ClientId::new(self.client.id.clone())).set_auth_type(by);
        if let Some(secret) = &self.client.secret {
            oauth = oauth.set_client_secret(secret.clone());
        }
        oauth.set_token_uri(TokenUrl::from_url(self.endpoint.clone()))
    }

    async fn call(&self, request: HttpRequest, kept: &Mutex<Option<Heard>>) -> Result<HttpResponse, Unwritable> {
        let request = Request::of(request, &self.endpoint);
        let request = if self.encoding == Encoding::Json { request.in_json() } else { request };
        // A server may say the header back, in which the secret looks different.
        if let Some(credentials) = request.basic_credentials() {
            self.wire.learn(credentials);
        }
        let heard = self.wire.send(request).await;
        self.wire.learn_from(&heard, &["access_token", "id_token", "refresh_token"]);
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard.clone());
        let answer = heard.map_err(|silence| Unwritable(silence.to_string()))?;
        let mut response = oauth2::http::Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        response.body(answer.body).map_err(|error| Unwritable(error.to_string()))
    }
}

fn told(heard: Mutex<Option<Heard>>) -> Heard {
    let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    heard.unwrap_or_else(|| Err(Silence::Broken("the request could not be written".to_owned())))
}

fn broken(error: url::ParseError) -> Silence {
    Silence::Broken(format!("the redirect URI is no address: {error}"))
}

/// The claims of a JWT, for telling what is in it; nothing is let in by them. An opaque token has none.
pub fn claims(token: &str) -> Option<Value> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok().filter(Value::is_object)
}
