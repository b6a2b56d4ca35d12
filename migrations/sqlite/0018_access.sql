-- Who may connect to a plugin, groups of people, accounts for reviewers, and who has invited somebody to own one. The
-- same tables and columns stand in
-- migrations/postgres under the same number.

-- Whether everybody may connect, and grant everything; if not, only those whom a rule names.
alter table plugins add column is_open integer not null default 1 check (is_open in (0, 1));

-- A reviewer's account: the one plugin it may connect to, and when it ends.
alter table accounts add column reviews blob references plugins (id);
alter table accounts add column ends_at text;

create unique index accounts_by_reviewed_plugin on accounts (reviews) where reviews is not null;

-- People of this server that rules can name together.
create table people_groups (
    id blob not null primary key check (length(id) = 16),
    name text not null unique,
    created_at text not null
) strict;

create table people_group_members (
    group_id blob not null references people_groups (id),
    account_id blob not null references accounts (id),
    added_at text not null,
    primary key (group_id, account_id)
) strict, without rowid;

create index people_group_members_by_account on people_group_members (account_id);

-- Whom a plugin lets in, and what they may grant.
create table access_rules (
    plugin_id blob not null references plugins (id),
    kind text not null check (kind in ('everyone', 'domain', 'person', 'group')),
    -- The domain or the address; of a group its id again, of everyone nothing.
    value text not null,
    group_id blob references people_groups (id),
    -- Space-separated; null for every scope there is and will be.
    scopes text,
    primary key (plugin_id, kind, value)
) strict, without rowid;

create index access_rules_by_group on access_rules (group_id) where group_id is not null;

-- Who invited somebody to own a plugin, unless it was the operator; and the link to make an account with, if the mail had
-- one: both end with the invitation.
alter table owner_invitations add column inviter_id blob;
alter table owner_invitations add column link_id blob;

create index owner_invitations_by_inviter on owner_invitations (inviter_id) where inviter_id is not null;
