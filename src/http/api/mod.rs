//! The owners' API, `/api/v1`: what the console changes and shows, for programs of plugin owners.
//!
//! A token says for whom a program acts and what it may do (`caller`); beyond that it sees and changes what its owner
//! could in the console, by the same functions of `registry`. `routes` is its contents list, and `document` its
//! description as OpenAPI, made of the very types that are read and written. What goes wrong is a `problem` (RFC 9457).
//! No cookie is looked at, so no web page can make a browser do any of it.

pub mod access;
pub mod attempts;
mod caller;
pub mod client_scopes;
pub mod client_secrets;
pub mod clients;
pub mod document;
pub mod findings;
pub mod log;
pub mod numbers;
pub mod owners;
pub mod paging;
pub mod people;
pub mod plugins;
mod problem;
pub mod redirect_uris;
pub mod reviewer;
pub mod routes;
pub mod secrets;
pub mod verification;
pub mod webhook;
