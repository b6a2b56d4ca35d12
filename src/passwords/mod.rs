//! Passwords: Argon2id (RFC 9106) on bounded workers, for what people choose themselves.
//!
//! A storm of sign-ins fills this room's short queue and is turned away there; the token endpoint never waits for
//! it. Neighbours: `http::account` verifies, `cli::account` hashes, the store keeps the PHC string.

use std::{fmt, sync::Arc, thread};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use zeroize::Zeroizing;

use crate::random;

/// The fewest characters of a new password that stands alone (NIST SP 800-63B-4 §3.1.1.2).
pub const LENGTH_MIN: usize = 15;

/// The most bytes of any password; more would only be work for us.
pub const BYTES_MAX: usize = 1024;

// OWASP's first choice that fits a server with little memory: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_LENGTH: usize = 32;

/// How many requests may wait for a worker; at some 20 ms each, the last of them waits about a second.
const WAITING_MAX: usize = 64;

/// A password somebody has just chosen: long enough to be kept.
pub struct NewPassword(Zeroizing<String>);

/// Why a password may not be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitPassword {
    /// Fewer than [`LENGTH_MIN`] characters.
    #[error("a password needs at least {LENGTH_MIN} characters; a few words in a row do well")]
    TooShort,
    /// More than [`BYTES_MAX`] bytes.
    #[error("a password may have at most {BYTES_MAX} bytes")]
    TooLong,
    /// The same character over and over.
    #[error("a password needs more than one character repeated")]
    Repeated,
}

impl NewPassword {
    /// Takes a password if it is fit to be kept. No rules about its composition: they make passwords worse.
    pub fn new(password: String) -> Result<Self, UnfitPassword> {
        let password = Zeroizing::new(password);
        if password.len() > BYTES_MAX {
            return Err(UnfitPassword::TooLong);
        }
        if password.chars().count() < LENGTH_MIN {
            return Err(UnfitPassword::TooShort);
        }
        let mut characters = password.chars();
        let first = characters.next();
        if characters.all(|c| Some(c) == first) {
            return Err(UnfitPassword::Repeated);
        }
        Ok(Self(password))
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("NewPassword(…)")
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting already; trying again in a moment helps.
    #[error("all password workers are busy")]
    Busy,
    /// What is kept is no PHC string, or there was no memory to hash with.
    #[error("a password could not be hashed, or the kept hash cannot be read")]
    Failed,
}

/// The workers. Clones share them.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Verified against when there is no account; nobody's password matches it.
    nobodys: Arc<str>,
    /// One permit per request under way, waiting or working.
    places: Arc<Semaphore>,
    /// One permit per thread that may hash.
    workers: Arc<Semaphore>,
}

