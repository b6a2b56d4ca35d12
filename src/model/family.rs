//! Token families: what one redeemed authorization code keeps alive.
//!
//! One row per connection, however often it refreshes. The store's `families` changes it, one step at a time.

use super::{
    Generation, Timestamp,
    client::AuthenticationMethod,
    digest::Digest,
    id::{AccountId, ClientId, ConsentId, FamilyId, PluginId},
    plugin::SubjectSalt,
    public_key::SigningAlgorithm,
    refresh_token::RefreshToken,
    scope::Scopes,
};

/// The generations of a family's three parents at the time it was authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Birth {
    /// The account's.
    pub account: Generation,
    /// The client's.
    pub client: Generation,
    /// The consent's.
    pub consent: Generation,
}

/// A family that stands, with what tokens are minted from.
#[derive(Clone, Debug)]
pub struct Family {
    /// Row id; the redeemed code's own id.
    pub id: FamilyId,
    /// For whom.
    pub account_id: AccountId,
    /// By which client.
    pub client_id: ClientId,
    /// Under which consent.
    pub consent_id: ConsentId,
    /// Where (RFC 8707).
    pub resource: String,
    /// Whose API that is.
    pub plugin_id: PluginId,
    /// Makes the subject its tokens name.
    pub subject_salt: SubjectSalt,
    /// How access tokens for it are signed.
    pub signing_algorithm: SigningAlgorithm,
    /// What was authorized and the consent of today still allows.
    pub scopes: Scopes,
    /// How its client proved itself last; refreshes must do no less.
    pub authentication_method: AuthenticationMethod,
    /// Raised when its access tokens are revoked.
    pub access_generation: Generation,
    /// When the person last signed in before authorizing.
    pub auth_time: Timestamp,
    /// When the code was redeemed.
    pub created_at: Timestamp,
    /// The absolute end; nothing extends it.
    pub expires_at: Timestamp,
    /// The end unless it is refreshed before.
    pub idle_until: Timestamp,
    /// SHA-256 of the secret every refresh token of its line carries.
    pub secret_digest: Digest,
    /// The current place in its line.
    pub counter: i64,
    /// The place before, whose token is still answered while the grace window is open.
    pub predecessor: Option<i64>,
}

impl Family {
    /// Whether a refresh token is of this family's line, wherever in it.
    pub fn has(&self, token: &RefreshToken) -> bool {
        token.family_id == self.id && token.secret_digest() == self.secret_digest
    }

    /// Whether presenting a refresh token of the line would be answered with its successor, and not as a theft. With a
    /// grace window of zero no predecessor is.
    pub fn honours(&self, token: &RefreshToken, grace: chrono::TimeDelta) -> bool {
        let preceding = grace > chrono::TimeDelta::zero() && Some(token.counter) == self.predecessor;
        self.has(token) && (token.counter >= self.counter || preceding)
    }
}

/// Why a family was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The client asked (RFC 7009).
    Revoked,
    /// The person it acts for disconnected it.
    Disconnected,
    /// Its code was presented again (RFC 6749 §4.1.2).
    CodeReplayed,
    /// A refresh token that had been superseded was presented (RFC 9700 §4.14.2).
    RefreshReplayed,
}

impl EndReason {
    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Disconnected => "disconnected",
            Self::CodeReplayed => "code_replayed",
            Self::RefreshReplayed => "refresh_replayed",
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_predecessor_is_honoured_only_where_a_window_can_be_open() {
        let time = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let token = |counter| RefreshToken { family_id: FamilyId(Uuid::max()), counter, secret: [1; 16] };
        let family = Family {
            id: FamilyId(Uuid::max()),
            account_id: AccountId(Uuid::max()),
            client_id: ClientId(Uuid::max()),
            consent_id: ConsentId(Uuid::max()),
            resource: String::new(),
            plugin_id: PluginId(Uuid::max()),
            subject_salt: SubjectSalt([0; 32]),
            signing_algorithm: SigningAlgorithm::Es256,
            scopes: Scopes::default(),
            authentication_method: AuthenticationMethod::None,
            access_generation: 1,
            auth_time: time,
            created_at: time,
            expires_at: time,
            idle_until: time,
            secret_digest: token(0).secret_digest(),
            counter: 5,
            predecessor: Some(3),
        };
        let honoured = |counter, seconds| family.honours(&token(counter), TimeDelta::seconds(seconds));
        assert_eq!([2, 3, 4, 5, 6].map(|counter| honoured(counter, 120)), [false, true, false, true, true]);
        assert_eq!([2, 3, 4, 5, 6].map(|counter| honoured(counter, 0)), [false, false, false, true, true]);
        let stranger = RefreshToken { secret: [2; 16], ..token(5) };
        assert!(!family.has(&stranger) && !family.honours(&stranger, TimeDelta::seconds(120)));
    }
}
