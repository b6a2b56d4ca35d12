//! `consentry account …`: people who can sign in.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    account_changes,
    account_import::{self, Import},
    answer::Answer,
    desk::{Desk, audit},
    failure::Failure,
};
use crate::{
    model::{
        account::{Email, Role},
        id::AccountId,
        legible,
    },
    passwords::{LENGTH_MAX, Passwords},
    random,
    store::accounts::{AddAccount, NewAccount},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add somebody who can sign in
    Add(Add),
    /// Make a link with which somebody makes their own account
    Invite(account_changes::Invite),
    /// List accounts, in the order in which they were made
    List(account_changes::List),
    /// Say that an account's address is its owner's
    VerifyEmail(account_changes::Which),
    /// Give an account a new password; its sessions and connections end
    SetPassword(account_changes::SetPassword),
    /// Remove all second factors of somebody who has lost them
    RemoveFactors(account_changes::Which),
    /// Let nobody use an account; its sessions and connections end
    Disable(account_changes::Which),
    /// Let an account be used again
    Enable(account_changes::Which),
    /// Print everything that is kept of a person
    Export(account_changes::Which),
    /// Delete an account and everything personal with it
    Delete(account_changes::Which),
    /// Add people from another program, with the hashes of their passwords
    Import(Import),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The address to sign in with
    #[arg(long)]
    email: String,
    /// What pages call the person
    #[arg(long)]
    name: String,
    /// What the person may do
    #[arg(long, default_value = "person", value_parser = PossibleValuesParser::new(["person", "owner", "admin"]))]
    role: String,
    /// A file with the password, at least as long as the configuration says (15 characters); - reads standard input
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<Answer, Failure> {
    match command {
        Command::Add(arguments) => add(arguments, desk).await,
        Command::Invite(arguments) => account_changes::invite(&arguments, desk).await,
        Command::List(arguments) => account_changes::list(&arguments, desk).await,
        Command::VerifyEmail(arguments) => account_changes::verify_email(&arguments, desk).await,
        Command::SetPassword(arguments) => account_changes::set_password(&arguments, desk).await,
        Command::RemoveFactors(arguments) => account_changes::remove_factors(&arguments, desk).await,
        Command::Disable(arguments) => account_changes::disable(&arguments, desk).await,
        Command::Enable(arguments) => account_changes::enable(&arguments, desk).await,
        Command::Export(arguments) => account_changes::export(&arguments, desk).await,
        Command::Delete(arguments) => account_changes::delete(&arguments, desk).await,
        Command::Import(arguments) => account_import::run(arguments, desk).await,
    }
}

async fn add(arguments: Add, desk: &Desk) -> Result<Answer, Failure> {
    let refused = |error: &dyn std::fmt::Display| Failure::not_done(error.to_string());
    let email: Email =
        arguments.email.parse().map_err(|_| refused(&format!("--email: \"{}\" is no address", arguments.email)))?;
    let role: Role = arguments.role.parse().map_err(|error| refused(&error))?;
    let name = name(&arguments.name, "--name")?;
    let password = read_password(&arguments.password_file)?;
    let about = [email.as_str(), name.as_str(), desk.server_name.as_str()];
    let hashed = Passwords::with(desk.passwords).hash_for(&password, &about).await;
    let password_hash = hashed.map_err(|error| refused(&error))?;
    let at = desk.clock.now();
    let account = NewAccount { id: AccountId(random::id(at)), email: email.clone(), name, role, password_hash, at };
    match desk.store.add_account(&account, &audit(at)).await? {
        AddAccount::Added => {}
        AddAccount::EmailTaken => {
            return Err(Failure::not_done(format!("there is an account with the address {email} already")));
        }
    }
    let next = match &desk.public_url {
        Some(url) => format!("Sign in at {}/sign-in", url.as_str()),
        None => "Sign in at the server's public URL, under /sign-in".to_owned(),
    };
    Ok(Answer {
        json: json!({ "account_id": account.id, "email": email, "role": role, "name": account.name }),
        text: format!("Added {email} ({}), account {}.\n{next}.", role.as_str(), account.id),
    })
}

/// A name people are shown: on one line, and what it looks like.
pub(super) fn name(text: &str, flag: &str) -> Result<String, Failure> {
    legible::name(text).ok_or_else(|| {
        Failure::not_done(format!("{flag}: write 1 to {} visible characters on one line", legible::NAME_LENGTH_MAX))
    })
}

/// Reads a password without the line break behind it. Unlike the server's own secrets the file is read once and then
/// thrown away, so that others can read it is worth a warning, not a refusal.
pub(super) fn read_password(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: io::Error| Failure::not_done(format!("--password-file {}: {error}", path.display()));
    let mut text = Zeroizing::new(String::new());
    // Two more than any password: the line break.
    let most = LENGTH_MAX as u64 + 2;
    if path == Path::new("-") {
        io::stdin().take(most).read_to_string(&mut text).map_err(failed)?;
    } else {
        warn_if_exposed(path);
        fs::File::open(path).map_err(failed)?.take(most).read_to_string(&mut text).map_err(failed)?;
    }
    let bare = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(bare.strip_suffix('\r').unwrap_or(bare).to_owned()))
}

#[cfg(unix)]
fn warn_if_exposed(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o077 != 0) {
        eprintln!("warning: {} can be read by other users of this machine; remove it when done", path.display());
    }
}

#[cfg(not(unix))]
fn warn_if_exposed(_: &Path) {}
