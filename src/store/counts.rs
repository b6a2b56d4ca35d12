//! Numbers an owner looks at: counts in small rows, and how many connections a plugin has.
//!
//! Connections are counted by looking at them, and what was lost shows in the difference: families end in a dozen ways,
//! most of which touch no family (a generation is raised, a time is over), so there is no one place to count ends at.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    counts::{Count, Counted, Grain},
    id::PluginId,
};

/// Something that happened so often in the hour that began then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// To which plugin.
    pub plugin_id: PluginId,
    /// What.
    pub what: Counted,
    /// When the hour began.
    pub hour: Timestamp,
    /// How often.
    pub count: i64,
}

/// How connections are counted.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Now.
    pub now: Timestamp,
    /// Only those that began no later than this: what is being written at this moment is for the next time.
    pub until: Timestamp,
    /// Where a plugin was never looked at before, those that began after this are new.
    pub new_since: Timestamp,
}

/// A plugin's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Until when those count that began.
    pub counted_at: Timestamp,
    /// People with a connection that stands.
    pub people: i64,
    /// Connections that stand.
    pub connections: i64,
}

/// What a look at a plugin's connections found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whose.
    pub plugin_id: PluginId,
    /// How it was at the look before, if there was one.
    pub before: Option<Connected>,
    /// How it is.
    pub now: Connected,
    /// Connections that began in between.
    pub gained: i64,
}

impl Found {
    /// Connections that ended in between; a plugin that was never looked at before has lost none.
    pub fn lost(&self) -> i64 {
        self.before.map_or(0, |before| (before.connections + self.gained - self.now.connections).max(0))
    }
}

impl Store {
    /// Counts up the hour, the day and the month; nodes that do so at once add up. What happened to a plugin that is
    /// gone is passed over.
    pub async fn add_counts(&self, happened: &[Happened]) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.add_counts(happened))
    }

    /// A plugin's counts of one grain from a beginning on, the oldest first.
    pub async fn counts(&self, plugin_id: PluginId, grain: Grain, from: Timestamp) -> StoreResult<Vec<Count>> {
        on_either_engine!(self, engine => engine.counts(plugin_id, grain, from))
    }

    /// Removes a batch of the counts of one grain that began no later than this, and answers how many rows left.
    pub async fn forget_counts(&self, grain: Grain, started_by: Timestamp, rows_max: u32) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.forget_counts(grain, started_by, rows_max))
    }

    /// How many connections a plugin had when they were last counted; none if they never were.
    pub async fn connected(&self, plugin_id: PluginId) -> StoreResult<Option<Connected>> {
        on_either_engine!(self, engine => engine.connected(plugin_id))
    }

    /// Looks at every connection, for every plugin. It reads all families, so it is nothing for a request, and has a
    /// minute where others have seconds.
    pub async fn look_at_connections(&self, look: &Look) -> StoreResult<Vec<Found>> {
        on_either_engine!(self, engine => engine.look_at_connections(look))
    }

    /// Keeps what a look found, and counts what was gained and lost. Of several nodes that looked at once the first one
    /// is kept, for each plugin.
    pub async fn keep_connections(&self, found: &[Found]) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.keep_connections(found))
    }
}
