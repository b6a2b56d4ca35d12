//! Operations on token families: redeem, rotate, standing, end. The hot steps; each is one durable write or none.
//!
//! A family *stands* at `now` when it is not ended, `now < expires_at`, `now < idle_until`, account and client are
//! enabled, the three generations it was born under ([`Birth`]) are still those of its account, client and consent, and
//! its plugin lets its account in ([`access`](super::access)). What stands carries `scopes` = the family's ∩ today's
//! consent's ∩ its client's ∩ what the plugin lets the person grant; where nothing is left of some, it does not stand.

use super::{Store, StoreResult, assertions::AssertionUse, changing, on_either_engine};
use crate::model::{
    Generation, Timestamp,
    audit::Audit,
    client::AuthenticationMethod,
    digest::Digest,
    family::{Birth, EndReason, Family},
    id::{AccountId, ClientId, ConsentId, FamilyId, PluginId},
    plugin::SubjectSalt,
    public_key::SigningAlgorithm,
    scope::Scopes,
};

/// An authorization code that has passed every check, to be turned into a family. Single use is decided here alone.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// The code's id; becomes the family's.
    pub id: FamilyId,
    /// Random, one per request: a retry of the same request wins again, any other presenter ends the family. The row
    /// keeps that of whoever made it, and then of whoever ended it so.
    pub redemption: [u8; 16],
    /// For whom.
    pub account_id: AccountId,
    /// By which client.
    pub client_id: ClientId,
    /// Under which consent.
    pub consent_id: ConsentId,
    /// The generations the code was issued under.
    pub birth: Birth,
    /// Where.
    pub resource: String,
    /// Whose API that is.
    pub plugin_id: PluginId,
    /// Makes the subject its tokens name.
    pub subject_salt: SubjectSalt,
    /// How access tokens for it are signed.
    pub signing_algorithm: SigningAlgorithm,
    /// What the code was issued for.
    pub scopes: Scopes,
    /// How the client authenticated; later refreshes must do no less.
    pub authentication_method: AuthenticationMethod,
    /// The assertion it did so with, if it did.
    pub assertion: Option<AssertionUse>,
    /// SHA-256 of the family secret every refresh token of the line carries.
    pub secret_digest: Digest,
    /// When the person last signed in before authorizing.
    pub auth_time: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// The absolute end.
    pub expires_at: Timestamp,
    /// The end unless refreshed before.
    pub idle_until: Timestamp,
}

/// What became of redeeming a code.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "an outcome lives for one step in one place; a box would only cost")]
pub enum Redeem {
    /// This request made the family, and it stands.
    Won(Family),
    /// The code had been redeemed by another request. The family is ended now (or had ended before).
    Replayed,
    /// Account, client or consent no longer are what they were when the code was issued, or the plugin lets the person in
    /// no more; the assertion, if there was
    /// one, counts as used.
    NotStanding,
    /// The assertion had been used by another request. Nothing was changed.
    AssertionReplayed,
}

/// A refresh token that has passed every check, presented.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Its family.
    pub id: FamilyId,
    /// The client that authenticated; must be the family's.
    pub client_id: ClientId,
    /// How it authenticated; the family's method from now on, if it is answered.
    pub authentication_method: AuthenticationMethod,
    /// The other methods the family may have had so far (the same again where there are fewer).
    pub formerly: [AuthenticationMethod; 2],
    /// The assertion it authenticated with, if it did.
    pub assertion: Option<AssertionUse>,
    /// The resource that was named, in its canonical spelling; must be the family's.
    pub resource: Option<String>,
    /// SHA-256 of the family secret it carries.
    pub secret_digest: Digest,
    /// The counter it carries.
    pub presented: i64,
    /// The grace window. Zero is strict: no predecessor is accepted.
    pub grace: chrono::TimeDelta,
    /// Now.
    pub at: Timestamp,
    /// The idle end if this rotates; never beyond the family's `expires_at`.
    pub idle_until: Timestamp,
}

