//! Answered: the person agreed. What the code carries is settled; sealing it is `tokens::code`'s.

use super::{Addressed, Attended, Redirect};
use crate::model::{
    Timestamp, client::Client, code::AuthorizationCode, consent::Consent, digest::Digest, family::Birth, id::FamilyId,
    redirect_uri::RedirectUri, scope::Scopes,
};

/// How long a code is good for (RFC 6749 §4.1.2 allows ten minutes; a browser needs seconds).
const CODE_LIFETIME: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// A request whose answer is a code.
#[derive(Debug)]
pub struct Answered {
    addressed: Addressed,
    code: AuthorizationCode,
    scopes: Scopes,
}

impl Answered {
    pub(super) fn new(attended: Attended, consent: &Consent, client: &Client) -> Self {
        let Attended { checked, session, .. } = attended;
        let code = AuthorizationCode {
            // Named when it is written: ids are made outside.
            id: FamilyId(uuid::Uuid::nil()),
            account_id: session.account.id,
            // A client with a document gets its row with its first consent.
            client_id: consent.client_id,
            consent_id: consent.id,
            resource_id: checked.resource.id,
            birth: Birth {
                account: session.account_generation,
                client: client.generation,
                consent: consent.generation,
            },
            redirect_uri: redirect_uri_digest(checked.addressed.redirect_uri().as_str()),
            scopes: checked.resource.scopes.bits(&checked.scopes),
            code_challenge: checked.code_challenge,
            auth_time: session.auth_time.timestamp_millis(),
            expires_at: 0,
        };
        Self { addressed: checked.addressed, code, scopes: checked.scopes }
    }

    /// What the person agreed to.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The code, under a fresh id and with its expiry.
    pub fn code(&self, id: FamilyId, now: Timestamp) -> AuthorizationCode {
        AuthorizationCode { id, expires_at: (now + CODE_LIFETIME).timestamp_millis(), ..self.code.clone() }
    }

    /// Where the answer goes.
    pub fn redirect_uri(&self) -> &RedirectUri {
        self.addressed.redirect_uri()
    }

    /// The person said no after all.
    pub fn deny(&self) -> Redirect {
        self.addressed.deny()
    }

    /// The redirect that hands the sealed code over.
    pub fn hand_over(&self, code: &str) -> Redirect {
        self.addressed.redirect(&[("code", code)])
    }
}

/// What a code remembers of the redirect URI it was sent to.
pub fn redirect_uri_digest(redirect_uri: &str) -> [u8; 16] {
    Digest::of(redirect_uri).short()
}
