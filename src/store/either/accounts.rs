//! Accounts. Compiled once for each engine.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Connection, Engine, audit, holding, links::end_links, reading};
use crate::{
    model::{
        Timestamp,
        account::{Account, Email, Reviews},
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, PluginId},
    },
    store::{
        StoreError, StoreResult,
        accounts::{AddAccount, ListedAccount, NewAccount},
    },
};

/// What an [`Account`] is made of; `a` is its row.
macro_rules! account_columns {
    () => {
        "a.id, a.email, a.name, a.role, a.generation, a.session_generation, a.enabled, a.email_verified_at, a.language,
         a.created_at, a.reviews, a.ends_at"
    };
}
pub(super) use account_columns;

const INSERT: &str = "
    insert into accounts (id, email, name, role, password_hash, created_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (email) do nothing";

const BY_EMAIL: &str = concat!("select ", account_columns!(), ", a.password_hash from accounts a where a.email = $1");
const BY_ID: &str = concat!("select ", account_columns!(), ", a.password_hash from accounts a where a.id = $1");

const PAGE: &str = concat!(
    "select ",
    account_columns!(),
    ", exists (select 1 from authenticator_apps t where t.account_id = a.id) as has_app,
       (select count(*) from passkeys p where p.account_id = a.id) as passkeys
     from accounts a
    where a.id > $1
    order by a.id
    limit $2"
);

const HELD: &str =
    concat!("select ", account_columns!(), ", a.password_hash from accounts a where a.id = $1 ", holding!());

const RAISE_GENERATION: &str = "update accounts set generation = generation + 1 where id = $1";
const DISABLE: &str = "update accounts set enabled = false, generation = generation + 1 where id = $1 and enabled";
const ENABLE: &str = "update accounts set enabled = true where id = $1 and not enabled";
const VOUCH: &str = "update accounts set email_verified_at = $2 where id = $1 and email_verified_at is null";

const UNLINK_ALL: &str = "delete from identities where account_id = $1";

const RESET_PASSWORD: &str = "
    update accounts
       set password_hash = $2, generation = generation + 1, session_generation = session_generation + 1
     where id = $1";

/// An account as its row has it; a session's row is joined with one.
#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    generation: i64,
    session_generation: i64,
    enabled: bool,
    email_verified_at: Option<Timestamp>,
    language: Option<String>,
    created_at: Timestamp,
    reviews: Option<Uuid>,
    ends_at: Option<Timestamp>,
}

/// An account and what its password is compared with.
#[derive(sqlx::FromRow)]
struct CredentialRow {
    #[sqlx(flatten)]
    account: AccountRow,
    password_hash: Option<String>,
}

/// An account and what it has beside a password.
#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    account: AccountRow,
    has_app: bool,
    passkeys: i64,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> StoreResult<Self> {
        Ok(Self {
            id: AccountId(row.id),
            email: row.email.parse().map_err(StoreError::broken)?,
            name: row.name,
            role: row.role.parse().map_err(StoreError::broken)?,
            generation: row.generation,
            session_generation: row.session_generation,
            enabled: row.enabled,
            email_verified_at: row.email_verified_at,
            language: row.language,
            created_at: row.created_at,
            reviews: match (row.reviews, row.ends_at) {
                (Some(plugin), Some(ends_at)) => Some(Reviews { plugin_id: PluginId(plugin), ends_at }),
                _ => None,
            },
        })
    }
}

impl CredentialRow {
    fn into_parts(self) -> StoreResult<(Account, Option<String>)> {
        Ok((self.account.try_into()?, self.password_hash))
    }
}

impl Engine {
    pub(in crate::store) async fn add_account(&self, account: &NewAccount, event: &Audit) -> StoreResult<AddAccount> {
        let mut step = self.begin().await?;
        let added = sqlx::query(INSERT)
            .bind(account.id.0)
            .bind(account.email.as_str())
            .bind(&account.name)
            .bind(account.role.as_str())
            .bind(&account.password_hash)
            .bind(account.at)
            .execute(&mut *step)
            .await?
            .rows_affected();
        if added == 0 {
            return Ok(AddAccount::EmailTaken);
        }
        let detail = json!({ "role": account.role.as_str() });
        tell(&mut step, event, AuditAction::AccountAdded, (account.id, detail)).await?;
        step.commit().await?;
        Ok(AddAccount::Added)
    }

    pub(in crate::store) async fn account_by_email(
        &self,
        email: &Email,
    ) -> StoreResult<Option<(Account, Option<String>)>> {
        let row: Option<CredentialRow> = reading!(self, connection => sqlx::query_as(BY_EMAIL).bind(email.as_str()).fetch_optional(&mut *connection))?;
        row.map(CredentialRow::into_parts).transpose()
    }

