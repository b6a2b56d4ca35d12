//! `consentry key …`: the working keys, what they are for and where they are in life, and how they are replaced.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
    flags::ConfigFlags,
    key_reseal,
};
use crate::{
    keys::master::{self, MasterKey},
    model::{
        Timestamp,
        key::{KeyState, Purpose, WrappedKey},
        key_timetable::KeyTimetable,
    },
    registry::keys::{self, Ending, Means, Replaced},
    server::keyring::Keyring,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all working keys, also those that are gone
    List(List),
    /// Replace keys by new ones, which take over once every node and every API knows them
    Rotate(Rotate),
    /// Seal everything that rows keep sealed with the key that seals now, so that the one before can go
    Reseal(key_reseal::Arguments),
    /// Give up the keys that no master key opens any more, so that the server can start; what they made is lost
    GiveUp(GiveUp),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Open each with the master keys, to see that a backup could be used
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Args)]
pub(super) struct GiveUp {
    /// Do it, and do not only say which
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// What the keys are for; all purposes when left out
    #[arg(long, value_enum)]
    purpose: Option<Which>,
    /// Somebody else may know them: what they made ends with them, within seconds
    #[arg(long, requires = "purpose")]
    compromised: bool,
    /// With --compromised: do it, and do not only say what it would end
    #[arg(long, requires = "compromised")]
    yes: bool,
}

/// The purposes, in the words of the table.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// Access tokens
    Sign,
    /// Refresh tokens and forms
    Mac,
    /// Authorization codes
    SealCode,
    /// Requests in flight
    SealRequest,
    /// What is kept sealed in rows
    SealData,
    /// The chain of the audit log
    Audit,
}

impl Which {
    fn purpose(self) -> Purpose {
        match self {
            Self::Sign => Purpose::Sign,
            Self::Mac => Purpose::Mac,
            Self::SealCode => Purpose::SealCode,
            Self::SealRequest => Purpose::SealRequest,
            Self::SealData => Purpose::SealData,
            Self::Audit => Purpose::Audit,
        }
    }
}

pub(super) async fn run(command: Command, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    match command {
        Command::Reseal(arguments) => key_reseal::run(&arguments, desk, flags).await,
        Command::List(List { verify }) => {
            let masters = verify.then(|| flags.master_keys()).transpose()?;
            list(desk, masters.as_deref()).await
        }
        Command::GiveUp(GiveUp { yes }) => give_up(desk, &flags.master_keys()?, yes).await,
        Command::Rotate(Rotate { purpose, compromised: false, .. }) => {
            let purposes = purpose.map_or(Purpose::ALL.to_vec(), |which| vec![which.purpose()]);
            rotate(desk, flags.master_keys()?, &purposes).await
        }
        Command::Rotate(Rotate { purpose: Some(which), yes: false, .. }) => foretell(desk, which.purpose()).await,
        Command::Rotate(Rotate { purpose: Some(which), .. }) => end(desk, flags.master_keys()?, which.purpose()).await,
        // The parser lets nobody say this.
        Command::Rotate(Rotate { purpose: None, .. }) => Err(Failure::not_done("say which with --purpose")),
    }
}

async fn list(desk: &Desk, masters: Option<&[MasterKey]>) -> Result<Answer, Failure> {
    let (now, keys) = (desk.clock.now(), desk.store.working_keys_ever().await?);
    let opens = |key: &WrappedKey| {
        let masters = masters.filter(|_| key.gone_at.is_none())?;
        Some(master::unwrap(masters, key).map(drop))
    };
    let json = keys
        .iter()
        .map(|key| {
            let mut told = summary(key, (now, &desk.keys));
            if let (Some(opens), Some(members)) = (opens(key), told.as_object_mut()) {
                members.insert("opens".to_owned(), json!(opens.is_ok()));
            }
            told
        })
        .collect();
    if keys.is_empty() {
        let text = "No keys yet: the server makes them when it starts for the first time.".to_owned();
        return Ok(Answer { json, text });
    }
    let shut = keys.iter().filter_map(|key| opens(key)?.err()).map(|error| error.to_string());
    let text = std::iter::once(table(&keys, (now, &desk.keys))).chain(shut).collect::<Vec<_>>().join("\n");
    Ok(Answer { json, text })
}

