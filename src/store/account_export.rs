//! Everything that is kept of a person, for themselves: GDPR, article 15 and 20.

use serde::Serialize;
use serde_json::Value;

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    account::{Email, Role},
    factor::{Factors, KeptPasskey, RememberedDevice},
    id::{AccountId, AuditEventId, FamilyId, LinkId, SessionId},
};

/// Everything that is kept of a person, as it is given to them. No digest and no hash: those are of secrets.
#[derive(Clone, Debug, Serialize)]
pub struct AccountExport {
    /// The account itself.
    pub account: ExportedAccount,
    /// Who they are at other servers.
    pub identities: Vec<ExportedIdentity>,
    /// What they allowed.
    pub consents: Vec<ExportedConsent>,
    /// Where they are signed in.
    pub sessions: Vec<ExportedSession>,
    /// What they show beside a password, or in its place.
    pub factors: ExportedFactors,
    /// Plugins they own.
    pub plugins: Vec<ExportedPlugin>,
    /// What their programs show to the owners' API.
    pub owner_tokens: Vec<ExportedOwnerToken>,
    /// Groups they are in.
    pub groups: Vec<ExportedGroup>,
    /// What is connected by their consent, or was until lately.
    pub connections: Vec<ExportedConnection>,
    /// One-time links that were asked for, until they are swept.
    pub links: Vec<ExportedLink>,
    /// What happened to the account.
    pub events: Vec<ExportedEvent>,
}

/// The account itself.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedAccount {
    /// Row id.
    pub account_id: AccountId,
    /// Address.
    pub email: Email,
    /// When it was shown to be theirs.
    pub email_verified_at: Option<Timestamp>,
    /// Name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Chosen language.
    pub language: Option<String>,
    /// Whether it can be used.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who they are at another server.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ExportedIdentity {
    /// Which.
    pub provider: String,
    /// Their id there.
    pub subject: String,
    /// Their address there, as it was last told.
    pub email: Option<String>,
    /// Since when they are linked.
    pub linked_at: Timestamp,
    /// When they last signed in by it.
    pub last_used_at: Option<Timestamp>,
}

/// What they allowed one client at one resource.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ExportedConsent {
    /// What the wire calls the client.
    pub client_id: String,
    /// Its name.
    pub client_name: String,
    /// Where.
    pub resource: String,
    /// What.
    pub scopes: String,
    /// When it was last given or widened.
    pub granted_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// A browser in which they are signed in.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedSession {
    /// Row id.
    pub session_id: SessionId,
    /// When they signed in.
    pub signed_in_at: Timestamp,
    /// From which network address.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What they show beside a password, or in its place.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedFactors {
    /// Passkeys.
    pub passkeys: Vec<ExportedPasskey>,
    /// Since when there is an authenticator app, if there is one.
    pub authenticator_app_since: Option<Timestamp>,
    /// How many recovery codes have not been used.
    pub recovery_codes_left: i64,
    /// Browsers in which no second factor is asked for.
    pub remembered_devices: Vec<ExportedDevice>,
}

/// One passkey.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedPasskey {
    /// What they call it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// One browser in which no second factor is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedDevice {
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// From which network address.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}

/// A plugin they own.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ExportedPlugin {
    /// Its short name.
    pub plugin: String,
    /// Since when.
    pub added_at: Timestamp,
}

/// A token of a program of theirs.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ExportedOwnerToken {
    /// What they call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A group they are in.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ExportedGroup {
    /// What it is called.
    pub called: String,
    /// Since when.
    pub added_at: Timestamp,
}

/// One connection.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedConnection {
    /// Row id; `family` in the audit log.
    pub family: FamilyId,
    /// What the wire calls the client; none if it is gone.
    pub client_id: Option<String>,
    /// Where.
    pub resource: String,
    /// What.
    pub scopes: String,
    /// When they had signed in who allowed it.
    pub signed_in_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last rotated.
    pub rotated_at: Option<Timestamp>,
    /// The end, unless it is used before.
    pub idle_until: Timestamp,
    /// The absolute end.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// Why.
    pub end_reason: Option<String>,
}

/// One one-time link. Whoever has it knows its text; here it is kept no more.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedLink {
    /// Row id.
    pub link_id: LinkId,
    /// What for.
    pub purpose: String,
    /// Where it was sent.
    pub email: String,
    /// The tag of the language it was asked for in.
    pub language: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The end.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// When something else made it worthless.
    pub ended_at: Option<Timestamp>,
}

/// One line of the audit log.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedEvent {
    /// Row id.
    pub event_id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// By whom: `account`, `client`, `operator` or `server`.
    pub actor: String,
    /// From where.
    pub address: Option<String>,
    /// What the wire calls the client concerned; none if it is gone.
    pub client_id: Option<String>,
    /// What more is known of it.
    pub detail: Value,
}

impl From<Factors> for ExportedFactors {
    fn from(factors: Factors) -> Self {
        let passkey = |passkey: KeptPasskey| ExportedPasskey {
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        };
        let device = |device: RememberedDevice| ExportedDevice {
            created_at: device.created_at,
            expires_at: device.expires_at,
            address: device.address,
            user_agent: device.user_agent,
        };
        Self {
            passkeys: factors.passkeys.into_iter().map(passkey).collect(),
            authenticator_app_since: factors.app.map(|app| app.created_at),
            recovery_codes_left: factors.recovery_codes_left,
            remembered_devices: factors.devices.into_iter().map(device).collect(),
        }
    }
}

impl Store {
    /// Gathers everything that is kept of a person; none when there is no such account.
    pub async fn export_account(&self, id: AccountId) -> StoreResult<Option<AccountExport>> {
        on_either_engine!(self, engine => engine.export_account(id))
    }
}
