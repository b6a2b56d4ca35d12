//! The exam: every store operation, asked of both engines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod answers;
mod durable_writes;
mod facts;
mod redeem;
mod restart;
mod rotate;
mod rotate_model;
mod standing;
mod tables;
