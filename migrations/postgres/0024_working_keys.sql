-- Working keys by their times: what a key may do follows from them alone, on every node at the same instant.

alter table working_keys drop constraint working_keys_purpose_check;
alter table working_keys add constraint working_keys_purpose_check
    check (purpose in ('sign', 'mac', 'seal-code', 'seal-request', 'seal-data', 'audit'));

-- From then on new things are made with it; before, it is only published.
update working_keys set active_at = created_at where active_at is null;
alter table working_keys alter column active_at set not null;

-- From then on another one makes new things; none for the newest.
update working_keys set retired_at = created_at where state in ('retired', 'gone') and retired_at is null;

-- Until then something it made may come back; none while that is not known.
alter table working_keys add column needed_until timestamptz;

-- When it was wiped.
alter table working_keys add column gone_at timestamptz;
update working_keys set gone_at = retired_at where state = 'gone';

drop index working_keys_one_active;
alter table working_keys drop column state;

-- Of several nodes that start or change a key at once, one wins.
create unique index working_keys_one_newest on working_keys (purpose, algorithm) where retired_at is null;

-- How access tokens for a resource are signed.
alter table resources add column signing_algorithm text not null default 'ES256'
    check (signing_algorithm in ('ES256', 'RS256', 'EdDSA'));
