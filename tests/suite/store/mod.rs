//! The exam: every store operation, asked of both engines.

mod facts;
mod first_look;
