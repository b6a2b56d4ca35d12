-- Changes by programs of owners. The same columns stand in migrations/sqlite under the same number.

-- The token of the owners' API that something was done by; none where somebody did it who had signed in, and none for
-- what happened before. No reference: a token that ends is deleted, and what was done by it stays.
alter table audit_events add column token_id uuid;

-- What its owner called it.
alter table audit_events add column token_name text;
