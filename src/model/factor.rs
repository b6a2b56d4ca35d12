//! Second factors: what a person shows beside a password, or in its place, and the browsers in which they need not for a
//! while. What is secret in them is sealed or a digest; the crafts (`factors`, `keys`) know what it means.

use super::{
    Timestamp,
    id::{AccountId, DeviceId, PasskeyId},
};

/// The most passkeys an account may have.
pub const PASSKEYS_MAX: usize = 20;

/// The longest name of a passkey, in characters.
pub const PASSKEY_NAME_MAX: usize = 60;

/// What an account has.
#[derive(Clone, Debug, Default)]
pub struct Factors {
    /// The oldest first.
    pub passkeys: Vec<KeptPasskey>,
    /// An authenticator app.
    pub app: Option<KeptApp>,
    /// How many recovery codes have not been used.
    pub recovery_codes_left: i64,
    /// The browsers in which no second factor is asked for, the newest first.
    pub devices: Vec<RememberedDevice>,
}

impl Factors {
    /// Whether a second step is asked for. Recovery codes alone are no factor: they stand in for one that is lost.
    pub fn are_there(&self) -> bool {
        !self.passkeys.is_empty() || self.app.is_some()
    }
}

/// A passkey as it is kept.
#[derive(Clone, Debug)]
pub struct KeptPasskey {
    /// Row id.
    pub id: PasskeyId,
    /// Whose.
    pub account_id: AccountId,
    /// The public key and what is known of it, as JSON.
    pub credential: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// An authenticator app as it is kept.
#[derive(Clone, Debug)]
pub struct KeptApp {
    /// What the app and the server share, sealed.
    pub sealed: Vec<u8>,
    /// When it was set up.
    pub created_at: Timestamp,
    /// When a code of it was last taken.
    pub last_used_at: Option<Timestamp>,
}

/// A browser in which no second factor is asked for.
#[derive(Clone, Debug)]
pub struct RememberedDevice {
    /// Row id.
    pub id: DeviceId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// From which network address it was.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}
