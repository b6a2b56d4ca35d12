//! Attacks: what must not work, one named test for each row of the list of attacks seen against comparable servers.
//!
//! Every test speaks HTTP with a running server (`outbound` is the server that speaks, `any_bytes` asks the readers
//! alone); its first line names the row.

pub mod by_hand;

mod admission;
mod agreeing;
mod any_bytes;
mod assertion_replays;
mod assertions;
mod audit;
mod audit_keys;
mod browsers;
mod clients;
mod codes;
mod connecting;
mod console;
mod documents;
mod downgrades;
mod examining;
mod federated;
mod forms;
mod gate;
mod gate_upstreams;
mod guessing;
mod hosts;
mod injected;
mod key_hosts;
mod keys;
mod kinds;
mod log;
mod moved_keys;
mod names;
mod nasty;
mod nasty_connectors;
mod nasty_documents;
mod nasty_heads;
mod nasty_values;
mod offers;
mod outbound;
mod own_login;
mod owners_api;
mod pages;
mod parameters;
mod pkce;
mod redirects;
mod refreshing;
mod refusals;
mod registration;
mod reviewer;
mod revoked;
mod sealed;
mod second_step;
mod secrets;
mod sign_in;
mod stored_secrets;
mod taken_scopes;
mod tokens;
mod trying_out;
mod verification;
mod webhooks;
