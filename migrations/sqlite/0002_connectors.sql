-- Connectors: resources of their own, clients that belong to no plugin, assertions used once. The same tables and
-- columns stand in migrations/postgres under the same number.

-- What a token can be for (RFC 8707): each plugin has one by default and may have more, such as its MCP endpoint.
create table resources (
    id blob not null primary key check (length(id) = 16),
    plugin_id blob not null references plugins (id),
    -- Byte for byte what tokens and documents say.
    identifier text not null unique,
    -- The one spelling all spellings of it fold to.
    canonical text not null unique,
    is_default integer not null check (is_default in (0, 1)),
    created_at text not null
) strict;

create unique index resources_one_default on resources (plugin_id) where is_default;

-- Until now a plugin's resource was its origin, in the spelling others fold to.
insert into resources (id, plugin_id, identifier, canonical, is_default, created_at)
select id, id, resource, resource, 1, created_at from plugins;

-- Connections of a plugin that has moved go on refreshing for where it was.
insert into resources (id, plugin_id, identifier, canonical, is_default, created_at)
select min(f.id), min(c.plugin_id), f.resource, f.resource, 0, min(f.created_at)
  from families f
  join clients c on c.id = f.client_id
 where f.resource not in (select identifier from resources)
 group by f.resource;

alter table plugins drop column resource;

-- This engine cannot make a column nullable: the table is written anew, and with it those that refer to it, so that no
-- reference ever leads nowhere.
create table clients_anew (
    id blob not null primary key check (length(id) = 16),
    client_id text not null unique,
    -- No plugin: whatever resource is asked for. No scopes: whatever the resource has.
    plugin_id blob references plugins (id),
    registration text not null default 'by_hand' check (registration in ('by_hand', 'document', 'dynamic')),
    name text not null,
    dialect text not null,
    authentication_methods text not null,
    redirect_uris text not null check (json_valid(redirect_uris)),
    scopes text,
    -- The only algorithm its assertions are signed with, when it named one.
    signing_algorithm text,
    jwks_uri text,
    -- The last good key set; without a time it was supplied by the operator.
    key_set text check (json_valid(key_set)),
    key_set_fetched_at text,
    -- Its metadata document as it was last read: this row is the copy.
    document_fetched_at text,
    document_fresh_until text,
    -- SHA-256 of the token that manages a dynamic registration (RFC 7592).
    registration_digest blob check (length(registration_digest) = 32),
    generation integer not null default 1,
    enabled integer not null default 1 check (enabled in (0, 1)),
    created_at text not null
) strict;

insert into clients_anew
       (id, client_id, plugin_id, name, dialect, authentication_methods, redirect_uris, scopes, generation, enabled,
        created_at)
select id, client_id, plugin_id, name, dialect, authentication_method, redirect_uris, scopes, generation, enabled,
       created_at
  from clients;

create table client_secrets_anew (
    id blob not null primary key check (length(id) = 16),
    client_id blob not null references clients_anew (id),
    -- SHA-256 of the secret; enough because the secret has 256 random bits.
    digest blob not null check (length(digest) = 32),
    created_at text not null,
    expires_at text
) strict;

insert into client_secrets_anew (id, client_id, digest, created_at, expires_at)
select id, client_id, digest, created_at, expires_at from client_secrets;

create table consents_anew (
    id blob not null primary key check (length(id) = 16),
    account_id blob not null references accounts (id),
    client_id blob not null references clients_anew (id),
    resource text not null,
    scopes text not null,
    generation integer not null default 1,
    granted_at text not null,
    -- A tombstone: deleting the row would let an old generation stand again.
    revoked_at text,
    unique (account_id, client_id, resource)
) strict;

insert into consents_anew (id, account_id, client_id, resource, scopes, generation, granted_at, revoked_at)
select id, account_id, client_id, resource, scopes, generation, granted_at, revoked_at from consents;

drop table consents;
drop table client_secrets;
drop table clients;
alter table clients_anew rename to clients;
alter table client_secrets_anew rename to client_secrets;
alter table consents_anew rename to consents;

create index client_secrets_by_client on client_secrets (client_id);
create index client_secrets_by_expiry on client_secrets (expires_at) where expires_at is not null;
create index clients_by_age on clients (created_at) where registration = 'dynamic';
create index consents_by_client on consents (client_id);

-- Client assertions that were used (RFC 7523 §3). In order of time, so that inserting is cheap and the oldest leave.
create table assertion_ids (
    expires_at text not null,
    -- SHA-256 of client and jti.
    digest blob not null check (length(digest) = 32),
    -- Random, of the request that used it: a transaction that runs twice must not meet itself.
    use_id blob not null check (length(use_id) = 16),
    primary key (expires_at, digest)
) strict, without rowid;
