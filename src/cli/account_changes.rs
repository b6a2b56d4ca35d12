//! `consentry account …`, beyond adding one: inviting, listing, and what the operator does for somebody or to them.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};
use serde_json::{Value, json};

use super::{
    account::read_password,
    answer::{Answer, columns, shown},
    desk::{Desk, audit},
    failure::Failure,
};
use crate::{
    model::{
        account::{Account, Email, Role, SignUps},
        id::AccountId,
    },
    passwords::Passwords,
    server::people::invitation,
    store::{accounts::ListedAccount, people::Deletion},
};

/// How many accounts are read at a time, and listed unless more are asked for.
const PAGE: u32 = 500;

#[derive(Debug, Args)]
pub(super) struct Invite {
    /// The address to invite
    #[arg(long)]
    email: String,
    /// What the account may do
    #[arg(long, default_value = "person", value_parser = PossibleValuesParser::new(["person", "owner", "admin"]))]
    role: String,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The account's address
    #[arg(long)]
    email: String,
}

#[derive(Debug, Args)]
pub(super) struct SetPassword {
    /// The account's address
    #[arg(long)]
    email: String,
    /// A file with the password; - reads standard input
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = PAGE)]
    limit: u32,
    /// Only those that were made after the one with this id: the last of the list before
    #[arg(long, value_name = "ACCOUNT_ID")]
    after: Option<uuid::Uuid>,
    /// Only those that have an authenticator app
    #[arg(long)]
    with_app: bool,
}

pub(super) async fn invite(arguments: &Invite, desk: &Desk) -> Result<Answer, Failure> {
    let email = address(&arguments.email)?;
    let role: Role = arguments.role.parse().map_err(|error| Failure::not_done(format!("--role: {error}")))?;
    if desk.sign_ups == SignUps::Off {
        return Err(Failure::not_done("sign_up is off, so nobody could use an invitation; use `account add`"));
    }
    let Some(url) = &desk.public_url else {
        return Err(Failure::not_done("the link needs the server's address; set CONSENTRY_PUBLIC_URL"));
    };
    if desk.store.account_by_email(&email).await?.is_some() {
        return Err(Failure::not_done(format!("there is an account with the address {email} already")));
    }
    let event = audit(desk.clock.now());
    let made = invitation(&desk.store, url.as_str(), (&email, role), &event).await?;
    let Some((link, expires_at)) = made else {
        return Err(Failure::not_done(format!("{email} was invited a hundred times within a week")));
    };
    let expires_at = shown(expires_at);
    Ok(Answer {
        text: format!(
            "Hand this link to {email}; it is good until {expires_at}, once, and whoever has it gets the account:\n{link}"
        ),
        json: json!({ "email": email, "role": role, "link": link, "expires_at": expires_at }),
    })
}

pub(super) async fn list(arguments: &List, desk: &Desk) -> Result<Answer, Failure> {
    let (mut accounts, mut after) = (Vec::new(), arguments.after.map(AccountId));
    let most = arguments.limit as usize;
    while accounts.len() < most {
        // Of those that are asked for some may be few among very many.
        let page = desk.store.accounts(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.account.id);
        accounts.extend(page.into_iter().filter(|listed| listed.has_app || !arguments.with_app));
    }
    accounts.truncate(most);
    let row = |listed: &ListedAccount| {
        let account = &listed.account;
        let state = match (account.enabled, account.email_verified_at) {
            (false, _) => "disabled",
            (true, None) => "unverified",
            (true, Some(_)) => "verified",
        };
        let role = account.role.as_str().to_owned();
        [account.email.to_string(), account.name.clone(), role, state.to_owned(), factors(listed)]
    };
    let text = if accounts.is_empty() {
        "There are no accounts.".to_owned()
    } else {
        let head = ["EMAIL", "NAME", "ROLE", "STATE", "SECOND FACTORS"].map(str::to_owned);
        columns(&std::iter::once(head).chain(accounts.iter().map(row)).collect::<Vec<_>>())
    };
    let with_factors = |listed: &ListedAccount| {
        let mut json = summary(&listed.account);
        json["authenticator_app"] = listed.has_app.into();
        json["passkeys"] = listed.passkeys.into();
        json
    };
    Ok(Answer { json: accounts.iter().map(with_factors).collect(), text })
}

