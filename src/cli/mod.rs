//! temp
pub mod demo;
mod run;