async fn rotate(desk: &Desk, masters: Vec<MasterKey>, purposes: &[Purpose]) -> Result<Answer, Failure> {
    let keyring = open(desk, masters).await?;
    let means = means(desk, &keyring)?;
    let (mut made, mut waiting) = (Vec::new(), Vec::new());
    for &purpose in purposes {
        for replaced in keys::rotate(&desk.registry(), means, (purpose, None)).await? {
            match replaced {
                Replaced::By(key) => made.push(key),
                Replaced::Waits(key) => waiting.push(key),
            }
        }
    }
    let now = desk.clock.now();
    let mut lines = Vec::new();
    if !made.is_empty() {
        lines.push(table(&made, (now, &desk.keys)));
        lines
            .push("Nothing ends: what the keys before them made is good for as long as it would have been.".to_owned());
    }
    for key in &waiting {
        let (kid, purpose, at) = (key.kid, key.purpose.as_str(), shown(key.active_at));
        lines.push(format!("{kid} was made for {purpose} before, and takes over at {at}; none was added."));
    }
    if made.iter().any(|key| key.purpose == Purpose::SealData) {
        lines.push(RESEAL.to_owned());
    }
    let json = made.iter().map(|key| summary(key, (now, &desk.keys))).collect();
    Ok(Answer { json, text: lines.join("\n\n") })
}

const RESEAL: &str = "What is kept sealed in rows is sealed anew by the server in the background; the key before stays until \
                      that is done. `consentry key reseal` tells how far it is.";

/// Says what would end, and does nothing.
async fn foretell(desk: &Desk, purpose: Purpose) -> Result<Answer, Failure> {
    let ending = keys::ending(&desk.registry(), purpose).await?;
    let text = format!(
        "{}\n\nNothing was done yet. Do it with:\n  consentry key rotate --purpose {} --compromised --yes",
        in_words(purpose, &ending, &desk.keys),
        purpose.as_str()
    );
    Ok(Answer { json: told(purpose, &ending, &[], desk), text })
}

async fn end(desk: &Desk, masters: Vec<MasterKey>, purpose: Purpose) -> Result<Answer, Failure> {
    let keyring = open(desk, masters).await?;
    let ending = keys::ending(&desk.registry(), purpose).await?;
    let made = keys::compromised(&desk.registry(), means(desk, &keyring)?, purpose).await?;
    let text =
        format!("{}\n\n{}", table(&made, (desk.clock.now(), &desk.keys)), in_words(purpose, &ending, &desk.keys));
    Ok(Answer { json: told(purpose, &ending, &made, desk), text })
}

/// Where nobody can be believed.
const BEGINNING_IS_FALSE: &str = " Where the audit log begins was said with none of your keys: somebody has written to the database. So nothing was said \
     of the links that were made with these, and `audit verify` finds all of them changed: keep a copy of the database, \
     and compare what you have exported with the log.";

async fn give_up(desk: &Desk, masters: &[MasterKey], yes: bool) -> Result<Answer, Failure> {
    let now = desk.clock.now();
    let mut keys = desk.store.working_keys().await?;
    keys.retain(|key| master::unwrap(masters, key).is_err());
    if keys.is_empty() {
        return Ok(Answer { json: json!([]), text: "The master keys open all keys; none is given up.".to_owned() });
    }
    let json = keys.iter().map(|key| summary(key, (now, &desk.keys))).collect();
    let table = table(&keys, (now, &desk.keys));
    if !yes {
        let log = if keys.iter().any(|key| key.purpose == Purpose::Audit) {
            " What was altered in the audit log until now may not be found any more: look first what `audit verify` says of it."
        } else {
            ""
        };
        let text = format!(
            "{table}\n\nNo master key that is listed opens these. If the one that does is lost, what they made is too: tokens, \
             and what is sealed in rows.{log} Nothing was done yet. Stop the servers, and give them up with:\n  \
             consentry key give-up --yes"
        );
        return Ok(Answer { json, text });
    }
    let given_up = keys::give_up(&desk.registry(), masters).await?;
    let log = if given_up.is_beginning_false { BEGINNING_IS_FALSE } else { "" };
    let text = format!("{table}\n\nThese are given up, and new ones are made for those that were in use.{log}");
    Ok(Answer { json, text })
}

/// Opens the table with the master keys.
pub(super) async fn open(desk: &Desk, masters: Vec<MasterKey>) -> Result<Keyring, Failure> {
    let opened = Keyring::open(masters, &desk.store, desk.clock.now()).await;
    opened.map_err(|error| Failure::not_done(error.to_string()))
}

pub(super) fn means<'a>(desk: &'a Desk, keyring: &'a Keyring) -> Result<Means<'a>, Failure> {
    let master = keyring.wrapping().ok_or_else(|| Failure::not_done("no master key was given"))?;
    Ok(Means { master, timetable: &desk.keys })
}

