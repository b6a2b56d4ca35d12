//! Flow events: what happened at each step of an attempt to connect. Notes, kept in batches, a bounded number for some
//! days; nothing is decided by them.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    flow::{FlowEvent, FlowId},
};

/// Which flows are listed, the newest first.
#[derive(Clone, Debug)]
pub struct FlowQuery {
    /// Only those of this client, by its name on the wire.
    pub client_id: Option<String>,
    /// Only those with something refused.
    pub refused: bool,
    /// At most so many.
    pub flows_max: u32,
}

/// What was read of documents before a flow began.
#[derive(Clone, Debug)]
pub struct DiscoveryQuery {
    /// Those that speak of this resource, or of none.
    pub resource: Option<String>,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

/// What may stay of the events.
#[derive(Clone, Copy, Debug)]
pub struct FlowBounds {
    /// Those not after this leave.
    pub expired_by: Timestamp,
    /// The newest so many stay, for each client, and for all that is no client's.
    pub per_client_max: u32,
    /// And so many of all.
    pub events_max: u32,
}

impl Store {
    /// Keeps events; an event that is kept already stays as it is, and so does a flow's first call.
    pub async fn keep_flow_events(&self, events: &[FlowEvent]) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.keep_flow_events(events))
    }

    /// The events of the flows asked for, in the order in which they happened.
    pub async fn flows(&self, query: &FlowQuery) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.flows(query))
    }

    /// The events of one flow, in the order in which they happened.
    pub async fn flow(&self, id: FlowId) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.flow(id))
    }

    /// What was read of documents in a time, by whomever.
    pub async fn discoveries(&self, query: &DiscoveryQuery) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.discoveries(query))
    }

    /// Removes what is beyond the bounds, and answers how many rows left.
    pub async fn bound_flow_events(&self, bounds: &FlowBounds) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.bound_flow_events(bounds))
    }
}
