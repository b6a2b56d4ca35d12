-- What clients say about themselves, and how it was had. The same columns stand in migrations/sqlite under the same number.

-- Since when a newer key set could not be had; none while it can.
alter table clients add column key_set_failing_since timestamptz;
-- Whether the document's copy is the pinned one that came with the program: what its host says goes before it.
alter table clients add column document_is_pinned boolean not null default false;
-- What it asks for when it names nothing (RFC 7591 §2, `scope`): no limit, unlike `scopes`.
alter table clients add column default_scopes text;
-- What it registered beyond what is acted on, to be told again (RFC 7592 §3).
alter table clients add column registered_metadata jsonb;
