//! Harness: fresh databases, a running server, and programs that speak to it.

pub mod abroad;
pub mod aside;
pub mod browser;
pub mod chromium;
pub mod connected;
pub mod connector;
pub mod cut;
pub mod databases;
pub mod durable;
pub mod elsewhere;
pub mod faulty;
pub mod foreign;
pub mod hostile;
pub mod landing;
pub mod log;
pub mod looks;
pub mod plugins;
pub mod process;
pub mod published;
pub mod route_table;
pub mod second_factor;
pub mod server;
pub mod signer;
pub mod simulating;
pub mod smtp;
pub mod strangers;
