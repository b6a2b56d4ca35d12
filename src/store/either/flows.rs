//! Flow events. Compiled once for each engine.

use uuid::Uuid;

use super::{Engine, is_one_of, reading};
use crate::{
    model::{
        Timestamp,
        flow::{FlowEvent, FlowId, Outcome, Step},
        resource::ResourceIdentifier,
    },
    store::{
        StoreError, StoreResult,
        flows::{BeforeQuery, FlowBounds, FlowQuery, OfPlugin},
    },
};

/// A batch may run twice.
///
/// A client of a plugin may ask for that plugin's resources alone, so its attempts are that plugin's, whatever they
/// name. What names neither a client nor a resource of anybody's goes with the flow it belongs to, and where there is but
/// one plugin everything is about it.
const INSERT: &str = "
    insert into flow_events
           (id, flow_id, at, step, outcome, client_id, resource, address, user_agent, request_id, says, plugin_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
            coalesce((select c.plugin_id from clients c where c.client_id = $6),
                     (select r.plugin_id from resources r where r.canonical = $12),
                     (select e.plugin_id
                        from flow_events e
                       where e.flow_id = $2
                         and e.plugin_id is not null
                       order by e.id
                       limit 1),
                     (select p.id from plugins p where (select count(*) from (select 1 from plugins limit 2) few) = 1)))
        on conflict do nothing";

macro_rules! select_events {
    () => {
        "select id, flow_id, at, step, outcome, client_id, resource, address, user_agent, request_id, says
           from flow_events "
    };
}

const NEWEST: &str = concat!(
    select_events!(),
    "where flow_id in (select flow_id
                         from flow_events
                        where flow_id is not null
                        group by flow_id
                       having (cast($1 as text) is null or sum(case when client_id = $1 then 1 else 0 end) > 0)
                          and (cast($2 as bigint) = 0 or sum(case when outcome <> 'done' then 1 else 0 end) > 0)
                        order by max(at) desc
                        limit $3)
     order by at, id"
);

const OF_FLOW: &str = concat!(select_events!(), "where flow_id = $1 order by at, id");

const BEFORE: &str = concat!(
    select_events!(),
    "where (flow_id is null
            and at >= $1
            and at <= $2
            and (cast($3 as text) is null or resource is null or resource = $3))
        or (step = 'registration' and outcome = 'done' and client_id = $4 and flow_id <> $5)
     order by at, id"
);

/// Goes from one flow to the next older one, and in each to the last event of every step, all by the index: what a flow
/// or a plugin has beyond that is not read.
const OF_PLUGIN: &str = concat!(
    "with recursive page (flow_id, place) as (
           select (select flow_id
                     from flow_events
                    where plugin_id = $1
                      and flow_id < $2
                    order by flow_id desc
                    limit 1), 1
            union all
           select (select e.flow_id
                     from flow_events e
                    where e.plugin_id = $1
                      and e.flow_id < page.flow_id
                    order by e.flow_id desc
                    limit 1), page.place + 1
             from page
            where page.flow_id is not null
              and page.place < $3),
           steps (step) as (values ('registration'), ('authorization'), ('sign_in'), ('consent'), ('code'), ('token'),
                                   ('introspection'), ('refresh'), ('revocation'), ('discovery')),
           latest (id) as (
           select (select e.id
                     from flow_events e
                    where e.plugin_id = $1
                      and e.flow_id = page.flow_id
                      and e.step = steps.step
                    order by e.id desc
                    limit 1)
             from page, steps)
",
    select_events!(),
    "where id ",
    is_one_of!("select id from latest"),
    " order by flow_id desc, id"
);

const FLOW_OF_PLUGIN: &str = concat!(
    select_events!(),
    "where flow_id = $1
        and (plugin_id = $2 or plugin_id is null)
        and exists (select 1 from flow_events o where o.plugin_id = $2 and o.flow_id = $1)
      order by id desc
      limit $3"
);

const DOCUMENTS_BEFORE: &str = concat!(
    select_events!(),
    "where plugin_id = $1
        and flow_id is null
        and step = 'discovery'
        and id >= $2
        and id < $3
      order by id desc
      limit $4"
);

/// Where a person sits is not kept, so what has no address is everybody's and has no share of its own.
const BEYOND: &str = "
    select id
      from (select id, at, address,
                   row_number() over (partition by client_id, step = 'discovery' order by at desc) as place_of_client,
                   row_number() over (partition by address order by at desc) as place_of_address,
                   row_number() over (order by at desc) as place
              from flow_events) as placed
     where at <= $1
        or place_of_client > $2
        or (address is not null and place_of_address > $3)
        or place > $4
     limit $5";

const REMOVE: &str = "delete from flow_events where id = $1";

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    flow_id: Option<Uuid>,
    at: Timestamp,
    step: String,
    outcome: String,
    client_id: Option<String>,
    resource: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    request_id: String,
    says: String,
}

