-- The look of a plugin's own. The same column stands in migrations/postgres under the same number.

-- The colour of the page on which people agree, as #rrggbb; none for the server's own.
alter table plugins add column accent_color text;
