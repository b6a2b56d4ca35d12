//! The statements and rows of token families, as both engines understand them; the contract is `store/families.rs`.

use uuid::Uuid;

use super::{
    StoreError, StoreResult,
    families::{Redemption, Rotate, Rotation},
};
use crate::model::{
    Generation, Timestamp,
    digest::Digest,
    family::Family,
    id::{AccountId, ClientId, ConsentId, FamilyId, PluginId},
    plugin::SubjectSalt,
    scope::Scopes,
};

// The rules of standing and of the refresh table stand here once. `f`, `a`, `c`, `g`, `r` and `p` are the family, its
// account, client and consent, and the resource with its plugin.

/// The family with its three parents, and what it is for: with the resource everything for it goes.
macro_rules! family_and_parents {
    () => {
        "  from families f
           join accounts a on a.id = f.account_id
           join clients c on c.id = f.client_id
           join consents g on g.id = f.consent_id
           join resources r on r.identifier = f.resource
           join plugins p on p.id = r.plugin_id
        "
    };
}

/// Whether it stands; `$1` is its id, `$2` is now.
macro_rules! stands {
    () => {
        "   f.id = $1
        and f.ended_at is null
        and f.expires_at > $2
        and f.idle_until > $2
        and a.enabled
        and c.enabled
        and a.generation = f.account_generation
        and c.generation = f.client_generation
        and g.generation = f.consent_generation
        "
    };
}

/// What a [`Family`] is made of.
macro_rules! family_columns {
    () => {
        "f.id, f.account_id, f.client_id, f.consent_id, f.resource, p.id as plugin_id, p.subject_salt, f.scopes,
         g.scopes as consent_scopes, f.access_generation, f.auth_time, f.created_at, f.expires_at, f.idle_until, f.secret_digest, f.counter,
         f.predecessor"
    };
}

/// Whether a presented token is the line's own: `$3` client, `$5` digest of the family secret, `$4`, `$8` and `$9` the
/// methods it may have been authenticated by before.
macro_rules! is_its_own {
    () => {
        "   f.client_id = $3
        and f.authentication_method in ($4, $8, $9)
        and f.secret_digest = $5
        "
    };
}

/// Whether nothing is to be written: `$6` is the presented counter, and a rotation after `$7` has its window open.
macro_rules! repeats {
    () => {
        "coalesce(f.rotated_at > $7 and ($6 = f.counter or $6 = f.predecessor), false)"
    };
}

/// Whether the family is for the resource that was named; `$10` is its canonical spelling, if one was.
macro_rules! is_for {
    () => {
        "($10 is null or r.canonical = $10)
        "
    };
}

/// Whether the presented token is a superseded one; `$11` says whether predecessors are accepted at all.
macro_rules! replays {
    () => {
        "($6 < f.counter and not coalesce($11 and $6 = f.predecessor, false))"
    };
}

/// The table on [`Rotate`], as the change of one row. `$4` is the method from now on, `$12` the idle end, `$13` the word
/// for the end of a replay.
macro_rules! rotate_row {
    () => {
        concat!(
            "set counter = case
                     when ",
            replays!(),
            " then f.counter
                     when $6 > f.counter then $6 + 1
                     else f.counter + 1
                 end,
                 authentication_method = case when ",
            replays!(),
            " then f.authentication_method else $4 end,
                 predecessor = case when $6 >= f.counter then $6 else f.predecessor end,
                 rotated_at = case when ",
            replays!(),
            " then f.rotated_at else $2 end,
                 idle_until = case
                     when ",
            replays!(),
            " then f.idle_until
                     when $12 < f.expires_at then $12
                     else f.expires_at
                 end,
                 ended_at = case when ",
            replays!(),
            " then $2 end,
                 end_reason = case when ",
            replays!(),
            " then $13 end
            "
        )
    };
}

