//! Finding the resource a request is for (RFC 8707): `protocol::resource` says what to look up and decides with it.

use crate::{
    model::{client::Client, resource::Resource},
    protocol::{
        error::{ErrorCode, OAuthError},
        resource::{self, Lookup, NoTarget},
    },
    server::Server,
    store::StoreResult,
};

/// Finds it: none of the store's time when it is the client's own. A refusal is `invalid_target` for the caller, who is
/// told little; the log says what was asked for, since this is what owners search for longest.
pub async fn find(
    server: &Server,
    client: &Client,
    requested: Option<&str>,
) -> StoreResult<Result<Resource, NoTarget>> {
    let decided = match resource::lookup(client, requested) {
        Ok(lookup) => {
            let found = match &lookup {
                Lookup::Own => None,
                Lookup::Named(canonical) => server.store.resource(canonical).await?,
                Lookup::Only => server.store.only_default_resource().await?,
            };
            resource::decide(client, &lookup, found)
        }
        Err(refused) => Err(refused),
    };
    if let Err(refused) = &decided {
        explain(client, requested, refused);
    }
    Ok(decided)
}

/// Says in the log what an `invalid_target` is about: the caller is told little, and owners search long.
pub fn explain(client: &Client, requested: Option<&str>, refused: &impl std::fmt::Display) {
    tracing::warn!(
        client.id = client.client_id.as_str(),
        client.plugin = client.home.as_ref().map(|home| home.plugin_slug.as_str()),
        resource.requested = requested,
        reason = %refused,
        "invalid_target: `consentry resource list` shows what is registered, `consentry resource add` registers more"
    );
}

/// The same for an error that may be one.
pub fn explained(client: &Client, requested: Option<&str>, error: OAuthError) -> OAuthError {
    if error.code == ErrorCode::InvalidTarget {
        explain(client, requested, &error);
    }
    error
}
