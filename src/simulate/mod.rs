//! Simulate: plays a caller against any server, and writes down what was said.
//!
//! `wire` sends and keeps, `masked` takes the secrets out of what is kept. The steps stand in the order of a connection:
//! `discovery`, `registration`, `person` (with `forms`, which reads pages), `tokens`, `api`; `journey` walks them.
//! `callers` holds what is told of callers beside their presets. It knows servers by HTTP alone, ours like any other.

pub mod api;
pub mod callers;
pub mod discovery;
pub mod forms;
pub mod journey;
pub mod masked;
pub mod person;
pub mod registration;
pub mod tokens;
pub mod wire;
