//! Passwords: Argon2id (RFC 9106), for what people choose. It is slow on purpose, so it runs on bounded workers: a
//! storm of sign-ins must not starve the token endpoint.
//!
//! `rules` says which new ones will do; `stored` reads and checks what is kept, with `foreign` for the hashes that
//! accounts were imported with.

mod foreign;
pub mod rules;
pub mod stored;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::random;
pub use rules::LENGTH_MAX;
use rules::Unfit;
use stored::{Fit, Stored};

/// OWASP's parameters: 19 MiB, two passes, one lane. They can be raised and not lowered.
pub const MEMORY_KIB_MIN: u32 = 19 * 1024;
/// The passes that go with it.
pub const PASSES_MIN: u32 = 2;
const LANES: u32 = 1;

/// How many may wait for a worker before newcomers are told to come back.
const QUEUE_MAX: usize = 256;

/// What the operator chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Memory of one hash.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// The shortest new password, in characters.
    pub length_min: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { memory_kib: MEMORY_KIB_MIN, passes: PASSES_MIN, length_min: rules::LENGTH_MIN }
    }
}

/// Why there is no hash or verdict.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// A new password will not do.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The library refused, or a stored hash is not one.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// What a password turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not the one.
    Wrong,
    /// The one.
    Right,
    /// The one, and its hash is weaker than today's, or another program's: time for a new one.
    RightButOld,
}

/// The workers. One core is left to everybody else where there is more than one.
#[derive(Clone, Debug)]
pub struct Passwords {
    workers: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    settings: Settings,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// Workers for this machine, with the settings that hold when nobody says otherwise.
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    /// Workers for this machine.
    pub fn with(settings: Settings) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = cores.saturating_sub(1).max(1);
        Self { workers: Arc::new(Semaphore::new(workers)), waiting: Arc::default(), settings }
    }

    /// How many wait for a worker.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Hashes a new password into a PHC string, if it will do.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        self.hash_for(password, &[]).await
    }

    /// The same, with what is known of whose it is to be: name, address, and what the server is called.
    pub async fn hash_for(&self, password: &str, about: &[&str]) -> Result<String, PasswordError> {
        let password = bounded(password)?;
        let about: Vec<String> = about.iter().map(|&text| text.to_owned()).collect();
        let (salt, settings) = (random::bytes::<16>(), self.settings);
        self.work(move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            rules::judge(&password, settings.length_min, &about)?;
            hash(&password, salt, settings)
        })
        .await
    }

    /// Hashes the password somebody has just signed in with anew, whatever the rules are today: nobody is made to
    /// change it.
    pub async fn hash_anew(&self, password: &str) -> Result<String, PasswordError> {
        let (password, salt, settings) = (bounded(password)?, random::bytes::<16>(), self.settings);
        self.work(move || hash(&password, salt, settings)).await
    }

    /// Whether the password is the one behind the PHC string.
    pub async fn verify(&self, hash: Option<&str>, password: &str) -> Result<bool, PasswordError> {
        Ok(self.check(hash, password).await? != Verdict::Wrong)
    }

    /// What the password is to the hash. Without one, because the account is unknown or has none, the same work is done
    /// for nothing, so that both cost the same.
    pub async fn check(&self, hash: Option<&str>, password: &str) -> Result<Verdict, PasswordError> {
        let Ok(password) = bounded(password) else { return Ok(Verdict::Wrong) };
        let settings = self.settings;
        let text = hash.map_or_else(|| nobodys(settings), str::to_owned);
        let is_known = hash.is_some();
        self.work(move || {
            let stored = Stored::read(&text).map_err(|error| PasswordError::Failed(error.to_string()))?;
            let is_todays = stored.is_at_least(settings.memory_kib, settings.passes);
            Ok(match stored.fits(&password) {
                Fit::No => Verdict::Wrong,
                _ if !is_known => Verdict::Wrong,
                Fit::Normalised if is_todays => Verdict::Right,
                Fit::Normalised | Fit::AsTyped => Verdict::RightButOld,
            })
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Place::take(&self.waiting)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        drop(place);
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when the caller has gone away meanwhile.
            let _worker = worker;
            task()
        });
        done.await.map_err(|error| PasswordError::Failed(error.to_string()))?
    }
}

