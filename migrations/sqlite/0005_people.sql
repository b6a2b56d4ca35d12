-- People: what an account says of its address, one-time links, and mail that waits to be sent. The same tables and
-- columns stand in migrations/postgres under the same number.

alter table accounts add column email_verified_at text;
-- The tag of the language that was chosen (BCP 47); none for the browser's.
alter table accounts add column language text;
-- Raised to end browser sessions and nothing else: connections go on when a password is changed.
alter table accounts add column session_generation integer not null default 1;

-- None where a person signs in by other means only. This engine cannot make a column nullable, and others refer to the
-- table, so it is the column that is made anew.
alter table accounts add column password_hash_anew text;
update accounts set password_hash_anew = password_hash;
alter table accounts drop column password_hash;
alter table accounts rename column password_hash_anew to password_hash;

alter table sessions add column session_generation integer not null default 1;
create index sessions_by_account on sessions (account_id);

-- What happened to an account is told to its owner, and counted by nobody else.
create index audit_events_by_account on audit_events (account_id, id) where account_id is not null;

-- Whoever has one may do one thing, once.
create table links (
    id blob not null primary key check (length(id) = 16),
    -- SHA-256 of the secret in the link.
    digest blob not null unique check (length(digest) = 32),
    purpose text not null check (purpose in ('sign-up', 'invitation', 'verify-email', 'reset-password', 'change-email',
                                             'restore-email')),
    -- Whose account; none where there is to be one, or where nobody has the address.
    account_id blob references accounts (id),
    -- Where it was sent, or will be handed.
    email text not null,
    -- What an invited account may do.
    role text check (role in ('person', 'owner', 'admin')),
    language text,
    -- SHA-256 of the mark of the browser that asked for it.
    browser blob check (length(browser) = 32),
    -- The sealed authorization request that is to go on afterwards.
    request text,
    created_at text not null,
    expires_at text not null,
    used_at text,
    -- When something else made it worthless.
    ended_at text
) strict;

create index links_by_account on links (account_id) where account_id is not null;
create index links_by_email on links (email);
create index links_by_expiry on links (expires_at);

-- Mail that was caused by a step, and is written with it. A row leaves when it was sent, or is worth nothing any more.
create table outgoing_mails (
    id blob not null primary key check (length(id) = 16),
    account_id blob references accounts (id),
    -- The whole message, sealed: it may hold a link.
    sealed blob not null,
    attempts integer not null default 0,
    -- When it is tried next. Whoever takes it moves this to when somebody else may.
    due_at text not null,
    created_at text not null,
    expires_at text not null
) strict;

create index outgoing_mails_by_due on outgoing_mails (due_at);
create index outgoing_mails_by_account on outgoing_mails (account_id) where account_id is not null;
create index outgoing_mails_by_expiry on outgoing_mails (expires_at);

-- For a person's own list of connections, and for an account that goes. No refresh touches it.
create index families_by_account on families (account_id);
