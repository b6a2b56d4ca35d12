-- Tokens with which owners' own programs use the owners' API. The same table and columns stand in migrations/sqlite under
-- the same number.

create table owner_tokens (
    id uuid not null primary key,
    account_id uuid not null references accounts (id),
    -- What the account's were when it was made: raised by whatever ends sessions, and so this.
    account_generation bigint not null,
    session_generation bigint not null,
    name text not null,
    digest bytea not null unique check (length(digest) = 32),
    scopes text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz
);

create index owner_tokens_by_account on owner_tokens (account_id, id);
create index owner_tokens_by_end on owner_tokens (expires_at);
