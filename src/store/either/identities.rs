//! Identities. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Connection, Engine,
    accounts::{AccountRow, account_columns, hold, tell},
    reading,
};
use crate::{
    model::{
        Timestamp,
        account::{Account, Email, Role},
        audit::{Audit, AuditAction},
        id::{AccountId, IdentityId},
        provider::Identity,
    },
    store::{
        StoreError, StoreResult,
        identities::{Federated, LinkIdentity, NewFederated, NewIdentity, Unlink},
    },
};

macro_rules! columns {
    () => {
        "i.id as identity_id, i.account_id, i.provider, i.subject, i.email as identity_email, i.linked_at, i.last_used_at"
    };
}

const FIND: &str = concat!(
    "select ",
    columns!(),
    ", ",
    account_columns!(),
    " from identities i join accounts a on a.id = i.account_id where i.provider = $1 and i.subject = $2"
);

const OF_ACCOUNT: &str = concat!("select ", columns!(), " from identities i where i.account_id = $1 order by i.id");

const USE: &str = "update identities set last_used_at = $2, email = coalesce($3, email) where id = $1";

const INSERT_ACCOUNT: &str = "
    insert into accounts (id, email, name, role, password_hash, email_verified_at, language, created_at)
    values ($1, $2, $3, $4, null, $5, $6, $5)
    on conflict (email) do nothing";

