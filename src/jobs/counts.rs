//! Counting for the owners' charts: what happened since the last time goes to the store, and every connection is looked
//! at once more, to know how many people are connected and what has been lost.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;

use crate::{
    model::{
        counts::Grain,
        id::PluginId,
        resource::{Resource, ResourceIdentifier},
    },
    server::{
        Server,
        counts::{Noted, Whose},
    },
    store::{
        StoreResult,
        counts::{Found, Happened, Look},
    },
};

/// How long after one time the next begins.
const INTERVAL: Duration = Duration::from_mins(1);

/// Looking at a million connections takes seconds, so the next look waits so many times as long as the last one took:
/// it is the two-hundredth part of what the database does, at the most.
const REST: u32 = 200;

/// A connection may be written by a step that began so long ago, so younger ones wait for the next look.
const SETTLED: TimeDelta = TimeDelta::seconds(10);

/// Connections of a plugin that was never looked at are new if they are younger than this.
const NEW_WITHIN: TimeDelta = TimeDelta::hours(1);

/// How many plugins' counts, or how many counts, are kept in one step.
const BATCH: usize = 200;

/// How long between two steps, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(50);

/// Counts for ever. A failure is logged; what could not be kept waits for the next time.
pub async fn run(server: Arc<Server>) {
    let mut next_look = Duration::ZERO;
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = keep(&server).await {
            tracing::warn!(%error, "what was counted could not be kept; it is tried again in a minute");
        }
        let began = server.clock.elapsed();
        if began < next_look {
            continue;
        }
        if let Err(error) = look(&server).await {
            tracing::warn!(%error, "connections could not be counted; they are next time");
        }
        let ended = server.clock.elapsed();
        next_look = ended + (ended - began) * REST;
    }
}

/// Keeps what was counted since the last time. What a step could not keep for now waits; what can never be kept is let
/// go, so that it does not hold up the rest.
pub async fn keep(server: &Server) -> StoreResult<()> {
    let noted = server.counts.take();
    if noted.is_empty() {
        return Ok(());
    }
    let plugins = match resolve(server, &noted).await {
        Ok(plugins) => plugins,
        Err(error) => {
            server.counts.give_back(noted);
            return Err(error);
        }
    };
    let mut counts: BTreeMap<_, i64> = BTreeMap::new();
    for Noted { whose, what, hour, count } in noted {
        if let Some(plugin_id) = plugins.of(&whose) {
            *counts.entry((plugin_id, hour, what)).or_default() += count;
        }
    }
    let happened: Vec<Happened> =
        counts.into_iter().map(|((plugin_id, hour, what), count)| Happened { plugin_id, what, hour, count }).collect();
    let mut batches = happened.chunks(BATCH);
    while let Some(batch) = batches.next() {
        match server.store.add_counts(batch).await {
            Err(error) if error.passes() => {
                let again = |it: &Happened| Noted {
                    whose: Whose::Plugin(it.plugin_id),
                    what: it.what,
                    hour: it.hour,
                    count: it.count,
                };
                server.counts.give_back(std::iter::once(batch).chain(batches).flatten().map(again).collect());
                return Err(error);
            }
            Err(error) => tracing::error!(%error, counts = batch.len(), "a part of what was counted is lost"),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// What names lead to which plugin.
struct Plugins {
    by_name: HashMap<Whose, PluginId>,
    /// Where there is but one plugin, everything is about it.
    only: Option<PluginId>,
}

impl Plugins {
    fn of(&self, whose: &Whose) -> Option<PluginId> {
        match whose {
            Whose::Plugin(id) => Some(*id),
            named @ Whose::Named { .. } => self.by_name.get(named).copied().or(self.only),
        }
    }
}

/// Finds the plugins of what names none: one reading, and one for each client that is named without a resource.
async fn resolve(server: &Server, noted: &[Noted]) -> StoreResult<Plugins> {
    let mut plugins = Plugins { by_name: HashMap::new(), only: None };
    if noted.iter().all(|noted| matches!(noted.whose, Whose::Plugin(_))) {
        return Ok(plugins);
    }
    let resources = server.store.resources().await?;
    plugins.only = only(&resources);
    let by_canonical: HashMap<String, PluginId> =
        resources.iter().map(|resource| (resource.identifier.canonical(), resource.plugin_id)).collect();
    for Noted { whose, .. } in noted {
        let Whose::Named { resource, client_id } = whose else { continue };
        if plugins.by_name.contains_key(whose) {
            continue;
        }
        let identifier: Option<ResourceIdentifier> = resource.as_deref().and_then(|named| named.parse().ok());
        let mut found = identifier.and_then(|identifier| by_canonical.get(&identifier.canonical()).copied());
        if let (None, None, Some(client_id)) = (found, plugins.only, client_id) {
            let client = server.store.client(client_id, server.clock.now()).await?;
            found = client.and_then(|client| client.home).map(|home| home.plugin_id);
        }
        if let Some(id) = found {
            plugins.by_name.insert(whose.clone(), id);
        }
    }
    Ok(plugins)
}

fn only(resources: &[Resource]) -> Option<PluginId> {
    let first = resources.first()?.plugin_id;
    resources.iter().all(|resource| resource.plugin_id == first).then_some(first)
}

/// Looks at all connections, and keeps what is news: a change, or that nothing changed in an hour.
pub async fn look(server: &Server) -> StoreResult<()> {
    let now = server.clock.now();
    let look = Look { now, until: now - SETTLED, new_since: now - NEW_WITHIN };
    let found = server.store.look_at_connections(&look).await?;
    let news: Vec<Found> = found.into_iter().filter(is_news).collect();
    for batch in news.chunks(BATCH) {
        server.store.keep_connections(batch).await?;
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}

fn is_news(found: &Found) -> bool {
    let Some(before) = found.before else {
        // Of a plugin that nobody was ever connected to there is nothing to tell.
        return found.now.connections > 0 || found.gained > 0;
    };
    let hour = |at| Grain::Hour.start(at);
    let stayed = (before.people, before.connections) == (found.now.people, found.now.connections);
    !stayed || found.gained > 0 || hour(before.counted_at) != hour(found.now.counted_at)
}

/// Forgets counts that are too old to be shown.
pub async fn forget(server: &Server, rows_max: u32) -> StoreResult<u64> {
    let mut left = 0;
    for grain in Grain::ALL {
        left += server.store.forget_counts(grain, server.clock.now() - grain.kept(), rows_max).await?;
    }
    Ok(left)
}
