//! Flow events: what happened at each step of an attempt to connect. Notes, kept in batches, a bounded number for some
//! days; nothing is decided by them.

use uuid::Uuid;

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    flow::{FlowEvent, FlowId},
    id::PluginId,
};

/// Which flows are listed, the newest first.
#[derive(Clone, Debug)]
pub struct FlowQuery {
    /// Only those of this client, by its name on the wire.
    pub client_id: Option<String>,
    /// Only those in which something was refused, or failed.
    pub refused: bool,
    /// At most so many.
    pub flows_max: u32,
}

/// What may belong to a flow and came before it.
#[derive(Clone, Debug)]
pub struct BeforeQuery {
    /// The registration of this client, whenever that was, unless the flow began by it.
    pub client_id: Option<String>,
    /// Documents that speak of this resource, or of none.
    pub resource: Option<String>,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

/// Whose events are looked at, and how many.
#[derive(Clone, Copy, Debug)]
pub struct OfPlugin {
    /// Only this plugin's.
    pub plugin: PluginId,
    /// At most so many: flows of a page, or events of a flow.
    pub rows_max: u32,
}

/// What may stay of the events.
#[derive(Clone, Copy, Debug)]
pub struct FlowBounds {
    /// Those not after this leave.
    pub expired_by: Timestamp,
    /// The newest so many of each client stay, and of all that have no known client.
    pub per_client_max: u32,
    /// The newest so many from each address that is known.
    pub per_address_max: u32,
    /// The newest so many of all.
    pub events_max: u32,
    /// At most so many are found at a time.
    pub rows_max: u32,
}

impl Store {
    /// Keeps events; an event that is kept already stays as it is.
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

    /// What came before a flow, in the order in which it happened.
    pub async fn before_a_flow(&self, id: FlowId, query: &BeforeQuery) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.before_a_flow(id, query))
    }

    /// A page of a plugin's flows, those that began last in front: the last event of each of their steps, in the order
    /// in which they happened.
    ///
    /// An event is the plugin's whose client it names, or else whose resource, or else whose the flow was before it; where
    /// there is but one plugin it is that one's.
    pub async fn flows_of_plugin(&self, of: OfPlugin, before: Option<FlowId>) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.flows_of_plugin(of, before))
    }

    /// The last events of a plugin's flow, with those that are nobody's, in the order in which they happened. Of a flow
    /// that is not the plugin's there are none.
    pub async fn flow_of_plugin(&self, of: OfPlugin, id: FlowId) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.flow_of_plugin(of, id))
    }

    /// The documents of a plugin that were read last before a flow began, but not before `from`.
    pub async fn documents_before(&self, of: OfPlugin, id: FlowId, from: Timestamp) -> StoreResult<Vec<FlowEvent>> {
        on_either_engine!(self, engine => engine.documents_before(of, id, from))
    }

    /// A few of the events that are beyond the bounds. Looking for them holds up nobody.
    pub async fn flow_events_beyond(&self, bounds: &FlowBounds) -> StoreResult<Vec<Uuid>> {
        on_either_engine!(self, engine => engine.flow_events_beyond(bounds))
    }

    /// Removes events.
    pub async fn remove_flow_events(&self, ids: &[Uuid]) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.remove_flow_events(ids))
    }
}
