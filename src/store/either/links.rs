//! One-time links. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{Connection, Engine, accounts::hold, audit, mails::enqueue, reading};
use crate::{
    model::{
        Timestamp,
        account::Account,
        audit::{Audit, AuditAction, Subjects},
        digest::Digest,
        id::{AccountId, LinkId},
        link::{Link, LinkPurpose, LinkState},
    },
    store::{
        StoreError, StoreResult,
        links::{MakeLink, NewLink},
        mails::NewMail,
    },
};

macro_rules! columns {
    () => {
        "id, purpose, account_id, email, role, language, request, expires_at"
    };
}

/// Whether the link can be used, at `$2`. Where there is to be an account there is none yet; all others have theirs.
macro_rules! stands {
    () => {
        "used_at is null
         and ended_at is null
         and expires_at > $2
         and case
                 when purpose in ('sign-up', 'invitation') then account_id is null
                 else exists (select 1
                                from accounts a
                               where a.id = links.account_id
                                 and a.enabled
                                 and (links.purpose in ('change-email', 'restore-email') or a.email = links.email))
             end"
    };
}

const INSERT: &str = "
    insert into links (id, digest, purpose, account_id, email, role, language, request, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict do nothing";

/// A way back is for each address that was changed, and none ends another. What has expired needs no end, but where there
/// is no account: there the index knows of none but this.
const END_OLDER: &str = "
    update links
       set ended_at = $1
     where purpose = $2
       and (account_id = $3 or (email = $4 and account_id is null))
       and (expires_at > $1 or account_id is null)
       and purpose <> 'restore-email'
       and used_at is null
       and ended_at is null";

const UNEXPIRED: &str = "
    select count(*)
      from links
     where purpose = $2
       and expires_at > $3
       and ((email = $1 and purpose <> 'change-email') or (account_id = $4 and purpose = 'change-email'))";

/// How many wait for one address, whoever asked: it may be nobody's who did.
const UNEXPIRED_AT: &str = "
    select count(*) from links where email = $1 and purpose = 'change-email' and expires_at > $2";

/// The most of them. More than one account may ask for, so that a stranger shuts no owner out by asking.
const UNEXPIRED_AT_MAX: i64 = 20;

const FIND: &str = concat!(
    "select ",
    columns!(),
    ", used_at is not null as used, ",
    stands!(),
    " as stands from links where digest = $1 and expires_at > $2"
);

const ACCOUNT_OF: &str = "select account_id from links where digest = $1";

const USE: &str = concat!(
    "update links set used_at = $2 where digest = $1 and purpose in ($3, $4) and ",
    stands!(),
    " returning ",
    columns!()
);

/// The way back stays: it is for the case that somebody else has changed everything.
const END_ALL: &str = "
    update links
       set ended_at = $2
     where account_id = $1
       and expires_at > $2
       and used_at is null
       and ended_at is null
       and purpose <> 'restore-email'";

/// Those that were given since one was: whoever changed the address after that one's owner has one too. The older ones
/// stay, for the same reason.
const END_LATER_WAYS_BACK: &str = "
    update links
       set ended_at = $2
     where account_id = $1
       and expires_at > $2
       and used_at is null
       and ended_at is null
       and purpose = 'restore-email'
       and created_at >= (select created_at from links where id = $3)";

#[derive(sqlx::FromRow)]
struct LinkRow {
    id: Uuid,
    purpose: String,
    account_id: Option<Uuid>,
    email: String,
    role: Option<String>,
    language: Option<String>,
    request: Option<String>,
    expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    link: LinkRow,
    used: bool,
    stands: bool,
}

impl TryFrom<LinkRow> for Link {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> StoreResult<Self> {
        Ok(Self {
            id: LinkId(row.id),
            purpose: row.purpose.parse().map_err(StoreError::broken)?,
            account_id: row.account_id.map(AccountId),
            email: row.email.parse().map_err(StoreError::broken)?,
            role: row.role.map(|word| word.parse()).transpose().map_err(StoreError::broken)?,
            language: row.language,
            request: row.request,
            expires_at: row.expires_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn make_link(
        &self,
        link: &NewLink,
        mail: Option<&NewMail>,
        invited: Option<&Audit>,
    ) -> StoreResult<MakeLink> {
        let mut step = self.begin().await?;
        // Looked up for nobody too, so that one more question says nothing of who has an account.
        let held = hold(&mut step, link.account_id.unwrap_or(AccountId(link.id.0))).await?;
        if link.account_id.is_some() && !held.is_some_and(|(account, _)| may_have(&account, link)) {
            return Ok(MakeLink::NotStanding);
        }
        if !put_link(&mut step, link).await? {
            return Ok(MakeLink::TooMany);
        }
        // Counted afterwards, when whoever else makes one for the same has to wait for this: otherwise many that come at
        // once would each find room. This one is among them, and goes with the step if it is one too many.
        let unexpired: i64 = sqlx::query_scalar(UNEXPIRED)
            .bind(link.email.as_str())
            .bind(link.purpose.as_str())
            .bind(link.at)
            .bind(link.account_id.map(|id| id.0))
            .fetch_one(&mut *step)
            .await?;
        let at_the_address: i64 = match link.purpose {
            LinkPurpose::ChangeEmail => {
                sqlx::query_scalar(UNEXPIRED_AT).bind(link.email.as_str()).bind(link.at).fetch_one(&mut *step).await?
            }
            _ => 0,
        };
        if unexpired > i64::from(link.unexpired_max) || at_the_address > UNEXPIRED_AT_MAX {
            return Ok(MakeLink::TooMany);
        }
        if let Some(mail) = mail {
            enqueue(&mut step, mail).await?;
        }
        if let Some(event) = invited {
            let detail = json!({ "role": link.role.map(crate::model::account::Role::as_str) });
            audit::write(&mut step, event, AuditAction::AccountInvited, Subjects::default(), detail).await?;
        }
        step.commit().await?;
        Ok(MakeLink::Made)
    }

    pub(in crate::store) async fn link(&self, digest: Digest, now: Timestamp) -> StoreResult<LinkState> {
        let row: Option<FoundRow> = reading!(self, connection => sqlx::query_as(FIND)
            .bind(digest.0.as_slice())
            .bind(now)
            .fetch_optional(&mut *connection))?;
        Ok(match row {
            Some(row) if row.stands => LinkState::Standing(Box::new(row.link.try_into()?)),
            Some(FoundRow { used: true, .. }) => LinkState::Used,
            _ => LinkState::Gone,
        })
    }
}

fn may_have(account: &Account, link: &NewLink) -> bool {
    let elsewhere = matches!(link.purpose, LinkPurpose::ChangeEmail | LinkPurpose::RestoreEmail);
    account.enabled && (elsewhere || account.email == link.email)
}

/// Makes a link within a step that holds its account, and ends the older ones for the same. Where there is no account to
/// hold, the index `links_standing_by_email` lets one after the other in; `false` for one that came while another was
/// being made.
pub(super) async fn put_link(step: &mut Connection, link: &NewLink) -> StoreResult<bool> {
    sqlx::query(END_OLDER)
        .bind(link.at)
        .bind(link.purpose.as_str())
        .bind(link.account_id.map(|id| id.0))
        .bind(link.email.as_str())
        .execute(&mut *step)
        .await?;
    let made = sqlx::query(INSERT)
        .bind(link.id.0)
        .bind(link.digest.0.as_slice())
        .bind(link.purpose.as_str())
        .bind(link.account_id.map(|id| id.0))
        .bind(link.email.as_str())
        .bind(link.role.map(crate::model::account::Role::as_str))
        .bind(&link.language)
        .bind(&link.request)
        .bind(link.at)
        .bind(link.expires_at)
        .execute(step)
        .await?;
    Ok(made.rows_affected() == 1)
}

/// Uses a link for one of two purposes, within the step it is for, and holds its account first: whoever comes second
/// waits there, and then finds it used.
pub(super) async fn use_link(
    step: &mut Connection,
    digest: Digest,
    purposes: [LinkPurpose; 2],
    now: Timestamp,
) -> StoreResult<Option<(Link, Option<Account>)>> {
    let owner: Option<Option<Uuid>> =
        sqlx::query_scalar(ACCOUNT_OF).bind(digest.0.as_slice()).fetch_optional(&mut *step).await?;
    let account = match owner.flatten() {
        Some(id) => hold(step, AccountId(id)).await?.map(|(account, _)| account),
        None => None,
    };
    let row: Option<LinkRow> = sqlx::query_as(USE)
        .bind(digest.0.as_slice())
        .bind(now)
        .bind(purposes[0].as_str())
        .bind(purposes[1].as_str())
        .fetch_optional(step)
        .await?;
    row.map(|row| Ok((row.try_into()?, account))).transpose()
}

/// Ends what an account's owner has asked for, because they have shown meanwhile that they do without it, or because it
/// may have been somebody else.
pub(super) async fn end_links(step: &mut Connection, account: AccountId, now: Timestamp) -> StoreResult<()> {
    sqlx::query(END_ALL).bind(account.0).bind(now).execute(step).await?;
    Ok(())
}

/// Ends the ways back that were given after one that was used.
pub(super) async fn end_later_ways_back(step: &mut Connection, link: &Link, event: &Audit) -> StoreResult<()> {
    let account = link.account_id.map(|id| id.0);
    sqlx::query(END_LATER_WAYS_BACK).bind(account).bind(event.at).bind(link.id.0).execute(step).await?;
    Ok(())
}
