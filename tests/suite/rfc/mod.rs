//! What the standards say, asked over HTTP of a running server: one file per endpoint or document.

mod authorize;
mod authorize_errors;
mod consent;
mod token;
mod wire;
