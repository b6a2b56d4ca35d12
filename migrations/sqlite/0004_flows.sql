-- What happened at each step of an attempt to connect. The same columns stand in migrations/postgres under the same
-- number.
--
-- Written in batches and in the background: after a crash the last second of it may be missing.

create table flow_events (
    id blob not null primary key check (length(id) = 16),
    -- None for what cannot be told from others' yet: documents are read before anything names a flow.
    flow_id blob check (length(flow_id) = 16),
    at text not null,
    step text not null,
    outcome text not null check (outcome in ('done', 'refused', 'failed')),
    -- What the wire calls the client, if it is known here.
    client_id text,
    resource text,
    address text,
    user_agent text,
    request_id text not null,
    says text not null
) strict;

create index flow_events_flow on flow_events (flow_id);
create index flow_events_at on flow_events (at);
