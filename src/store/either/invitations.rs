//! Invitations to own a plugin. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Connection, Engine,
    accounts::hold,
    audit,
    links::put_link,
    mails::enqueue,
    owners::{LOCK, tell},
    plugins::ADD_OWNER,
    reading,
};
use crate::{
    model::{
        Timestamp,
        account::Email,
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, PluginId},
    },
    store::{
        StoreError, StoreResult,
        invitations::{Invitation, InvitedTo, NewInvitation},
    },
};

/// Asked again it is the same row, which remembers how often mail went out: an answer does not make room for more.
const INVITE: &str = "
    insert into owner_invitations (plugin_id, email, sent, created_at, expires_at, inviter_id)
    values ($1, $2, 1, $3, $4, $5)
    on conflict (plugin_id, email) do update
       set sent = case when owner_invitations.expires_at <= $3 then 1 else owner_invitations.sent + 1 end,
           created_at = $3,
           expires_at = $4,
           ended_at = null,
           inviter_id = $5
     where owner_invitations.expires_at <= $3
        or owner_invitations.sent < 3";

/// How many are remembered of one plugin, answered ones included; and how many mails that were to one address, and by one
/// inviter, whichever plugins they were about.
const UNEXPIRED: &str = "
    select count(case when plugin_id = $1 then 1 end),
           coalesce(cast(sum(case when email = $2 then sent end) as bigint), 0),
           coalesce(cast(sum(case when inviter_id = $4 then sent end) as bigint), 0)
      from owner_invitations
     where (plugin_id = $1 or email = $2 or inviter_id = $4)
       and expires_at > $3";

/// The most of each, so that nobody has others mailed without end.
const UNEXPIRED_MAX: i64 = 20;
const TO_ADDRESS_MAX: i64 = 6;
const BY_INVITER_MAX: i64 = 40;

/// The link that was mailed with it ends with it.
const REMEMBER_LINK: &str = "update owner_invitations set link_id = $3 where plugin_id = $1 and email = $2";

const END_LINK: &str = "
    update links
       set ended_at = $3
     where id = (select i.link_id from owner_invitations i where i.plugin_id = $1 and i.email = $2)
       and used_at is null
       and ended_at is null";

/// Whoever looks after a plugin no more has invited nobody to it: two statements, each with the plugin, the inviter and
/// the time. The links come first, since they are found by what stands.
pub(super) const END_BY_INVITER: [&str; 3] = [
    // Held first, as whoever takes one back does.
    "update owner_invitations
        set inviter_id = inviter_id
      where plugin_id = $1
        and inviter_id = $2
        and coalesce(ended_at, $3) = $3",
    "update links
        set ended_at = $3
      where id in (select i.link_id
                     from owner_invitations i
                    where i.plugin_id = $1
                      and i.inviter_id = $2
                      and i.ended_at is null)
        and used_at is null
        and ended_at is null",
    "update owner_invitations
        set ended_at = $3
      where plugin_id = $1
        and inviter_id = $2
        and ended_at is null",
];

/// Whether the address was invited to become more than a person: that link must not be ended by an owner's.
const IS_INVITED_FOR_MORE: &str = "
    select count(*) > 0
      from links
     where email = $1
       and purpose = 'invitation'
       and account_id is null
       and role <> 'person'
       and used_at is null
       and ended_at is null
       and expires_at > $2";

const OF_PLUGIN: &str = "
    select email, created_at, expires_at
      from owner_invitations
     where plugin_id = $1
       and ended_at is null
       and expires_at > $2
     order by created_at, email
     limit 50";

const TO_ADDRESS: &str = "
    select p.id, p.slug, coalesce(p.manifest ->> 'name_for_human', p.slug) as name, p.host, i.expires_at
      from owner_invitations i
      join plugins p on p.id = i.plugin_id
     where i.email = $1
       and i.ended_at is null
       and i.expires_at > $2
     order by i.created_at, p.id
     limit 50";

const ACCEPT: &str = "
    update owner_invitations
       set ended_at = $3
     where plugin_id = $1
       and email = (select a.email from accounts a where a.id = $2 and a.enabled and a.email_verified_at is not null)
       and ended_at is null
       and expires_at > $3";

const END: &str = "
    update owner_invitations
       set ended_at = $3
     where plugin_id = $1
       and email = $2
       and ended_at is null
       and expires_at > $3";