impl Passwords {
    /// Half of the machine's processors, so that hashing never takes all of them.
    pub fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self::with_bounds((processors / 2).max(1), WAITING_MAX)
    }

    fn with_bounds(workers: usize, waiting: usize) -> Self {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_LENGTH)).unwrap_or_default();
        let (salt, output) = (random::bytes::<16>(), random::bytes::<OUTPUT_LENGTH>());
        let nobodys = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(output)
        );
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobodys: nobodys.into(),
            places: Arc::new(Semaphore::new(workers + waiting)),
            workers: Arc::new(Semaphore::new(workers)),
        }
    }

    /// Hashes a new password under a fresh salt; the answer is the PHC string to keep.
    pub async fn hash(&self, password: NewPassword) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        let salt = random::bytes::<16>();
        self.work(move || {
            let hash: PasswordHash =
                argon2.hash_password_with_salt(password.0.as_bytes(), &salt).map_err(|_| PasswordError::Failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one of the kept PHC string. Without one, because nobody has that address, it
    /// takes just as long and is never right: the time tells nobody who has an account.
    pub async fn verify(&self, kept: Option<&str>, password: &str) -> Result<bool, PasswordError> {
        if password.len() > BYTES_MAX {
            return Ok(false);
        }
        let argon2 = self.argon2.clone();
        let is_known = kept.is_some();
        let kept = kept.unwrap_or(&self.nobodys).to_owned();
        let password = Zeroizing::new(password.to_owned());
        let matches = self
            .work(move || {
                let hash = PasswordHash::new(&kept).map_err(|_| PasswordError::Failed)?;
                match argon2.verify_password(password.as_bytes(), &hash) {
                    Ok(()) => Ok(true),
                    Err(password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(_) => Err(PasswordError::Failed),
                }
            })
            .await?;
        Ok(matches && is_known)
    }

    /// Runs one hashing on a worker. A caller that goes away while it waits gives up its place; one that goes away
    /// while it works keeps its worker until the work is done, so that the bound holds.
    async fn work<T: Send + 'static>(
        &self,
        hashing: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let held: [OwnedSemaphorePermit; 2] = [place, worker];
        spawn_blocking(move || {
            let outcome = hashing();
            drop(held);
            outcome
        })
        .await
        .map_err(|_| PasswordError::Failed)?
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Passwords(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    fn new(password: &str) -> Result<NewPassword, UnfitPassword> {
        NewPassword::new(password.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_its_own_and_no_other_is() {
        let passwords = Passwords::new();
        let kept = passwords.hash(new(PASSWORD).unwrap()).await.unwrap();
        assert_eq!(passwords.verify(Some(&kept), PASSWORD).await, Ok(true));
        for other in ["", "correct horse battery staplf", "correct horse battery staple "] {
            assert_eq!(passwords.verify(Some(&kept), other).await, Ok(false), "{other:?}");
        }
        let again = passwords.hash(new(PASSWORD).unwrap()).await.unwrap();
        assert_ne!(kept, again, "each has a salt of its own");
    }

    #[tokio::test]
    async fn nobody_costs_what_somebody_costs_and_is_never_right() {
        let passwords = Passwords::new();
        let kept = passwords.hash(new(PASSWORD).unwrap()).await.unwrap();
        assert_eq!(passwords.verify(None, PASSWORD).await, Ok(false));
        let (kept, nobodys) = (PasswordHash::new(&kept).unwrap(), PasswordHash::new(&passwords.nobodys).unwrap());
        assert_eq!(kept.params, nobodys.params);
        assert_eq!((kept.algorithm, kept.version), (nobodys.algorithm, nobodys.version));
        assert_eq!(kept.hash.map(|hash| hash.len()), nobodys.hash.map(|hash| hash.len()));
        assert_eq!(kept.params.to_string(), "m=19456,t=2,p=1");
    }

    #[tokio::test]
    async fn what_is_no_hash_is_a_fault_and_not_a_wrong_password() {
        let passwords = Passwords::new();
        assert_eq!(passwords.verify(Some("plain text"), PASSWORD).await, Err(PasswordError::Failed));
    }

    #[test]
    fn only_length_counts() {
        assert_eq!(new("fourteen chars").unwrap_err(), UnfitPassword::TooShort);
        assert!(new("fifteen chars !").is_ok());
        assert!(new("ääääääääääääääö").is_ok(), "characters are counted, not bytes");
        assert_eq!(new(&"x".repeat(20)).unwrap_err(), UnfitPassword::Repeated);
        assert!(new(&"xy".repeat(BYTES_MAX / 2)).is_ok());
        assert_eq!(new(&"xy".repeat(BYTES_MAX)).unwrap_err(), UnfitPassword::TooLong);
    }

    #[tokio::test]
    async fn an_overlong_password_is_wrong_without_any_work() {
        let passwords = Passwords::with_bounds(0, 0);
        assert_eq!(passwords.verify(None, &"x".repeat(BYTES_MAX + 1)).await, Ok(false));
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_at_once() {
        let passwords = Passwords::with_bounds(1, 1);
        let working = Arc::clone(&passwords.workers).acquire_owned().await.unwrap();
        let first = Arc::clone(&passwords.places).acquire_owned().await.unwrap();
        let waiting = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.verify(None, PASSWORD).await }
        });
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.verify(None, PASSWORD).await, Err(PasswordError::Busy));
        drop((working, first));
        assert_eq!(waiting.await.unwrap(), Ok(false), "who waited is served");
        assert_eq!(passwords.verify(None, PASSWORD).await, Ok(false), "and the places are free again");
    }
}
