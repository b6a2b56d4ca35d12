//! The exam: every store operation, asked of both engines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

pub mod tables;

mod access;
mod account_export;
mod accounts;
mod answers;
mod assertions;
mod audit_links;
mod callback_offers;
mod client_changes;
mod client_keys;
mod clients;
mod connected;
mod consents;
mod counts;
mod cut_connection;
mod documents;
mod durable_writes;
mod factors;
mod facts;
mod flows;
mod identities;
mod invitations;
mod isolation;
mod keys;
mod links;
mod mails;
mod methods;
mod owner_tokens;
mod owners;
mod people;
mod people_leave;
mod plugin_people;
mod plugin_secrets;
mod plugins;
mod redeem;
mod registrations;
mod reseals;
mod resources;
mod restart;
mod rotate;
mod rotate_model;
mod rows;
mod schema;
mod secret_revocations;
mod secret_turns;
mod sessions;
mod sign_ins;
mod standing;
mod sweep;
mod unavailable;
mod upgrades;
mod verifications;
mod watch;
mod webhooks;
