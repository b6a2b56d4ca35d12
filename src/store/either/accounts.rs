//! Accounts. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{Engine, audit, reading};
use crate::{
    model::{
        Timestamp,
        account::{Account, Email},
        audit::{Audit, AuditAction, Subjects},
        id::AccountId,
    },
    store::{
        StoreError, StoreResult,
        accounts::{AddAccount, NewAccount},
    },
};

const INSERT: &str = "
    insert into accounts (id, email, name, role, password_hash, created_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (email) do nothing";

const BY_EMAIL: &str = "
    select id, email, name, role, password_hash, generation, enabled, created_at
      from accounts
     where email = $1";

const RAISE_GENERATION: &str = "update accounts set generation = generation + 1 where id = $1";

/// An account as its row has it; a session's row is joined with one.
#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    generation: i64,
    enabled: bool,
    created_at: Timestamp,
}

/// An account and what its password is compared with.
#[derive(sqlx::FromRow)]
struct CredentialRow {
    #[sqlx(flatten)]
    account: AccountRow,
    password_hash: String,
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
            enabled: row.enabled,
            created_at: row.created_at,
        })
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
        let subjects = Subjects { account_id: Some(account.id), ..Subjects::default() };
        let detail = json!({ "role": account.role.as_str() });
        audit::write(&mut step, event, AuditAction::AccountAdded, subjects, detail).await?;
        step.commit().await?;
        Ok(AddAccount::Added)
    }

    pub(in crate::store) async fn account_by_email(&self, email: &Email) -> StoreResult<Option<(Account, String)>> {
        let row: Option<CredentialRow> = reading!(self, connection => sqlx::query_as(BY_EMAIL).bind(email.as_str()).fetch_optional(&mut *connection))?;
        row.map(|row| Ok((row.account.try_into()?, row.password_hash))).transpose()
    }

    pub(in crate::store) async fn sign_out_everywhere(&self, account: AccountId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let raised = sqlx::query(RAISE_GENERATION).bind(account.0).execute(&mut *step).await?.rows_affected();
        if raised == 0 {
            return Ok(false);
        }
        let subjects = Subjects { account_id: Some(account), ..Subjects::default() };
        audit::write(&mut step, event, AuditAction::AccountSignedOutEverywhere, subjects, json!({})).await?;
        step.commit().await?;
        Ok(true)
    }
}
