//! Secrets that are kept elsewhere: how references to them are written, followed, and followed again.
//!
//! `reference` is how they are written, `keepers` who is asked (`file`, the environment, `kv`, `aws_sm`, `azure_kv`,
//! `gcp_sm`, which share `reach`), `renewal` asks again while the server runs. What a secret must be is judged by who needs it (`config`).

#[cfg(feature = "aws-sm")]
mod aws_sm;
#[cfg(feature = "azure-kv")]
mod azure_kv;
mod error;
mod file;
#[cfg(feature = "gcp-sm")]
mod gcp_sm;
mod keepers;
#[cfg(feature = "vault")]
mod kv;
#[cfg(any(feature = "vault", feature = "aws-sm", feature = "azure-kv", feature = "gcp-sm"))]
#[cfg_attr(not(all(feature = "vault", feature = "gcp-sm")), allow(dead_code, reason = "no client takes all of it"))]
mod reach;
pub mod reference;
mod renewal;
mod value;

pub use error::SecretError;
pub use keepers::Keepers;
pub use reference::SecretRef;
pub use renewal::{Renewable, Renewal, Secrets, Unfit};
pub use value::SecretValue;