    pub(in crate::store) async fn account(&self, id: AccountId) -> StoreResult<Option<(Account, Option<String>)>> {
        let row: Option<CredentialRow> =
            reading!(self, connection => sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&mut *connection))?;
        row.map(CredentialRow::into_parts).transpose()
    }

    pub(in crate::store) async fn accounts(
        &self,
        after: Option<AccountId>,
        max: u32,
    ) -> StoreResult<Vec<ListedAccount>> {
        let rows: Vec<ListedRow> = reading!(self, connection => sqlx::query_as(PAGE)
            .bind(after.map_or(Uuid::nil(), |id| id.0))
            .bind(i64::from(max))
            .fetch_all(&mut *connection))?;
        let listed = |row: ListedRow| {
            let account = row.account.try_into()?;
            Ok(ListedAccount { account, has_app: row.has_app, passkeys: row.passkeys })
        };
        rows.into_iter().map(listed).collect()
    }

    pub(in crate::store) async fn sign_out_everywhere(&self, account: AccountId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if !changes(&mut step, RAISE_GENERATION, account).await? {
            return Ok(false);
        }
        tell(&mut step, event, AuditAction::AccountSignedOutEverywhere, (account, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn disable_account(
        &self,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<Option<Account>> {
        let mut step = self.begin().await?;
        if changes(&mut step, DISABLE, account).await? {
            end_links(&mut step, account, event.at).await?;
            tell(&mut step, event, AuditAction::AccountDisabled, (account, json!({}))).await?;
        }
        step.commit().await?;
        Ok(self.account(account).await?.map(|(account, _)| account))
    }

    pub(in crate::store) async fn enable_account(
        &self,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<Option<Account>> {
        let mut step = self.begin().await?;
        if changes(&mut step, ENABLE, account).await? {
            tell(&mut step, event, AuditAction::AccountEnabled, (account, json!({}))).await?;
        }
        step.commit().await?;
        Ok(self.account(account).await?.map(|(account, _)| account))
    }

    pub(in crate::store) async fn vouch_for_email(&self, email: &Email, event: &Audit) -> StoreResult<Option<Account>> {
        let Some((found, _)) = self.account_by_email(email).await? else { return Ok(None) };
        let mut step = self.begin().await?;
        let Some((account, _)) = hold(&mut step, found.id).await?.filter(|(now, _)| now.email == *email) else {
            return Ok(None);
        };
        let account = verify_email(&mut step, account, event).await?;
        step.commit().await?;
        Ok(Some(account))
    }

    pub(in crate::store) async fn set_password(
        &self,
        account: AccountId,
        hash: &str,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if hold(&mut step, account).await?.is_none() {
            return Ok(false);
        }
        reset(&mut step, account, hash).await?;
        end_links(&mut step, account, event.at).await?;
        tell(&mut step, event, AuditAction::AccountPasswordReset, (account, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }
}

/// Gives an account a new password and ends all that was begun with what there was before: whoever resets it may do so
/// because somebody else is in. An identity elsewhere is a way in too, and may be theirs.
pub(super) async fn reset(step: &mut Connection, account: AccountId, hash: &str) -> StoreResult<()> {
    sqlx::query(RESET_PASSWORD).bind(account.0).bind(hash).execute(&mut *step).await?;
    sqlx::query(UNLINK_ALL).bind(account.0).execute(step).await?;
    Ok(())
}

/// Reads an account and keeps everybody else from changing it, and from referring to it anew. Whoever changes an account
/// or its links does this first, so that they come one after the other and none waits for another in a circle.
pub(super) async fn hold(step: &mut Connection, id: AccountId) -> StoreResult<Option<(Account, Option<String>)>> {
    let row: Option<CredentialRow> = sqlx::query_as(HELD).bind(id.0).fetch_optional(step).await?;
    row.map(CredentialRow::into_parts).transpose()
}

/// Says of an account that is held that its address is its owner's, and tells of it if that is news.
pub(super) async fn verify_email(step: &mut Connection, account: Account, event: &Audit) -> StoreResult<Account> {
    if account.email_verified_at.is_some() {
        return Ok(account);
    }
    sqlx::query(VOUCH).bind(account.id.0).bind(event.at).execute(&mut *step).await?;
    tell(step, event, AuditAction::AccountEmailVerified, (account.id, json!({}))).await?;
    Ok(Account { email_verified_at: Some(event.at), ..account })
}

/// Writes an event about an account.
pub(super) async fn tell(
    step: &mut Connection,
    event: &Audit,
    action: AuditAction,
    (account, detail): (AccountId, Value),
) -> StoreResult<()> {
    let subjects = Subjects { account_id: Some(account), ..Subjects::default() };
    audit::write(step, event, action, subjects, detail).await
}

async fn changes(step: &mut Connection, statement: &'static str, account: AccountId) -> StoreResult<bool> {
    Ok(sqlx::query(statement).bind(account.0).execute(step).await?.rows_affected() == 1)
}
