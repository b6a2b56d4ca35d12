//! Flow events. Compiled once for each engine.

use uuid::Uuid;

use super::{Engine, reading};
use crate::{
    model::{
        Timestamp,
        flow::{FlowEvent, FlowId, Outcome, Step},
    },
    store::{
        StoreError, StoreResult,
        flows::{DiscoveryQuery, FlowBounds, FlowQuery},
    },
};

/// Whichever row is there already stays: the same event of a batch that ran twice, or an earlier first call.
const INSERT: &str = "
    insert into flow_events
           (id, flow_id, at, step, outcome, client_id, resource, address, user_agent, request_id, says)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
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
                          and (cast($1 as text) is null or client_id = $1)
                        group by flow_id
                       having cast($2 as bigint) = 0
                           or sum(case when outcome = 'refused' then 1 else 0 end) > 0
                        order by max(at) desc
                        limit $3)
     order by at, id"
);

const OF_FLOW: &str = concat!(select_events!(), "where flow_id = $1 order by at, id");

const DISCOVERIES: &str = concat!(
    select_events!(),
    "where flow_id is null
       and at >= $1
       and at <= $2
       and (cast($3 as text) is null or resource is null or resource = $3)
     order by at, id"
);

const EXPIRED: &str = "delete from flow_events where at <= $1";

const BEYOND: &str = "
    delete from flow_events
     where id in (select id
                    from (select id,
                                 row_number() over (partition by client_id, step = 'discovery'
                                                        order by at desc, id desc) as own_place,
                                 row_number() over (order by at desc, id desc) as place
                            from flow_events) as placed
                   where own_place > $1
                      or place > $2)";

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
        let outcome = [Outcome::Done, Outcome::Refused].into_iter().find(|outcome| outcome.as_str() == self.outcome);
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

    pub(in crate::store) async fn discoveries(&self, query: &DiscoveryQuery) -> StoreResult<Vec<FlowEvent>> {
        read(reading!(self, connection => sqlx::query_as(DISCOVERIES)
            .bind(query.from)
            .bind(query.until)
            .bind(query.resource.as_deref())
            .fetch_all(&mut *connection))?)
    }

    pub(in crate::store) async fn bound_flow_events(&self, bounds: &FlowBounds) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let expired = sqlx::query(EXPIRED).bind(bounds.expired_by).execute(&mut *step).await?.rows_affected();
        let beyond = sqlx::query(BEYOND)
            .bind(i64::from(bounds.per_client_max))
            .bind(i64::from(bounds.events_max))
            .execute(&mut *step)
            .await?
            .rows_affected();
        step.commit().await?;
        Ok(expired + beyond)
    }
}
