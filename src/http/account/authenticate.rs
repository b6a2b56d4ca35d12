//! Whether somebody is who they say: tries are counted and the password is checked.
//!
//! Unknown and known addresses are counted alike, cost the same and are told the same.

use std::time::Duration;

use actix_web::HttpRequest;

use crate::{
    http::{extract::peer, failure::PageError, oauth::caller::origin, pages::SignInError},
    model::account::{Account, Email},
    passwords::Verdict,
    server::{
        Server,
        shares::TooMany,
        sign_ins::{self, Try},
    },
    tokens,
};

/// A wrong password is told at a whole number of these: what an account's hash costs to check, which for one that was
/// imported may be less or more than for ours, does not show but where it takes longer than that.
const STEP: Duration = Duration::from_millis(250);

/// What a form said, and the browser's cookie.
pub(super) struct Credentials<'a> {
    /// As the address.
    pub(super) typed: &'a str,
    /// The password.
    pub(super) password: &'a str,
    /// The marks of accounts that were signed in to here before.
    pub(super) device: &'a str,
}

/// Why nobody is signed in. The sentence is for the owner, and does not repeat what was typed: it may be the password.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    /// Nobody is told which it was.
    Wrong(&'static str),
    /// A passkey was shown that opens nothing here.
    Passkey(&'static str),
    /// The password was not looked at.
    TooMany(TooMany),
}

impl Refusal {
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Wrong(why) | Self::Passkey(why) => why,
            Self::TooMany(_) => "There were too many tries: at this account, or from this address.",
        }
    }

    pub(super) fn too_many(self) -> Option<TooMany> {
        match self {
            Self::Wrong(_) | Self::Passkey(_) => None,
            Self::TooMany(too_many) => Some(too_many),
        }
    }

    pub(super) fn told(self) -> SignInError {
        match self {
            Self::Wrong(_) => SignInError::Refused,
            Self::Passkey(_) => SignInError::Passkey,
            Self::TooMany(_) => SignInError::TooMany,
        }
    }
}

/// Checks a password, and answers whose it is.
pub(super) async fn authenticate(
    server: &Server,
    request: &HttpRequest,
    credentials: &Credentials<'_>,
) -> Result<Result<Account, Refusal>, PageError> {
    let began = server.clock.elapsed();
    let known = match credentials.typed.parse::<Email>() {
        Ok(email) => server.store.account_by_email(&email).await?,
        Err(_) => None,
    };
    let (kids, now) = (tokens::device::kids(credentials.device), server.clock.now());
    let ring = server.keyring.knowing(kids, &server.store, now).await?;
    let device = known.as_ref().and_then(|(account, _)| tokens::device::find(&ring, credentials.device, account));
    // Somebody who has signed in here before pays for nobody else in the same network.
    if device.is_none()
        && let Err(too_many) = server.sign_ins.count(peer::of(request))
    {
        return Ok(Err(Refusal::TooMany(too_many)));
    }
    let subject = sign_ins::subject(&ring, credentials.typed, device)?;
    let one_try = match server.sign_ins.begin(&server.store, subject, server.clock.now()).await? {
        Ok(one_try) => one_try,
        Err(too_many) => return Ok(Err(Refusal::TooMany(too_many))),
    };
    let hash = known.as_ref().and_then(|(_, hash)| hash.as_deref());
    let verdict = server.passwords.check(hash, credentials.password).await?;
    let account = match known {
        Some((account, hash)) if verdict != Verdict::Wrong && account.enabled => {
            if let (Verdict::RightButOld, Some(hash)) = (verdict, &hash) {
                strengthen(server, &account, hash, credentials.password).await?;
            }
            account
        }
        None => return wrong(server, began, one_try, "No account has the address that was typed in.").await,
        Some((account, _)) if verdict == Verdict::Wrong => {
            if let Some(failures) = one_try.held_after() {
                server.refusals.sign_in_held(account.id, ("password", failures), origin(request), server.clock.now());
            }
            return wrong(server, began, one_try, "The password was not the account's.").await;
        }
        Some(_) => return wrong(server, began, one_try, "The account is disabled.").await,
    };
    one_try.succeeded(&server.store).await?;
    Ok(Ok(account))
}

/// Counts a failure, and answers when the time has come.
async fn wrong(
    server: &Server,
    began: Duration,
    one_try: Try,
    why: &'static str,
) -> Result<Result<Account, Refusal>, PageError> {
    one_try.failed(&server.store, server.clock.now()).await?;
    let gone = server.clock.elapsed().saturating_sub(began).as_millis() % STEP.as_millis();
    tokio::time::sleep(STEP.saturating_sub(Duration::from_millis(u64::try_from(gone).unwrap_or_default()))).await;
    Ok(Err(Refusal::Wrong(why)))
}

/// Gives a password that was right a hash of today's strength. If the workers are busy it is done another time.
async fn strengthen(server: &Server, account: &Account, checked: &str, password: &str) -> Result<(), PageError> {
    match server.passwords.hash_anew(password).await {
        Ok(stronger) => {
            server.store.strengthen_password(account.id, checked, &stronger).await?;
        }
        Err(error) => tracing::info!(%error, "a password keeps its old hash for now"),
    }
    Ok(())
}
