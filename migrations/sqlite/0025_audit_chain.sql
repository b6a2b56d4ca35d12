-- Under which request an audit event was written, and the chain that shows whether the log was altered. The same tables
-- stand in migrations/postgres under the same number.

-- None where nobody asked for it over the network, and none for what happened before.
alter table audit_events add column request_id text;

-- Links, made behind the writes: each holds the digests of the events it is about and of the link before. Numbers have
-- no gaps; whoever inserts a number first has made that link.
create table audit_links (
    number integer not null primary key,
    made_at text not null,
    -- Which process made it.
    node text not null,
    -- The greatest id of an event in this link and those before. What is greater stands in no link yet.
    reached blob not null check (length(reached) = 16),
    -- One event after the other by its id: the 16 bytes of that, and the SHA-256 of all that is written of it.
    members blob not null check (length(members) > 0 and length(members) % 48 = 0),
    previous blob not null check (length(previous) = 32),
    digest blob not null check (length(digest) = 32),
    -- The working key, and the digest under it: nobody makes the chain anew who has the database alone.
    kid integer not null,
    mac blob not null check (length(mac) = 32)
) strict;

create index audit_links_by_reached on audit_links (reached);

-- Up to where the log was forgotten by its age; what is left begins after this link.
create table audit_forgotten (
    -- There is one row at most.
    id integer not null primary key check (id = 1),
    number integer not null,
    digest blob not null check (length(digest) = 32),
    forgotten_at text not null,
    kid integer not null,
    mac blob not null check (length(mac) = 32)
) strict;
