//! Proving a client by its assertion (RFC 7523 §2.2, §3): keys, signature, claims. Using it up is part of the step it is
//! for (`store::assertions`).
//!
//! Neighbours: `server::key_sets` finds the keys, `tokens::assertion` verifies, `protocol::client_assertion` decides.

use crate::{
    http::failure::MachineError,
    model::client::{AuthenticationMethod, Client},
    protocol::{
        client_assertion::{self, Expected},
        client_authentication::UNKNOWN,
        error::{ErrorCode, OAuthError},
    },
    random,
    server::{
        Server,
        clients::Asking,
        key_sets::{NoKeySet, Wanted},
    },
    store::assertions::AssertionUse,
    tokens::assertion::{self, AssertionFault},
};

/// Proves the client that was found: the assertion, ready to be used.
pub async fn prove(server: &Server, client: &Client, text: &str, asking: Asking) -> Result<AssertionUse, MachineError> {
    if !client.enabled {
        return Err(UNKNOWN.because("The client is disabled.").into());
    }
    if !client.authentication_methods.contains(AuthenticationMethod::PrivateKeyJwt) {
        return Err(UNKNOWN.because("The client sent an assertion, and is registered without a key.").into());
    }
    let kid = assertion::peek(text).and_then(|claimed| claimed.kid);
    let wanted = kid.as_deref().map_or(Wanted::Any, Wanted::Named);
    let verify = async |wanted| {
        let keys = server.key_set(client, wanted, asking).await.map_err(|why| no_keys(&why))?;
        Ok::<_, OAuthError>(assertion::verify(text, &keys, client.signing_algorithm))
    };
    let claims = match verify(wanted).await? {
        // Without a name a new key looks like a forged one: it may be in a set that was published since.
        Err(AssertionFault::UnknownKey(_)) if wanted == Wanted::Any => verify(Wanted::Newer).await?,
        verified => verified,
    };
    let claims = claims.map_err(|fault| OAuthError::told(ErrorCode::InvalidClient, fault.to_string()))?;
    let expected = Expected {
        client_id: &client.client_id,
        issuer: &server.settings.issuer,
        token_endpoint: &format!("{}/token", server.settings.issuer),
    };
    let id = client_assertion::decide(&claims, expected, server.clock.now())?;
    Ok(AssertionUse { id, use_id: random::bytes() })
}

/// What passes is not the client's fault, and it must not throw its tokens away for it.
fn no_keys(why: &NoKeySet) -> OAuthError {
    if why.passes() {
        let description = "the client's key set cannot be had for now; try again in a minute";
        return OAuthError::new(ErrorCode::TemporarilyUnavailable, description);
    }
    OAuthError::told(ErrorCode::InvalidClient, format!("client_assertion: {why}"))
}
