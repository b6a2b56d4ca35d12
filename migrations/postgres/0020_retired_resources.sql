-- Resources that were removed. The same table stands in migrations/sqlite under the same number.

-- How far an identifier's generation was when it went: whoever registers it next goes on from there, so that nothing
-- which stood on it before stands again.
create table retired_resources (
    identifier text not null primary key,
    generation bigint not null
);

insert into retired_resources (identifier, generation)
select k.resource, max(k.resource_generation) + 1
  from consents k
 where not exists (select 1 from resources r where r.identifier = k.resource)
 group by k.resource;
