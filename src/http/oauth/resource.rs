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
    requested: Result<Option<&str>, NoTarget>,
) -> StoreResult<Result<Resource, NoTarget>> {
    let decided = match requested {
        Ok(named) => look(server, client, named).await?,
        Err(refused) => Err(refused),
    };
    if let Err(refused) = &decided {
        explain(client, requested.ok().flatten(), refused);
    }
    Ok(decided)
}

/// The same without a word in the log, for whoever only wants to know what a client would get.
pub async fn look(
    server: &Server,
    client: &Client,
    requested: Option<&str>,
) -> StoreResult<Result<Resource, NoTarget>> {
    let lookup = match resource::lookup(client, requested, server.settings.default_resource.as_ref()) {
        Ok(lookup) => lookup,
        Err(refused) => return Ok(Err(refused)),
    };
    let found = match &lookup {
        Lookup::Own => None,
        Lookup::Named(canonical) | Lookup::Default(canonical) => server.store.resource(canonical).await?,
        Lookup::Only => server.store.only_default_resource().await?,
    };
    Ok(resource::decide(client, &lookup, found))
}

/// Says in the log what an `invalid_target` is about: the caller is told little, and owners search long.
pub fn explain(client: &Client, requested: Option<&str>, refused: &impl std::fmt::Display) {
    tracing::warn!(
        client.id = client.client_id.as_str(),
        client.plugin = client.home.as_ref().map(|home| home.plugin_slug.as_str()),
        resource.requested = requested,
        reason = %refused,
        "invalid_target: `consentry resource list` shows what is registered, `consentry resource add` registers more, \
         and the setting default_resource says what a client gets that belongs to no plugin and names none"
    );
}

/// The same for an error that may be one.
pub fn explained(client: &Client, requested: Option<&str>, error: OAuthError) -> OAuthError {
    if error.code == ErrorCode::InvalidTarget {
        explain(client, requested, &error);
    }
    error
}
