//! The rows of token families, as both engines answer them to `store/family_statements.rs`, and what they mean.

use uuid::Uuid;

use super::{
    StoreError, StoreResult,
    families::{Redemption, Rotate, Rotation},
};
use crate::model::{
    Generation, Timestamp,
    access::Grants,
    client::AuthenticationMethod,
    digest::Digest,
    family::Family,
    id::{AccountId, ClientId, ConsentId, FamilyId, PluginId},
    plugin::SubjectSalt,
    scope::Scopes,
};

/// What bounds the scopes of a connection today, whatever it was born with.
#[derive(Debug, Default, sqlx::FromRow)]
pub(super) struct BoundsRow {
    /// What the person agreed to.
    pub(super) consent_scopes: String,
    /// What the client may ask for; none for whatever there is.
    pub(super) client_scopes: Option<String>,
    /// What the plugin lets the person grant, as [`Grants`] reads it; none where it does not let them in.
    pub(super) granted: Option<String>,
}

impl BoundsRow {
    /// What of these scopes is to be had; none where nothing is left of them. No scope is the plugin as a whole: one that
    /// had some does not stand with none, and the whole only while the client may not ask for some alone.
    pub(super) fn left_of(&self, scopes: &Scopes) -> StoreResult<Option<Scopes>> {
        let Some(granted) = &self.granted else { return Ok(None) };
        let agreed: Scopes = self.consent_scopes.parse().map_err(StoreError::broken)?;
        let mut left = scopes.intersection(&agreed);
        if let Some(client) = &self.client_scopes {
            let client: Scopes = client.parse().map_err(StoreError::broken)?;
            if scopes.is_empty() && !client.is_empty() {
                return Ok(None);
            }
            left = left.intersection(&client);
        }
        if left.is_empty() && !scopes.is_empty() {
            return Ok(None);
        }
        Ok(Grants::of_words(granted).map_err(StoreError::broken)?.of(&left))
    }
}

/// A standing family, as its row and its parents have it.
#[derive(sqlx::FromRow)]
pub(super) struct FamilyRow {
    pub(super) id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) consent_id: Uuid,
    pub(super) resource: String,
    pub(super) plugin_id: Uuid,
    pub(super) subject_salt: Vec<u8>,
    pub(super) signing_algorithm: String,
    pub(super) scopes: String,
    #[sqlx(flatten)]
    pub(super) bounds: BoundsRow,
    pub(super) authentication_method: String,
    pub(super) access_generation: i64,
    pub(super) auth_time: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) idle_until: Timestamp,
    pub(super) secret_digest: Vec<u8>,
    pub(super) counter: i64,
    pub(super) predecessor: Option<i64>,
}

impl FamilyRow {
    /// What of its scopes is to be had; none where it does not stand any more because nothing is.
    fn left(&self) -> StoreResult<Option<Scopes>> {
        self.bounds.left_of(&self.scopes.parse().map_err(StoreError::broken)?)
    }

    /// Whether nothing of it is to be had any more. It does not stand then.
    pub(super) fn is_left_nothing(&self) -> StoreResult<bool> {
        Ok(self.left()?.is_none())
    }

    /// The family, if something of it is to be had.
    pub(super) fn standing(self) -> StoreResult<Option<Family>> {
        self.left()?.map(|scopes| self.with(scopes)).transpose()
    }

    /// The family, also where nothing of it is to be had: for whoever looks at no scopes.
    pub(super) fn living(self) -> StoreResult<Family> {
        let scopes = self.left()?.unwrap_or_default();
        self.with(scopes)
    }

    fn with(self, scopes: Scopes) -> StoreResult<Family> {
        Ok(Family {
            id: FamilyId(self.id),
            account_id: AccountId(self.account_id),
            client_id: ClientId(self.client_id),
            consent_id: ConsentId(self.consent_id),
            resource: self.resource,
            plugin_id: PluginId(self.plugin_id),
            subject_salt: SubjectSalt(
                self.subject_salt.try_into().map_err(|_| StoreError::broken("a subject salt has another length"))?,
            ),
            signing_algorithm: self.signing_algorithm.parse().map_err(StoreError::broken)?,
            scopes,
            authentication_method: self.authentication_method.parse().map_err(StoreError::broken)?,
            access_generation: self.access_generation,
            auth_time: self.auth_time,
            created_at: self.created_at,
            expires_at: self.expires_at,
            idle_until: self.idle_until,
            secret_digest: Digest(self.secret_digest.as_slice().try_into().map_err(StoreError::broken)?),
            counter: self.counter,
            predecessor: self.predecessor,
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

impl SeenRow {
    /// Whether there is nothing to write: a repeat, by the method the family has.
    pub(super) fn is_settled(&self, method: AuthenticationMethod) -> bool {
        self.repeats && self.family.authentication_method == method.as_str()
    }
}

/// What a presented token changed.
#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the columns stand beside those of the family as it was seen")]
pub(super) struct MovedRow {
    pub(super) moved_counter: i64,
    pub(super) moved_rotated_at: Option<Timestamp>,
    pub(super) moved_idle_until: Timestamp,
    pub(super) moved_ended_at: Option<Timestamp>,
}

impl Redemption {
    /// The family as it is right after it was made.
    pub(super) fn born(&self, bounds: &BoundsRow, access_generation: Generation) -> StoreResult<Family> {
        Ok(Family {
            id: self.id,
            account_id: self.account_id,
            client_id: self.client_id,
            consent_id: self.consent_id,
            resource: self.resource.clone(),
            plugin_id: self.plugin_id,
            subject_salt: self.subject_salt,
            signing_algorithm: self.signing_algorithm,
            scopes: bounds.left_of(&self.scopes)?.ok_or_else(|| StoreError::broken("a family was born of nothing"))?,
            authentication_method: self.authentication_method,
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
/// after which this one mostly repeats. It may also be refused, or still have its method to write.
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
        let (repeats, is_settled) = (seen.repeats, seen.is_settled(self.authentication_method));
        let mut rotated_at = seen.rotated_at;
        let Some(mut family) = seen.family.standing()? else { return Ok(Some(Rotate::NotStanding)) };
        let jumped = self.presented > family.counter;
        match moved {
            Some(moved) if moved.moved_ended_at.is_some() => return Ok(Some(Rotate::Replayed)),
            Some(moved) => {
                family.authentication_method = self.authentication_method;
                family.idle_until = moved.moved_idle_until;
                family.counter = moved.moved_counter;
                rotated_at = moved.moved_rotated_at;
            }
            None if is_settled => {}
            None => return Ok(None),
        }
        let counter = family.counter;
        Ok(match rotated_at {
            _ if !repeats => Some(Rotate::Rotated { family, counter, jumped }),
            Some(rotated_at) => Some(Rotate::Repeated { family, counter, rotated_at }),
            None => None,
        })
    }
}

/// Later than anything that is stored, and still a time both engines can hold.
const FAR_FUTURE: Timestamp = match chrono::DateTime::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => Timestamp::UNIX_EPOCH,
};
