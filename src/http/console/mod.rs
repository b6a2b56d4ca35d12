//! The console, `/console`: plugin owners at work on what is theirs; administrators on everything.
//!
//! `entry` is who is at work and what they may see: whatever else an address or a form names is as if it were not there.
//! Every change is one form, which calls one function of `registry` and leads to the page that shows the outcome (303).
//! The pages are structs of `pages::console`; they speak English, as the findings and the flow record do that they show.

pub mod access;
pub mod client;
pub mod clients;
mod entry;
pub mod listing;
pub mod log;
pub mod numbers;
pub mod overview;
pub mod owners;
mod paging;
pub mod people;
pub mod plugins;
mod preview;
pub mod registering;
pub mod reviewer;
pub mod scopes;
pub mod secret;
pub mod secrets;
pub mod tokens;
pub mod try_out;
pub mod verification;
pub mod webhook;
pub mod working;