/// Binds `$1` to `$16` of [`redeem_row`].
macro_rules! bind_redemption {
    ($query:expr, $redemption:expr) => {
        $query
            .bind($redemption.id.0)
            .bind($redemption.redemption.as_slice())
            .bind($redemption.account_id.0)
            .bind($redemption.client_id.0)
            .bind($redemption.consent_id.0)
            .bind($redemption.birth.account)
            .bind($redemption.birth.client)
            .bind($redemption.birth.consent)
            .bind($redemption.authentication_method.as_str())
            .bind(&$redemption.resource)
            .bind($redemption.scopes.to_string())
            .bind($redemption.secret_digest.0.as_slice())
            .bind($redemption.auth_time)
            .bind($redemption.at)
            .bind($redemption.idle_until)
            .bind($redemption.expires_at)
    };
}

/// Binds `$1` to `$10`: which token of which line is presented by whom, when and for what.
macro_rules! bind_presented {
    ($query:expr, $rotation:expr) => {
        $query
            .bind($rotation.id.0)
            .bind($rotation.at)
            .bind($rotation.client_id.0)
            .bind($rotation.authentication_method.as_str())
            .bind($rotation.secret_digest.0.as_slice())
            .bind($rotation.presented)
            .bind($rotation.window_floor())
            .bind($rotation.formerly[0].as_str())
            .bind($rotation.formerly[1].as_str())
            .bind(&$rotation.resource)
    };
}

/// Binds `$1` to `$13` of [`rotate_row`].
macro_rules! bind_rotation {
    ($query:expr, $rotation:expr) => {
        bind_presented!($query, $rotation)
            .bind(!$rotation.is_strict())
            .bind($rotation.idle_until)
            .bind($crate::model::family::EndReason::RefreshReplayed.as_str())
    };
}

/// Inserts the family, or ends it if another request had, if a further condition allows it.
macro_rules! redeem_row {
    ($condition:literal) => {
        concat!("insert into families
                (id, redemption, account_id, client_id, consent_id, account_generation, client_generation,
                 consent_generation, authentication_method, resource, scopes, secret_digest, auth_time, created_at,
                 idle_until, expires_at)
         select $1, $2, a.id, c.id, g.id, a.generation, c.generation, g.generation, $9, $10, $11, $12, $13, $14, $15, $16
           from accounts a, clients c, consents g
          where a.id = $3 and a.enabled and a.generation = $6
            and c.id = $4 and c.enabled and c.generation = $7
            and g.id = $5 and g.generation = $8 and g.account_id = a.id and g.client_id = c.id
            and g.resource = $10 ", $condition, "
             on conflict (id) do update
            set ended_at = case
                    when families.redemption = excluded.redemption then families.ended_at
                    else coalesce(families.ended_at, excluded.created_at)
                end,
                end_reason = case
                    when families.redemption = excluded.redemption then families.end_reason
                    else coalesce(families.end_reason, 'code_replayed')
                end
        ")
    };
}

pub(super) const STANDING: &str = concat!("select ", family_columns!(), family_and_parents!(), "where ", stands!());

pub(super) const END: &str = "
    update families
       set ended_at = $2, end_reason = $3
     where id = $1
       and ended_at is null
    returning account_id, client_id";

pub(super) const REVOKE_ACCESS: &str = "
    update families
       set access_generation = access_generation + 1
     where id = $1
       and access_generation = $2
       and ended_at is null
    returning account_id, client_id";

/// A standing family, as its row and its consent have it.
#[derive(sqlx::FromRow)]
pub(super) struct FamilyRow {
    pub(super) id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) consent_id: Uuid,
    pub(super) resource: String,
    pub(super) plugin_id: Uuid,
    pub(super) subject_salt: Vec<u8>,
    pub(super) scopes: String,
    pub(super) consent_scopes: String,
    pub(super) access_generation: i64,
    pub(super) auth_time: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) idle_until: Timestamp,
    pub(super) secret_digest: Vec<u8>,
    pub(super) counter: i64,
    pub(super) predecessor: Option<i64>,
}

impl TryFrom<FamilyRow> for Family {
    type Error = StoreError;

