//! How many rows there are, for whoever watches how a database grows.
//!
//! Each table is counted by itself and exactly, the same way on both engines: what Postgres estimates of a table is wrong
//! or missing where nobody has analyzed it yet, and SQLite has no such number. That costs a walk over an index, so
//! `jobs::gauges` does it at rest.

use super::{Store, StoreResult, on_either_engine};

/// A table of the database.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    pub(super) count: &'static str,
}

macro_rules! tables {
    ($($name:literal),+ $(,)?) => {
        /// Every table.
        pub const TABLES: &[Table] = &[$(Table { name: $name, count: concat!("select count(*) from ", $name) }),+];
    };
}

tables![
    "access_rules",
    "accounts",
    "assertion_ids",
    "audit_events",
    "audit_forgotten",
    "audit_links",
    "authenticator_apps",
    "callback_offers",
    "client_secrets",
    "clients",
    "consents",
    "families",
    "flow_events",
    "identities",
    "links",
    "outgoing_mails",
    "owner_invitations",
    "owner_tokens",
    "passkeys",
    "people_group_members",
    "people_groups",
    "plugin_connections",
    "plugin_counts",
    "plugin_documents",
    "plugin_owners",
    "plugin_secret_versions",
    "plugin_secrets",
    "plugin_verifications",
    "plugin_webhooks",
    "plugins",
    "recovery_codes",
    "remembered_devices",
    "reseals",
    "resources",
    "retired_resources",
    "sessions",
    "sign_in_failures",
    "webhook_deliveries",
    "working_keys",
];

impl Store {
    /// Counts the rows of a table, for which nobody waits.
    pub async fn count_rows(&self, table: &Table) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.count_rows(table))
    }
}
