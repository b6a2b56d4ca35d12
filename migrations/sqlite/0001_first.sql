-- The first schema. The same tables and columns stand in migrations/postgres under the same number.
--
-- Ids are UUID v7 as 16 bytes. Times are RFC 3339 texts in UTC cut to the millisecond, a spelling that sorts as the
-- instants do. JSON is text that json_valid has seen. Booleans are 0 and 1.

create table accounts (
    id blob not null primary key check (length(id) = 16),
    email text not null unique,
    name text not null,
    role text not null check (role in ('person', 'owner', 'admin')),
    -- A PHC string: the parameters stand in front of the hash.
    password_hash text not null,
    generation integer not null default 1,
    enabled integer not null default 1 check (enabled in (0, 1)),
    created_at text not null
) strict;

create table plugins (
    id blob not null primary key check (length(id) = 16),
    slug text not null unique,
    host text not null unique,
    owner_id blob references accounts (id),
    state text not null check (state in ('draft', 'published', 'verified')),
    upstream text,
    resource text not null,
    subject_salt blob not null check (length(subject_salt) = 32),
    -- Positions in this array are what codes in flight carry: entries are only ever appended.
    scopes text not null check (json_valid(scopes)),
    manifest text not null check (json_valid(manifest)),
    created_at text not null,
    updated_at text not null
) strict;

create table plugin_documents (
    plugin_id blob not null references plugins (id),
    kind text not null check (kind in ('openapi', 'logo')),
    content_type text not null,
    body blob not null,
    primary key (plugin_id, kind)
) strict;

create table clients (
    id blob not null primary key check (length(id) = 16),
    client_id text not null unique,
    plugin_id blob not null references plugins (id),
    name text not null,
    dialect text not null,
    authentication_method text not null,
    redirect_uris text not null check (json_valid(redirect_uris)),
    scopes text not null,
    generation integer not null default 1,
    enabled integer not null default 1 check (enabled in (0, 1)),
    created_at text not null
) strict;

create table client_secrets (
    id blob not null primary key check (length(id) = 16),
    client_id blob not null references clients (id),
    -- SHA-256 of the secret; enough because the secret has 256 random bits.
    digest blob not null check (length(digest) = 32),
    created_at text not null,
    expires_at text
) strict;

create index client_secrets_by_client on client_secrets (client_id);
create index client_secrets_by_expiry on client_secrets (expires_at) where expires_at is not null;

create table consents (
    id blob not null primary key check (length(id) = 16),
    account_id blob not null references accounts (id),
    client_id blob not null references clients (id),
    resource text not null,
    scopes text not null,
    generation integer not null default 1,
    granted_at text not null,
    -- A tombstone: deleting the row would let an old generation stand again.
    revoked_at text,
    unique (account_id, client_id, resource)
) strict;

-- One row per connection, however often it refreshes. No foreign keys: each would lock the parent's row at every
-- redemption, and all connections of a client share one. Parents are never deleted while a family stands on them.
create table families (
    -- The redeemed code's own id: inserting it is what makes a code single use.
    id blob not null primary key check (length(id) = 16),
    redemption blob not null check (length(redemption) = 16),
    account_id blob not null,
    client_id blob not null,
    consent_id blob not null,
    account_generation integer not null,
    client_generation integer not null,
    consent_generation integer not null,
    access_generation integer not null default 1,
    authentication_method text not null,
    resource text not null,
    scopes text not null,
    secret_digest blob not null check (length(secret_digest) = 32),
    counter integer not null default 0,
    predecessor integer,
    rotated_at text,
    auth_time text not null,
    created_at text not null,
    idle_until text not null,
    expires_at text not null,
    ended_at text,
    end_reason text
) strict;

-- The server rounds this time up, so that most refreshes leave it as it is and the index untouched.
create index families_by_idle_end on families (idle_until);
create index families_by_end on families (expires_at);

create table sessions (
    id blob not null primary key check (length(id) = 16),
    digest blob not null unique check (length(digest) = 32),
    account_id blob not null references accounts (id),
    account_generation integer not null,
    auth_time text not null,
    expires_at text not null
) strict;

create index sessions_by_expiry on sessions (expires_at);

create table working_keys (
    kid integer not null primary key,
    purpose text not null check (purpose in ('sign', 'mac', 'seal-code', 'seal-request', 'seal-data')),
    algorithm text not null,
    state text not null check (state in ('next', 'active', 'retired', 'gone')),
    -- Which master key wraps it.
    master text not null,
    wrapped blob not null,
    created_at text not null,
    active_at text,
    retired_at text
) strict;

-- Several nodes may start on an empty table at once; one key per purpose wins.
create unique index working_keys_one_active on working_keys (purpose) where state = 'active';

create table audit_events (
    id blob not null primary key check (length(id) = 16),
    at text not null,
    action text not null,
    actor text not null,
    actor_id blob,
    address text,
    account_id blob,
    client_id blob,
    plugin_id blob,
    detail text not null check (json_valid(detail))
) strict;
