-- Clients that are there for one try-out of an owner's. The same column stands in migrations/postgres under the same number.

-- From then on it is deleted as by hand; none for a client that stays.
alter table clients add column ends_at text;

create index clients_ending on clients (ends_at) where ends_at is not null;
