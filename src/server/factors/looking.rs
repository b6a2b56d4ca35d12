//! Looking at what somebody shows as a second factor: counted before, used up after.

use super::{Browser, Shown, Verdict};
use crate::{
    factors::{
        app_codes::{self, AppKey},
        passkeys::Passkeys,
        recovery,
    },
    keys::place::Place,
    model::{
        account::Account,
        factor::{KeptApp, KeptPasskey},
        id::AccountId,
    },
    server::{Server, people::PeopleResult, sign_ins},
    store::factors::PasskeyUse,
    tokens::{self, between::Return},
};

impl Server {
    /// Looks at what somebody shows as an account's second factor. The account need not be enabled: that is found out
    /// when a session starts.
    pub async fn look_at_factor(
        &self,
        account: &Account,
        shown: Shown<'_>,
        browser: &Browser<'_>,
    ) -> PeopleResult<Verdict> {
        // Nobody guesses one, so it is not counted: whoever knows the password could otherwise shut its owner out by
        // showing wrong codes.
        let code = match shown {
            Shown::Code(code) => code,
            Shown::Passkey { answer, state } => {
                let wrong = self.look_at_passkey(account.id, (answer, state), browser).await?;
                return Ok(wrong.map_or(Verdict::Right, Verdict::Wrong));
            }
        };
        // A browser has tries of its own only if a second factor was shown in it before. A mark alone is had by the
        // password, as many as one likes.
        let kids = tokens::device::kids(browser.devices);
        let ring = self.keyring.knowing(kids, &self.store, self.clock.now()).await?;
        let device = match tokens::device::find(&ring, browser.devices, account) {
            Some(number) if self.remembers(account, browser).await? => Some(number),
            _ => None,
        };
        let subject = sign_ins::subject_of_factors(&ring, account.id, device)?;
        let one_try = match self.sign_ins.begin(&self.store, subject, self.clock.now()).await? {
            Ok(one_try) => one_try,
            Err(too_many) => return Ok(Verdict::TooMany(too_many)),
        };
        let wrong = if app_codes::looks_like_one(code) {
            self.look_at_app_code(account.id, code).await?
        } else {
            self.look_at_recovery_code(account.id, code, browser).await?
        };
        if wrong.is_none() {
            one_try.succeeded(&self.store).await?;
        } else {
            if let Some(failures) = one_try.held_after() {
                let held = ("second_factor", failures);
                self.refusals.sign_in_held(account.id, held, browser.origin.clone(), self.clock.now());
            }
            one_try.failed(&self.store, self.clock.now()).await?;
        }
        Ok(wrong.map_or(Verdict::Right, Verdict::Wrong))
    }

    async fn look_at_app_code(&self, account: AccountId, code: &str) -> PeopleResult<Option<&'static str>> {
        let now = self.clock.now();
        let Some(app) = self.store.factors(account, now).await?.app else {
            return Ok(Some("The account has no authenticator app."));
        };
        let Some(key) = self.open_app(account, &app).await? else {
            tracing::error!("the key of an authenticator app cannot be opened");
            return Ok(Some("The authenticator app's key cannot be opened."));
        };
        let Some(step) = key.step_of(code, now) else { return Ok(Some("The authenticator app's code was wrong.")) };
        let taken = self.store.use_authenticator_app(account, step, now).await?;
        Ok((!taken).then_some("The authenticator app's code had been used."))
    }

    async fn look_at_recovery_code(
        &self,
        account: AccountId,
        code: &str,
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<&'static str>> {
        let Some(digest) = recovery::digest(code) else { return Ok(Some("What was typed is no code.")) };
        let taken = self.store.use_recovery_code(account, digest, &self.by(account, browser)).await?;
        Ok((!taken).then_some("The recovery code was wrong, or had been used."))
    }

    async fn look_at_passkey(
        &self,
        account: AccountId,
        (answer, state): (&str, &str),
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<&'static str>> {
        let Some(passkeys) = &self.passkeys else { return Ok(Some("This site has no passkeys.")) };
        let Some(challenged) = self.open_challenge(Return::PasskeyShown, state, browser).await? else {
            return Ok(Some("The passkey's challenge was too old, or another browser's."));
        };
        let Some(kept) = self.passkey_in(answer).await?.filter(|kept| kept.account_id == account) else {
            return Ok(Some("The passkey is none of the account's."));
        };
        let credential = match passkeys.check(answer, &challenged.state, &kept) {
            Ok(credential) => credential,
            Err(error) => {
                tracing::info!(%error, "a passkey's answer was wrong");
                return Ok(Some("The passkey's answer was wrong."));
            }
        };
        let (challenge_at, at) = (challenged.made_at, self.clock.now());
        let used = PasskeyUse { id: kept.id, credential, challenge_at, at };
        Ok((!self.store.use_passkey(&used).await?).then_some("The passkey's answer had been used."))
    }

    /// The passkey that an answer names, whoever's it is. Nothing is proven by that.
    pub async fn passkey_in(&self, answer: &str) -> PeopleResult<Option<KeptPasskey>> {
        match Passkeys::shown(answer) {
            Ok(credential_id) => Ok(self.store.passkey(&credential_id).await?),
            Err(_) => Ok(None),
        }
    }

    async fn open_app(&self, account: AccountId, app: &KeptApp) -> PeopleResult<Option<AppKey>> {
        Ok(self.open_kept(Place::AuthenticatorApp(account), &app.sealed).await?.and_then(AppKey::new))
    }
}
