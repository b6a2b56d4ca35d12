-- One-time links: nobody compared the browser's mark, so it goes; and for an address without an account no more than one
-- stands at a time, so that many that are asked for at once come one after the other. The same stands in
-- migrations/postgres under the same number.

alter table links drop column browser;

update links
   set ended_at = created_at
 where account_id is null
   and used_at is null
   and ended_at is null
   and exists (select 1
                 from links newer
                where newer.email = links.email
                  and newer.purpose = links.purpose
                  and newer.account_id is null
                  and newer.used_at is null
                  and newer.ended_at is null
                  and newer.id > links.id);

create unique index links_standing_by_email on links (email, purpose)
    where account_id is null and used_at is null and ended_at is null;
