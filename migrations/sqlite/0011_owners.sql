-- Who owns a plugin: any number of accounts, each as much as the others. The same tables and columns stand in
-- migrations/postgres under the same number.

create table plugin_owners (
    plugin_id blob not null references plugins (id),
    account_id blob not null references accounts (id),
    added_at text not null,
    primary key (plugin_id, account_id)
) strict, without rowid;

create index plugin_owners_by_account on plugin_owners (account_id, plugin_id);

insert into plugin_owners (plugin_id, account_id, added_at)
select id, owner_id, created_at from plugins where owner_id is not null;

-- What happened to a plugin is told to its owners. Before the table is written anew: the references of each row are looked
-- for then.
create index audit_events_by_plugin on audit_events (plugin_id, id) where plugin_id is not null;
create index clients_by_plugin on clients (plugin_id, id) where plugin_id is not null;

-- This engine drops no column that refers to another table: the table is written anew. What refers to it finds the same
-- rows under the same name before anybody looks. (Not to be done where a reference deletes in cascade.)
pragma defer_foreign_keys = on;

create table plugins_before as select * from plugins;

drop table plugins;

create table plugins (
    id blob not null primary key check (length(id) = 16),
    slug text not null unique,
    host text not null unique,
    state text not null check (state in ('draft', 'published', 'verified')),
    upstream text,
    subject_salt blob not null check (length(subject_salt) = 32),
    -- Positions in this array are what codes in flight carry: entries are only ever appended.
    scopes text not null check (json_valid(scopes)),
    manifest text not null check (json_valid(manifest)),
    -- Raised by every change: who changes it says which one they saw.
    version integer not null default 1,
    created_at text not null,
    updated_at text not null
) strict;

insert into plugins (id, slug, host, state, upstream, subject_salt, scopes, manifest, created_at, updated_at)
select id, slug, host, state, upstream, subject_salt, scopes, manifest, created_at, updated_at from plugins_before;

drop table plugins_before;
