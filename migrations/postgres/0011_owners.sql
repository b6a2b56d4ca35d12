-- Who owns a plugin: any number of accounts, each as much as the others. The same tables and columns stand in
-- migrations/sqlite under the same number.

create table plugin_owners (
    plugin_id uuid not null references plugins (id),
    account_id uuid not null references accounts (id),
    added_at timestamptz not null,
    primary key (plugin_id, account_id)
);

create index plugin_owners_by_account on plugin_owners (account_id, plugin_id);

insert into plugin_owners (plugin_id, account_id, added_at)
select id, owner_id, created_at from plugins where owner_id is not null;

-- What happened to a plugin is told to its owners.
create index audit_events_by_plugin on audit_events (plugin_id, id) where plugin_id is not null;
create index clients_by_plugin on clients (plugin_id, id) where plugin_id is not null;

-- Last, because nobody can read the table from here to the end.
alter table plugins drop column owner_id;

-- Raised by every change: who changes it says which one they saw.
alter table plugins add column version bigint not null default 1;
