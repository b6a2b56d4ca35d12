//! Harness: fresh databases, a running server, and programs that speak to it.

pub mod browser;
pub mod databases;
pub mod server;
