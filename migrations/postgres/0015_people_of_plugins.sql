-- What owners see and do beside the plugin itself: who is invited to own it, who is connected, what happened. The same
-- tables and columns stand in migrations/sqlite under the same number.

-- Who is asked to own a plugin. The address alone: whether somebody has an account with it is not the inviter's business.
create table owner_invitations (
    plugin_id uuid not null references plugins (id),
    email text not null,
    -- How often mail was sent about it; only so much is.
    sent bigint not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- When it was taken back, declined or accepted. The row stays until it expires, so that nobody is mailed without end.
    ended_at timestamptz,
    primary key (plugin_id, email)
);

create index owner_invitations_by_email on owner_invitations (email);
create index owner_invitations_by_expiry on owner_invitations (expires_at);

-- Raised when everybody who is connected is disconnected at once: one write, however many they are.
alter table resources add column generation bigint not null default 0;
-- The resource's when it was last given; a consent of an older one holds no more.
alter table consents add column resource_generation bigint not null default 0;

create index resources_by_plugin on resources (plugin_id);
-- Who is connected, page by page.
create index consents_by_resource on consents (resource, resource_generation, id) where revoked_at is null;

-- What happened to a plugin, searched for a word or for a client.
create index audit_events_by_plugin_action on audit_events (plugin_id, action, id) where plugin_id is not null;
create index audit_events_by_plugin_client on audit_events (plugin_id, client_id, id)
    where plugin_id is not null and client_id is not null;

-- What happened to a plugin's clients, and to whoever connected through them, belongs to its log.
update audit_events
   set plugin_id = (select c.plugin_id from clients c where c.id = audit_events.client_id)
 where plugin_id is null
   and client_id is not null;