const INSERT: &str = "
    insert into identities (id, account_id, provider, subject, email, linked_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (provider, subject) do nothing";

const OWNER: &str = "select account_id from identities where provider = $1 and subject = $2";

const OTHERS: &str = "select provider from identities where account_id = $1 and id <> $2";

const HAS_PASSKEY: &str = "select exists (select 1 from passkeys where account_id = $1)";

const DELETE: &str = "delete from identities where id = $1 and account_id = $2 returning provider";

#[derive(sqlx::FromRow)]
struct IdentityRow {
    identity_id: Uuid,
    account_id: Uuid,
    provider: String,
    subject: String,
    identity_email: Option<String>,
    linked_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    identity: IdentityRow,
    #[sqlx(flatten)]
    account: AccountRow,
}

impl TryFrom<IdentityRow> for Identity {
    type Error = StoreError;

    fn try_from(row: IdentityRow) -> StoreResult<Self> {
        Ok(Self {
            id: IdentityId(row.identity_id),
            account_id: AccountId(row.account_id),
            provider: row.provider,
            subject: row.subject,
            email: row.identity_email.map(|email| email.parse()).transpose().map_err(StoreError::broken)?,
            linked_at: row.linked_at,
            last_used_at: row.last_used_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn identity(
        &self,
        provider: &str,
        subject: &str,
    ) -> StoreResult<Option<(Identity, Account)>> {
        let row: Option<FoundRow> = reading!(self, connection => sqlx::query_as(FIND)
            .bind(provider)
            .bind(subject)
            .fetch_optional(&mut *connection))?;
        row.map(|row| Ok((row.identity.try_into()?, row.account.try_into()?))).transpose()
    }

    pub(in crate::store) async fn use_identity(
        &self,
        id: IdentityId,
        email: Option<&Email>,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let used = sqlx::query(USE).bind(id.0).bind(at).bind(email.map(Email::as_str)).execute(&mut *step).await?;
        step.commit().await?;
        Ok(used.rows_affected() == 1)
    }

    pub(in crate::store) async fn add_federated(&self, new: &NewFederated, event: &Audit) -> StoreResult<Federated> {
        let mut step = self.begin().await?;
        let added = sqlx::query(INSERT_ACCOUNT)
            .bind(new.account_id.0)
            .bind(new.email.as_str())
            .bind(&new.name)
            .bind(Role::Person.as_str())
            .bind(new.identity.at)
            .bind(&new.language)
            .execute(&mut *step)
            .await?
            .rows_affected();
        if added == 0 {
            // Whoever has it may have got it a moment ago, by this very identity.
            let owner = owner(&mut step, &new.identity).await?;
            return Ok(if owner.is_some() { Federated::Linked } else { Federated::EmailTaken });
        }
        if !insert(&mut step, new.account_id, &new.identity).await? {
            return Ok(Federated::Linked);
        }
        let detail = json!({ "role": Role::Person.as_str(), "by": new.identity.provider });
        tell(&mut step, event, AuditAction::AccountAdded, (new.account_id, detail)).await?;
        let account = hold(&mut step, new.account_id).await?;
        step.commit().await?;
        let (account, _) = account.ok_or_else(|| StoreError::broken("an account is gone while it was made"))?;
        Ok(Federated::Made(Box::new(account)))
    }

    pub(in crate::store) async fn link_identity(
        &self,
        account: AccountId,
        identity: &NewIdentity,
        event: &Audit,
    ) -> StoreResult<LinkIdentity> {
        let mut step = self.begin().await?;
        let held = hold(&mut step, account).await?;
        if !held.is_some_and(|(account, _)| account.enabled && account.email == identity.email) {
            return Ok(LinkIdentity::NotStanding);
        }
        if !insert(&mut step, account, identity).await? {
            let is_ours = owner(&mut step, identity).await? == Some(account);
            return Ok(if is_ours { LinkIdentity::Linked } else { LinkIdentity::Taken });
        }
        let detail = json!({ "provider": identity.provider });
        tell(&mut step, event, AuditAction::IdentityLinked, (account, detail)).await?;
        step.commit().await?;
        Ok(LinkIdentity::Linked)
    }

    pub(in crate::store) async fn identities(&self, account: AccountId) -> StoreResult<Vec<Identity>> {
        let rows: Vec<IdentityRow> = reading!(self, connection => sqlx::query_as(OF_ACCOUNT)
            .bind(account.0)
            .fetch_all(&mut *connection))?;
        rows.into_iter().map(Identity::try_from).collect()
    }

    pub(in crate::store) async fn unlink_identity(
        &self,
        account: AccountId,
        id: IdentityId,
        offered: &[String],
        event: &Audit,
    ) -> StoreResult<Unlink> {
        let mut step = self.begin().await?;
        let Some((_, password)) = hold(&mut step, account).await? else { return Ok(Unlink::NotThere) };
        let provider: Option<String> =
            sqlx::query_scalar(DELETE).bind(id.0).bind(account.0).fetch_optional(&mut *step).await?;
        let Some(provider) = provider else { return Ok(Unlink::NotThere) };
        let others: Vec<String> = sqlx::query_scalar(OTHERS).bind(account.0).bind(id.0).fetch_all(&mut *step).await?;
        let has_passkey: bool = sqlx::query_scalar(HAS_PASSKEY).bind(account.0).fetch_one(&mut *step).await?;
        if password.is_none() && !has_passkey && !others.iter().any(|other| offered.contains(other)) {
            // The step is left without being committed.
            return Ok(Unlink::LastWay);
        }
        let detail = json!({ "provider": provider });
        tell(&mut step, event, AuditAction::IdentityUnlinked, (account, detail)).await?;
        step.commit().await?;
        Ok(Unlink::Unlinked)
    }
}

async fn insert(step: &mut Connection, account: AccountId, identity: &NewIdentity) -> StoreResult<bool> {
    let inserted = sqlx::query(INSERT)
        .bind(identity.id.0)
        .bind(account.0)
        .bind(&identity.provider)
        .bind(&identity.subject)
        .bind(identity.email.as_str())
        .bind(identity.at)
        .execute(step)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn owner(step: &mut Connection, identity: &NewIdentity) -> StoreResult<Option<AccountId>> {
    let owner: Option<Uuid> =
        sqlx::query_scalar(OWNER).bind(&identity.provider).bind(&identity.subject).fetch_optional(step).await?;
    Ok(owner.map(AccountId))
}
