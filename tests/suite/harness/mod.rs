//! Harness: fresh databases, a running server, and programs that speak to it.

pub mod aside;
pub mod cut;
pub mod databases;
