//! `consentry owner-token …`: what owners' programs show to the owners' API.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::{
        account::Account,
        id::OwnerTokenId,
        owner_token::{OwnerScope, OwnerToken},
    },
    registry::{
        owner_tokens::{self, OwnerTokenForm},
        owners,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token with which a program acts for an account; it is shown once
    Create(Create),
    /// List an account's tokens that are good
    List(Whose),
    /// End one of an account's tokens
    End(End),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The address of the account it acts for
    #[arg(long)]
    email: String,
    /// What its owner calls it
    #[arg(long)]
    name: String,
    /// What it may be used for, such as plugins:read; may be given several times
    #[arg(long, required = true)]
    scope: Vec<String>,
    /// For how many days it is good, from 1 to 366
    #[arg(long, default_value = "90")]
    days: String,
}

#[derive(Debug, Args)]
pub(super) struct Whose {
    /// The address of the account
    #[arg(long)]
    email: String,
}

#[derive(Debug, Args)]
pub(super) struct End {
    /// The token's id, as the list has it
    id: Uuid,
    /// The address of the account
    #[arg(long)]
    email: String,
}

pub(super) async fn run(command: Command, desk: &Desk) -> Result<Answer, Failure> {
    match command {
        Command::Create(arguments) => create(arguments, desk).await,
        Command::List(arguments) => list(&arguments, desk).await,
        Command::End(arguments) => end(&arguments, desk).await,
    }
}

async fn create(arguments: Create, desk: &Desk) -> Result<Answer, Failure> {
    let account = account(&arguments.email, desk).await?;
    let words: Vec<&str> = OwnerScope::ALL.iter().map(|scope| scope.as_str()).collect();
    if let Some(unknown) = arguments.scope.iter().find(|word| !words.contains(&word.as_str())) {
        return Err(Failure::not_done(format!("--scope: there is no {unknown}; there are {}", words.join(", "))));
    }
    let form = OwnerTokenForm { name: arguments.name, scopes: arguments.scope, days: arguments.days };
    let made = owner_tokens::make(&desk.registry(), &account, &form).await?;
    let secret = made.secret.reveal();
    let mut json = summary(&made.token);
    json["token"] = json!(secret);
    let until = shown(made.token.expires_at);
    let text = format!(
        "A token that acts for {}, good until {until}. It is shown this once; only its fingerprint is kept:\n{secret}",
        account.email
    );
    Ok(Answer { json, text })
}

async fn list(arguments: &Whose, desk: &Desk) -> Result<Answer, Failure> {
    let account = account(&arguments.email, desk).await?;
    let tokens = desk.store.owner_tokens(account.id, desk.clock.now()).await?;
    let head = ["ID", "NAME", "SCOPES", "EXPIRES", "LAST USED"].map(str::to_owned);
    let row = |token: &OwnerToken| {
        let last = token.last_used_at.map_or_else(|| "never".to_owned(), shown);
        [token.id.to_string(), token.name.clone(), token.scopes.to_string(), shown(token.expires_at), last]
    };
    let text = if tokens.is_empty() {
        format!("{} has no token. Make one with `consentry owner-token create`.", account.email)
    } else {
        columns(&std::iter::once(head).chain(tokens.iter().map(row)).collect::<Vec<_>>())
    };
    Ok(Answer { json: tokens.iter().map(summary).collect(), text })
}

async fn end(arguments: &End, desk: &Desk) -> Result<Answer, Failure> {
    let account = account(&arguments.email, desk).await?;
    owner_tokens::end(&desk.registry(), account.id, OwnerTokenId(arguments.id)).await?;
    let text = format!("The token {} is not good any more.", arguments.id);
    Ok(Answer { json: json!({ "token_id": arguments.id, "ended": true }), text })
}

async fn account(email: &str, desk: &Desk) -> Result<Account, Failure> {
    let email = owners::address(email)?;
    let missing = || Failure::not_done(format!("--email: there is no account with the address {email}"));
    desk.store.account_by_email(&email).await?.map(|(account, _)| account).ok_or_else(missing)
}

fn summary(token: &OwnerToken) -> Value {
    json!({
        "token_id": token.id,
        "name": token.name,
        "scopes": token.scopes.words(),
        "created_at": shown(token.created_at),
        "expires_at": shown(token.expires_at),
        "last_used_at": token.last_used_at.map(shown),
    })
}
