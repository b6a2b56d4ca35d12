//! Extractors: what a request says, read once and bounded. Nothing here decides.

pub mod body;
pub mod cookies;
pub mod credentials;
pub mod language;
pub mod peer;
pub mod visitor;
