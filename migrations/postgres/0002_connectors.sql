-- Connectors: resources of their own, clients that belong to no plugin, assertions used once. The same tables and
-- columns stand in migrations/sqlite under the same number.

-- What a token can be for (RFC 8707): each plugin has one by default and may have more, such as its MCP endpoint.
create table resources (
    id uuid not null primary key,
    plugin_id uuid not null references plugins (id),
    -- Byte for byte what tokens and documents say.
    identifier text not null unique,
    -- The one spelling all spellings of it fold to.
    canonical text not null unique,
    is_default boolean not null,
    created_at timestamptz not null
);

create unique index resources_one_default on resources (plugin_id) where is_default;

-- Until now a plugin's resource was its origin, in the spelling others fold to.
insert into resources (id, plugin_id, identifier, canonical, is_default, created_at)
select id, id, resource, resource, true, created_at from plugins;

-- Connections of a plugin that has moved go on refreshing for where it was.
insert into resources (id, plugin_id, identifier, canonical, is_default, created_at)
select cast(min(cast(f.id as text)) as uuid), cast(min(cast(c.plugin_id as text)) as uuid), f.resource, f.resource,
       false, min(f.created_at)
  from families f
  join clients c on c.id = f.client_id
 where f.resource not in (select identifier from resources)
 group by f.resource;

alter table plugins drop column resource;

-- No plugin: whatever resource is asked for. No scopes: whatever the resource has.
alter table clients alter column plugin_id drop not null;
alter table clients alter column scopes drop not null;
alter table clients rename column authentication_method to authentication_methods;
alter table clients add column registration text not null default 'by_hand'
    check (registration in ('by_hand', 'document', 'dynamic'));
-- The only algorithm its assertions are signed with, when it named one.
alter table clients add column signing_algorithm text;
alter table clients add column jwks_uri text;
-- The last good key set; without a time it was supplied by the operator.
alter table clients add column key_set jsonb;
alter table clients add column key_set_fetched_at timestamptz;
-- Its metadata document as it was last read: this row is the copy.
alter table clients add column document_fetched_at timestamptz;
alter table clients add column document_fresh_until timestamptz;
-- SHA-256 of the token that manages a dynamic registration (RFC 7592).
alter table clients add column registration_digest bytea check (length(registration_digest) = 32);

create index clients_by_age on clients (created_at) where registration = 'dynamic';
create index consents_by_client on consents (client_id);

-- Client assertions that were used (RFC 7523 §3). In order of time, so that inserting is cheap and the oldest leave.
create table assertion_ids (
    expires_at timestamptz not null,
    -- SHA-256 of client and jti.
    digest bytea not null check (length(digest) = 32),
    -- Random, of the request that used it: a statement that runs twice must not meet itself.
    use_id bytea not null check (length(use_id) = 16),
    primary key (expires_at, digest)
);
