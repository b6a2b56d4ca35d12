//! Keys: master keys wrap the table of working keys; working keys sign, authenticate and seal everything else.
//!
//! `master` wraps and unwraps, `ring` holds what is unwrapped, `seal` is AES-256-GCM bound to a purpose and an hour,
//! `place` names the columns that are kept sealed, `signing` is ES256 and its public half. No I/O: `server::keyring` reads and writes the table.

pub mod master;
pub mod place;
pub mod ring;
pub mod seal;
pub mod signing;

/// Why a key, or something made with one, cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyError {
    /// No master key that was given wraps this row.
    #[error(
        "working key {kid} is wrapped by master key {master}, which is not among the master keys given; list it in \
         master_keys, after the others, until the server has wrapped everything with the first"
    )]
    UnknownMaster {
        /// The working key.
        kid: crate::model::key::Kid,
        /// The master key's id.
        master: String,
    },
    /// The wrapped bytes do not open under the key that should open them: they were changed, or moved from another
    /// row.
    #[error("working key {0} does not open: its row has been changed")]
    Tampered(crate::model::key::Kid),
    /// The row says something this program does not understand.
    #[error("working key {0} has material this program cannot use")]
    Unusable(crate::model::key::Kid),
    /// No active key for a purpose.
    #[error("there is no active key to {0}")]
    Missing(&'static str),
    /// The cryptographic library refused; never for a reason a caller can cause.
    #[error("the cryptographic library refused")]
    Refused,
}