impl Engine {
    pub(in crate::store) async fn invite_owner(&self, invitation: &NewInvitation, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let (plugin, email) = (invitation.plugin_id, invitation.email.as_str());
        let inviter = event.actor.account().map(|account| account.0);
        sqlx::query(LOCK).bind(plugin.0).execute(&mut *step).await?;
        let written = sqlx::query(INVITE)
            .bind(plugin.0)
            .bind(email)
            .bind(event.at)
            .bind(invitation.expires_at)
            .bind(inviter)
            .execute(&mut *step)
            .await?;
        let (of_plugin, to_address, by_inviter): (i64, i64, i64) = sqlx::query_as(UNEXPIRED)
            .bind(plugin.0)
            .bind(email)
            .bind(event.at)
            .bind(inviter)
            .fetch_one(&mut *step)
            .await?;
        let too_many = of_plugin > UNEXPIRED_MAX || to_address > TO_ADDRESS_MAX || by_inviter > BY_INVITER_MAX;
        if written.rows_affected() == 0 || too_many {
            return Ok(false);
        }
        let for_more: bool =
            sqlx::query_scalar(IS_INVITED_FOR_MORE).bind(email).bind(event.at).fetch_one(&mut *step).await?;
        if let Some(link) = invitation.link.as_ref().filter(|_| !for_more) {
            put_link(&mut step, link).await?;
            sqlx::query(REMEMBER_LINK).bind(plugin.0).bind(email).bind(link.id.0).execute(&mut *step).await?;
        }
        enqueue(&mut step, &invitation.mail).await?;
        write(&mut step, event, AuditAction::PluginOwnerInvited, plugin).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn invitations_of(
        &self,
        plugin: PluginId,
        now: Timestamp,
    ) -> StoreResult<Vec<Invitation>> {
        let rows: Vec<(String, Timestamp, Timestamp)> = reading!(self, connection => sqlx::query_as(OF_PLUGIN)
            .bind(plugin.0)
            .bind(now)
            .fetch_all(&mut *connection))?;
        let invitation = |(email, created_at, expires_at): (String, Timestamp, Timestamp)| {
            Ok(Invitation { email: email.parse().map_err(StoreError::broken)?, created_at, expires_at })
        };
        rows.into_iter().map(invitation).collect()
    }

    pub(in crate::store) async fn invitations_to(&self, email: &Email, now: Timestamp) -> StoreResult<Vec<InvitedTo>> {
        let rows: Vec<(Uuid, String, String, String, Timestamp)> = reading!(self, connection => sqlx::query_as(TO_ADDRESS)
            .bind(email.as_str())
            .bind(now)
            .fetch_all(&mut *connection))?;
        let invited =
            |(id, slug, name, host, expires_at)| InvitedTo { plugin_id: PluginId(id), slug, name, host, expires_at };
        Ok(rows.into_iter().map(invited).collect())
    }

    pub(in crate::store) async fn accept_invitation(
        &self,
        plugin: PluginId,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        // Held first, as by every step on an account: whoever deletes it meanwhile and this one would else wait for each
        // other.
        if hold(&mut step, account).await?.is_none() {
            return Ok(false);
        }
        let accepted = sqlx::query(ACCEPT).bind(plugin.0).bind(account.0).bind(event.at).execute(&mut *step).await?;
        if accepted.rows_affected() == 0 {
            return Ok(false);
        }
        let added = sqlx::query(ADD_OWNER).bind(plugin.0).bind(account.0).bind(event.at).execute(&mut *step).await?;
        if added.rows_affected() == 1 {
            tell(&mut step, event, AuditAction::PluginOwnerAdded, (plugin, account)).await?;
        }
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn end_invitation(
        &self,
        plugin: PluginId,
        email: &Email,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let ended = sqlx::query(END).bind(plugin.0).bind(email.as_str()).bind(event.at).execute(&mut *step).await?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(END_LINK).bind(plugin.0).bind(email.as_str()).bind(event.at).execute(&mut *step).await?;
        write(&mut step, event, AuditAction::PluginInvitationEnded, plugin).await?;
        step.commit().await?;
        Ok(true)
    }
}

/// Tells of an invitation, not of whose: an address that never had an account here does not stay in the log.
async fn write(step: &mut Connection, event: &Audit, action: AuditAction, plugin: PluginId) -> StoreResult<()> {
    let subjects = Subjects::of_plugin(plugin);
    audit::write(step, event, action, subjects, json!({})).await
}
