//! Tokens with which owners' programs use the owners' API: made, shown once, ended.
//!
//! They are made in the console and on the command line and never with a token: what one token may not do, no other that
//! it makes may do either.

use chrono::TimeDelta;

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{
        Timestamp,
        account::Account,
        id::{AccountId, OwnerTokenId},
        legible,
        owner_token::{OwnerScope, OwnerScopes, OwnerToken},
    },
    random,
    store::owner_tokens::{MakeOwnerToken, NewOwnerToken},
    tokens::secret::{OWNER_TOKEN, SecretText},
};

/// The longest that a token is good for.
pub const DAYS_MAX: u16 = 366;

/// More than anybody looks after.
const STANDING_MAX: u32 = 50;

/// A token to be made, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerTokenForm {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for, by their words.
    pub scopes: Vec<String>,
    /// For how many days.
    pub days: String,
}

/// A token that was made just now.
#[derive(Debug)]
pub struct Made {
    /// The token.
    pub token: OwnerToken,
    /// Its text: shown this once.
    pub secret: SecretText,
}

/// Makes a token for an account, as it was when whoever makes it was let in.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong with the form; [`RegistryError::Gone`] where the account is.
pub async fn make(registry: &Registry<'_>, account: &Account, form: &OwnerTokenForm) -> RegistryResult<Made> {
    let at = registry.clock.now();
    let token = read(form, at)?;
    let secret = SecretText::new(OWNER_TOKEN, random::bytes());
    let new = NewOwnerToken {
        token: token.clone(),
        account_id: account.id,
        generations: (account.generation, account.session_generation),
        digest: secret.digest(),
        standing_max: STANDING_MAX,
    };
    match registry.store.make_owner_token(&new, &registry.audit(at)).await? {
        MakeOwnerToken::Made => Ok(Made { token, secret }),
        MakeOwnerToken::NotStanding => Err(RegistryError::Gone),
        MakeOwnerToken::TooMany => {
            let problem = format!("an account can have at most {STANDING_MAX} tokens; end one that is not needed");
            Err(Wrong::new("other", problem).into())
        }
    }
}

/// Ends a token of an account.
///
/// # Errors
///
/// [`RegistryError::Gone`] where it has none of this id.
pub async fn end(registry: &Registry<'_>, account: AccountId, id: OwnerTokenId) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    let ended = registry.store.end_owner_token(account, id, &audit).await?;
    if ended { Ok(()) } else { Err(RegistryError::Gone) }
}

fn read(form: &OwnerTokenForm, at: Timestamp) -> Result<OwnerToken, RegistryError> {
    let mut wrong = Vec::new();
    let name = legible::name(&form.name);
    if name.is_none() {
        let problem = format!("write 1 to {} visible characters on one line", legible::NAME_LENGTH_MAX);
        wrong.push(Wrong::new("name", problem));
    }
    let scopes: Result<OwnerScopes, _> = form.scopes.iter().map(|word| word.parse::<OwnerScope>()).collect();
    let scopes = scopes.map_err(|error| wrong.push(Wrong::new("scope", error.to_string()))).ok();
    if scopes.as_ref().is_some_and(OwnerScopes::is_empty) {
        wrong.push(Wrong::new("scope", "nothing is chosen that it may be used for"));
    }
    let days = form.days.trim().parse::<u16>().ok().filter(|days| (1..=DAYS_MAX).contains(days));
    if days.is_none() {
        wrong.push(Wrong::new("days", format!("write a number from 1 to {DAYS_MAX}")));
    }
    match (name, scopes, days) {
        (Some(name), Some(scopes), Some(days)) if wrong.is_empty() => Ok(OwnerToken {
            id: OwnerTokenId(random::id(at)),
            name,
            scopes,
            created_at: at,
            expires_at: at + TimeDelta::days(i64::from(days)),
            last_used_at: None,
        }),
        _ => Err(RegistryError::Wrong(wrong)),
    }
}
