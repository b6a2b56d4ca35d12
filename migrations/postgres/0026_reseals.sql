-- Sealing anew everything that rows keep sealed. The same table and columns stand in migrations/sqlite under the same
-- number.

create table reseals (
    -- The key with which everything is sealed once this is done.
    kid bigint not null primary key,
    started_at timestamptz not null,
    -- How far the walk is: in a column, and after a row of it; none where the column begins.
    place text not null,
    after_row uuid,
    -- Of this walk: rows that were looked at, those that were sealed anew or could not be had, those nobody can open.
    seen bigint not null default 0,
    stirred bigint not null default 0,
    unreadable bigint not null default 0,
    -- Of all walks: rows that were sealed anew. And how many are sealed with another key, as far as is known.
    resealed bigint not null default 0,
    remaining bigint not null default 0,
    -- Raised by whoever takes it; nobody else goes on before this time.
    turn bigint not null default 0,
    held_until timestamptz not null,
    finished_at timestamptz
);