/// What an account has beside a password, in words.
fn factors(listed: &ListedAccount) -> String {
    let passkeys = match listed.passkeys {
        0 => None,
        1 => Some("1 passkey".to_owned()),
        more => Some(format!("{more} passkeys")),
    };
    let app = listed.has_app.then(|| "authenticator app".to_owned());
    let all: Vec<String> = app.into_iter().chain(passkeys).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// Whoever asks for this has lost what would have shown that it is them: the operator has to be sure of that in another way.
pub(super) async fn remove_factors(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let email = address(&arguments.email)?;
    let (account, _) = desk.store.account_by_email(&email).await?.ok_or_else(|| missing(&email))?;
    let removed = desk.store.remove_factors(account.id, &audit(desk.clock.now())).await?;
    let text = if removed {
        format!("{email} has no second factor any more, and signs in with the password alone.")
    } else {
        format!("{email} has no second factor.")
    };
    Ok(Answer { json: json!({ "account_id": account.id, "email": email, "removed": removed }), text })
}

pub(super) async fn verify_email(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let email = address(&arguments.email)?;
    let account = desk.store.vouch_for_email(&email, &audit(desk.clock.now())).await?;
    let account = account.ok_or_else(|| missing(&email))?;
    Ok(Answer { json: summary(&account), text: format!("{email} is verified, by your word.") })
}

pub(super) async fn set_password(arguments: &SetPassword, desk: &Desk) -> Result<Answer, Failure> {
    let account = find(&arguments.email, desk).await?;
    let password = read_password(&arguments.password_file)?;
    let about = [account.name.as_str(), account.email.as_str(), &desk.server_name];
    let hashed = Passwords::with(desk.passwords).hash_for(&password, &about).await;
    let hash = hashed.map_err(|error| Failure::not_done(error.to_string()))?;
    if !desk.store.set_password(account.id, &hash, &audit(desk.clock.now())).await? {
        return Err(missing(&account.email));
    }
    let text = format!("{} has a new password; all sessions and connections of the account ended.", account.email);
    Ok(Answer { json: summary(&account), text })
}

pub(super) async fn disable(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let account = find(&arguments.email, desk).await?;
    let now = desk.store.disable_account(account.id, &audit(desk.clock.now())).await?;
    let now = now.ok_or_else(|| missing(&account.email))?;
    let text = format!("{} is disabled; all sessions and connections of the account ended.", now.email);
    Ok(Answer { json: summary(&now), text })
}

pub(super) async fn enable(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let account = find(&arguments.email, desk).await?;
    let now = desk.store.enable_account(account.id, &audit(desk.clock.now())).await?;
    let now = now.ok_or_else(|| missing(&account.email))?;
    Ok(Answer { json: summary(&now), text: format!("{} can sign in again; what ended stays ended.", now.email) })
}

pub(super) async fn export(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let account = find(&arguments.email, desk).await?;
    let export = desk.store.export_account(account.id).await?.ok_or_else(|| missing(&account.email))?;
    let told = |error: serde_json::Error| Failure::not_done(error.to_string());
    let json = serde_json::to_value(&export).map_err(told)?;
    Ok(Answer { text: serde_json::to_string_pretty(&json).map_err(told)?, json })
}

pub(super) async fn delete(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let account = find(&arguments.email, desk).await?;
    let deletion = Deletion { account_id: account.id, verified: None, mail: None };
    if !desk.store.delete_account(&deletion, &audit(desk.clock.now())).await? {
        return Err(missing(&account.email));
    }
    let text = format!("Deleted {}, with its sessions, connections and consents.", account.email);
    Ok(Answer { json: json!({ "account_id": account.id, "email": account.email, "deleted": true }), text })
}

fn summary(account: &Account) -> Value {
    json!({
        "account_id": account.id,
        "email": account.email,
        "email_verified_at": account.email_verified_at.map(shown),
        "name": account.name,
        "role": account.role,
        "enabled": account.enabled,
        "created_at": shown(account.created_at),
    })
}

fn address(text: &str) -> Result<Email, Failure> {
    text.parse().map_err(|_| Failure::not_done(format!("--email: \"{text}\" is no address")))
}

async fn find(text: &str, desk: &Desk) -> Result<Account, Failure> {
    let email = address(text)?;
    let found = desk.store.account_by_email(&email).await?;
    found.map(|(account, _)| account).ok_or_else(|| missing(&email))
}

fn missing(email: &Email) -> Failure {
    Failure::not_done(format!("there is no account with the address {email}; see `consentry account list`"))
}
