//! Tokens of owners' programs. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Engine,
    accounts::{AccountRow, account_columns, hold, tell},
    reading,
};
use crate::{
    model::{
        Timestamp,
        account::Account,
        audit::{Audit, AuditAction},
        digest::Digest,
        id::{AccountId, OwnerTokenId},
        owner_token::{OwnerScopes, OwnerToken, StandingToken},
    },
    store::{
        StoreError, StoreResult,
        owner_tokens::{MakeOwnerToken, NewOwnerToken, OwnerTokenUse},
    },
};

/// The tokens that stand; `$2` is now.
macro_rules! standing_tokens {
    () => {
        " from owner_tokens t
          join accounts a on a.id = t.account_id
         where t.expires_at > $2
           and a.enabled
           and a.reviews is null
           and a.generation = t.account_generation
           and a.session_generation = t.session_generation "
    };
}

macro_rules! token_columns {
    () => {
        "t.id as token_id, t.name as token_name, t.scopes, t.created_at as made_at, t.expires_at, t.last_used_at"
    };
}

const INSERT: &str = "
    insert into owner_tokens (id, account_id, account_generation, session_generation, name, digest, scopes, created_at,
                              expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const COUNT: &str = concat!("select count(*)", standing_tokens!(), "and t.account_id = $1");

const STANDING: &str =
    concat!("select ", token_columns!(), ", ", account_columns!(), standing_tokens!(), "and t.digest = $1");

const LIST: &str = concat!("select ", token_columns!(), standing_tokens!(), "and t.account_id = $1 order by t.id desc");

const END: &str = "delete from owner_tokens where account_id = $1 and id = $2 returning name";

const NOTE: &str = "
    update owner_tokens
       set last_used_at = $2
     where id = $1
       and (last_used_at is null or last_used_at <= $3)";

#[derive(sqlx::FromRow)]
struct TokenRow {
    token_id: Uuid,
    token_name: String,
    scopes: String,
    made_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

/// A token and its account, as the join has them.
#[derive(sqlx::FromRow)]
struct StandingRow {
    #[sqlx(flatten)]
    token: TokenRow,
    #[sqlx(flatten)]
    account: AccountRow,
}

impl TryFrom<TokenRow> for OwnerToken {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> StoreResult<Self> {
        Ok(Self {
            id: OwnerTokenId(row.token_id),
            name: row.token_name,
            scopes: OwnerScopes::known(&row.scopes),
            created_at: row.made_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn make_owner_token(
        &self,
        new: &NewOwnerToken,
        event: &Audit,
    ) -> StoreResult<MakeOwnerToken> {
        let mut step = self.begin().await?;
        let held = hold(&mut step, new.account_id).await?;
        let is_as_seen = |account: &Account| (account.generation, account.session_generation) == new.generations;
        let Some((account, _)) =
            held.filter(|(account, _)| account.enabled && account.reviews.is_none() && is_as_seen(account))
        else {
            return Ok(MakeOwnerToken::NotStanding);
        };
        let standing: i64 = sqlx::query_scalar(COUNT).bind(account.id.0).bind(event.at).fetch_one(&mut *step).await?;
        if standing >= i64::from(new.standing_max) {
            return Ok(MakeOwnerToken::TooMany);
        }
        let token = &new.token;
        sqlx::query(INSERT)
            .bind(token.id.0)
            .bind(account.id.0)
            .bind(account.generation)
            .bind(account.session_generation)
            .bind(&token.name)
            .bind(new.digest.0.as_slice())
            .bind(token.scopes.to_string())
            .bind(token.created_at)
            .bind(token.expires_at)
            .execute(&mut *step)
            .await?;
        let detail = json!({ "name": token.name, "scopes": token.scopes.to_string(), "expires_at": token.expires_at });
        tell(&mut step, event, AuditAction::AccountApiTokenMade, (account.id, detail)).await?;
        step.commit().await?;
        Ok(MakeOwnerToken::Made)
    }

    pub(in crate::store) async fn owner_token(
        &self,
        digest: Digest,
        now: Timestamp,
    ) -> StoreResult<Option<StandingToken>> {
        let row: Option<StandingRow> = reading!(self, connection => sqlx::query_as(STANDING)
            .bind(digest.0.as_slice())
            .bind(now)
            .fetch_optional(&mut *connection))?;
        let standing =
            |row: StandingRow| Ok(StandingToken { token: row.token.try_into()?, account: row.account.try_into()? });
        row.map(standing).transpose()
    }

    pub(in crate::store) async fn owner_tokens(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> StoreResult<Vec<OwnerToken>> {
        let rows: Vec<TokenRow> =
            reading!(self, connection => sqlx::query_as(LIST).bind(account.0).bind(now).fetch_all(&mut *connection))?;
        rows.into_iter().map(OwnerToken::try_from).collect()
    }

    pub(in crate::store) async fn end_owner_token(
        &self,
        account: AccountId,
        id: OwnerTokenId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let ended: Option<String> =
            sqlx::query_scalar(END).bind(account.0).bind(id.0).fetch_optional(&mut *step).await?;
        let Some(name) = ended else { return Ok(false) };
        tell(&mut step, event, AuditAction::AccountApiTokenEnded, (account, json!({ "name": name }))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn note_owner_token_uses(&self, uses: &[OwnerTokenUse]) -> StoreResult<()> {
        let mut step = self.begin().await?;
        for noted in uses {
            sqlx::query(NOTE).bind(noted.id.0).bind(noted.at).bind(noted.unless_after).execute(&mut *step).await?;
        }
        step.commit().await?;
        Ok(())
    }
}
