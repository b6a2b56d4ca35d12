-- The gate's routes of a plugin. The same column stands in migrations/sqlite under the same number.

-- Which requests go on to the plugin's API and what each needs, as lines; none for what its description says.
alter table plugins add column routes text;
