-- Where owners' APIs are told who connects and who leaves, and what is to be told. The same tables and columns stand in
-- migrations/postgres under the same number.

create table plugin_webhooks (
    plugin_id blob not null primary key references plugins (id),
    -- Raised by every change that somebody makes: who changes it says which one they saw.
    version integer not null default 1,
    address text not null,
    -- Sealed, and bound to the plugin. As long as there is an old one, both sign.
    secret blob not null,
    secret_made_at text not null,
    old_secret blob,
    created_at text not null,
    -- Since when nothing is told any more, and why.
    stopped_at text,
    stopped_because text,
    -- Raised by every node that takes it, so that one tells at a time; moved on by it, and while the host fails.
    turn integer not null default 0,
    due_at text not null,
    -- How often in a row nothing was taken, and since when.
    failures integer not null default 0,
    failing_since text,
    -- How many events were not kept because too many were waiting.
    missed integer not null default 0
) strict;

create index plugin_webhooks_by_due on plugin_webhooks (due_at) where stopped_at is null;

-- Written in the step of what they tell of; they go with the webhook.
create table webhook_deliveries (
    plugin_id blob not null references plugin_webhooks (plugin_id) on delete cascade,
    -- What the wire calls it, the same at every try.
    id text not null,
    event text not null,
    data text not null check (json_valid(data)),
    created_at text not null,
    -- When it is tried next; never once it was taken, or given up.
    due_at text,
    -- Until when it is tried, and kept.
    expires_at text not null,
    forget_at text not null,
    attempts integer not null default 0,
    -- The last try, and what it came to.
    tried_at text,
    says text,
    delivered_at text,
    primary key (plugin_id, id)
) strict, without rowid;

create index webhook_deliveries_by_due on webhook_deliveries (plugin_id, due_at) where due_at is not null;
create index webhook_deliveries_by_time on webhook_deliveries (plugin_id, created_at, id);
create index webhook_deliveries_by_end on webhook_deliveries (forget_at);