/// What ends in haste, and what does not.
fn in_words(purpose: Purpose, ending: &Ending, timetable: &KeyTimetable) -> String {
    let kids: Vec<String> = ending.keys.iter().map(|key| key.kid.to_string()).collect();
    let head = format!("Keys that end: {} ({}).", kids.join(", "), purpose.as_str());
    let (connections, cached) = (ending.connections, timetable.jwks_max_age.num_seconds());
    let told = match purpose {
        Purpose::Sign => format!(
            "Every access token ends, within seconds here, and at APIs that verify for themselves once they fetch the key \
             set again: at most {cached} seconds later. So long some of them refuse new tokens too. Connections go on: \
             each gets a new token with its next refresh."
        ),
        Purpose::Mac => format!(
            "Every refresh token ends, so all {connections} connections have to be made again; so do forms that are open \
             in browsers. Connections also rest on a secret of their own, whose SHA-256 is all that is stored: where this \
             key alone leaked, nobody can make a refresh token with it, and a rotation without --compromised is enough."
        ),
        Purpose::SealCode => {
            "Authorization codes on their way end: whoever agreed in the last minute has to connect again.".to_owned()
        }
        Purpose::SealRequest => "Requests in flight end: whoever signs in or reads the consent page just now has to \
                                 begin again, and so has whoever follows a link from a mail back to it."
            .to_owned(),
        Purpose::SealData => {
            "Nothing ends by itself: all that is sealed in rows is sealed anew, and then the keys go. What was sealed must \
             count as read where somebody has the database too: renew the secrets of webhooks and stored API keys, and \
             have people set up their authenticator apps again."
                .to_owned()
        }
        Purpose::Audit => "Nothing ends: links of before still verify, and prove nothing against whoever had the key. \
                           Compare what you have exported with the log."
            .to_owned(),
    };
    format!("{head}\n{told}")
}

fn told(purpose: Purpose, ending: &Ending, made: &[WrappedKey], desk: &Desk) -> Value {
    let now = desk.clock.now();
    json!({
        "purpose": purpose.as_str(),
        "done": !made.is_empty(),
        "ends": ending.keys.iter().map(|key| summary(key, (now, &desk.keys))).collect::<Vec<_>>(),
        "connections": if purpose == Purpose::Mac { ending.connections } else { 0 },
        "keys": made.iter().map(|key| summary(key, (now, &desk.keys))).collect::<Vec<_>>(),
    })
}

/// What every command says of a key.
fn summary(key: &WrappedKey, (now, timetable): (Timestamp, &KeyTimetable)) -> Value {
    json!({
        "kid": key.kid.to_string(),
        "purpose": key.purpose.as_str(),
        "alg": key.algorithm.as_str(),
        "state": key.state(now).as_str(),
        "master": key.master,
        "created_at": shown(key.created_at),
        "active_at": shown(key.active_at),
        "retired_at": key.retired_at.map(shown),
        "needed_until": key.needed_until.map(shown),
        "gone_at": key.gone_at.map(shown),
        "due_at": due_at(key, timetable).map(shown),
    })
}

fn due_at(key: &WrappedKey, timetable: &KeyTimetable) -> Option<Timestamp> {
    timetable.due_at(key).filter(|_| key.is_newest())
}

fn table(keys: &[WrappedKey], (now, timetable): (Timestamp, &KeyTimetable)) -> String {
    let head = ["KID", "PURPOSE", "ALG", "STATE", "MASTER", "FROM", "", ""].map(str::to_owned);
    let row = |key: &WrappedKey| {
        let state = key.state(now);
        let until = match (state, key.retired_at, due_at(key, timetable)) {
            (KeyState::Gone, ..) => key.gone_at.map(|at| format!("gone since {}", shown(at))),
            (_, Some(at), _) => Some(format!("until {}", shown(at))),
            (_, None, due) => due.map(|at| format!("replaced at {}", shown(at))),
        };
        let kept = match (state, key.retired_at, key.needed_until) {
            (KeyState::Gone, ..) | (_, None, _) => String::new(),
            (_, Some(_), Some(at)) => format!("kept until {}", shown(at)),
            (_, Some(_), None) => "kept while something is made with it".to_owned(),
        };
        [
            key.kid.to_string(),
            key.purpose.as_str().to_owned(),
            key.algorithm.as_str().to_owned(),
            state.as_str().to_owned(),
            key.master.clone(),
            shown(key.active_at),
            until.unwrap_or_default(),
            kept,
        ]
    };
    columns(&std::iter::once(head).chain(keys.iter().map(row)).collect::<Vec<_>>())
}
