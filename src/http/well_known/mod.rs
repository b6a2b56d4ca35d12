//! Documents: what the server and the plugins publish about themselves.

pub mod jwks;
pub mod metadata;
pub mod plugin;
pub mod protected_resource;

/// How long the server's own documents may be kept by whoever reads them.
pub(in crate::http) const CACHE_CONTROL: &str = "public, max-age=300";
