//! Where values come from: `consentry.toml`, overridden by the environment, overridden by flags.
//!
//! Everything is gathered as text first, so that one kind of message serves all three; the sections check it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    keys::{self, FILE_VARIABLE, KEYS, Key, TEST_PREFIX, VARIABLE_PREFIX},
    mistake::Mistake,
};

/// The file that is read when nobody names another.
pub const DEFAULT_FILE: &str = "consentry.toml";

/// Tables of the file; all else is keys. There are none in the environment, whose variables are texts.
pub(super) const TABLES: [&str; 3] = ["own_login", "providers", "rotators"];

/// The environment's variables, as far as they are Unicode.
pub type Environment = BTreeMap<String, String>;

/// What a flag of the command line says.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The flag as it was written, for messages: `--listen`.
    pub flag: String,
    /// The key it sets, perhaps misspelled.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Everything a configuration is made from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, when one was named; otherwise [`DEFAULT_FILE`], if it is there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// The flags.
    pub flags: Vec<Flag>,
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) place: String,
    pub(super) by_flag: bool,
}

/// All values that were given, and the mistakes made in giving them.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) given: BTreeMap<&'static str, Given>,
    /// The tables, each with the file it stands in.
    pub(super) tables: BTreeMap<String, (toml::Table, String)>,
    pub(super) mistakes: Vec<Mistake>,
}

pub(super) fn gather(sources: &Sources) -> Gathered {
    let mut gathered = Gathered::default();
    gathered.take_file(sources);
    gathered.take_environment(&sources.environment);
    gathered.take_flags(&sources.flags);
    gathered
}

impl Gathered {
    fn mistake(&mut self, place: impl Into<String>, problem: impl Into<String>, cure: impl Into<String>) {
        self.mistakes.push(Mistake { place: place.into(), problem: problem.into(), cure: cure.into() });
    }

    fn give(&mut self, key: &Key, text: String, place: String, by_flag: bool) {
        self.given.insert(key.name, Given { text, place, by_flag });
    }

    fn take_file(&mut self, sources: &Sources) {
        let variable = sources.environment.get(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let named = sources.file.clone().or(variable);
        let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let shown = path.display().to_string();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.mistake(shown, format!("cannot be read ({error})"), "name a file that can"),
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.take_table(table, &path),
            // Only the first line: the rest of the message quotes the file, which may hold what it should not.
            Err(error) => self.mistake(shown, format!("is not TOML ({})", error.message()), position(&text, &error)),
        }
    }

    fn take_table(&mut self, table: toml::Table, path: &Path) {
        for (name, value) in table {
            let file = path.display().to_string();
            let place = format!("{name} in {file}");
            if TABLES.contains(&name.as_str()) {
                if let toml::Value::Table(table) = value {
                    self.tables.insert(name, (table, file));
                } else {
                    let cure = "write its keys below [own_login], [providers.NAME] or [rotators.NAME]";
                    self.mistake(place, "it is no table", cure);
                }
                continue;
            }
            let Some(key) = keys::find(&name) else {
                let cure = format!("did you mean {}?", keys::nearest(&name).name);
                self.mistake(place, "there is no such key", cure);
                continue;
            };
            match text_of(value) {
                Some(text) => self.give(key, text, place, false),
                None => self.mistake(place, "its value is neither text nor a number", format!("write {}", shown(key))),
            }
        }
    }

    fn take_environment(&mut self, environment: &Environment) {
        for key in &KEYS {
            let variable = key.variable();
            // An empty variable is how compose files and shells say "not set".
            if let Some(text) = environment.get(&variable).filter(|text| !text.is_empty()) {
                self.give(key, text.clone(), variable, false);
            }
        }
        let referenced = self.referenced();
        for variable in environment.keys() {
            let Some(name) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
            let known = variable == FILE_VARIABLE
                || variable.starts_with(TEST_PREFIX)
                || keys::find(&name.to_lowercase()).is_some_and(|key| key.variable() == *variable)
                || referenced.contains(variable);
            if !known {
                let cure = format!("did you mean {}?", keys::nearest(name).variable());
                self.mistake(variable, "there is no such key", cure);
            }
        }
    }

    /// Variables that hold secrets somebody refers to; they may be called anything.
    fn referenced(&self) -> BTreeSet<String> {
        KEYS.iter()
            .filter(|key| key.is_reference())
            .filter_map(|key| self.given.get(&key.name))
            .flat_map(|given| given.text.split(','))
            .chain(self.tables.values().flat_map(|(table, _)| texts_in(table)))
            .filter_map(|reference| reference.trim().strip_prefix("env:"))
            .map(str::to_owned)
            .collect()
    }

    fn take_flags(&mut self, flags: &[Flag]) {
        for flag in flags {
            match keys::find(&flag.key) {
                // Every user of the machine can read a command line. Only the reference would stand there, but who
                // is used to putting it there will put the secret there one day.
                Some(key) if key.is_reference() => {
                    let cure = format!("write it in {DEFAULT_FILE} or as {}", key.variable());
                    self.mistake(&flag.flag, "secrets are not configured on the command line", cure);
                }
                Some(key) => self.give(key, flag.value.clone(), flag.flag.clone(), true),
                None => {
                    let cure = format!("did you mean {}?", keys::nearest(&flag.key).name);
                    self.mistake(&flag.flag, "there is no such key", cure);
                }
            }
        }
    }
}

/// The texts of a table and of the tables in it.
fn texts_in(table: &toml::Table) -> Vec<&str> {
    let mut texts = Vec::new();
    for value in table.values() {
        match value {
            toml::Value::String(text) => texts.push(text.as_str()),
            toml::Value::Table(table) => texts.extend(texts_in(table)),
            _ => {}
        }
    }
    texts
}

pub(super) fn text_of(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(values) => {
            let texts: Option<Vec<_>> = values.into_iter().map(|value| value.as_str().map(str::to_owned)).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn shown(key: &Key) -> String {
    format!("{} = {}", key.name, key.example)
}

fn position(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    line.map_or_else(|| "correct it".to_owned(), |line| format!("correct line {line}"))
}
