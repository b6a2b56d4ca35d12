-- What looks at a plugin's public address came to, when the next one is due, and the proof of its domain. The same table
-- and columns stand in migrations/postgres under the same number.

create table plugin_verifications (
    plugin_id blob not null primary key references plugins (id),
    -- Raised by every look and by every change of what is published: a look at what stood there before decides nothing.
    revision integer not null default 0,
    -- The last look since what is published was changed, in all of these or in none.
    looked_at text,
    outcome text,
    says text,
    findings text check (json_valid(findings)),
    -- How many looks in a row came to nothing good, and since when.
    failures integer not null default 0,
    failing_since text,
    verified_at text,
    -- Since when its owners know that it does not match any more.
    broken_at text,
    -- Moved on by whoever takes it, so that one node looks.
    due_at text,
    -- What the connectors' vendor looks for at the host, to see whose it is. Public, and no secret.
    challenge text
) strict;

create index plugin_verifications_by_due on plugin_verifications (due_at) where due_at is not null;

-- Those that publish a token already are looked at as soon as somebody has time.
insert into plugin_verifications (plugin_id, due_at)
select id, updated_at from plugins where state <> 'draft';
