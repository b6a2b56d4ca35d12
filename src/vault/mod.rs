//! Secrets that are kept elsewhere: how references to them are written, followed, and followed again.
//!
//! `reference` is how they are written, `keepers` who is asked (`file`, the environment, `kv`, `aws_sm`), `renewal` asks again
//! while the server runs. What a secret must be is judged by who needs it (`config`).

#[cfg(feature = "aws-sm")]
mod aws_sm;
mod error;
mod file;
mod keepers;
#[cfg(feature = "vault")]
mod kv;
pub mod reference;
mod renewal;
mod value;

pub use error::SecretError;
pub use keepers::Keepers;
pub use reference::SecretRef;
pub use renewal::{Renewable, Renewal, Secrets, Unfit};
pub use value::SecretValue;
