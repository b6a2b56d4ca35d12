//! What people do with their own accounts. Compiled once for each engine.
//!
//! Each step holds the account first (`accounts::hold`, `links::use_link`), so that steps on one account come one after
//! the other.

use serde_json::json;

use super::{
    Connection, Engine,
    accounts::{hold, reset, tell, verify_email},
    links::{end_later_ways_back, end_links, put_link, use_link},
    mails::enqueue,
    webhook_events::tell_of_deletion,
};
use crate::{
    model::{
        account::{Account, Email, Role},
        audit::{Audit, AuditAction},
        digest::Digest,
        id::AccountId,
        link::{Link, LinkPurpose},
    },
    store::{
        StoreError, StoreResult,
        mails::NewMail,
        people::{Deletion, EmailChange, Followed, PasswordChange, PasswordReset, SignUp},
    },
};

const INSERT: &str = "
    insert into accounts (id, email, name, role, password_hash, email_verified_at, language, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $6)
    on conflict (email) do nothing";

const CHANGE_PASSWORD: &str = "
    update accounts set password_hash = $2, session_generation = session_generation + 1 where id = $1";

/// The session that stays is of the new generation.
const KEEP_SESSION: &str = "
    update sessions
       set session_generation = $3
     where digest = $1
       and account_id = $2
       and session_generation = $3 - 1";

const END_OTHER_SESSIONS: &str = "delete from sessions where account_id = $1 and digest <> $2";

const CHANGE_EMAIL: &str = "update accounts set email = $2, email_verified_at = $3 where id = $1";

const RENAME: &str = "update accounts set name = $2 where id = $1 and name <> $2";

const CHOOSE_LANGUAGE: &str = "update accounts set language = $2 where id = $1";

/// All that is a person's, before the account itself. A family that is gone can no more be redeemed than one that ended:
/// its code needs the account.
const BELONGINGS: [&str; 16] = [
    // In the order of `sweep`: two steps that take the same rows in different orders wait for each other for ever.
    "delete from families where account_id = $1",
    "delete from sessions where account_id = $1",
    "delete from links where account_id = $1",
    "delete from outgoing_mails where account_id = $1",
    "delete from remembered_devices where account_id = $1",
    "delete from owner_tokens where account_id = $1",
    "delete from passkeys where account_id = $1",
    "delete from authenticator_apps where account_id = $1",
    "delete from recovery_codes where account_id = $1",
    "delete from consents where account_id = $1",
    "delete from identities where account_id = $1",
    "delete from plugin_owners where account_id = $1",
    // Whoever takes an invitation back holds it, and then its link.
    "update owner_invitations set inviter_id = inviter_id where inviter_id = $1",
    "update links
        set ended_at = created_at
      where id in (select i.link_id from owner_invitations i where i.inviter_id = $1 and i.ended_at is null)
        and used_at is null
        and ended_at is null",
    "update owner_invitations
        set ended_at = coalesce(ended_at, created_at), inviter_id = null
      where inviter_id = $1",
    "delete from people_group_members where account_id = $1",
];

/// Links to the address without the account, such as one that went to it before there was one.
const LINKS_TO_ADDRESS: &str = "delete from links where email = $1 and account_id is null";

const INVITATIONS_TO_ADDRESS: &str = "delete from owner_invitations where email = $1";

const RULES_ABOUT_ADDRESS: &str = "delete from access_rules where kind = 'person' and value = $1";

const DELETE: &str = "delete from accounts where id = $1";

/// What was added since a way back was made is whoever's it is that the owner comes back from. Codes are not told apart,
/// and a browser that is remembered may be anybody's.
const REMOVE_LATER: [&str; 4] = [
    "delete from passkeys where account_id = $1 and created_at >= (select created_at from links where id = $2)",
    "delete from authenticator_apps where account_id = $1 and created_at >= (select created_at from links where id = $2)",
    "delete from recovery_codes where account_id = $1 and exists (select 1 from links where id = $2)",
    "delete from remembered_devices where account_id = $1 and exists (select 1 from links where id = $2)",
];

