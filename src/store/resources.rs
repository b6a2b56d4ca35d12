//! Operations on resources (RFC 8707): what tokens can be for.

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::{PluginId, ResourceId},
    public_key::SigningAlgorithm,
    resource::{Resource, ResourceIdentifier},
};

/// A resource to be registered.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Row id.
    pub id: ResourceId,
    /// Whose it is.
    pub plugin_id: PluginId,
    /// What tokens will say.
    pub identifier: ResourceIdentifier,
    /// When.
    pub at: Timestamp,
}

/// What became of registering a resource.
#[derive(Clone, Debug)]
pub enum AddResource {
    /// It is registered now.
    Added(Resource),
    /// The plugin has it already, perhaps in another spelling; nothing was written.
    Known(Resource),
    /// Another plugin has it.
    Taken {
        /// Whose it is.
        slug: String,
    },
}

/// What became of removing a resource.
#[derive(Clone, Debug)]
pub enum RemoveResource {
    /// It is gone; whatever was issued for it no longer stands.
    Removed(Resource),
    /// It is its plugin's default, which is never removed.
    IsDefault(Resource),
    /// There is no such resource.
    Unknown,
}

impl Store {
    /// Finds a resource by its canonical spelling.
    pub async fn resource(&self, canonical: &str) -> StoreResult<Option<Resource>> {
        on_either_engine!(self, engine => engine.resource(canonical))
    }

    /// Finds a resource by its id.
    pub async fn resource_by_id(&self, id: ResourceId) -> StoreResult<Option<Resource>> {
        on_either_engine!(self, engine => engine.resource_by_id(id))
    }

    /// All resources, oldest first.
    pub async fn resources(&self) -> StoreResult<Vec<Resource>> {
        on_either_engine!(self, engine => engine.resources())
    }

    /// Some resources of a plugin: its default first, then the oldest.
    pub async fn resources_of(&self, plugin: PluginId, rows_max: u32) -> StoreResult<Vec<Resource>> {
        on_either_engine!(self, engine => engine.resources_of(plugin, rows_max))
    }

    /// The first resource registered below an origin, in canonical spelling and without trailing slash.
    pub async fn resource_below(&self, origin: &str) -> StoreResult<Option<Resource>> {
        on_either_engine!(self, engine => engine.resource_below(origin))
    }

    /// The default resource of the only plugin there is; none while there are none, or several.
    pub async fn only_default_resource(&self) -> StoreResult<Option<Resource>> {
        on_either_engine!(self, engine => engine.only_default_resource())
    }

    /// Registers a further resource of a plugin. Whatever anybody agreed to where it stood before is ended.
    pub async fn add_resource(&self, resource: &NewResource, audit: &Audit) -> StoreResult<AddResource> {
        changing!(self, engine => engine.add_resource(resource, audit))
    }

    /// Says how access tokens for a resource are signed from now on; none if there is no such resource.
    pub async fn sign_for(
        &self,
        canonical: &str,
        algorithm: SigningAlgorithm,
        audit: &Audit,
    ) -> StoreResult<Option<Resource>> {
        changing!(self, engine => engine.sign_for(canonical, algorithm, audit))
    }

    /// Removes a resource and ends whatever people agreed to there: families and codes for it stand no more, also if it
    /// is registered again.
    pub async fn remove_resource(&self, canonical: &str, audit: &Audit) -> StoreResult<RemoveResource> {
        changing!(self, engine => engine.remove_resource(canonical, audit))
    }
}
