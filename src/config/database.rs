//! Where everything is remembered: `database_url`, `database_password`, `connections_max`.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
};

use url::Url;
use zeroize::Zeroizing;

use super::reader::{Reader, own};
use crate::model::live::Live;

const URL: &str = "database_url";
const PASSWORD: &str = "database_password";
const EXAMPLES: &str = "write sqlite://consentry.db or postgres://user@host/database";

/// How to reach the database.
#[derive(Clone)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`.
    pub url: String,
    /// The Postgres password, when it is kept apart.
    pub password: Option<Live<Zeroizing<String>>>,
    /// Connections (Postgres) or readers (SQLite).
    pub connections_max: u32,
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        out.debug_struct("Database").field("connections_max", &self.connections_max).finish_non_exhaustive()
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Database> {
    let url = reader.text(URL)?;
    let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if is_postgres {
        check_postgres(reader, &url);
    } else if let Some(path) = sqlite_path(&url) {
        check_folder(reader, path);
    } else {
        reader.mistake(URL, "it is neither a SQLite nor a Postgres URL", EXAMPLES);
    }
    let password = read_password(reader, is_postgres);
    let connections_max = reader.number("connections_max", 1..=1000)?;
    Some(Database { url, password, connections_max })
}

fn check_postgres(reader: &mut Reader<'_>, url: &str) {
    let Ok(parsed) = Url::parse(url) else {
        return reader.mistake(URL, "it is not a URL", EXAMPLES);
    };
    if parsed.password().is_none() {
        return;
    }
    let cure = format!("keep the password in a file and write {PASSWORD} = \"file:PATH\"");
    if reader.by_flag(URL) {
        reader.mistake(URL, "it has a password, and every user of this machine can read a command line", cure);
    } else {
        reader.warn(URL, format!("it has a password; {cure}"));
    }
}

/// The path of a SQLite URL; empty for a database in memory.
fn sqlite_path(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Some(if path == ":memory:" { "" } else { path })
}

/// Whether a database can be kept there. SQLite writes files beside the database, so it is the folder that counts.
fn check_folder(reader: &mut Reader<'_>, path: &str) {
    if path.is_empty() {
        return reader.mistake(URL, "it names no file", EXAMPLES);
    }
    let folder = match Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if let Err(error) = try_to_write(folder) {
        let problem = format!("the folder {} cannot be written ({error})", folder.display());
        reader.mistake(URL, problem, "make the folder and give it to the user this program runs as");
    }
}

/// Tried rather than computed: permission bits do not tell of read-only mounts, access lists or full disks. The file
/// has no name, so that two who try at once are not in each other's way and one who is killed leaves nothing behind.
fn try_to_write(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder)?.write_all(b"?")
}

fn read_password(reader: &mut Reader<'_>, is_postgres: bool) -> Option<Live<Zeroizing<String>>> {
    let text = reader.text(PASSWORD)?;
    if !is_postgres {
        reader.mistake(PASSWORD, "only Postgres has a password", "leave it out, or correct database_url");
        return None;
    }
    // Unlike a master key it may be short and human: it is the database's to judge.
    reader.secret(PASSWORD, &text, own)
}
