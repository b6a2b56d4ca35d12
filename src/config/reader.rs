//! The reader hands the gathered texts to the sections and collects what they find wrong.

use std::{fmt::Display, ops::RangeInclusive, sync::Arc, time::Duration};

use zeroize::Zeroizing;

use super::{
    keys,
    mistake::Mistake,
    sources::{Environment, Gathered, Given},
};
use crate::{
    model::{live::Live, placeholder},
    vault::{Keepers, Renewable, SecretRef, SecretValue, Secrets, Unfit, reference},
};

/// What is said of a text that refers to nothing. It is not repeated: it may be the secret.
pub(super) const NO_REFERENCE: &str = "it is no reference to a secret";

pub(super) struct Reader<'a> {
    gathered: Gathered,
    environment: &'a Environment,
    keepers: Arc<Keepers>,
    /// The secrets that were read, to be read again.
    secrets: Vec<Renewable>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(gathered: Gathered, environment: &'a Environment) -> Self {
        let keepers = Arc::new(Keepers::new(environment));
        Self { gathered, environment, keepers, secrets: Vec::new(), warnings: Vec::new() }
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
        self.mistake_at(&self.place(key), problem, cure);
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

    /// The secret that a key refers to, if it refers to one.
    pub(super) fn secret<T: Send + Sync + 'static>(
        &mut self,
        key: &str,
        text: &str,
        judge: fn(&SecretValue) -> Result<T, Unfit>,
    ) -> Option<Live<T>> {
        self.secret_at(&self.place(key), text, judge)
    }

    /// Follows the reference that stands at a place, has what is there judged, and remembers to follow it again.
    pub(super) fn secret_at<T: Send + Sync + 'static>(
        &mut self,
        place: &str,
        text: &str,
        judge: fn(&SecretValue) -> Result<T, Unfit>,
    ) -> Option<Live<T>> {
        let (reference, value) = self.follow(place, text)?;
        match judge(&value) {
            Ok(judged) => {
                let held = Live::new(judged);
                self.secrets.push(Renewable::new(place.to_owned(), reference, &value, held.clone(), judge));
                Some(held)
            }
            Err(unfit) => {
                self.mistake_at(place, format!("{reference} {}", unfit.problem), unfit.cure);
                None
            }
        }
    }

    /// Follows a reference once.
    pub(super) fn follow(&mut self, place: &str, text: &str) -> Option<(SecretRef, SecretValue)> {
        let Ok(reference) = text.parse::<SecretRef>() else {
            self.mistake_at(place, NO_REFERENCE, reference::HOW_TO_WRITE);
            return None;
        };
        self.warn_of_environment(place, &reference);
        match self.keepers.read_now(&reference) {
            Ok(value) => Some((reference, value)),
            Err(error) => {
                self.mistake_at(place, error.to_string(), error.cure());
                None
            }
        }
    }

    /// Says what speaks against the environment, wherever a secret comes from there.
    fn warn_of_environment(&mut self, place: &str, reference: &SecretRef) {
        let found = match reference {
            SecretRef::Environment(_) => format!("{reference} works"),
            SecretRef::Vault(_) if self.environment.contains_key("VAULT_TOKEN") => {
                format!("{reference} is read by the token in VAULT_TOKEN. That works")
            }
            SecretRef::AwsSm(_) if self.environment.contains_key("AWS_SECRET_ACCESS_KEY") => {
                format!("{reference} is read by the key in AWS_SECRET_ACCESS_KEY. That works")
            }
            SecretRef::AzureKv(_) if self.environment.contains_key("AZURE_CLIENT_SECRET") => {
                format!("{reference} is read by the secret in AZURE_CLIENT_SECRET. That works")
            }
            _ => return,
        };
        self.warnings.push(format!(
            "{place}: {found}, but other processes of this user can read the environment, and crash reports copy it; \
             a file, or a role of the machine's own, is safer"
        ));
    }

    /// The secrets that were read so far, to be read again every so often.
    pub(super) fn take_secrets(&mut self, every: Duration) -> Secrets {
        Secrets { keepers: Arc::clone(&self.keepers), all: std::mem::take(&mut self.secrets).into(), every }
    }

    pub(super) fn into_findings(self) -> (Vec<Mistake>, Vec<String>) {
        (self.gathered.mistakes, self.warnings)
    }
}

/// The judgement of a secret that others made: anything but a placeholder.
pub(super) fn own(value: &SecretValue) -> Result<Zeroizing<String>, Unfit> {
    if placeholder::looks_like_one(value.reveal()) {
        return Err(Unfit::new("holds a placeholder", "put the real secret into it"));
    }
    Ok(Zeroizing::new(value.reveal().to_owned()))
}
