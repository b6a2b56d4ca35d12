-- What owners do with client ids. The same tables and columns stand in migrations/sqlite under the same number.

-- Raised by every change somebody makes by hand: who changes it says which one they saw.
alter table clients add column version bigint not null default 1;
-- From then on nobody finds it; its rows leave in the background, a few at a time.
alter table clients add column deleted_at timestamptz;

create index clients_deleted on clients (deleted_at) where deleted_at is not null;

-- A note, written in the background: it may be a minute old, or missing after a crash.
alter table client_secrets add column last_used_at timestamptz;

-- Callbacks that were asked for and are not registered, though they look like the client's own. Notes as well, a few for
-- each client: strangers can cause them.
create table callback_offers (
    client_id uuid not null references clients (id),
    redirect_uri text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    seen bigint not null,
    primary key (client_id, redirect_uri)
);

create index callback_offers_by_age on callback_offers (last_seen_at);
