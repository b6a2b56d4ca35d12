-- Whose attempts are whose: each event is one plugin's, or nobody's. The same column and indexes stand in
-- migrations/postgres under the same number.

alter table flow_events add column plugin_id blob check (length(plugin_id) = 16);

update flow_events
   set plugin_id = coalesce((select c.plugin_id from clients c where c.client_id = flow_events.client_id),
                            (select r.plugin_id from resources r where r.identifier = flow_events.resource));

update flow_events
   set plugin_id = (select e.plugin_id
                      from flow_events e
                     where e.flow_id = flow_events.flow_id
                       and e.plugin_id is not null
                     order by e.id
                     limit 1)
 where plugin_id is null
   and flow_id is not null;

-- A page of a plugin's flows, and the last event of each step of one, are found by it without reading the others.
create index flow_events_by_plugin on flow_events (plugin_id, flow_id, step, id) where plugin_id is not null;

-- The events of a flow, from its end.
drop index flow_events_flow;
create index flow_events_flow on flow_events (flow_id, id);
