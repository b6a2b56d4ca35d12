//! Proving a client by its assertion (RFC 7523 §2.2, §3): keys, signature, claims. Using it up is part of the step it is
//! for (`store::assertions`).
//!
//! Neighbours: `server::key_sets` finds the keys, `tokens::assertion` verifies, `protocol::client_assertion` decides.

use crate::{
    http::failure::MachineError,
    model::{
        assertion::AssertionClaims,
        client::{AuthenticationMethod, Client},
    },
    protocol::{
        client_assertion::{self, Expected},
        client_authentication::UNKNOWN,
        error::{ErrorCode, OAuthError},
    },
    random,
    server::{Server, key_sets::NoKeySet},
    store::assertions::AssertionUse,
    tokens::assertion::{self, AssertionFault},
};

/// A name no key has, so that looking for it fetches the newest set.
const NO_KEY: &str = "";

/// Proves the client that was found, if any was: the assertion, ready to be used.
pub async fn prove(server: &Server, client: Option<&Client>, text: &str) -> Result<AssertionUse, MachineError> {
    let offers = |client: &&Client| {
        client.enabled && client.authentication_methods.contains(AuthenticationMethod::PrivateKeyJwt)
    };
    let client = client.filter(offers).ok_or(UNKNOWN)?;
    let claimed = assertion::peek(text).ok_or_else(|| refused("it is not a signed JWT"))?;
    let claims = match verify(server, client, claimed.kid.as_deref(), text).await? {
        // Without a name a new key looks like a forged one: it may be in a set that was published since.
        Err(AssertionFault::UnknownKey(_)) if claimed.kid.is_none() => {
            verify(server, client, Some(NO_KEY), text).await?
        }
        verified => verified,
    };
    let claims =
        claims.map_err(|fault| OAuthError { code: ErrorCode::InvalidClient, description: fault.to_string().into() })?;
    let expected = Expected {
        client_id: &client.client_id,
        issuer: &server.settings.issuer,
        token_endpoint: &format!("{}/token", server.settings.issuer),
    };
    let id = client_assertion::decide(&claims, expected, server.clock.now())?;
    Ok(AssertionUse { id, use_id: random::bytes() })
}

/// Verifies with the client's key set, which knows the key of that name if any set of the client's does.
async fn verify(
    server: &Server,
    client: &Client,
    kid: Option<&str>,
    text: &str,
) -> Result<Result<AssertionClaims, AssertionFault>, MachineError> {
    match server.key_set(client, kid).await? {
        Ok(set) => Ok(assertion::verify(text, &set, client.signing_algorithm)),
        // Not the client's fault, and it passes: the client must not throw its tokens away for it.
        Err(NoKeySet::Fetch(_)) => {
            let description = "the client's key set cannot be fetched for now; try again in a minute";
            Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, description).into())
        }
        Err(error) => Err(refused(&error.to_string()).into()),
    }
}

fn refused(reason: &str) -> OAuthError {
    OAuthError { code: ErrorCode::InvalidClient, description: format!("client_assertion: {reason}").into() }
}
