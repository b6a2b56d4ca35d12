-- Where a key of the audit log's links was given up: the last link that was made with it. The links up to there stay, and
-- are looked at by their digests, which this one closes; so it stands beside where the log begins and not in its place.
-- The same columns stand in migrations/postgres under the same number.

alter table audit_forgotten add column unproven_number integer;
alter table audit_forgotten add column unproven_digest blob check (length(unproven_digest) = 32);
