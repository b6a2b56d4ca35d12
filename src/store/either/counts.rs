//! Counts and connections. Compiled once for each engine.

use uuid::Uuid;

use super::{Connection, Engine, reading};
use crate::{
    model::{
        Timestamp,
        counts::{Count, Counted, Grain},
        id::PluginId,
    },
    store::{
        StoreResult,
        counts::{Connected, Found, Happened, Look},
        family_statements::{admits, family_and_parents, is_standing, lives, rules_that_name},
    },
};

/// A count of a plugin that is still there.
macro_rules! put {
    ($count:literal) => {
        concat!(
            "insert into plugin_counts (plugin_id, grain, starts_at, what, count)
             select $1, $2, $3, $4, $5
              where exists (select 1 from plugins where id = $1)
                 on conflict (plugin_id, grain, starts_at, what) do update
                set count = ",
            $count
        )
    };
}

const ADD: &str = put!("plugin_counts.count + excluded.count");

/// The latest one counts.
const SET: &str = put!("excluded.count");

const COUNTS: &str = "
    select starts_at, what, count
      from plugin_counts
     where plugin_id = $1
       and grain = $2
       and starts_at >= $3
     order by starts_at, what";

const FORGET: &str = "
    delete from plugin_counts
     where (plugin_id, grain, starts_at, what) in (
           select plugin_id, grain, starts_at, what
             from plugin_counts
            where grain = $1
              and starts_at <= $2
            limit $3)";

const CONNECTED: &str = "select counted_at, people, connections from plugin_connections where plugin_id = $1";

