//! What the standards say, asked over HTTP of a running server: one file per endpoint or document.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod authorize;
mod authorize_errors;
mod consent;
mod consent_choice;
mod discovery;
mod documents;
mod grants;
mod introspection;
mod metadata;
mod own_pages;
mod protected_resource;
mod registered;
mod registration;
mod resources;
mod revocation;
mod signing;
mod storage_down;
mod token;
mod wire;
