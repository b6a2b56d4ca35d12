//! OpenID Connect, by the `openidconnect` library: it finds the provider's metadata and keys, redeems the code and checks
//! the ID token (signature, `iss`, `aud`, `azp`, `exp`, `nonce`).

use std::sync::Arc;

use oauth2::{
    AuthType, AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthenticationFlow, ClaimsVerificationError, ClientId, ClientSecret, DiscoveryError,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, ProviderMetadata, SignatureVerificationError,
    TokenResponse as _, UserInfoError,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreIdToken,
        CoreIdTokenClaims, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
        CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreUserInfoClaims,
    },
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Departure, ProviderError, Providers, Return, email, name, of_redeeming};
use crate::{
    model::{
        Timestamp, legible,
        provider::{Provider, Shown, is_subject},
    },
    outbound::FetchError,
};

/// What a provider says of itself, with its keys.
pub(super) type Metadata = ProviderMetadata<
    Announced,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the library has no name for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Announced {
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Announced {}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What a provider may sign with. Nothing that both sides could sign: a secret that leaks to whoever reads a
/// configuration must not be good for signing people in.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

impl Providers {
    pub(super) async fn send_by_openid(
        &self,
        provider: &Provider,
        issuer: &str,
        departure: Departure<'_>,
    ) -> Result<Url, ProviderError> {
        let metadata = self.metadata(issuer).await?;
        let client = client(provider, &metadata, departure.redirect_uri)?;
        let (state, nonce) = (departure.state, departure.nonce.to_owned());
        let verifier = PkceCodeVerifier::new(departure.verifier.to_owned());
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (url, _, _) = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scopes(provider.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url)
    }

    pub(super) async fn receive_by_openid(
        &self,
        provider: &Provider,
        issuer: &str,
        back: Return<'_>,
    ) -> Result<Shown, ProviderError> {
        let metadata = self.metadata(issuer).await?;
        check_iss(back.iss, issuer, metadata.additional_metadata().authorization_response_iss_parameter_supported)?;
        let known = client(provider, &metadata, back.redirect_uri.to_owned())?;
        let carry = |request| self.carry(request);
        let tokens = known
            .exchange_code(AuthorizationCode::new(back.code.to_owned()))
            .map_err(|_| ProviderError::Untrusted("its metadata names no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(back.verifier.to_owned()))
            .request_async(&carry)
            .await
            .map_err(of_redeeming)?;
        let id_token = tokens.id_token().ok_or_else(|| ProviderError::Untrusted("there is no ID token".to_owned()))?;
        let claims = match verify(&known, id_token, back) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
                if self.may_look_again(issuer, back.now).await =>
            {
                // Its keys were changed since.
                self.found.invalidate(issuer).await;
                let metadata = self.metadata(issuer).await?;
                verify(&client(provider, &metadata, back.redirect_uri.to_owned())?, id_token, back)
            }
            verified => verified,
        };
        let claims = claims.map_err(|error| ProviderError::Untrusted(legible::in_a_description(&error.to_string())))?;
        check_azp(claims, &provider.client_id)?;
        let subject = claims.subject().as_str().to_owned();
        if !is_subject(&subject) {
            return Err(ProviderError::Untrusted("its sub is none".to_owned()));
        }
        let mut shown = Shown {
            provider: provider.key(),
            subject,
            email: email(claims.email().map(|email| email.as_str())),
            email_verified: claims.email_verified() == Some(true),
            name: name(claims.name().and_then(|name| name.get(None)).map(|name| name.as_str())),
        };
        // Where a token comes with it, much of who somebody is stands behind that (OpenID Connect Core §5.4).
        if shown.email.is_none()
            && can_be_shown(tokens.access_token().secret())
            && let Ok(asked) = known.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        {
            let info: CoreUserInfoClaims = asked.request_async(&carry).await.map_err(of_userinfo)?;
            shown.email = email(info.email().map(|email| email.as_str()));
            shown.email_verified = info.email_verified() == Some(true);
            shown.name = shown.name.or(name(info.name().and_then(|name| name.get(None)).map(|name| name.as_str())));
        }
        Ok(shown)
    }

    async fn metadata(&self, issuer: &str) -> Result<Arc<Metadata>, ProviderError> {
        let looking = async {
            let url = IssuerUrl::new(issuer.to_owned())
                .map_err(|_| ProviderError::Untrusted("its issuer is no address".to_owned()))?;
            let carry = |request| self.carry(request);
            Metadata::discover_async(url, &carry).await.map(Arc::new).map_err(of_discovery)
        };
        let found = self.found.try_get_with(issuer.to_owned(), looking).await;
        found.map_err(|error| ProviderError::clone(&error))
    }
}

/// Who gave the answer must be whom it was asked of (RFC 9207 §2.4): a code of one provider must not be brought to
/// another, which could then use it.
fn check_iss(iss: Option<&str>, issuer: &str, is_promised: bool) -> Result<(), ProviderError> {
    match iss {
        Some(iss) if iss != issuer => Err(ProviderError::Untrusted("iss names another provider".to_owned())),
        None if is_promised => Err(ProviderError::Untrusted("iss is missing, and was promised".to_owned())),
        _ => Ok(()),
    }
}

/// A token that names another party as the one it was made for is that one's (OpenID Connect Core §3.1.3.7, 5).
fn check_azp(claims: &CoreIdTokenClaims, own: &str) -> Result<(), ProviderError> {
    match claims.authorized_party() {
        Some(party) if party.as_str() != own => Err(ProviderError::Untrusted("azp names another client".to_owned())),
        _ => Ok(()),
    }
}

/// Whether a token can stand in a header: the library takes that for granted.
fn can_be_shown(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn client(provider: &Provider, metadata: &Metadata, redirect_uri: String) -> Result<Client, ProviderError> {
    let (id, secret) =
        (ClientId::new(provider.client_id.clone()), ClientSecret::new(provider.client_secret.get().to_string()));
    let redirect_uri = RedirectUrl::new(redirect_uri)
        .map_err(|_| ProviderError::Untrusted("the public URL is no address".to_owned()))?;
    // OpenID Connect Discovery §3: what is left out is client_secret_basic.
    let methods = metadata.token_endpoint_auth_methods_supported();
    let in_body = methods.is_some_and(|methods| !methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let authentication = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
    let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret));
    Ok(client.set_redirect_uri(redirect_uri).set_auth_type(authentication))
}

fn verify<'a>(
    client: &Client,
    token: &'a CoreIdToken,
    back: Return<'_>,
) -> Result<&'a CoreIdTokenClaims, ClaimsVerificationError> {
    let now: Timestamp = back.now;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || now);
    token.claims(&verifier, &Nonce::new(back.nonce.to_owned()))
}

