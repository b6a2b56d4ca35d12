-- What clients say about themselves, and how it was had. The same columns stand in migrations/postgres under the same
-- number.

-- Since when a newer key set could not be had; none while it can.
alter table clients add column key_set_failing_since text;
-- Whether the document's copy is the pinned one that came with the program: what its host says goes before it.
alter table clients add column document_is_pinned integer not null default 0 check (document_is_pinned in (0, 1));
-- What it asks for when it names nothing (RFC 7591 §2, `scope`): no limit, unlike `scopes`.
alter table clients add column default_scopes text;
-- What it registered beyond what is acted on, to be told again (RFC 7592 §3).
alter table clients add column registered_metadata text check (json_valid(registered_metadata));