    fn try_from(row: FamilyRow) -> StoreResult<Self> {
        let scopes: Scopes = row.scopes.parse().map_err(StoreError::broken)?;
        let allowed: Scopes = row.consent_scopes.parse().map_err(StoreError::broken)?;
        Ok(Self {
            id: FamilyId(row.id),
            account_id: AccountId(row.account_id),
            client_id: ClientId(row.client_id),
            consent_id: ConsentId(row.consent_id),
            resource: row.resource,
            plugin_id: PluginId(row.plugin_id),
            subject_salt: SubjectSalt(
                row.subject_salt.try_into().map_err(|_| StoreError::broken("a subject salt has another length"))?,
            ),
            scopes: scopes.intersection(&allowed),
            access_generation: row.access_generation,
            auth_time: row.auth_time,
            created_at: row.created_at,
            expires_at: row.expires_at,
            idle_until: row.idle_until,
            secret_digest: Digest(row.secret_digest.as_slice().try_into().map_err(StoreError::broken)?),
            counter: row.counter,
            predecessor: row.predecessor,
        })
    }
}

/// A line as it was when a token of it was presented.
#[derive(sqlx::FromRow)]
pub(super) struct SeenRow {
    #[sqlx(flatten)]
    pub(super) family: FamilyRow,
    pub(super) rotated_at: Option<Timestamp>,
    pub(super) repeats: bool,
}

/// What a presented token changed.
#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the columns stand beside those of the family as it was seen")]
pub(super) struct MovedRow {
    pub(super) moved_counter: i64,
    pub(super) moved_idle_until: Timestamp,
    pub(super) moved_ended_at: Option<Timestamp>,
}

impl Redemption {
    /// The family as it is right after it was made.
    pub(super) fn born(&self, consent_scopes: &str, access_generation: Generation) -> StoreResult<Family> {
        let allowed: Scopes = consent_scopes.parse().map_err(StoreError::broken)?;
        Ok(Family {
            id: self.id,
            account_id: self.account_id,
            client_id: self.client_id,
            consent_id: self.consent_id,
            resource: self.resource.clone(),
            plugin_id: self.plugin_id,
            subject_salt: self.subject_salt,
            scopes: self.scopes.intersection(&allowed),
            access_generation,
            auth_time: self.auth_time,
            created_at: self.at,
            expires_at: self.expires_at,
            idle_until: self.idle_until,
            secret_digest: self.secret_digest,
            counter: 0,
            predecessor: None,
        })
    }
}

/// How often a presentation that lost a race looks again; each loss means that another one of the line went through,
/// after which this one only repeats.
pub(super) const ATTEMPTS: usize = 8;

impl Rotation {
    /// A rotation after this has its window open; strict mode has none open ever.
    pub(super) fn window_floor(&self) -> Timestamp {
        if self.is_strict() { FAR_FUTURE } else { self.at - self.grace }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.grace <= chrono::TimeDelta::zero()
    }

    /// Reads the outcome off the line as it was seen and what was changed; `None` when somebody else changed it in
    /// between.
    pub(super) fn outcome(&self, seen: SeenRow, moved: Option<MovedRow>) -> StoreResult<Option<Rotate>> {
        let (repeats, rotated_at) = (seen.repeats, seen.rotated_at);
        let mut family = Family::try_from(seen.family)?;
        let counter_seen = family.counter;
        Ok(match (moved, rotated_at) {
            (Some(moved), _) if moved.moved_ended_at.is_some() => Some(Rotate::Replayed),
            (Some(moved), _) => {
                family.idle_until = moved.moved_idle_until;
                family.counter = moved.moved_counter;
                let jumped = self.presented > counter_seen;
                Some(Rotate::Rotated { family, counter: moved.moved_counter, jumped })
            }
            (None, Some(rotated_at)) if repeats => Some(Rotate::Repeated { family, counter: counter_seen, rotated_at }),
            (None, _) => None,
        })
    }
}

/// Later than anything that is stored, and still a time both engines can hold.
const FAR_FUTURE: Timestamp = match chrono::DateTime::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => Timestamp::UNIX_EPOCH,
};

pub(super) use {
    bind_presented, bind_redemption, bind_rotation, family_and_parents, family_columns, is_for, is_its_own, redeem_row,
    repeats, replays, rotate_row, stands,
};
