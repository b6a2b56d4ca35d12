//! The two little servers beside Consentry in demo mode: an API worth protecting, and a stand-in for ChatGPT.
//! They know the authorization server by its HTTP contract only, as strangers' programs would; nothing else of the house is imported.
//!
//! [`todo_api`] is what an API owner would write: it verifies tokens and keeps each person's items apart.
//! [`chatgpt`] is what ChatGPT does: it reads the manifest, sends a person to consent, and calls the API.

mod bounded;
pub mod chatgpt;
#[cfg(test)]
mod fake_issuer;
mod secret;
pub mod todo_api;

pub use secret::Secret;
