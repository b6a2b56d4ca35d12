//! Model: the nouns of the house, with their invariants in constructors.
//!
//! The only language `protocol` and `store` share. Nothing here reads a clock, makes chance or does I/O.

pub mod access;
pub mod account;
pub mod assertion;
pub mod attempt;
pub mod audit;
pub mod brand;
pub mod client;
pub mod code;
pub mod consent;
pub mod counts;
pub mod digest;
pub mod factor;
pub mod family;
pub mod flow;
pub mod gate;
pub mod id;
pub mod json;
pub mod key;
pub mod key_set;
pub mod key_timetable;
pub mod legible;
pub mod link;
pub mod live;
pub mod mechanisms;
pub mod owner_token;
pub mod placeholder;
pub mod plugin;
pub mod plugin_secret;
pub mod private_way;
pub mod provider;
pub mod proxies;
pub mod public_key;
pub mod public_url;
pub mod redirect_uri;
pub mod refresh_token;
pub mod resource;
pub mod rotator;
pub mod scope;
pub mod session;
pub mod span;
pub mod traces;
pub mod verification;
pub mod webhook;

/// An instant, to the millisecond; `clock` cuts finer digits off so that both engines keep it unchanged.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// How often everything born under a row has been ended; a child stands only while the number it was born under is
/// still the parent's.
pub type Generation = i64;
