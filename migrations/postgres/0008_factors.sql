-- Second factors: passkeys, authenticator apps, recovery codes, and the browsers they need not be shown in for a while.
-- The same tables and columns stand in migrations/sqlite under the same number.

create table passkeys (
    id uuid not null primary key,
    account_id uuid not null references accounts (id),
    credential_id bytea not null unique,
    -- The public key and what is known of it, as JSON. Nothing in it is secret.
    credential text not null,
    name text not null,
    -- Milliseconds since 1970: when the challenge that was answered last was made. An answer to that one or an older one
    -- is none, so that each is taken once.
    challenge_at bigint not null,
    created_at timestamptz not null,
    last_used_at timestamptz
);

create index passkeys_by_account on passkeys (account_id);

create table authenticator_apps (
    account_id uuid not null primary key references accounts (id),
    -- What the app and the server share, sealed.
    sealed bytea not null,
    -- The step of time whose code was taken last: that code and older ones are worth nothing any more.
    step bigint not null,
    created_at timestamptz not null,
    last_used_at timestamptz
);

create table recovery_codes (
    -- SHA-256 of the code.
    digest bytea not null primary key check (length(digest) = 32),
    account_id uuid not null references accounts (id),
    used_at timestamptz
);

create index recovery_codes_by_account on recovery_codes (account_id);

create table remembered_devices (
    id uuid not null primary key,
    account_id uuid not null references accounts (id),
    -- SHA-256 of the number in the browser's mark for the account.
    digest bytea not null unique check (length(digest) = 32),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    address text,
    user_agent text
);

create index remembered_devices_by_account on remembered_devices (account_id);
create index remembered_devices_by_expiry on remembered_devices (expires_at);

-- When the person showed once more who they are, after they had signed in.
alter table sessions add column proven_at timestamptz;
-- When they last showed a second factor.
alter table sessions add column factor_at timestamptz;
