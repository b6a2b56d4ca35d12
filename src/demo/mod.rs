//! The two little servers beside Consentry in demo mode: an API worth protecting, and a stand-in for ChatGPT.
//! They know the authorization server by its HTTP contract only, as strangers' programs would. Nothing else of the house
//! is imported but the words of a bearer challenge, which say the same wherever an API is guarded.
//!
//! [`todo_api`] is what an API owner would write: it verifies tokens and keeps each person's items apart.
//! [`chatgpt`] is what ChatGPT does: it reads the manifest, sends a person to consent, and calls the API.

mod bounded;
pub mod chatgpt;
#[cfg(test)]
mod fake_issuer;
mod secret;
pub mod servers;
pub mod todo_api;

pub use secret::Secret;

/// The sample plugin's manifest: the repository's own `.well-known/ai-plugin.json`.
pub const MANIFEST: &str = include_str!("../../.well-known/ai-plugin.json");
/// The sample API's description.
pub const OPENAPI: &str = include_str!("openapi.json");
/// The sample plugin's picture.
pub const LOGO: &[u8] = include_bytes!("logo.png");
