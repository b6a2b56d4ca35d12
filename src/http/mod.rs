//! The floor that talks HTTP.

pub mod assets;
pub mod pages;
