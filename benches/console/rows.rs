//! Rows beyond number: each table is filled from a row that the server itself made, with what must differ written anew.
//! Columns that nobody names here are copied, so that a new one needs nothing.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use crate::Outcome;

/// How many there are to be.
#[derive(Clone, Copy)]
pub struct Size {
    /// Each at a host of its own.
    pub plugins: u64,
    /// A tenth of them belong to the plugin that is looked at.
    pub clients: u64,
    /// Ten for each person, a tenth of them with that plugin; as many events stand in the audit log.
    pub families: u64,
}

/// The server keeps no more of one client and from one address.
const EVENTS_MAX: u64 = 4_900;

/// A database to be filled.
pub enum Rows {
    /// Postgres.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}

/// What a column of a copy says: an expression over `n`, the number of the copy.
type Column = (&'static str, String);

impl Rows {
    /// Opens it.
    pub async fn open(url: &str) -> Outcome<Self> {
        Ok(if url.starts_with("postgres") {
            Self::Postgres(PgConnection::connect(url).await?)
        } else {
            Self::Sqlite(SqliteConnection::connect(url).await?)
        })
    }

    /// Adds rows until there are so many, and tells the engine of them.
    pub async fn grow(&mut self, from: Size, to: Size) -> Outcome<()> {
        let Size { plugins, clients, families } = to;
        self.run("begin").await?;
        let id = |rows: &Self, of: &str| rows.id(of);
        let (n, person) = (id(self, "n"), id(self, "(n / 10) + 1"));
        // Which client and which plugin a consent is about; every tenth keeps what it was copied from.
        let other = format!("((n * 7) % ({clients} / 10 - 1) * 10 + 1 + n % 9)");
        let tenth = |kept: &str, otherwise: &str| format!("case when n % 10 = 0 then s.{kept} else {otherwise} end");
        let address = |number: &str| format!("'https://plugin-' || ({number}) || '.example'");
        let of_client = |number: &str| format!("({number} % ({plugins} - 1) + 1)");
        let (client, resource) = (id(self, &other), address(&of_client(&other)));
        let (client, resource) = (tenth("client_id", &client), tenth("resource", &resource));
        let owner = tenth("plugin_id", &id(self, &of_client("n")));
        let logged = tenth("plugin_id", &id(self, &of_client("n")));
        let (flow, hour) = (self.flow("n / 5"), self.hour("n % 700"));
        let people = (from.families / 10, families / 10 + 1);
        self.copy("accounts", people, &[("id", n.clone()), ("email", "'person' || n || '@example.com'".into())])
            .await?;
        let more = (from.plugins, plugins);
        let slug = ("slug", "'plugin-' || n".to_owned());
        self.copy("plugins", more, &[("id", n.clone()), slug, ("host", "'plugin-' || n || '.example'".into())]).await?;
        let spelled = address("n");
        let columns =
            [("id", n.clone()), ("plugin_id", n.clone()), ("identifier", spelled.clone()), ("canonical", spelled)];
        self.copy("resources", more, &columns).await?;
        self.copy("plugin_owners", more, &[("plugin_id", n.clone())]).await?;
        let more = (from.clients, clients);
        self.copy("clients", more, &[("id", n.clone()), ("client_id", "'client-' || n".into()), ("plugin_id", owner)])
            .await?;
        self.copy("client_secrets", more, &[("id", n.clone()), ("client_id", n.clone())]).await?;
        let more = (from.families, families);
        let columns =
            [("id", n.clone()), ("account_id", person.clone()), ("client_id", client), ("resource", resource)];
        self.copy("consents", more, &columns).await?;
        let columns: Vec<Column> = columns.into_iter().chain([("consent_id", n.clone())]).collect();
        self.copy("families", more, &columns).await?;
        self.copy("audit_events", more, &[("id", n.clone()), ("plugin_id", logged)]).await?;
        let kept = |size: Size| (size.families / 10).min(EVENTS_MAX);
        self.copy("flow_events", (kept(from), kept(to)), &[("id", n.clone()), ("flow_id", flow)]).await?;
        let columns = [("plugin_id", tenth("plugin_id", &id(self, &of_client("n")))), ("starts_at", hour)];
        self.copy("plugin_counts", (from.families / 10, families / 10), &columns).await?;
        self.run("commit").await?;
        self.run("analyze").await
    }

    /// Copies the first row of a table, once for each number of the range; 0 is the row itself.
    async fn copy(&mut self, table: &str, (from, to): (u64, u64), columns: &[Column]) -> Outcome<()> {
        let all = self.columns(table).await?;
        let values = all.iter().map(|name| {
            let written = columns.iter().find(|(column, _)| column == name);
            written.map_or_else(|| format!("s.{name}"), |(_, value)| value.clone())
        });
        let (names, values) = (all.join(", "), values.collect::<Vec<_>>().join(", "));
        let first = from.max(1);
        let copied = format!(
            "insert into {table} ({names})
             with recursive numbers (n) as (select {first} union all select n + 1 from numbers where n + 1 < {to}),
                  source as (select * from {table} order by 1 limit 1)
             select {values}
               from source s, numbers
              where true
                 on conflict do nothing"
        );
        let made = self.run(&copied).await;
        made.map_err(|error| format!("{table}: {error}").into())
    }

    async fn columns(&mut self, table: &str) -> Outcome<Vec<String>> {
        let columns = match self {
            Self::Postgres(connection) => {
                let asked = "select column_name::text from information_schema.columns
                              where table_schema = current_schema and table_name = $1 order by ordinal_position";
                sqlx::query_scalar(asked).bind(table).fetch_all(connection).await?
            }
            Self::Sqlite(connection) => {
                sqlx::query_scalar("select name from pragma_table_info($1)").bind(table).fetch_all(connection).await?
            }
        };
        Ok(columns)
    }

    /// Runs one statement.
    pub async fn run(&mut self, sql: &str) -> Outcome<()> {
        match self {
            Self::Postgres(connection) => connection.execute(AssertSqlSafe(sql)).await.map(drop)?,
            Self::Sqlite(connection) => connection.execute(AssertSqlSafe(sql)).await.map(drop)?,
        }
        Ok(())
    }

    /// The id that belongs to a number: a UUID of version 7 that sorts as the numbers do.
    fn id(&self, of: &str) -> String {
        match self {
            Self::Postgres(_) => format!(
                "cast('01ff' || lpad(to_hex(cast({of} as bigint)), 8, '0') || '70008000' ||
                      lpad(to_hex(cast({of} as bigint)), 12, '0') as uuid)"
            ),
            Self::Sqlite(_) => format!("unhex(printf('01ff%08x70008000%012x', {of}, {of}))"),
        }
    }

    /// The id of a flow, which is what the ids of its codes begin with.
    fn flow(&self, of: &str) -> String {
        match self {
            Self::Postgres(_) => {
                format!("cast('01ff' || lpad(to_hex(cast({of} as bigint)), 8, '0') || '70008000000000000000' as uuid)")
            }
            Self::Sqlite(_) => format!("unhex(printf('01ff%08x70008000000000000000', {of}))"),
        }
    }

    /// The beginning of an hour, so many before this one.
    fn hour(&self, before: &str) -> String {
        match self {
            Self::Postgres(_) => format!("date_trunc('hour', now()) - ({before}) * interval '1 hour'"),
            Self::Sqlite(_) => format!("strftime('%Y-%m-%dT%H:00:00.000Z', 'now', '-' || ({before}) || ' hours')"),
        }
    }
}
