-- Second factors: passkeys, authenticator apps, recovery codes, and the browsers they need not be shown in for a while.
-- The same tables and columns stand in migrations/postgres under the same number.

create table passkeys (
    id blob not null primary key check (length(id) = 16),
    account_id blob not null references accounts (id),
    credential_id blob not null unique,
    -- The public key and what is known of it, as JSON. Nothing in it is secret.
    credential text not null,
    name text not null,
    -- Milliseconds since 1970: when the challenge that was answered last was made. An answer to that one or an older one
    -- is none, so that each is taken once.
    challenge_at integer not null,
    created_at text not null,
    last_used_at text
) strict;

create index passkeys_by_account on passkeys (account_id);

create table authenticator_apps (
    account_id blob not null primary key references accounts (id),
    -- What the app and the server share, sealed.
    sealed blob not null,
    -- The step of time whose code was taken last: that code and older ones are worth nothing any more.
    step integer not null,
    created_at text not null,
    last_used_at text
) strict;

create table recovery_codes (
    -- SHA-256 of the code.
    digest blob not null primary key check (length(digest) = 32),
    account_id blob not null references accounts (id),
    used_at text
) strict;

create index recovery_codes_by_account on recovery_codes (account_id);

create table remembered_devices (
    id blob not null primary key check (length(id) = 16),
    account_id blob not null references accounts (id),
    -- SHA-256 of the number in the browser's mark for the account.
    digest blob not null unique check (length(digest) = 32),
    created_at text not null,
    expires_at text not null,
    address text,
    user_agent text
) strict;

create index remembered_devices_by_account on remembered_devices (account_id);
create index remembered_devices_by_expiry on remembered_devices (expires_at);

-- When the person showed once more who they are, after they had signed in.
alter table sessions add column proven_at text;
-- When they last showed a second factor.
alter table sessions add column factor_at text;
