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
    server::{
        Server,
        key_sets::{NoKeySet, Wanted},
    },
    store::assertions::AssertionUse,
    tokens::assertion::{self, AssertionFault},
};

/// Proves the client that was found, if any was: the assertion, ready to be used.
pub async fn prove(server: &Server, client: Option<&Client>, text: &str) -> Result<AssertionUse, MachineError> {
    let offers = |client: &&Client| {
        client.enabled && client.authentication_methods.contains(AuthenticationMethod::PrivateKeyJwt)
    };
    let client = client.filter(offers).ok_or(UNKNOWN)?;
    let kid = assertion::peek(text).and_then(|claimed| claimed.kid);
    let wanted = kid.as_deref().map_or(Wanted::Any, Wanted::Named);
    let claims = match verify(server, client, wanted, text).await? {
        // Without a name a new key looks like a forged one: it may be in a set that was published since.
        Err(AssertionFault::UnknownKey(_)) if wanted == Wanted::Any => {
            verify(server, client, Wanted::Newer, text).await?
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

/// Verifies with the client's key set.
async fn verify(
    server: &Server,
    client: &Client,
    wanted: Wanted<'_>,
    text: &str,
) -> Result<Result<AssertionClaims, AssertionFault>, MachineError> {
    match server.key_set(client, wanted).await? {
        Ok(set) => Ok(assertion::verify(text, &set, client.signing_algorithm)),
        // Not the client's fault, and it passes: the client must not throw its tokens away for it.
        Err(NoKeySet::Fetch(_) | NoKeySet::JustAsked) => {
            let description = "the client's key set cannot be fetched for now; try again in a minute";
            Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, description).into())
        }
        Err(error) => Err(refused(&error.to_string()).into()),
    }
}

fn refused(reason: &str) -> OAuthError {
    OAuthError { code: ErrorCode::InvalidClient, description: format!("client_assertion: {reason}").into() }
}
