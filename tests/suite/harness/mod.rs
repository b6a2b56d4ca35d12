//! Harness: fresh databases, a running server, and programs that speak to it.

pub mod aside;
pub mod browser;
pub mod cut;
pub mod databases;
pub mod server;
