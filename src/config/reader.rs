//! The reader hands the gathered texts to the sections and collects what they find wrong.

use std::{fmt::Display, ops::RangeInclusive};

use super::{
    keys,
    mistake::Mistake,
    sources::{Environment, Gathered, Given},
};

pub(super) struct Reader<'a> {
    gathered: Gathered,
    pub(super) environment: &'a Environment,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(gathered: Gathered, environment: &'a Environment) -> Self {
        Self { gathered, environment, warnings: Vec::new() }
    }

    /// The text somebody gave, or the default.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let given = self.gathered.given.get(key).map(|given| given.text.clone());
        given.or_else(|| keys::find(key)?.default.map(str::to_owned))
    }

    /// Where the key was written, or could have been.
    pub(super) fn place(&self, key: &str) -> String {
        match (self.gathered.given.get(key), keys::find(key)) {
            (Some(Given { place, .. }), _) => place.clone(),
            (None, Some(key)) => key.variable(),
            (None, None) => key.to_owned(),
        }
    }

    pub(super) fn is_given(&self, key: &str) -> bool {
        self.gathered.given.contains_key(key)
    }

    pub(super) fn by_flag(&self, key: &str) -> bool {
        self.gathered.given.get(key).is_some_and(|given| given.by_flag)
    }

    pub(super) fn mistake(&mut self, key: &str, problem: impl Into<String>, cure: impl Into<String>) {
        let mistake = Mistake { place: self.place(key), problem: problem.into(), cure: cure.into() };
        self.gathered.mistakes.push(mistake);
    }

    /// The same in a table, whose keys are not in the table of keys.
    pub(super) fn mistake_at(&mut self, place: &str, problem: impl Into<String>, cure: impl Into<String>) {
        let mistake = Mistake { place: place.to_owned(), problem: problem.into(), cure: cure.into() };
        self.gathered.mistakes.push(mistake);
    }

    /// Takes a table of the file, and where it stands.
    pub(super) fn take_table(&mut self, name: &str) -> Option<(toml::Table, String)> {
        self.gathered.tables.remove(name)
    }

    pub(super) fn warn(&mut self, key: &str, remark: impl Display) {
        self.warnings.push(format!("{}: {remark}", self.place(key)));
    }

    /// A number within bounds.
    pub(super) fn number(&mut self, key: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let text = self.text(key)?;
        let number = text.trim().parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let cure = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
            self.mistake(key, "it is no number within its bounds", cure);
        }
        number
    }

    /// Whether something is on.
    pub(super) fn switch(&mut self, key: &str) -> Option<bool> {
        match self.text(key)?.trim() {
            "on" => Some(true),
            "off" => Some(false),
            _ => {
                self.mistake(key, "it is neither on nor off", "write on or off");
                None
            }
        }
    }

    pub(super) fn into_findings(self) -> (Vec<Mistake>, Vec<String>) {
        (self.gathered.mistakes, self.warnings)
    }
}
