-- Where a person is signed in, as they are to recognize it. The same columns stand in migrations/sqlite under the same
-- number.

alter table sessions add column address text;
alter table sessions add column user_agent text;
