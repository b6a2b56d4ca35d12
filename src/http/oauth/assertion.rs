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
    server::{Server, key_sets::NoKeySet},
    store::assertions::AssertionUse,
    tokens::assertion,
};

/// Proves the client that was found, if any was: the assertion, ready to be used.
pub async fn prove(server: &Server, client: Option<&Client>, text: &str) -> Result<AssertionUse, MachineError> {
    let offers = |client: &&Client| {
        client.enabled && client.authentication_methods.contains(AuthenticationMethod::PrivateKeyJwt)
    };
    let client = client.filter(offers).ok_or(UNKNOWN)?;
    let claimed = assertion::peek(text).ok_or_else(|| refused("it is not a signed JWT"))?;
    let set = match server.key_set(client, claimed.kid.as_deref()).await? {
        Ok(set) => set,
        // Not the client's fault, and it passes: the client must not throw its tokens away for it.
        Err(NoKeySet::Fetch(_)) => {
            let description = "the client's key set cannot be fetched for now; try again in a minute";
            return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, description).into());
        }
        Err(error) => return Err(refused(&error.to_string()).into()),
    };
    let claims = assertion::verify(text, &set, client.signing_algorithm)
        .map_err(|fault| OAuthError { code: ErrorCode::InvalidClient, description: fault.to_string().into() })?;
    let expected = Expected {
        client_id: &client.client_id,
        issuer: &server.settings.issuer,
        token_endpoint: &format!("{}/token", server.settings.issuer),
    };
    let id = client_assertion::decide(&claims, expected, server.clock.now())?;
    Ok(AssertionUse { id, use_id: random::bytes() })
}

fn refused(reason: &str) -> OAuthError {
    OAuthError { code: ErrorCode::InvalidClient, description: format!("client_assertion: {reason}").into() }
}
