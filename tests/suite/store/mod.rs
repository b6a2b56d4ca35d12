//! The exam: every store operation, asked of both engines.

mod accounts;
mod clients;
mod consents;
mod cut_connection;
mod facts;
mod first_look;
mod keys;
mod plugins;
mod schema;
mod sessions;
mod sweep;
mod unavailable;