fn of_discovery(error: DiscoveryError<FetchError>) -> ProviderError {
    match error {
        DiscoveryError::Request(error) => ProviderError::Fetch(error),
        DiscoveryError::Response(status, _, _) => ProviderError::Fetch(FetchError::Status(status.as_u16())),
        DiscoveryError::Validation(what) => ProviderError::Untrusted(legible::in_a_description(&what)),
        other => ProviderError::Untrusted(legible::in_a_description(&other.to_string())),
    }
}

fn of_userinfo(error: UserInfoError<FetchError>) -> ProviderError {
    match error {
        UserInfoError::Request(error) => ProviderError::Fetch(error),
        other => ProviderError::Untrusted(legible::in_a_description(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_cannot_stand_in_a_header_is_shown_to_nobody() {
        assert!(can_be_shown("ya29.a0-_~+/="));
        for token in ["a\nb", "a\r\nX: y", "é", "a b", "\u{7f}"] {
            assert!(!can_be_shown(token), "{token:?}");
        }
    }

    #[test]
    fn an_answer_of_another_provider_is_none() {
        let own = "https://a.example";
        assert!(check_iss(Some(own), own, true).is_ok() && check_iss(None, own, false).is_ok());
        for (iss, is_promised) in
            [(Some("https://b.example"), false), (Some("https://a.example/"), false), (Some(""), true), (None, true)]
        {
            assert!(check_iss(iss, own, is_promised).is_err(), "{iss:?}");
        }
    }
}
