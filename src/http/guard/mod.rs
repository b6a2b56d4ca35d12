//! Guards: what every request is held to and every answer carries.

pub mod form;
pub mod headers;
pub mod host;
pub mod language;
pub mod request_id;
pub mod watched;