/// A place in the queue, given back when the waiting ends, however it ends.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Result<Self, PasswordError> {
        let place = Self(Arc::clone(waiting));
        if waiting.fetch_add(1, Ordering::SeqCst) < QUEUE_MAX { Ok(place) } else { Err(PasswordError::Busy) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn bounded(password: &str) -> Result<Zeroizing<String>, Unfit> {
    if password.len() > LENGTH_MAX { Err(Unfit::TooLong) } else { Ok(Zeroizing::new(password.to_owned())) }
}

fn hash(password: &str, salt: [u8; 16], settings: Settings) -> Result<String, PasswordError> {
    let failed = |error: &dyn std::fmt::Display| PasswordError::Failed(error.to_string());
    let params = Params::new(settings.memory_kib, settings.passes, LANES, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let password = rules::normalised(password);
    let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

/// A hash that belongs to nobody: its output is made up, and checking a password against it is work like any other.
fn nobodys(settings: Settings) -> String {
    let Settings { memory_kib, passes, .. } = settings;
    let (salt, output) = (STANDARD_NO_PAD.encode([0; 16]), STANDARD_NO_PAD.encode(random::bytes::<32>()));
    format!("$argon2id$v=19$m={memory_kib},t={passes},p={LANES}${salt}${output}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    #[tokio::test]
    async fn the_right_password_verifies_and_no_other() {
        let passwords = Passwords::new();
        let hash = passwords.hash(PASSWORD).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(Some(&hash), PASSWORD).await.unwrap());
        assert!(!passwords.verify(Some(&hash), "correct horse battery stapl").await.unwrap());
        assert!(!passwords.verify(None, PASSWORD).await.unwrap());
    }

    #[tokio::test]
    async fn nothing_is_cut_off() {
        let passwords = Passwords::new();
        let long: String = (0_u32..30).map(|number| (number * number * 7919 % 1000).to_string() + " ").collect();
        assert!(long.len() > 72);
        let hash = passwords.hash(&format!("{long}a")).await.unwrap();
        assert!(passwords.verify(Some(&hash), &format!("{long}a")).await.unwrap());
        assert!(!passwords.verify(Some(&hash), &format!("{long}b")).await.unwrap());
        assert!(!passwords.verify(Some(&hash), &"x".repeat(LENGTH_MAX + 1)).await.unwrap());
    }

    /// Each counts with the quickest of its turns, since whatever else the machine is busy with only makes one slower.
    #[tokio::test]
    async fn nobodys_password_is_as_much_work_as_anybodys() {
        let passwords = Passwords::new();
        let hash = passwords.hash(PASSWORD).await.unwrap();
        let mut quickest = [std::time::Duration::MAX; 2];
        for _ in 0..8 {
            for (hash, quickest) in [Some(hash.as_str()), None].into_iter().zip(&mut quickest) {
                let began = tokio::time::Instant::now();
                assert!(!passwords.verify(hash, "a wrong password").await.unwrap());
                *quickest = began.elapsed().min(*quickest);
            }
        }
        let [known, unknown] = quickest;
        assert!(unknown > known / 3, "known {known:?}, unknown {unknown:?}");
    }

    #[tokio::test]
    async fn the_rules_are_held() {
        let passwords = Passwords::with(Settings { length_min: 16, ..Settings::default() });
        let refused = passwords.hash("fifteen letters").await;
        assert!(matches!(refused, Err(PasswordError::Unfit(Unfit::TooShort { length_min: 16 }))), "{refused:?}");
        let refused = passwords.hash(&"x".repeat(LENGTH_MAX + 1)).await;
        assert!(matches!(refused, Err(PasswordError::Unfit(Unfit::TooLong))), "{refused:?}");
        let refused = passwords.hash_for("Ada Lovelace Ada", &["Ada Lovelace"]).await;
        assert!(matches!(refused, Err(PasswordError::Unfit(Unfit::Personal))), "{refused:?}");
        passwords.hash_anew("short").await.unwrap();
    }

    #[tokio::test]
    async fn a_password_is_the_same_on_every_keyboard() {
        let passwords = Passwords::new();
        let hash = passwords.hash("drei Ka\u{308}uzchen im Efeu").await.unwrap();
        assert_eq!(passwords.check(Some(&hash), "drei Käuzchen im Efeu").await.unwrap(), Verdict::Right);
        // What another program hashed as it came is made anew in our way.
        let raw =
            Argon2::default().hash_password_with_salt("Ka\u{308}uzchen".as_bytes(), &[7; 16]).unwrap().to_string();
        assert_eq!(passwords.check(Some(&raw), "Ka\u{308}uzchen").await.unwrap(), Verdict::RightButOld);
        assert_eq!(passwords.check(Some(&raw), "Käuzchen").await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_is_old_when_the_parameters_have_risen() {
        let todays = Passwords::new();
        let hash = todays.hash(PASSWORD).await.unwrap();
        assert_eq!(todays.check(Some(&hash), PASSWORD).await.unwrap(), Verdict::Right);
        for settings in [
            Settings { passes: 3, ..Settings::default() },
            Settings { memory_kib: MEMORY_KIB_MIN + 1, ..Settings::default() },
        ] {
            let raised = Passwords::with(settings);
            assert_eq!(raised.check(Some(&hash), PASSWORD).await.unwrap(), Verdict::RightButOld);
            assert_eq!(raised.check(Some(&hash), "another").await.unwrap(), Verdict::Wrong);
            let anew = raised.hash_anew(PASSWORD).await.unwrap();
            assert_eq!(raised.check(Some(&anew), PASSWORD).await.unwrap(), Verdict::Right);
            assert_eq!(todays.check(Some(&anew), PASSWORD).await.unwrap(), Verdict::Right, "and is not made weaker");
        }
        for kind in [Algorithm::Argon2i, Algorithm::Argon2d] {
            let argon2 = Argon2::new(kind, Version::V0x10, Params::new(MEMORY_KIB_MIN, 4, 1, None).unwrap());
            let other = argon2.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).unwrap().to_string();
            assert_eq!(todays.check(Some(&other), PASSWORD).await.unwrap(), Verdict::RightButOld, "{other}");
        }
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_told_at_once() {
        let passwords = Passwords::new();
        let free = u32::try_from(passwords.workers.available_permits()).unwrap();
        let held = Arc::clone(&passwords.workers).acquire_many_owned(free).await.unwrap();
        let waiting: Vec<_> = (0..QUEUE_MAX)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify(None, "x").await })
            })
            .collect();
        while passwords.waiting.load(Ordering::SeqCst) < QUEUE_MAX {
            tokio::task::yield_now().await;
        }
        assert!(matches!(passwords.verify(None, "x").await, Err(PasswordError::Busy)));
        for one in waiting.iter().skip(1) {
            one.abort();
        }
        drop(held);
        assert!(!waiting.into_iter().next().unwrap().await.unwrap().unwrap(), "those who waited are answered");
    }
}
