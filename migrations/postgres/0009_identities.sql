-- Who is linked with an account at other people's servers, or at the owner's own sign-in page. The same table stands in
-- migrations/sqlite under the same number.

create table identities (
    id uuid not null primary key,
    account_id uuid not null references accounts (id),
    -- An issuer, or what the operator calls a provider that has none, and where it is.
    provider text not null,
    -- The person's id there.
    subject text not null,
    -- Their address there, as it was last told.
    email text,
    linked_at timestamptz not null,
    last_used_at timestamptz,
    unique (provider, subject)
);

create index identities_by_account on identities (account_id);
