//! Simulate: plays a caller against any server, and writes down what was said.
//!
//! `wire` sends a `request` (on a `leash` where somebody else says what is asked), `exchange` is what is kept of it;
//! `masked` and `secrets` take out what nobody else should read, by its name and by its value. The steps stand in the
//! order of a connection: `discovery`, `endpoints`, `registration`, `person` (with `forms`, which reads pages, and
//! `arrival`, which waits for browsers), `tokens`, `api`; `journey` walks them, and `legs` where the
//! browser is somebody else's for a while.
//! `callers` holds what is told of callers beside their presets. It knows servers by HTTP alone, ours like any other.

pub mod api;
pub mod arrival;
pub mod callers;
pub mod discovery;
pub mod endpoints;
pub mod exchange;
pub mod forms;
pub mod journey;
pub mod leash;
pub mod legs;
pub mod masked;
pub mod person;
pub mod registration;
pub mod request;
pub mod secrets;
pub mod tokens;
pub mod wire;
