//! temp
pub mod demo;
mod run;
pub mod serve;