impl EventRow {
    fn into_event(self) -> StoreResult<FlowEvent> {
        let step = Step::ALL.iter().copied().find(|step| step.as_str() == self.step);
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == self.outcome);
        Ok(FlowEvent {
            id: self.id,
            flow_id: self.flow_id.map(FlowId::of),
            at: self.at,
            step: step.ok_or_else(|| StoreError::broken("a flow event has a step that nobody knows"))?,
            outcome: outcome.ok_or_else(|| StoreError::broken("a flow event has an outcome that nobody knows"))?,
            client_id: self.client_id,
            resource: self.resource,
            address: self.address,
            user_agent: self.user_agent,
            request_id: self.request_id,
            says: self.says,
        })
    }
}

fn read(rows: Vec<EventRow>) -> StoreResult<Vec<FlowEvent>> {
    rows.into_iter().map(EventRow::into_event).collect()
}

impl Engine {
    pub(in crate::store) async fn keep_flow_events(&self, events: &[FlowEvent]) -> StoreResult<()> {
        let mut step = self.begin().await?;
        for event in events {
            let resource: Option<ResourceIdentifier> = event.resource.as_deref().and_then(|named| named.parse().ok());
            sqlx::query(INSERT)
                .bind(event.id)
                .bind(event.flow_id.map(FlowId::uuid))
                .bind(event.at)
                .bind(event.step.as_str())
                .bind(event.outcome.as_str())
                .bind(&event.client_id)
                .bind(&event.resource)
                .bind(&event.address)
                .bind(&event.user_agent)
                .bind(&event.request_id)
                .bind(&event.says)
                .bind(resource.map(|resource| resource.canonical()))
                .execute(&mut *step)
                .await?;
        }
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn flows(&self, query: &FlowQuery) -> StoreResult<Vec<FlowEvent>> {
        read(reading!(self, connection => sqlx::query_as(NEWEST)
            .bind(query.client_id.as_deref())
            .bind(i64::from(query.refused))
            .bind(i64::from(query.flows_max))
            .fetch_all(&mut *connection))?)
    }

    pub(in crate::store) async fn flow(&self, id: FlowId) -> StoreResult<Vec<FlowEvent>> {
        read(reading!(self, connection => sqlx::query_as(OF_FLOW).bind(id.uuid()).fetch_all(&mut *connection))?)
    }

    pub(in crate::store) async fn before_a_flow(&self, id: FlowId, query: &BeforeQuery) -> StoreResult<Vec<FlowEvent>> {
        read(reading!(self, connection => sqlx::query_as(BEFORE)
            .bind(query.from)
            .bind(query.until)
            .bind(query.resource.as_deref())
            .bind(query.client_id.as_deref())
            .bind(id.uuid())
            .fetch_all(&mut *connection))?)
    }

    pub(in crate::store) async fn flows_of_plugin(
        &self,
        of: OfPlugin,
        before: Option<FlowId>,
    ) -> StoreResult<Vec<FlowEvent>> {
        read(reading!(self, connection => sqlx::query_as(OF_PLUGIN)
            .bind(of.plugin.0)
            .bind(before.map_or(Uuid::max(), FlowId::uuid))
            .bind(i64::from(of.rows_max))
            .fetch_all(&mut *connection))?)
    }

    pub(in crate::store) async fn flow_of_plugin(&self, of: OfPlugin, id: FlowId) -> StoreResult<Vec<FlowEvent>> {
        let mut events = read(reading!(self, connection => sqlx::query_as(FLOW_OF_PLUGIN)
            .bind(id.uuid())
            .bind(of.plugin.0)
            .bind(i64::from(of.rows_max))
            .fetch_all(&mut *connection))?)?;
        events.reverse();
        Ok(events)
    }

    pub(in crate::store) async fn documents_before(
        &self,
        of: OfPlugin,
        id: FlowId,
        from: Timestamp,
    ) -> StoreResult<Vec<FlowEvent>> {
        let mut events = read(reading!(self, connection => sqlx::query_as(DOCUMENTS_BEFORE)
            .bind(of.plugin.0)
            .bind(FlowId::begins_at(from))
            .bind(id.uuid())
            .bind(i64::from(of.rows_max))
            .fetch_all(&mut *connection))?)?;
        events.reverse();
        Ok(events)
    }

    pub(in crate::store) async fn flow_events_beyond(&self, bounds: &FlowBounds) -> StoreResult<Vec<Uuid>> {
        reading!(self, connection => sqlx::query_scalar(BEYOND)
            .bind(bounds.expired_by)
            .bind(i64::from(bounds.per_client_max))
            .bind(i64::from(bounds.per_address_max))
            .bind(i64::from(bounds.events_max))
            .bind(i64::from(bounds.rows_max))
            .fetch_all(&mut *connection))
    }

    pub(in crate::store) async fn remove_flow_events(&self, ids: &[Uuid]) -> StoreResult<()> {
        let mut step = self.begin().await?;
        for id in ids {
            sqlx::query(REMOVE).bind(id).execute(&mut *step).await?;
        }
        Ok(step.commit().await?)
    }
}
