//! Why a reference leads to no secret: what is wrong, and what to do. Nothing of what was read is repeated.

use std::{io, path::PathBuf};

use super::reference::SecretRef;

/// Why a reference leads to no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("the variable {0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("{path} cannot be read ({error})")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{0} is not a plain file")]
    NotAFile(PathBuf),
    /// Somebody else could read it.
    #[error("{path} can be read by others than its owner (mode {mode:04o})")]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too long to be one.
    #[error("{0} is too large to be a secret")]
    TooLarge(PathBuf),
    /// Nothing in it.
    #[error("{0} is empty")]
    Empty(SecretRef),
    /// The program was built without what it takes.
    #[error("this program was built without the feature {0}, which that takes")]
    NotBuilt(&'static str),
    /// How a vault is reached, or who this server is to it, cannot be used.
    #[error("{variable} {problem}")]
    Settings {
        /// The environment's variable.
        variable: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A vault does not answer, or not now.
    #[error("the vault did not tell it: {0}")]
    Unavailable(String),
    /// A vault does not let this server in.
    #[error("the vault does not let this server in: {0}")]
    Refused(String),
    /// A vault does not let this server read that.
    #[error("the vault does not let this server read {0}")]
    Denied(SecretRef),
    /// A vault keeps nothing there.
    #[error("the vault has nothing at {0}")]
    NotThere(SecretRef),
}

impl SecretError {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::NotSet(name) => format!("set {name}, or refer to a file: file:PATH"),
            Self::Unreadable { .. } => "name a file that this program may read".to_owned(),
            Self::NotAFile(_) => "name a file".to_owned(),
            Self::Exposed { path, .. } => {
                format!("run chmod 600 {}, or have the container platform mount it with mode 0400", path.display())
            }
            Self::TooLarge(_) | Self::Empty(_) => "put the secret into it, and nothing else".to_owned(),
            Self::NotBuilt(feature) => format!("build it with --features {feature}, or refer to a file: file:PATH"),
            Self::Settings { variable, .. } => format!("correct {variable}"),
            Self::Unavailable(_) => "see whether it runs and can be reached from here (docs/secrets.md)".to_owned(),
            Self::Refused(_) => "see what this server shows to it (docs/secrets.md)".to_owned(),
            Self::Denied(_) => "let this server read it, and nothing it does not need (docs/secrets.md)".to_owned(),
            Self::NotThere(_) => "put it there, as a text, or correct the reference".to_owned(),
        }
    }

    /// Whether trying again in a moment may help.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
