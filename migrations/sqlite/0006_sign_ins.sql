-- Sign-ins that failed, so that guessing stays slow after a restart and on every node. The same columns stand in
-- migrations/postgres under the same number.
--
-- A row is named by a keyed hash of what was typed, known here or not, so the table is no list of addresses.

create table sign_in_failures (
    subject blob not null primary key check (length(subject) = 32),
    failures integer not null,
    -- No password is looked at before.
    held_until text not null,
    -- Then nothing of it is remembered.
    forget_at text not null
) strict;

create index sign_in_failures_by_end on sign_in_failures (forget_at);
