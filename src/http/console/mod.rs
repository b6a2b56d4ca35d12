//! The owners' console.

pub mod numbers;
