//! One attempt to connect to a plugin, with what happened before it began.

use chrono::TimeDelta;

use super::Owner;
use crate::{
    model::{
        attempt::Attempt,
        flow::{FlowEvent, FlowId},
        plugin::Plugin,
    },
    store::{StoreResult, flows::OfPlugin},
};

/// How many events of an attempt are told.
const EVENTS_MAX: u32 = 200;

/// Documents read so long before an attempt began may have been read for it; and how many of them are told.
const DOCUMENTS_BEFORE: TimeDelta = TimeDelta::minutes(10);
const DOCUMENTS_MAX: u32 = 20;

/// An attempt as it is told.
pub(in crate::http) struct Told {
    /// With its last events.
    pub(in crate::http) attempt: Attempt,
    /// Whether more happened than is told.
    pub(in crate::http) has_more: bool,
    /// Documents that were read shortly before, perhaps for another attempt.
    pub(in crate::http) before: Vec<FlowEvent>,
}

/// What is known of an attempt, if it is the plugin's.
pub(in crate::http) async fn read(owner: &Owner<'_>, plugin: &Plugin, id: FlowId) -> StoreResult<Option<Told>> {
    let store = &owner.server.store;
    let of = |rows_max| OfPlugin { plugin: plugin.id, rows_max };
    let mut events = store.flow_of_plugin(of(EVENTS_MAX + 1), id).await?;
    if events.is_empty() {
        return Ok(None);
    }
    let has_more = events.len() > EVENTS_MAX as usize;
    if has_more {
        events.remove(0);
    }
    let before = store.documents_before(of(DOCUMENTS_MAX), id, id.began_at() - DOCUMENTS_BEFORE).await?;
    Ok(Some(Told { attempt: Attempt { id, events }, has_more, before }))
}
