//! Setting factors up, each with what shows that it works.

use serde::{Deserialize, Serialize};

use super::{Asked, Browser, noted};
use crate::{
    factors::{
        app_codes::{AppKey, KEY_LENGTH},
        recovery,
    },
    keys::place::Place,
    model::{
        account::Account,
        digest::Digest,
        factor::KeptPasskey,
        id::{AccountId, PasskeyId},
    },
    random,
    server::{Server, people::PeopleResult},
    store::factors::{NewApp, NewPasskey},
    tokens::between::Return,
};

/// What stands behind an app that is being set up.
#[derive(Serialize, Deserialize)]
struct SettingUp {
    key: Vec<u8>,
    account: AccountId,
}

/// An app that is being set up, as a person sees it.
pub struct AppOffer {
    /// The key.
    pub key: AppKey,
    /// To be sent back with the first code.
    pub state: String,
}

impl Server {
    /// Asks for a passkey to be made.
    pub fn ask_to_make_passkey(
        &self,
        account: &Account,
        known: &[KeptPasskey],
        mark: &str,
    ) -> PeopleResult<Option<Asked>> {
        let challenge = self.passkeys.as_ref().and_then(|passkeys| noted(passkeys.to_make(account, known)));
        self.sealed(challenge, (Return::PasskeyMade, Some(account.id)), mark)
    }

    /// Adds a passkey that a browser has made. `false` when the answer is wrong, too old or used before.
    pub async fn add_passkey(
        &self,
        account: AccountId,
        (answer, state, name): (&str, &str, String),
        browser: &Browser<'_>,
    ) -> PeopleResult<bool> {
        let challenged = self.open_challenge(Return::PasskeyMade, state, browser).await?;
        let challenged = challenged.filter(|challenged| challenged.account == Some(account));
        let (Some(passkeys), Some(challenged)) = (&self.passkeys, challenged) else { return Ok(false) };
        let Some(made) = noted(passkeys.made(answer, &challenged.state)) else { return Ok(false) };
        let passkey = NewPasskey {
            id: PasskeyId(random::id(self.clock.now())),
            account_id: account,
            credential_id: made.credential_id,
            credential: made.credential,
            name,
            challenge_at: challenged.made_at,
        };
        Ok(self.store.add_passkey(&passkey, &self.by(account, browser)).await?)
    }

    /// Makes a key for an authenticator app, which is kept when its first code is shown.
    pub fn offer_app(&self, account: AccountId, mark: &str) -> PeopleResult<Option<AppOffer>> {
        let bytes = random::bytes::<KEY_LENGTH>().to_vec();
        let setting_up = SettingUp { key: bytes.clone(), account };
        let state = self.seal(Return::AppCode, &setting_up, mark)?;
        Ok(AppKey::new(bytes).map(|key| AppOffer { key, state }))
    }

    /// The same offer once more, after a wrong code.
    pub async fn app_offered(
        &self,
        account: AccountId,
        state: &str,
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<AppOffer>> {
        let setting_up: Option<SettingUp> = self.open(Return::AppCode, state, browser).await?;
        let setting_up = setting_up.filter(|setting_up| setting_up.account == account);
        let key = setting_up.and_then(|setting_up| AppKey::new(setting_up.key));
        Ok(key.map(|key| AppOffer { key, state: state.to_owned() }))
    }

    /// Sets up an app that shows its first code. `None` when the code is wrong, `false` when there is an app already.
    pub async fn add_app(
        &self,
        account: AccountId,
        (key, code): (&AppKey, &str),
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<bool>> {
        let now = self.clock.now();
        let Some(step) = key.step_of(code, now) else { return Ok(None) };
        let place = Place::AuthenticatorApp(account);
        let sealed = place.seal(&self.keyring.current(), key.bytes(), now, random::bytes())?;
        let app = NewApp { account_id: account, sealed, step };
        Ok(Some(self.store.add_authenticator_app(&app, &self.by(account, browser)).await?))
    }

    /// Makes recovery codes, in the place of those there are, and answers them to be shown once. `None` when there is no
    /// factor they could stand in for.
    pub async fn make_recovery_codes(
        &self,
        account: AccountId,
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<Vec<String>>> {
        let codes = recovery::make();
        let digests: Vec<Digest> = codes.iter().filter_map(|code| recovery::digest(code)).collect();
        let made = self.store.make_recovery_codes(account, &digests, &self.by(account, browser)).await?;
        Ok(made.then_some(codes))
    }
}
