-- Numbers an owner looks at. The same columns stand in migrations/postgres under the same number.
--
-- Small rows, counted up: how many there are depends on the plugins and on how long they are kept, never on use.

-- How often something happened in an hour, a day or a month (UTC). Notes, written in the background: after a crash the
-- last minute of them may be missing.
create table plugin_counts (
    plugin_id blob not null references plugins (id) on delete cascade,
    grain text not null check (grain in ('hour', 'day', 'month')),
    starts_at text not null,
    what text not null,
    count integer not null,
    primary key (plugin_id, grain, starts_at, what)
) strict;

create index plugin_counts_by_age on plugin_counts (grain, starts_at);

-- A plugin's connections as they were last counted. What has been lost since then shows at the next time.
create table plugin_connections (
    plugin_id blob not null primary key references plugins (id) on delete cascade,
    counted_at text not null,
    people integer not null,
    connections integer not null
) strict;