impl Engine {
    pub(in crate::store) async fn sign_up(&self, sign_up: &SignUp, event: &Audit) -> StoreResult<Followed> {
        let mut step = self.begin().await?;
        let purposes = [LinkPurpose::SignUp, LinkPurpose::Invitation];
        let Some((link, _)) = use_link(&mut step, sign_up.link, purposes, event.at).await? else {
            return Ok(Followed::LinkGone);
        };
        let role = link.role.unwrap_or(Role::Person);
        let added = sqlx::query(INSERT)
            .bind(sign_up.id.0)
            .bind(link.email.as_str())
            .bind(&sign_up.name)
            .bind(role.as_str())
            .bind(&sign_up.password_hash)
            .bind(event.at)
            .bind(&link.language)
            .execute(&mut *step)
            .await?
            .rows_affected();
        if added == 0 {
            return Ok(Followed::EmailTaken);
        }
        let detail = json!({ "role": role.as_str(), "by": link.purpose.as_str() });
        tell(&mut step, event, AuditAction::AccountAdded, (sign_up.id, detail)).await?;
        finish(step, sign_up.id).await
    }

    pub(in crate::store) async fn verify_email(&self, link: Digest, event: &Audit) -> StoreResult<Followed> {
        let mut step = self.begin().await?;
        match use_link(&mut step, link, [LinkPurpose::VerifyEmail; 2], event.at).await? {
            Some((_, Some(account))) => {
                let account = verify_email(&mut step, account, event).await?;
                step.commit().await?;
                Ok(Followed::Done(Box::new(account)))
            }
            _ => Ok(Followed::LinkGone),
        }
    }

    pub(in crate::store) async fn reset_password(
        &self,
        wanted: &PasswordReset,
        event: &Audit,
    ) -> StoreResult<Followed> {
        let mut step = self.begin().await?;
        let purposes = [LinkPurpose::ResetPassword, LinkPurpose::RestoreEmail];
        let Some((link, Some(account))) = use_link(&mut step, wanted.link, purposes, event.at).await? else {
            return Ok(Followed::LinkGone);
        };
        let goes_back = link.purpose == LinkPurpose::RestoreEmail;
        if goes_back {
            if !move_to(&mut step, &account, &link, event).await? {
                return Ok(Followed::EmailTaken);
            }
            end_later_ways_back(&mut step, &link, event).await?;
            remove_later(&mut step, account.id, &link).await?;
        }
        reset(&mut step, account.id, &wanted.password_hash).await?;
        end_links(&mut step, account.id, event.at).await?;
        notify(&mut step, wanted.mail.as_ref()).await?;
        let action = if goes_back { AuditAction::AccountEmailRestored } else { AuditAction::AccountPasswordReset };
        let id = account.id;
        if !goes_back && account.email_verified_at.is_none() {
            sqlx::query(CHANGE_EMAIL).bind(id.0).bind(link.email.as_str()).bind(event.at).execute(&mut *step).await?;
        }
        tell(&mut step, event, action, (id, json!({}))).await?;
        finish(step, id).await
    }

