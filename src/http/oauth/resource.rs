//! Finding the resource a request is for (RFC 8707): `protocol::resource` says what to look up and decides with it.

use crate::{
    model::{client::Client, resource::Resource},
    protocol::resource::{self, Lookup, NoTarget},
    server::Server,
    store::StoreResult,
};

/// Finds it: none of the store's time when it is the client's own. A refusal is `invalid_target` for the caller, who is
/// told little.
pub async fn find(
    server: &Server,
    client: &Client,
    requested: Result<Option<&str>, NoTarget>,
) -> StoreResult<Result<Resource, NoTarget>> {
    let lookup =
        requested.and_then(|requested| resource::lookup(client, requested, server.settings.default_resource.as_ref()));
    let lookup = match lookup {
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
