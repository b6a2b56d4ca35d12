//! How many rows there are: of every table, and as many as there are.

use std::collections::{BTreeMap, BTreeSet};

use consentry::store::rows::TABLES;

use super::{facts::World, tables::Tables};
use crate::{harness::databases::Engine as Kind, on_both_engines};

const IN_SQLITE: &str =
    "select name from sqlite_schema where type = 'table' and substr(name, 1, 1) <> '_' and name not like 'sqlite%'";

const IN_POSTGRES: &str = "
    select table_name::text from information_schema.tables
     where table_schema = 'public' and substr(table_name, 1, 1) <> '_'";

on_both_engines! {
    async fn every_table_is_counted(engine) {
        let world = World::new(engine).await;
        let mut tables = Tables::of(&world.database).await;
        let names = if engine == Kind::Sqlite { IN_SQLITE } else { IN_POSTGRES };
        let there: BTreeSet<String> = tables.lines(names).await.into_iter().collect();
        let counted: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        assert_eq!(counted, there);

        let mut rows = BTreeMap::new();
        for table in TABLES {
            rows.insert(table.name, world.store.count_rows(table).await.unwrap());
        }
        assert_eq!((rows["plugins"], rows["families"]), (1, 0), "{rows:?}");
        for line in tables.rows().await {
            let (name, number) = line.split_once(' ').unwrap();
            assert_eq!(rows[name].to_string(), number, "{name}");
        }
    }
}
