-- Working keys by their times: what a key may do follows from them alone, on every node at the same instant. SQLite
-- cannot change a check, so the table is made anew.

create table working_keys_anew (
    kid integer not null primary key,
    purpose text not null check (purpose in ('sign', 'mac', 'seal-code', 'seal-request', 'seal-data', 'audit')),
    algorithm text not null,
    -- Which master key wraps it.
    master text not null,
    -- Empty once it is gone.
    wrapped blob not null,
    created_at text not null,
    -- From then on new things are made with it; before, it is only published.
    active_at text not null,
    -- From then on another one makes new things; none for the newest.
    retired_at text,
    -- Until then something it made may come back; none while that is not known.
    needed_until text,
    -- When it was wiped.
    gone_at text
) strict;

insert into working_keys_anew (kid, purpose, algorithm, master, wrapped, created_at, active_at, retired_at, gone_at)
select kid, purpose, algorithm, master, wrapped, created_at, coalesce(active_at, created_at),
       case when state in ('retired', 'gone') then coalesce(retired_at, created_at) end,
       case when state = 'gone' then coalesce(retired_at, created_at) end
  from working_keys;
drop table working_keys;
alter table working_keys_anew rename to working_keys;

-- Of several nodes that start or change a key at once, one wins.
create unique index working_keys_one_newest on working_keys (purpose, algorithm) where retired_at is null;

-- How access tokens for a resource are signed.
alter table resources add column signing_algorithm text not null default 'ES256'
    check (signing_algorithm in ('ES256', 'RS256', 'EdDSA'));
