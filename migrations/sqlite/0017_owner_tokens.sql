-- Tokens with which owners' own programs use the owners' API. The same table and columns stand in migrations/postgres
-- under the same number.

create table owner_tokens (
    id blob not null primary key check (length(id) = 16),
    account_id blob not null references accounts (id),
    -- What the account's were when it was made: raised by whatever ends sessions, and so this.
    account_generation integer not null,
    session_generation integer not null,
    name text not null,
    digest blob not null unique check (length(digest) = 32),
    scopes text not null,
    created_at text not null,
    expires_at text not null,
    last_used_at text
) strict;

create index owner_tokens_by_account on owner_tokens (account_id, id);
create index owner_tokens_by_end on owner_tokens (expires_at);