    pub(in crate::store) async fn change_password(&self, change: &PasswordChange, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let id = change.account_id;
        let Some((account, password)) = hold(&mut step, id).await? else { return Ok(false) };
        if !account.enabled || password != change.verified {
            return Ok(false);
        }
        sqlx::query(CHANGE_PASSWORD).bind(id.0).bind(&change.password_hash).execute(&mut *step).await?;
        sqlx::query(KEEP_SESSION)
            .bind(change.session.0.as_slice())
            .bind(id.0)
            .bind(account.session_generation + 1)
            .execute(&mut *step)
            .await?;
        sqlx::query(END_OTHER_SESSIONS).bind(id.0).bind(change.session.0.as_slice()).execute(&mut *step).await?;
        end_links(&mut step, id, event.at).await?;
        notify(&mut step, change.mail.as_ref()).await?;
        tell(&mut step, event, AuditAction::AccountPasswordChanged, (id, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn change_email(&self, change: &EmailChange, event: &Audit) -> StoreResult<Followed> {
        let mut step = self.begin().await?;
        let used = use_link(&mut step, change.link, [LinkPurpose::ChangeEmail; 2], event.at).await?;
        // The mail about it is addressed already, so it must be to the address of this moment.
        let Some((link, Some(account))) = used.filter(|(_, account)| has(account.as_ref(), &change.from)) else {
            return Ok(Followed::LinkGone);
        };
        if !move_to(&mut step, &account, &link, event).await? {
            return Ok(Followed::EmailTaken);
        }
        end_links(&mut step, account.id, event.at).await?;
        if let Some(way_back) = &change.way_back {
            // With an account there is no other that could be in its way.
            put_link(&mut step, way_back).await?;
        }
        notify(&mut step, change.mail.as_ref()).await?;
        tell(&mut step, event, AuditAction::AccountEmailChanged, (account.id, json!({}))).await?;
        finish(step, account.id).await
    }

    pub(in crate::store) async fn change_name(&self, id: AccountId, name: &str, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if sqlx::query(RENAME).bind(id.0).bind(name).execute(&mut *step).await?.rows_affected() == 0 {
            return Ok(false);
        }
        tell(&mut step, event, AuditAction::AccountRenamed, (id, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn choose_language(&self, id: AccountId, language: Option<&str>) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let chosen = sqlx::query(CHOOSE_LANGUAGE).bind(id.0).bind(language).execute(&mut *step).await?;
        step.commit().await?;
        Ok(chosen.rows_affected() == 1)
    }

    pub(in crate::store) async fn delete_account(&self, deletion: &Deletion, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let id = deletion.account_id;
        let Some((account, password)) = hold(&mut step, id).await? else { return Ok(false) };
        if deletion.verified.is_some() && password != deletion.verified {
            return Ok(false);
        }
        tell_of_deletion(&mut step, id, event).await?;
        for statement in BELONGINGS {
            sqlx::query(statement).bind(id.0).execute(&mut *step).await?;
        }
        sqlx::query(INVITATIONS_TO_ADDRESS).bind(account.email.as_str()).execute(&mut *step).await?;
        sqlx::query(LINKS_TO_ADDRESS).bind(account.email.as_str()).execute(&mut *step).await?;
        sqlx::query(RULES_ABOUT_ADDRESS).bind(account.email.as_str()).execute(&mut *step).await?;
        sqlx::query(DELETE).bind(id.0).execute(&mut *step).await?;
        notify(&mut step, deletion.mail.as_ref()).await?;
        tell(&mut step, event, AuditAction::AccountDeleted, (id, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }
}

fn has(account: Option<&Account>, email: &Email) -> bool {
    account.is_some_and(|account| account.email == *email)
}

/// Makes the address a link was sent to the account's, verified. `false` when another account has it.
async fn move_to(step: &mut Connection, account: &Account, link: &Link, event: &Audit) -> StoreResult<bool> {
    let moved = sqlx::query(CHANGE_EMAIL)
        .bind(account.id.0)
        .bind(link.email.as_str())
        .bind(event.at)
        .execute(step)
        .await
        .map_err(StoreError::from);
    match moved {
        Ok(_) => Ok(true),
        // The step is left without being committed, on Postgres it could do nothing more.
        Err(error) if error.is_taken() => Ok(false),
        Err(error) => Err(error),
    }
}

async fn notify(step: &mut Connection, mail: Option<&NewMail>) -> StoreResult<()> {
    match mail {
        Some(mail) => enqueue(step, mail).await,
        None => Ok(()),
    }
}

/// Commits, and answers the account as the step has left it.
async fn finish(mut step: super::Step, id: AccountId) -> StoreResult<Followed> {
    let account = hold(&mut step, id).await?;
    step.commit().await?;
    let (account, _) = account.ok_or_else(|| StoreError::broken("an account is gone while it was held"))?;
    Ok(Followed::Done(Box::new(account)))
}

/// Takes the factors away that were added since a link was made.
async fn remove_later(step: &mut Connection, account: AccountId, link: &Link) -> StoreResult<()> {
    for statement in REMOVE_LATER {
        sqlx::query(statement).bind(account.0).bind(link.id.0).execute(&mut *step).await?;
    }
    Ok(())
}
