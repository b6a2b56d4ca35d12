//! The exam: every store operation, asked of both engines.

mod accounts;
mod answers;
mod clients;
mod consents;
mod cut_connection;
mod durable_writes;
mod facts;
mod keys;
mod plugins;
mod redeem;
mod restart;
mod rotate;
mod rotate_model;
mod schema;
mod sessions;
mod standing;
mod sweep;
mod tables;
mod unavailable;
