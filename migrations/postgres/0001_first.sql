-- The first schema. The same tables and columns stand in migrations/sqlite under the same number.
--
-- Ids are UUID v7. Times are cut to the millisecond before they come here. Widely supported SQL only: no extensions,
-- no stored procedures, so that whatever speaks this protocol can hold it.

create table accounts (
    id uuid not null primary key,
    email text not null unique,
    name text not null,
    role text not null check (role in ('person', 'owner', 'admin')),
    -- A PHC string: the parameters stand in front of the hash.
    password_hash text not null,
    generation bigint not null default 1,
    enabled boolean not null default true,
    created_at timestamptz not null
);

create table plugins (
    id uuid not null primary key,
    slug text not null unique,
    host text not null unique,
    owner_id uuid references accounts (id),
    state text not null check (state in ('draft', 'published', 'verified')),
    upstream text,
    resource text not null,
    subject_salt bytea not null check (length(subject_salt) = 32),
    -- Positions in this array are what codes in flight carry: entries are only ever appended.
    scopes jsonb not null,
    manifest jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table plugin_documents (
    plugin_id uuid not null references plugins (id),
    kind text not null check (kind in ('openapi', 'logo')),
    content_type text not null,
    body bytea not null,
    primary key (plugin_id, kind)
);

create table clients (
    id uuid not null primary key,
    client_id text not null unique,
    plugin_id uuid not null references plugins (id),
    name text not null,
    dialect text not null,
    authentication_method text not null,
    redirect_uris jsonb not null,
    scopes text not null,
    generation bigint not null default 1,
    enabled boolean not null default true,
    created_at timestamptz not null
);

create table client_secrets (
    id uuid not null primary key,
    client_id uuid not null references clients (id),
    -- SHA-256 of the secret; enough because the secret has 256 random bits.
    digest bytea not null check (length(digest) = 32),
    created_at timestamptz not null,
    expires_at timestamptz
);

create index client_secrets_by_client on client_secrets (client_id);
create index client_secrets_by_expiry on client_secrets (expires_at) where expires_at is not null;

create table consents (
    id uuid not null primary key,
    account_id uuid not null references accounts (id),
    client_id uuid not null references clients (id),
    resource text not null,
    scopes text not null,
    generation bigint not null default 1,
    granted_at timestamptz not null,
    -- A tombstone: deleting the row would let an old generation stand again.
    revoked_at timestamptz,
    unique (account_id, client_id, resource)
);

-- One row per connection, however often it refreshes. No foreign keys: each would lock the parent's row at every
-- redemption, and all connections of a client share one. Parents are never deleted while a family stands on them.
create table families (
    -- The redeemed code's own id: inserting it is what makes a code single use.
    id uuid not null primary key,
    redemption bytea not null check (length(redemption) = 16),
    account_id uuid not null,
    client_id uuid not null,
    consent_id uuid not null,
    account_generation bigint not null,
    client_generation bigint not null,
    consent_generation bigint not null,
    access_generation bigint not null default 1,
    authentication_method text not null,
    resource text not null,
    scopes text not null,
    secret_digest bytea not null check (length(secret_digest) = 32),
    counter bigint not null default 0,
    predecessor bigint,
    rotated_at timestamptz,
    auth_time timestamptz not null,
    created_at timestamptz not null,
    idle_until timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text
);

-- The server rounds this time up, so that most refreshes leave it as it is and the index untouched.
create index families_by_idle_end on families (idle_until);
create index families_by_end on families (expires_at);

create table sessions (
    id uuid not null primary key,
    digest bytea not null unique check (length(digest) = 32),
    account_id uuid not null references accounts (id),
    account_generation bigint not null,
    auth_time timestamptz not null,
    expires_at timestamptz not null
);

create index sessions_by_expiry on sessions (expires_at);

create table working_keys (
    kid bigint not null primary key,
    purpose text not null check (purpose in ('sign', 'mac', 'seal-code', 'seal-request', 'seal-data')),
    algorithm text not null,
    state text not null check (state in ('next', 'active', 'retired', 'gone')),
    -- Which master key wraps it.
    master text not null,
    wrapped bytea not null,
    created_at timestamptz not null,
    active_at timestamptz,
    retired_at timestamptz
);

-- Several nodes may start on an empty table at once; one key per purpose wins.
create unique index working_keys_one_active on working_keys (purpose) where state = 'active';

create table audit_events (
    id uuid not null primary key,
    at timestamptz not null,
    action text not null,
    actor text not null,
    actor_id uuid,
    address text,
    account_id uuid,
    client_id uuid,
    plugin_id uuid,
    detail jsonb not null
);
