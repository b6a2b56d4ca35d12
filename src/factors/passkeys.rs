//! Passkeys (`WebAuthn` Level 3): challenges for browsers, and whether an answer is right.
//!
//! An authenticator always asks its owner for a finger, a face or a PIN, so a passkey is two factors by itself. The site
//! it belongs to is the host of the public URL: whoever changes that leaves all passkeys behind.
//!
//! What must be remembered between a challenge and its answer is a text that its caller seals into the page
//! (`tokens::between`): nodes hold no state.

use url::Url;
use uuid::Uuid;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, WebauthnError},
};
use webauthn_rs_proto::{AllowCredentials, PublicKeyCredential, RegisterPublicKeyCredential, ResidentKeyRequirement};

use crate::model::{account::Account, factor::KeptPasskey, id::AccountId};

/// Makes challenges and looks at answers.
#[derive(Clone, Debug)]
pub struct Passkeys(Webauthn);

/// A challenge.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// What the browser is given, as JSON.
    pub options: String,
    /// What must be known when the answer comes, as JSON.
    pub state: String,
}

/// A passkey that was just made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// The public key and what is known of it, as JSON.
    pub credential: String,
}

/// Why there is no passkey in an answer.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// It is no answer, or a wrong one.
    #[error("{0}")]
    Wrong(#[from] WebauthnError),
    /// It is not even JSON of the shape.
    #[error("not readable: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl Passkeys {
    /// For a site; none where browsers have no passkeys: over plain http, but for `localhost`, and where the host is an
    /// address of the network.
    pub fn of_site(origin: &str, server_name: &str) -> Option<Self> {
        let url = Url::parse(origin).ok()?;
        let host = url.domain()?.to_owned();
        if url.scheme() != "https" && host != "localhost" {
            return None;
        }
        WebauthnBuilder::new(&host, &url).ok()?.rp_name(server_name).build().ok().map(Self)
    }

    /// Asks a browser to make a passkey for an account, on none of the authenticators that have one.
    pub fn to_make(&self, account: &Account, known: &[KeptPasskey]) -> Result<Challenge, PasskeyError> {
        let (email, name) = (account.email.as_str(), account.name.as_str());
        let known = known.iter().filter_map(|kept| read(kept).ok()).map(|passkey| passkey.cred_id().clone()).collect();
        let (mut options, state) = self.0.start_passkey_registration(account.id.0, email, name, Some(known))?;
        // It has to be found without an address being typed.
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        Ok(Challenge { options: serde_json::to_string(&options.public_key)?, state: serde_json::to_string(&state)? })
    }

    /// Looks at a passkey that a browser has made.
    pub fn made(&self, answer: &str, state: &str) -> Result<Made, PasskeyError> {
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer)?;
        let state: PasskeyRegistration = serde_json::from_str(state)?;
        let passkey = self.0.finish_passkey_registration(&answer, &state)?;
        let credential = serde_json::to_string(&passkey)?;
        Ok(Made { credential_id: passkey.cred_id().clone(), credential })
    }

    /// Asks a browser to show a passkey: one of these, or where none are named any of this site's.
    pub fn to_show(&self, of: &[KeptPasskey]) -> Result<Challenge, PasskeyError> {
        let (mut options, state) = self.0.start_discoverable_authentication()?;
        let allowed = of.iter().filter_map(|kept| read(kept).ok()).map(|passkey| AllowCredentials {
            type_: "public-key".to_owned(),
            id: passkey.cred_id().clone(),
            transports: None,
        });
        options.public_key.allow_credentials = allowed.collect();
        Ok(Challenge { options: serde_json::to_string(&options.public_key)?, state: serde_json::to_string(&state)? })
    }

    /// What the authenticator calls the passkey it has shown.
    pub fn shown(answer: &str) -> Result<Vec<u8>, PasskeyError> {
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        Ok(answer.get_credential_id().to_vec())
    }

    /// Looks at an answer that names this passkey, and answers what is known of it afterwards, as JSON.
    pub fn check(&self, answer: &str, state: &str, kept: &KeptPasskey) -> Result<String, PasskeyError> {
        let answer: PublicKeyCredential = serde_json::from_str(answer)?;
        let state: DiscoverableAuthentication = serde_json::from_str(state)?;
        let mut passkey = read(kept)?;
        // Where the authenticator says whose passkey it is, it has to be that account's.
        let named = answer.get_user_unique_id().map(|user| Uuid::from_slice(user).map(AccountId).ok());
        if named.is_some_and(|account| account != Some(kept.account_id)) {
            return Err(WebauthnError::InvalidUserUniqueId.into());
        }
        let result = self.0.finish_discoverable_authentication_v2(&answer, state, DiscoverableKey::from(&passkey))?;
        passkey.update_credential(&result);
        Ok(serde_json::to_string(&passkey)?)
    }
}

fn read(kept: &KeptPasskey) -> Result<Passkey, serde_json::Error> {
    serde_json::from_str(&kept.credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_sites_that_browsers_have_them_for() {
        for (origin, offered) in [
            ("https://accounts.example.com", true),
            ("https://accounts.example.com:8443", true),
            ("http://localhost:8080", true),
            ("http://accounts.example.com", false),
            ("https://192.0.2.1", false),
            ("http://127.0.0.1:8080", false),
            ("https://[2001:db8::1]", false),
        ] {
            assert_eq!(Passkeys::of_site(origin, "Example").is_some(), offered, "{origin}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let passkeys = Passkeys::of_site("https://accounts.example.com", "Example").unwrap();
        let challenge = passkeys.to_show(&[]).unwrap();
        assert!(!challenge.options.contains("mediation") && challenge.options.contains("\"challenge\""));
        for answer in ["", "{}", "[]", "{\"id\":1}"] {
            assert!(Passkeys::shown(answer).is_err() && passkeys.made(answer, &challenge.state).is_err(), "{answer}");
        }
    }
}