/// `$1` is until when, `$2` now, `$3` since when they are new where nobody looked before.
const LOOK: &str = concat!(
    "select w.id, k.counted_at, k.people as people_before, k.connections as connections_before,
            coalesce(s.people, 0) as people, coalesce(s.connections, 0) as connections, coalesce(s.gained, 0) as gained
       from plugins w
       left join plugin_connections k on k.plugin_id = w.id
       left join (
            select p.id,
                   count(distinct case when ",
    is_standing!(),
    "then f.account_id end) as people,
                   count(case when ",
    is_standing!(),
    "then 1 end) as connections,
                   count(case when f.created_at > coalesce(l.counted_at, $3) then 1 end) as gained
                 ",
    family_and_parents!(),
    "          left join plugin_connections l on l.plugin_id = p.id
             where f.created_at <= $1
             group by p.id) s on s.id = w.id
      order by w.id"
);

/// Whoever looked before and was not kept has nothing to compare with any more.
const KEEP: &str = "
    insert into plugin_connections (plugin_id, counted_at, people, connections)
    select $1, $2, $3, $4
     where exists (select 1 from plugins where id = $1)
        on conflict (plugin_id) do update
       set counted_at = excluded.counted_at, people = excluded.people, connections = excluded.connections
     where plugin_connections.counted_at = $5";

#[derive(sqlx::FromRow)]
struct FoundRow {
    id: Uuid,
    counted_at: Option<Timestamp>,
    people_before: Option<i64>,
    connections_before: Option<i64>,
    people: i64,
    connections: i64,
    gained: i64,
}

impl FoundRow {
    fn into_found(self, until: Timestamp) -> Found {
        let before = self.counted_at.zip(self.people_before).zip(self.connections_before);
        Found {
            plugin_id: PluginId(self.id),
            before: before.map(|((counted_at, people), connections)| Connected { counted_at, people, connections }),
            now: Connected { counted_at: until, people: self.people, connections: self.connections },
            gained: self.gained,
        }
    }
}

impl Engine {
    pub(in crate::store) async fn add_counts(&self, happened: &[Happened]) -> StoreResult<()> {
        let mut happened = happened.to_vec();
        happened.sort_by_key(|it| it.plugin_id);
        let mut step = self.begin().await?;
        for plugin in happened.chunk_by_mut(|one, other| one.plugin_id == other.plugin_id) {
            for grain in Grain::ALL {
                // Rows are taken in the same order by every node, or two of them could wait for each other.
                plugin.sort_by_key(|it| (grain.start(it.hour), it.what.as_str()));
                for it in &*plugin {
                    count(&mut step, ADD, grain, it).await?;
                }
            }
        }
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn counts(
        &self,
        plugin_id: PluginId,
        grain: Grain,
        from: Timestamp,
    ) -> StoreResult<Vec<Count>> {
        let rows: Vec<(Timestamp, String, i64)> = reading!(self, connection => sqlx::query_as(COUNTS)
            .bind(plugin_id.0)
            .bind(grain.as_str())
            .bind(from)
            .fetch_all(&mut *connection))?;
        // What only a newer program knows is passed over: while nodes are being replaced both write.
        let known = |(starts_at, what, count): (Timestamp, String, i64)| {
            let what: Counted = what.parse().ok()?;
            Some(Count { starts_at, what, count })
        };
        Ok(rows.into_iter().filter_map(known).collect())
    }

    pub(in crate::store) async fn forget_counts(
        &self,
        grain: Grain,
        started_by: Timestamp,
        rows_max: u32,
    ) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let query = sqlx::query(FORGET).bind(grain.as_str()).bind(started_by).bind(i64::from(rows_max));
        let left = query.execute(&mut *step).await?.rows_affected();
        step.commit().await?;
        Ok(left)
    }

    pub(in crate::store) async fn connected(&self, plugin_id: PluginId) -> StoreResult<Option<Connected>> {
        let row: Option<(Timestamp, i64, i64)> = reading!(self, connection => sqlx::query_as(CONNECTED)
            .bind(plugin_id.0)
            .fetch_optional(&mut *connection))?;
        Ok(row.map(|(counted_at, people, connections)| Connected { counted_at, people, connections }))
    }

    pub(in crate::store) async fn look_at_connections(&self, look: &Look) -> StoreResult<Vec<Found>> {
        let mut step = self.begin_unhurried().await?;
        let rows: Vec<FoundRow> =
            sqlx::query_as(LOOK).bind(look.until).bind(look.now).bind(look.new_since).fetch_all(&mut *step).await?;
        step.rollback().await?;
        Ok(rows.into_iter().map(|row| row.into_found(look.until)).collect())
    }

    pub(in crate::store) async fn keep_connections(&self, found: &[Found]) -> StoreResult<()> {
        let mut found = found.to_vec();
        found.sort_by_key(|it| it.plugin_id);
        let mut step = self.begin().await?;
        for it in &found {
            let kept = sqlx::query(KEEP)
                .bind(it.plugin_id.0)
                .bind(it.now.counted_at)
                .bind(it.now.people)
                .bind(it.now.connections)
                .bind(it.before.map(|before| before.counted_at))
                .execute(&mut *step)
                .await?;
            if kept.rows_affected() == 0 {
                continue;
            }
            let happened = |what, count| Happened {
                plugin_id: it.plugin_id,
                what,
                hour: Grain::Hour.start(it.now.counted_at),
                count,
            };
            for grain in Grain::ALL {
                // By their words, as above.
                count(&mut step, ADD, grain, &happened(Counted::Lost, it.lost())).await?;
                count(&mut step, ADD, grain, &happened(Counted::Gained, it.gained)).await?;
                count(&mut step, SET, grain, &happened(Counted::People, it.now.people)).await?;
            }
        }
        Ok(step.commit().await?)
    }
}

async fn count(step: &mut Connection, statement: &'static str, grain: Grain, it: &Happened) -> StoreResult<()> {
    if it.count == 0 && it.what != Counted::People {
        return Ok(());
    }
    sqlx::query(statement)
        .bind(it.plugin_id.0)
        .bind(grain.as_str())
        .bind(grain.start(it.hour))
        .bind(it.what.as_str())
        .bind(it.count)
        .execute(step)
        .await?;
    Ok(())
}
