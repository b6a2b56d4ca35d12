//! Clients and their secrets. Compiled once for each engine; what is changed about them stands in `client_changes`, what
//! they say about themselves in `client_documents`.

use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit, reading,
    resources::{ResourceRow, resource_columns},
};
use crate::{
    model::{
        Timestamp,
        audit::{Actor, Audit, AuditAction, Subjects},
        client::{Client, ClientKeys, ClientSecret, DocumentCopy, Registration},
        digest::Digest,
        id::{ClientId, ClientSecretId, PluginId},
        public_key::SigningAlgorithm,
        redirect_uri::RedirectUri,
        scope::Scopes,
    },
    store::{StoreError, StoreResult, clients::NewClient, is_no_text, owners::Page},
};

macro_rules! select_clients {
    () => {
        concat!(
            "select c.id, c.client_id, c.registration, c.name, c.dialect, c.authentication_methods, c.redirect_uris,
                    c.scopes, c.signing_algorithm, c.jwks_uri, c.key_set, c.key_set_fetched_at, c.key_set_failing_since,
                    c.document_fetched_at, c.document_fresh_until, c.document_is_pinned, c.registration_digest,
                    c.default_scopes, c.generation, c.version, c.enabled, c.created_at, c.ends_at, ",
            resource_columns!(),
            ", s.id as secret_id, s.digest as secret_digest, s.created_at as secret_created_at,
                    s.expires_at as secret_expires_at, s.last_used_at as secret_last_used_at
           from clients c
           left join plugins p on p.id = c.plugin_id
           left join resources r on r.plugin_id = p.id and r.is_default
           left join client_secrets s on s.client_id = c.id and (s.expires_at is null or s.expires_at > $1)
        "
        )
    };
}

const ALL: &str = concat!(select_clients!(), "where c.deleted_at is null order by c.id, s.id desc");
/// The page is cut before the secrets multiply its rows. What has an end is nobody's who looks at what a plugin has.
const OF_PLUGIN: &str = concat!(
    select_clients!(),
    "where c.id in (select id
                      from clients
                     where plugin_id = $2
                       and deleted_at is null
                       and ends_at is null
                       and id < $3
                     order by id desc
                     limit $4)
     order by c.id desc, s.id desc"
);
pub(super) const BY_CLIENT_ID: &str =
    concat!(select_clients!(), "where c.client_id = $2 and c.deleted_at is null order by s.id desc");

