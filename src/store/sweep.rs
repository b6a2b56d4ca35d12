//! Sweeping: rows that nothing can need any more leave in small batches.

use super::{Store, StoreResult, on_either_engine};
use crate::model::Timestamp;

/// What one sweep may remove.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// Families whose `expires_at` or `idle_until` is not after this leave. The caller chooses a time that lies
    /// before every code and access token minted under them has expired; a family is never swept because it ended.
    pub families_expired_by: Timestamp,
    /// Sessions whose `expires_at` is not after this leave, as do expired client secrets, owner tokens, links and mails, and
    /// failed sign-ins that are to be forgotten by then.
    pub sessions_expired_by: Timestamp,
    /// Clients that registered themselves not after this leave if nobody ever consented to them; so do their secrets.
    pub clients_unused_since: Timestamp,
    /// Callbacks that are offered to owners leave if they were last asked for not after this.
    pub offers_unseen_since: Timestamp,
    /// Used assertions whose `expires_at` is not after this leave. The caller chooses a time at which no node takes
    /// them any more, whatever its clock shows.
    pub assertions_expired_by: Timestamp,
    /// At most this many rows of each table; of deleted clients, whose rows all leave, so many families or consents.
    pub rows_max: u32,
}

impl Store {
    /// Removes one batch and answers how many rows left.
    pub async fn sweep(&self, sweep: &Sweep) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.sweep(sweep))
    }
}
