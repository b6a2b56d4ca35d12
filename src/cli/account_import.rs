//! `consentry account import`: people from another program, with the password hashes it made. JSON Lines: one person a
//! line. Everything is checked first and all mistakes are told with their lines; nothing is imported unless all is
//! right, or mistakes are to be skipped. An address that is known already is left as it is, so an import that was
//! interrupted is simply run again.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::{
    account,
    answer::Answer,
    desk::{Desk, audit},
    failure::Failure,
};
use crate::{
    model::{
        account::{Email, Role},
        id::AccountId,
    },
    passwords::stored::Stored,
    random,
    store::accounts::{AddAccount, NewAccount},
};

/// The longest line read: a hash is a few hundred characters at most.
const LINE_LENGTH_MAX: usize = 8 * 1024;

/// Mistakes told one by one; of the rest only how many there are.
const MISTAKES_TOLD: usize = 100;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// JSON Lines, each with email, name, `password_hash` and perhaps role: see docs/import.md
    file: PathBuf,
    /// Import the lines that are right, whatever is wrong with others
    #[arg(long)]
    skip_mistakes: bool,
}

/// A line as it is written. A field that is not known may mean something, so it is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    email: String,
    name: String,
    password_hash: String,
    #[serde(default)]
    role: Option<String>,
}

/// A line that can be imported.
struct Person {
    email: Email,
    name: String,
    role: Role,
    password_hash: String,
}

pub(super) async fn run(arguments: Import, desk: &Desk) -> Result<Answer, Failure> {
    let (people, mistakes) = read(&arguments)?;
    if !mistakes.is_empty() && !arguments.skip_mistakes {
        let cure = "nothing was imported; correct the lines, or leave them out with --skip-mistakes";
        return Err(Failure::not_done(format!("{}\n{cure}", told(&mistakes))));
    }
    let (mut added, mut known) = (0_u64, 0_u64);
    for person in people {
        let at = desk.clock.now();
        let Person { email, name, role, password_hash } = person;
        let account = NewAccount { id: AccountId(random::id(at)), email, name, role, password_hash, at };
        match desk.store.add_account(&account, &audit(at)).await? {
            AddAccount::Added => added += 1,
            AddAccount::EmailTaken => known += 1,
        }
    }
    let skipped = mistakes.len();
    let mut text = format!("Added {added}; {known} were there already and are as they were; {skipped} skipped.");
    if skipped > 0 {
        text = format!("{}\n{text}", told(&mistakes));
    }
    Ok(Answer { json: json!({ "added": added, "known": known, "skipped": skipped, "mistakes": mistakes }), text })
}

fn told(mistakes: &[String]) -> String {
    let mut told = mistakes.iter().take(MISTAKES_TOLD).cloned().collect::<Vec<_>>().join("\n");
    if let Some(more) = mistakes.len().checked_sub(MISTAKES_TOLD).filter(|more| *more > 0) {
        told = format!("{told}\nand {more} more");
    }
    told
}

/// Reads every line; each mistake names its line.
fn read(arguments: &Import) -> Result<(Vec<Person>, Vec<String>), Failure> {
    let path = arguments.file.display();
    let failed = |error: std::io::Error| Failure::not_done(format!("{path}: {error}"));
    let file = BufReader::new(fs::File::open(&arguments.file).map_err(failed)?);
    let (mut people, mut mistakes) = (Vec::new(), Vec::new());
    let mut lines: HashMap<String, usize> = HashMap::new();
    for (index, line) in file.split(b'\n').enumerate() {
        let (number, line) = (index + 1, line.map_err(failed)?);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let person = check(&line).and_then(|person| match lines.insert(person.email.as_str().to_owned(), number) {
            Some(earlier) => Err(format!("line {earlier} has the same email")),
            None => Ok(person),
        });
        match person {
            Ok(person) => people.push(person),
            Err(mistake) => mistakes.push(format!("line {number}: {mistake}")),
        }
    }
    Ok((people, mistakes))
}

/// Checks a line. What is told does not repeat it: it holds a hash.
fn check(line: &[u8]) -> Result<Person, String> {
    if line.len() > LINE_LENGTH_MAX {
        return Err(format!("it is longer than {LINE_LENGTH_MAX} bytes"));
    }
    // The library's own words may quote a value.
    let line: Line = serde_json::from_slice(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            "it must be an object with email, name, password_hash and perhaps role, each a text, and nothing else"
                .into()
        }
        _ => format!("it is no JSON (column {})", error.column()),
    })?;
    let email = line.email.parse::<Email>().map_err(|_| "email: it is no address".to_owned())?;
    let name = account::name(&line.name, "name").map_err(|_| "name: write 1 to 100 visible characters".to_owned())?;
    let role = line.role.as_deref().unwrap_or("person");
    let role = role.parse::<Role>().map_err(|_| "role: write person, owner or admin".to_owned())?;
    Stored::import(&line.password_hash).map_err(|error| format!("password_hash: {error}"))?;
    Ok(Person { email, name, role, password_hash: line.password_hash })
}