/// What became of presenting a refresh token. With `W` open: the row has been rotated and
/// `at < rotated_at + grace`; never open before the first rotation, never open with `grace` zero.
///
/// | presented | `W` open | `W` over |
/// | --- | --- | --- |
/// | `counter` | `Repeated` | `Rotated`: predecessor = counter, counter + 1 |
/// | `predecessor` | `Repeated` | `Rotated` (fork): counter + 1, predecessor stays; with `grace` zero: `Replayed` |
/// | above `counter` | `Rotated` (jump): predecessor = presented, counter = presented + 1 | the same |
/// | anything else below | `Replayed`: the family ends | the same |
///
/// A rotation sets `rotated_at = at` and `idle_until = min(idle_until, expires_at)`. Whoever is answered, by a rotation
/// or a repeat, makes its method the family's: a weaker one is refused from then on, for as long as the client offers
/// the stronger (`formerly` says what the family may have had).
#[derive(Clone, Debug)]
pub enum Rotate {
    /// The row moved; the successor to hand out is the line's token at `counter`, authenticated by the MAC key that
    /// was active at `rotated_at`.
    Rotated {
        /// The family as it stands.
        family: Family,
        /// The new counter.
        counter: i64,
        /// The presented counter was above the row's: the database was restored from a backup. Worth an alert.
        jumped: bool,
    },
    /// The line stays as it was; the same successor is to be handed out again. Nothing was written but the method, if
    /// this one came by another, and the assertion's id, if there was one.
    Repeated {
        /// The family as it stands.
        family: Family,
        /// The row's counter.
        counter: i64,
        /// When the row last rotated; names the MAC key.
        rotated_at: Timestamp,
    },
    /// A superseded token: theft. The family is ended, and an audit event says so.
    Replayed,
    /// There is no such family, it does not stand, or client, method, resource or secret are not its own; the
    /// assertion, if there was one, counts as used.
    NotStanding,
    /// The assertion had been used by another request. Nothing was changed.
    AssertionReplayed,
}

/// Which family is meant by a token of its line, when something is to be ended.
#[derive(Clone, Debug)]
pub struct FamilyEnd {
    /// The family.
    pub id: FamilyId,
    /// Why.
    pub reason: EndReason,
}

impl Store {
    /// Turns a code into a family, exactly once. One statement on Postgres, one transaction on SQLite.
    ///
    /// On Postgres it runs a second time by itself when the connection is lost: `redemption` makes that safe.
    pub async fn redeem(&self, redemption: &Redemption, audit: &Audit) -> StoreResult<Redeem> {
        let afterwards = self.changed_afterwards();
        let outcome = on_either_engine!(self, engine => engine.redeem(redemption, audit));
        // Only a code that comes again ends anything.
        if matches!(outcome, Ok(Redeem::Won(_) | Redeem::NotStanding | Redeem::AssertionReplayed)) {
            afterwards.not();
        }
        outcome
    }

    /// Presents a refresh token: one guarded update, or none. The audit is written only when the family ends.
    ///
    /// On Postgres it runs a second time by itself when the connection is lost, unless `grace` is zero: the
    /// predecessor rule makes that safe.
    pub async fn rotate(&self, rotation: &Rotation, audit: &Audit) -> StoreResult<Rotate> {
        let afterwards = self.changed_afterwards();
        let outcome = on_either_engine!(self, engine => engine.rotate(rotation, audit));
        if !matches!(outcome, Ok(Rotate::Replayed) | Err(_)) {
            afterwards.not();
        }
        outcome
    }

    /// The family if it stands at `now`.
    pub async fn standing_family(&self, id: FamilyId, now: Timestamp) -> StoreResult<Option<Family>> {
        on_either_engine!(self, engine => engine.standing_family(id, now))
    }

    /// The family if it stands at `now`, or would if its plugin let its account in: it can be let go of.
    pub async fn living_family(&self, id: FamilyId, now: Timestamp) -> StoreResult<Option<Family>> {
        on_either_engine!(self, engine => engine.living_family(id, now))
    }

    /// Whether a family stands no more because its plugin does not let its account in, or nothing of its scopes is left,
    /// and for no other reason.
    pub async fn is_shut_out(&self, id: FamilyId, now: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.is_shut_out(id, now))
    }

    /// Ends a family that has not ended. `false` when there was nothing to end.
    pub async fn end_family(&self, end: &FamilyEnd, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.end_family(end, audit))
    }

    /// Raises the access generation of a family that is still at `generation`: the access tokens minted so far die,
    /// the refresh token lives. `false` when it was raised before or the family has ended.
    pub async fn revoke_access(&self, id: FamilyId, generation: Generation, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.revoke_access(id, generation, audit))
    }
}
