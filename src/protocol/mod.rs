//! Protocol: decides. Facts in, decision out: no I/O, no clock, no generator.
//!
//! One file per RFC or check. `authorization/` and `token/` are typed by stage; the rest are the checks they list.
//! Neighbours: `http` brings the facts and acts on the decision, `model` is the language both speak.

pub mod admission;
pub mod authorization;
pub mod bearer;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_metadata;
pub mod dialect;
pub mod error;
pub mod federated;
pub mod gate;
pub mod introspection;
pub mod manifest;
pub mod metadata;
pub mod parameters;
pub mod pkce;
pub mod presets;
pub mod redirect_uri;
pub mod registration;
pub mod resource;
pub mod resource_metadata;
pub mod revocation;
pub mod scope;
pub mod token;
pub mod verification;
pub mod webhook;
