//! Client assertions that were used (RFC 7523 §3): each is used once, on all nodes together.
//!
//! Redeeming and rotating use theirs in their own step; this is for whatever else a client proves itself for.

use super::{Store, StoreResult, on_either_engine};
use crate::model::assertion::AssertionId;

/// An assertion that is used now.
#[derive(Clone, Copy, Debug)]
pub struct AssertionUse {
    /// Which.
    pub id: AssertionId,
    /// Random, one per request: a step that runs twice must not take itself for a replay.
    pub use_id: [u8; 16],
}

impl Store {
    /// Uses an assertion. `false` when another request had.
    ///
    /// On Postgres it is one statement, which runs a second time by itself when the connection is lost: `use_id` makes
    /// that safe.
    pub async fn use_assertion(&self, assertion: &AssertionUse) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.use_assertion(assertion))
    }
}
