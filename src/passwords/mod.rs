//! Passwords: Argon2id (RFC 9106), for what people choose. It is slow on purpose, so it runs on bounded workers: a
//! storm of sign-ins must not starve the token endpoint.
//!
//! Rules follow NIST SP 800-63B-4: a length, no composition rules, nothing cut off.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use tokio::sync::Semaphore;

use crate::random;

/// Longest password read, in bytes. Argon2 takes any length; this bounds a request.
pub const LENGTH_MAX: usize = 1024;

/// Shortest password accepted where it is the only factor, in characters (NIST SP 800-63B-4 §3.1.1.2).
pub const LENGTH_MIN: usize = 15;

/// OWASP's parameters: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many may wait for a worker before newcomers are told to come back.
const QUEUE_MAX: usize = 256;

/// Why there is no hash or verdict.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// Shorter than [`LENGTH_MIN`] characters.
    #[error("a password must have at least {LENGTH_MIN} characters")]
    TooShort,
    /// Longer than [`LENGTH_MAX`] bytes.
    #[error("a password may have at most {LENGTH_MAX} bytes")]
    TooLong,
    /// The library refused, or a stored hash is not one.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// The workers: as many at a time as there are cores.
#[derive(Clone, Debug)]
pub struct Passwords {
    workers: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// Workers for this machine.
    pub fn new() -> Self {
        // Made now, so that the first unknown address costs no more than any other; a failure shows at the first use.
        let _ = nobodys_hash();
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { workers: Arc::new(Semaphore::new(cores)), waiting: Arc::default() }
    }

    /// Hashes a new password into a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        if password.chars().count() < LENGTH_MIN {
            return Err(PasswordError::TooShort);
        }
        let password = bounded(password)?;
        let salt = random::bytes::<16>();
        self.work(move || hash(&password, salt)).await
    }

    /// Whether the password is the one behind the PHC string. Without one, because the account is unknown, the same
    /// work is done for nothing, so that both cost the same.
    pub async fn verify(&self, hash: Option<&str>, password: &str) -> Result<bool, PasswordError> {
        let Ok(password) = bounded(password) else { return Ok(false) };
        let hash = hash.map(str::to_owned);
        self.work(move || {
            let known = hash.is_some();
            let text = match &hash {
                Some(text) => text,
                None => nobodys_hash()?,
            };
            let stored = PasswordHash::new(text).map_err(|error| PasswordError::Failed(error.to_string()))?;
            Ok(argon2()?.verify_password(&password, &stored).is_ok() && known)
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

fn bounded(password: &str) -> Result<Vec<u8>, PasswordError> {
    if password.len() > LENGTH_MAX { Err(PasswordError::TooLong) } else { Ok(password.as_bytes().to_vec()) }
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError> {
    let failed = |error: argon2::password_hash::Error| PasswordError::Failed(error.to_string());
    let hash = argon2()?.hash_password_with_salt(password, &salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// A hash that belongs to nobody, made once.
fn nobodys_hash() -> Result<&'static str, PasswordError> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash);
    }
    let made = hash(&random::bytes::<32>(), random::bytes())?;
    Ok(HASH.get_or_init(|| made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_verifies_and_no_other() {
        let passwords = Passwords::new();
        let password = "correct horse battery staple";
        let hash = passwords.hash(password).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(Some(&hash), password).await.unwrap());
        assert!(!passwords.verify(Some(&hash), "correct horse battery stapl").await.unwrap());
        assert!(!passwords.verify(None, password).await.unwrap());
    }

    #[tokio::test]
    async fn nothing_is_cut_off() {
        let passwords = Passwords::new();
        let long = "x".repeat(100);
        let hash = passwords.hash(&format!("{long}a")).await.unwrap();
        assert!(!passwords.verify(Some(&hash), &format!("{long}b")).await.unwrap());
        assert!(!passwords.verify(Some(&hash), &"x".repeat(LENGTH_MAX + 1)).await.unwrap());
    }

    #[tokio::test]
    async fn lengths_are_held() {
        let passwords = Passwords::new();
        assert!(matches!(passwords.hash("fourteen chars").await, Err(PasswordError::TooShort)));
        assert!(matches!(passwords.hash(&"x".repeat(LENGTH_MAX + 1)).await, Err(PasswordError::TooLong)));
    }
}
