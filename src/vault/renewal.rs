//! Asking again: a secret that was changed where it is kept is another one here, without a restart. Whatever goes wrong
//! leaves the last good one where it is.
//!
//! `config::reader` makes these; `jobs::references` asks, on a schedule.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Keepers, SecretError, SecretRef, SecretValue};
use crate::model::{digest::Digest, live::Live};

/// A value that will not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// What is wrong with it, to be read after the reference: "holds a placeholder".
    pub problem: String,
    /// What to do about it.
    pub cure: String,
}

impl Unfit {
    /// Both in words.
    pub fn new(problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { problem: problem.into(), cure: cure.into() }
    }
}

/// Judges a value and, if it will do, puts it where it is used.
type Take = dyn Fn(&SecretValue) -> Result<(), Unfit> + Send + Sync;

/// A configured secret that is looked up again and again.
pub struct Renewable {
    /// Where it is configured: `mail_password in consentry.toml`.
    pub place: String,
    /// Where it is kept.
    pub reference: SecretRef,
    /// Of the text that was read last, to see whether it is another one.
    read: Mutex<Digest>,
    take: Box<Take>,
}

/// All secrets that a configuration refers to, who keeps them, and how often they are asked.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Who is asked.
    pub keepers: Arc<Keepers>,
    /// What for.
    pub all: Arc<[Renewable]>,
    /// How long after one time the next begins.
    pub every: Duration,
}

impl Default for Secrets {
    /// None.
    fn default() -> Self {
        Self { keepers: Arc::new(Keepers::new(&BTreeMap::new())), all: Arc::default(), every: Duration::MAX }
    }
}

/// What came of asking again.
#[derive(Debug)]
pub enum Renewal {
    /// It is the one it was.
    Same,
    /// It is another one from now on.
    Changed,
    /// It cannot be read; the last good one stays.
    Unread(SecretError),
    /// What is there now will not do; the last good one stays.
    Unfit(Unfit),
}

impl Renewable {
    /// A secret that was read as `text` and is held as what `judge` makes of it.
    pub fn new<T: Send + Sync + 'static>(
        place: String,
        reference: SecretRef,
        text: &SecretValue,
        held: Live<T>,
        judge: impl Fn(&SecretValue) -> Result<T, Unfit> + Send + Sync + 'static,
    ) -> Self {
        let take = move |value: &SecretValue| judge(value).map(|value| held.replace(value));
        Self { place, reference, read: Mutex::new(Digest::of(text.reveal())), take: Box::new(take) }
    }

    /// Asks again.
    pub async fn renew(&self, keepers: &Keepers) -> Renewal {
        let value = match keepers.read(&self.reference).await {
            Ok(value) => value,
            Err(error) => return Renewal::Unread(error),
        };
        let digest = Digest::of(value.reveal());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == digest {
            return Renewal::Same;
        }
        match (self.take)(&value) {
            Ok(()) => {
                *read = digest;
                Renewal::Changed
            }
            Err(unfit) => Renewal::Unfit(unfit),
        }
    }
}

impl fmt::Debug for Renewable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Renewable").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[tokio::test]
    async fn a_changed_secret_is_taken_and_the_last_good_one_outlives_whatever_goes_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let write = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let judge = |value: &SecretValue| match value.reveal() {
            "changeme" => Err(Unfit::new("holds a placeholder", "choose one")),
            good => Ok(good.len()),
        };
        let held = Live::new(3);
        let reference = SecretRef::File(path.clone());
        let secret = Renewable::new("a".into(), reference, &SecretValue::new("one".into()), held.clone(), judge);
        let keepers = Keepers::new(&BTreeMap::new());
        assert!(matches!(secret.renew(&keepers).await, Renewal::Unread(SecretError::Unreadable { .. })));
        write("one\n", 0o600);
        assert!(matches!(secret.renew(&keepers).await, Renewal::Same));
        write("three\n", 0o600);
        assert!(matches!(secret.renew(&keepers).await, Renewal::Changed));
        assert_eq!(*held.get(), 5);
        write("changeme", 0o600);
        assert!(matches!(secret.renew(&keepers).await, Renewal::Unfit(unfit) if unfit.cure == "choose one"));
        write("another", 0o644);
        assert!(matches!(secret.renew(&keepers).await, Renewal::Unread(SecretError::Exposed { .. })));
        assert_eq!(*held.get(), 5);
        write("another", 0o600);
        assert!(matches!(secret.renew(&keepers).await, Renewal::Changed));
        assert_eq!(*held.get(), 7);
    }
}
