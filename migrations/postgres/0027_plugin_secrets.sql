-- API keys that a plugin's routes are given: kept sealed, used by the gate, seen by nobody again. The same tables and
-- columns stand in migrations/sqlite under the same number.

create table plugin_secrets (
    id uuid not null primary key,
    plugin_id uuid not null references plugins (id),
    name text not null,
    -- Raised by every change that somebody makes: who changes it says which one they saw.
    revision bigint not null default 1,
    -- The header of a request in which it goes, and what stands before it there.
    header text not null,
    prefix text not null,
    -- Where it is used, and nowhere else: a method and a path on each line.
    routes text not null,
    -- How long the version before is still good beside a new one.
    grace_seconds bigint not null,
    -- How old a version becomes before it is due for another; none where nobody says so.
    rotate_every_seconds bigint,
    due_at timestamptz,
    -- When its owners were last told that it is due.
    told_at timestamptz,
    -- Who makes new versions: what the configuration has under this name, or whoever changes what is referred to. Where
    -- there is neither, people do.
    rotator text,
    follows text,
    -- The same reference sealed, for this plugin: what is written into the column before it is followed nowhere.
    follows_sealed bytea,
    -- Raised by every node that takes it in hand, and by every change: what was begun before is not kept. Until when no
    -- other node takes it, whatever becomes due meanwhile; and the next time, where it is not left to people.
    turn bigint not null default 0,
    taken_until timestamptz,
    try_at timestamptz,
    -- How often in a row no new version could be made, since when, and why.
    failures bigint not null default 0,
    failing_since timestamptz,
    says text,
    created_at timestamptz not null,
    -- It is used no more, and goes once its versions have ended where they were issued.
    removed_at timestamptz
);

create unique index plugin_secrets_by_name on plugin_secrets (plugin_id, name) where removed_at is null;
create index plugin_secrets_by_try on plugin_secrets (try_at) where try_at is not null;
create index plugin_secrets_by_due on plugin_secrets (due_at) where due_at is not null and removed_at is null;

create table plugin_secret_versions (
    -- Made of the plugin, the secret and the number; what is sealed is sealed for it.
    id uuid not null primary key,
    secret_id uuid not null references plugin_secrets (id) on delete cascade,
    number bigint not null,
    -- Empty once it has ended.
    sealed bytea not null,
    -- What whoever issued it calls it, as long as it is not ended there.
    issuer_id text,
    made_at timestamptz not null,
    -- None for the newest.
    ends_at timestamptz,
    ended_at timestamptz,
    -- When it is next tried to end it where it was issued.
    revoke_at timestamptz,
    last_used_at timestamptz
);

create unique index plugin_secret_versions_by_number on plugin_secret_versions (secret_id, number);
create index plugin_secret_versions_by_end on plugin_secret_versions (ends_at) where ends_at is not null and ended_at is null;
create index plugin_secret_versions_by_revocation on plugin_secret_versions (revoke_at) where revoke_at is not null;