const INSERT: &str = "
    insert into clients
           (id, client_id, plugin_id, registration, name, dialect, authentication_methods, redirect_uris, scopes,
            signing_algorithm, jwks_uri, key_set, key_set_fetched_at, registration_digest, default_scopes,
            registered_metadata, created_at, ends_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";

/// Oldest end first, so that all nodes go through them in one order.
const ENDED: &str = "
    select client_id
      from clients
     where ends_at <= $1
       and deleted_at is null
     order by ends_at, id
     limit $2";

const REGISTERED_METADATA: &str = "select registered_metadata from clients where id = $1";

const INSERT_SECRET: &str = "
    insert into client_secrets (id, client_id, digest, created_at, expires_at)
    values ($1, $2, $3, $4, $5)";

const IS_CONSENTED: &str = "select count(*) > 0 from consents where client_id = $1";

/// A client, its default resource and one of its secrets, as the join has them.
#[derive(sqlx::FromRow)]
pub(super) struct ClientRow {
    id: Uuid,
    client_id: String,
    registration: String,
    name: String,
    dialect: String,
    authentication_methods: String,
    redirect_uris: Json<Vec<String>>,
    scopes: Option<String>,
    signing_algorithm: Option<String>,
    jwks_uri: Option<String>,
    key_set: Option<Json<Value>>,
    key_set_fetched_at: Option<Timestamp>,
    key_set_failing_since: Option<Timestamp>,
    document_fetched_at: Option<Timestamp>,
    document_fresh_until: Option<Timestamp>,
    document_is_pinned: bool,
    registration_digest: Option<Vec<u8>>,
    default_scopes: Option<String>,
    generation: i64,
    version: i64,
    enabled: bool,
    created_at: Timestamp,
    ends_at: Option<Timestamp>,
    #[sqlx(flatten)]
    home: ResourceRow,
    secret_id: Option<Uuid>,
    secret_digest: Option<Vec<u8>>,
    secret_created_at: Option<Timestamp>,
    secret_expires_at: Option<Timestamp>,
    secret_last_used_at: Option<Timestamp>,
}

impl ClientRow {
    fn secret(&self) -> StoreResult<Option<ClientSecret>> {
        let (Some(id), Some(digest), Some(created_at)) = (self.secret_id, &self.secret_digest, self.secret_created_at)
        else {
            return Ok(None);
        };
        let (id, digest) = (ClientSecretId(id), read_digest(digest)?);
        Ok(Some(ClientSecret {
            id,
            digest,
            created_at,
            expires_at: self.secret_expires_at,
            last_used_at: self.secret_last_used_at,
        }))
    }

    fn into_client(self) -> StoreResult<Client> {
        // An address that could be registered once and may be no more is nobody's; the rest of the row still stands.
        let redirect_uris = self.redirect_uris.0.iter().filter_map(|uri| uri.parse().ok()).collect();
        Ok(Client {
            id: ClientId(self.id),
            client_id: self.client_id,
            name: self.name,
            home: self.home.into_resource()?,
            registration: self.registration.parse().map_err(StoreError::broken)?,
            dialect: self.dialect.parse().map_err(StoreError::broken)?,
            authentication_methods: self.authentication_methods.parse().map_err(StoreError::broken)?,
            signing_algorithm: self
                .signing_algorithm
                .map(|algorithm| algorithm.parse().map_err(StoreError::broken))
                .transpose()?,
            keys: ClientKeys {
                jwks_uri: self.jwks_uri,
                key_set: self.key_set.map(|set| set.0.to_string()),
                fetched_at: self.key_set_fetched_at,
                failing_since: self.key_set_failing_since,
            },
            document: self.document_fetched_at.zip(self.document_fresh_until).map(|(fetched_at, fresh_until)| {
                DocumentCopy { fetched_at, fresh_until, is_pinned: self.document_is_pinned }
            }),
            redirect_uris,
            scopes: self.scopes.as_deref().map(read_scopes).transpose()?,
            default_scopes: self.default_scopes.as_deref().map(read_scopes).transpose()?,
            registration_digest: self.registration_digest.as_deref().map(read_digest).transpose()?,
            generation: self.generation,
            version: self.version,
            enabled: self.enabled,
            created_at: self.created_at,
            ends_at: self.ends_at,
            secrets: Vec::new(),
        })
    }
}

fn read_scopes(text: &str) -> StoreResult<Scopes> {
    text.parse().map_err(StoreError::broken)
}

fn read_digest(bytes: &[u8]) -> StoreResult<Digest> {
    Ok(Digest(bytes.try_into().map_err(StoreError::broken)?))
}

/// Rows of one client stand together, one for each secret.
pub(super) fn fold(rows: Vec<ClientRow>) -> StoreResult<Vec<Client>> {
    let mut clients: Vec<Client> = Vec::new();
    for row in rows {
        let secret = row.secret()?;
        if let Some(last) = clients.last_mut().filter(|last| last.id.0 == row.id) {
            last.secrets.extend(secret);
        } else {
            let mut client = row.into_client()?;
            client.secrets.extend(secret);
            clients.push(client);
        }
    }
    Ok(clients)
}

impl Engine {
    pub(in crate::store) async fn add_client(&self, client: &NewClient, event: &Audit) -> StoreResult<()> {
        let mut step = self.begin().await?;
        let uris: Vec<&str> = client.redirect_uris.iter().map(RedirectUri::as_str).collect();
        sqlx::query(INSERT)
            .bind(client.id.0)
            .bind(&client.client_id)
            .bind(client.plugin_id.map(|id| id.0))
            .bind(client.registration.as_str())
            .bind(&client.name)
            .bind(client.dialect.as_str())
            .bind(client.authentication_methods.to_string())
            .bind(Json(&uris))
            .bind(client.scopes.as_ref().map(ToString::to_string))
            .bind(client.signing_algorithm.map(SigningAlgorithm::as_str))
            .bind(&client.keys.jwks_uri)
            .bind(json_of(client.keys.key_set.as_deref())?)
            .bind(client.keys.fetched_at)
            .bind(client.registration_digest.map(|digest| digest.0.to_vec()))
            .bind(client.own_words.default_scopes.as_ref().map(ToString::to_string))
            .bind(json_of(client.own_words.metadata.as_deref())?)
            .bind(client.at)
            .bind(client.ends_at)
            .execute(&mut *step)
            .await?;
        if let Some(secret) = &client.secret {
            insert_secret(&mut step, client.id.0, secret).await?;
        }
        // Nobody has consented to a client that registers itself: see `write_own`.
        if client.registration != Registration::Dynamic {
            let subjects = Subjects { client_id: Some(client.id), plugin_id: client.plugin_id, ..Subjects::default() };
            let detail = json!({
                "registration": client.registration,
                "dialect": client.dialect,
                "redirect_uris": uris,
                "scopes": client.scopes.as_ref().map(ToString::to_string),
            });
            audit::write(&mut step, event, AuditAction::ClientAdded, subjects, detail).await?;
        }
        step.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn clients(&self, now: Timestamp) -> StoreResult<Vec<Client>> {
        let rows = reading!(self, connection => sqlx::query_as(ALL).bind(now).fetch_all(&mut *connection))?;
        fold(rows)
    }

    pub(in crate::store) async fn clients_of(
        &self,
        plugin: PluginId,
        now: Timestamp,
        page: Page<ClientId>,
    ) -> StoreResult<Vec<Client>> {
        fold(reading!(self, connection => sqlx::query_as(OF_PLUGIN)
            .bind(now)
            .bind(plugin.0)
            .bind(page.before.map_or(Uuid::max(), |id| id.0))
            .bind(i64::from(page.rows_max))
            .fetch_all(&mut *connection))?)
    }

    pub(in crate::store) async fn client(&self, client_id: &str, now: Timestamp) -> StoreResult<Option<Client>> {
        if is_no_text(client_id) {
            return Ok(None);
        }
        let rows = reading!(self, connection => sqlx::query_as(BY_CLIENT_ID)
                .bind(now)
                .bind(client_id)
                .fetch_all(&mut *connection))?;
        // Over is over, also where the sweep has yet to come by.
        Ok(fold(rows)?.pop().filter(|client| client.ends_at.is_none_or(|end| end > now)))
    }

    pub(in crate::store) async fn clients_ended_by(&self, time: Timestamp, rows_max: u32) -> StoreResult<Vec<String>> {
        reading!(self, connection => sqlx::query_scalar(ENDED)
            .bind(time)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))
    }

    pub(in crate::store) async fn registered_metadata(&self, id: ClientId) -> StoreResult<Option<String>> {
        let found: Option<Option<Json<Value>>> = reading!(self, connection => sqlx::query_scalar(REGISTERED_METADATA)
                .bind(id.0)
                .fetch_optional(&mut *connection))?;
        Ok(found.flatten().map(|metadata| metadata.0.to_string()))
    }
}

/// Writes an event about a client. What a client does to its own registration before anybody has consented to it is
/// none: any stranger can register, change and disable clients without end, and a log that strangers can fill is read
/// by nobody.
pub(super) async fn write_own(
    step: &mut Connection,
    event: &Audit,
    action: AuditAction,
    (client, detail): (&Client, Value),
) -> StoreResult<()> {
    let by_itself =
        matches!(event.actor, Actor::Client(id) if id == client.id) && client.registration == Registration::Dynamic;
    if by_itself && !sqlx::query_scalar::<_, bool>(IS_CONSENTED).bind(client.id.0).fetch_one(&mut *step).await? {
        return Ok(());
    }
    audit::write(step, event, action, subjects(client), detail).await
}

/// What an audit event about a client is looked up by.
pub(super) fn subjects(client: &Client) -> Subjects {
    Subjects { client_id: Some(client.id), plugin_id: client.plugin_id(), ..Subjects::default() }
}

/// A JSON text as the column takes it.
pub(super) fn json_of(text: Option<&str>) -> StoreResult<Option<Json<Value>>> {
    text.map(|text| serde_json::from_str(text).map(Json).map_err(StoreError::broken)).transpose()
}

pub(super) async fn insert_secret(step: &mut Connection, client: Uuid, secret: &ClientSecret) -> StoreResult<()> {
    sqlx::query(INSERT_SECRET)
        .bind(secret.id.0)
        .bind(client)
        .bind(secret.digest.0.as_slice())
        .bind(secret.created_at)
        .bind(secret.expires_at)
        .execute(step)
        .await?;
    Ok(())
}
