//! Consentry: the authorization server that lets ChatGPT into an API with its users' consent.

pub mod charts;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod factors;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod languages;
pub mod mail;
pub mod model;
pub mod outbound;
pub mod passwords;
pub mod pictures;
pub mod protocol;
pub mod providers;
pub mod random;
pub mod registry;
pub mod server;
pub mod simulate;
pub mod store;
pub mod telemetry;
pub mod tokens;
pub mod vault;
