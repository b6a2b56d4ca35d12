//! The exam: every store operation, asked of both engines.

mod answers;
mod durable_writes;
mod facts;
mod redeem;
mod restart;
mod rotate;
mod rotate_model;
mod standing;
mod tables;
