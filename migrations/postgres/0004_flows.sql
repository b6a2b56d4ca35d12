-- What happened at each step of an attempt to connect. The same columns stand in migrations/sqlite under the same
-- number.
--
-- Written in batches and in the background: after a crash the last second of it may be missing.

create table flow_events (
    id uuid not null primary key,
    -- None for what cannot be told from others' yet: documents are read before anything names a flow.
    flow_id uuid,
    at timestamptz not null,
    step text not null,
    outcome text not null check (outcome in ('done', 'refused', 'failed')),
    -- What the wire calls the client, if it is known here.
    client_id text,
    resource text,
    address text,
    user_agent text,
    request_id text not null,
    says text not null
);

create index flow_events_flow on flow_events (flow_id);
create index flow_events_at on flow_events (at);
