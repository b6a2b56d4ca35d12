//! OAuth 2 alone, by the `oauth2` library. Such a provider signs nothing: who somebody is is asked with the token, at an
//! address of the operator's choice, over TLS.

use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse, TokenUrl, basic::BasicClient, http,
};
use reqwest::header;
use serde_json::Value;
use url::Url;

use super::{Departure, ProviderError, Providers, Return, email, name, of_redeeming};
use crate::{
    model::provider::{EmailSource, Endpoints, Provider, Shown, is_subject},
    outbound::FetchError,
};

/// Where a person goes to sign in.
pub(super) fn send(provider: &Provider, at: &Endpoints, departure: Departure<'_>) -> Result<Url, ProviderError> {
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(at.authorization.clone()))
        .set_redirect_uri(redirect_uri(&departure.redirect_uri)?);
    let (state, verifier) = (departure.state, PkceCodeVerifier::new(departure.verifier.to_owned()));
    let (url, _) = client
        .authorize_url(|| CsrfToken::new(state))
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(url)
}

impl Providers {
    pub(super) async fn receive_by_oauth(
        &self,
        provider: &Provider,
        at: &Endpoints,
        back: Return<'_>,
    ) -> Result<Shown, ProviderError> {
        // Such providers have no issuer that could be compared. Each has a redirect URI of its own, which its code is
        // bound to (RFC 9700 §4.4.2.2).
        let authentication = if at.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
            .set_client_secret(ClientSecret::new(provider.client_secret.get().to_string()))
            .set_token_uri(TokenUrl::from_url(at.token.clone()))
            .set_auth_type(authentication)
            .set_redirect_uri(redirect_uri(back.redirect_uri)?);
        let tokens = client
            .exchange_code(AuthorizationCode::new(back.code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(back.verifier.to_owned()))
            .request_async(&|request| self.carry(request))
            .await
            .map_err(of_redeeming)?;
        let token = tokens.access_token().secret();
        let info = self.ask(&at.userinfo, token).await?;
        let subject = match &info[&at.id] {
            Value::String(text) => text.clone(),
            // Beyond that a number is rounded, and two people would be one.
            Value::Number(number) if number.is_u64() || number.is_i64() => number.to_string(),
            _ => String::new(),
        };
        if !is_subject(&subject) {
            return Err(ProviderError::Untrusted(format!("what it says of the person has no {}", at.id)));
        }
        let (address, email_verified) = match &at.email {
            EmailSource::Member { email, verified } => {
                (info[email].as_str().map(str::to_owned), info[verified] == true)
            }
            EmailSource::Trusted { email } => (info[email].as_str().map(str::to_owned), true),
            EmailSource::List(url) => primary(&self.ask(url, token).await?),
        };
        Ok(Shown {
            provider: provider.key(),
            subject,
            email: email(address.as_deref()),
            email_verified,
            name: name(info[&at.name].as_str()),
        })
    }

    /// Asks with a token.
    async fn ask(&self, url: &Url, token: &str) -> Result<Value, ProviderError> {
        let request = http::Request::builder()
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Vec::new())
            .map_err(|_| ProviderError::Untrusted("its token cannot be shown".to_owned()))?;
        let response = self.carry(request).await.map_err(ProviderError::Fetch)?;
        if response.status() != http::StatusCode::OK {
            return Err(ProviderError::Fetch(FetchError::Status(response.status().as_u16())));
        }
        let not_json = |_| ProviderError::Untrusted("what it says of the person is not JSON".to_owned());
        serde_json::from_slice(response.body()).map_err(not_json)
    }
}

/// The address a person goes by, of a list of all they have.
fn primary(list: &Value) -> (Option<String>, bool) {
    let addresses = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let primary = addresses.iter().find(|address| address["primary"] == true);
    let text = primary.and_then(|address| address["email"].as_str()).map(str::to_owned);
    (text, primary.is_some_and(|address| address["verified"] == true))
}

fn redirect_uri(text: &str) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(text.to_owned()).map_err(|_| ProviderError::Untrusted("the public URL is no address".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_list_the_primary_address_counts_and_whether_it_was_verified() {
        let list = json!([
            { "email": "old@example.com", "primary": false, "verified": true },
            { "email": "ada@example.com", "primary": true, "verified": true },
        ]);
        assert_eq!(primary(&list), (Some("ada@example.com".to_owned()), true));
        let unverified = json!([{ "email": "ada@example.com", "primary": true, "verified": "true" }]);
        assert_eq!(primary(&unverified), (Some("ada@example.com".to_owned()), false));
        assert_eq!(primary(&json!({ "email": "ada@example.com" })), (None, false));
    }
}
