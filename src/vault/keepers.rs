//! Who keeps the secrets: follows a reference to its secret, wherever that is.
//!
//! OWASP ranks the environment last among the places for a secret, because other processes and crash reports see it; so
//! `env:` is accepted with a warning (`config::reader`), and `file:` only when nobody but its owner can read the file.

use std::{
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

#[cfg(feature = "aws-sm")]
use super::aws_sm;
#[cfg(feature = "azure-kv")]
use super::azure_kv;
#[cfg(feature = "gcp-sm")]
use super::gcp_sm;
#[cfg(feature = "vault")]
use super::kv::Kv;
use super::{error::SecretError, file, reference::SecretRef, value::SecretValue};

/// How long a start asks a vault that does not answer, in all: both may be starting together.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long after one time it asks again.
const PAUSE: Duration = Duration::from_secs(2);

/// What secrets are read from; it does not print.
pub struct Keepers {
    environment: BTreeMap<String, String>,
    /// Whether a start has waited as long as it would.
    has_waited: AtomicBool,
    #[cfg(feature = "vault")]
    kv: Kv,
}

impl Keepers {
    /// Takes the environment: it holds secrets, and says how a vault is reached.
    pub fn new(environment: &BTreeMap<String, String>) -> Self {
        Self {
            environment: environment.clone(),
            has_waited: AtomicBool::new(false),
            #[cfg(feature = "vault")]
            kv: Kv::default(),
        }
    }

    /// Follows a reference, without the line break that editors and `echo` leave behind a secret.
    #[cfg_attr(
        not(any(feature = "vault", feature = "aws-sm", feature = "azure-kv", feature = "gcp-sm")),
        expect(clippy::unused_async, reason = "only vaults are waited for")
    )]
    pub async fn read(&self, reference: &SecretRef) -> Result<SecretValue, SecretError> {
        let text = match reference {
            SecretRef::Environment(name) => {
                let text = self.environment.get(name).filter(|text| !text.is_empty());
                return text.and_then(|text| SecretValue::bare(text)).ok_or_else(|| SecretError::NotSet(name.clone()));
            }
            SecretRef::File(path) => file::read(path)?,
            #[cfg(feature = "vault")]
            SecretRef::Vault(place) => self.kv.read(&self.environment, place, reference).await?,
            #[cfg(feature = "aws-sm")]
            SecretRef::AwsSm(secret) => aws_sm::read(secret, reference).await?,
            #[cfg(feature = "azure-kv")]
            SecretRef::AzureKv(secret) => azure_kv::read(&self.environment, secret, reference).await?,
            #[cfg(feature = "gcp-sm")]
            SecretRef::GcpSm(secret) => gcp_sm::read(&self.environment, secret, reference).await?,
            #[cfg(not(feature = "vault"))]
            SecretRef::Vault(_) => return Err(SecretError::NotBuilt("vault")),
            #[cfg(not(feature = "aws-sm"))]
            SecretRef::AwsSm(_) => return Err(SecretError::NotBuilt("aws-sm")),
            #[cfg(not(feature = "azure-kv"))]
            SecretRef::AzureKv(_) => return Err(SecretError::NotBuilt("azure-kv")),
            #[cfg(not(feature = "gcp-sm"))]
            SecretRef::GcpSm(_) => return Err(SecretError::NotBuilt("gcp-sm")),
        };
        SecretValue::bare(&text).ok_or_else(|| SecretError::Empty(reference.clone()))
    }

    /// The same before anything runs that could wait for it, with patience for a vault that is only just starting.
    pub fn read_now(&self, reference: &SecretRef) -> Result<SecretValue, SecretError> {
        let waiting = async {
            let answered = async {
                loop {
                    match self.read(reference).await {
                        Err(error) if error.may_pass() => tokio::time::sleep(PAUSE).await,
                        told => return told,
                    }
                }
            };
            // Once for all: five secrets of a vault that is down are not waited for five times.
            if !self.has_waited.load(Ordering::Relaxed)
                && let Ok(told) = tokio::time::timeout(PATIENCE, answered).await
            {
                return told;
            }
            self.has_waited.store(true, Ordering::Relaxed);
            self.read(reference).await
        };
        // On a thread of its own: whoever calls this may be on one that must not wait.
        let unavailable = |error: &dyn std::fmt::Display| SecretError::Unavailable(error.to_string());
        thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(|error| unavailable(&error))?.block_on(waiting)
            });
            reading.join().unwrap_or_else(|_| Err(unavailable(&"reading it broke off")))
        })
    }
}

impl fmt::Debug for Keepers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Keepers(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn file(text: &str, mode: u32) -> tempfile::TempPath {
        use std::os::unix::fs::PermissionsExt;
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn read(path: &Path) -> Result<SecretValue, SecretError> {
        Keepers::new(&BTreeMap::new()).read_now(&SecretRef::File(path.to_owned()))
    }

    #[test]
    fn a_private_file_is_read_without_its_line_break() {
        for (text, secret) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" s3 cret", " s3 cret")] {
            assert_eq!(read(&file(text, 0o600)).unwrap().reveal(), secret);
        }
        assert_eq!(read(&file("x", 0o400)).unwrap().reveal(), "x");
        assert!(matches!(read(&file("\n", 0o600)), Err(SecretError::Empty(_))));
        assert!(matches!(read(&file(&"x".repeat(70_000), 0o600)), Err(SecretError::TooLarge(_))));
    }

    #[test]
    fn a_file_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o666, 0o601] {
            let path = file("x", mode);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, SecretError::Exposed { mode: told, .. } if told == mode), "{error}");
            assert!(error.cure().contains("chmod 600"));
        }
    }

    #[test]
    fn what_is_not_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(SecretError::NotAFile(_))));
        assert!(matches!(read(&folder.path().join("none")), Err(SecretError::Unreadable { .. })));
        assert!(matches!(read(Path::new("/dev/zero")), Err(SecretError::NotAFile(_))));
    }

    #[test]
    fn the_environment_is_asked_by_name() {
        let keepers = Keepers::new(&BTreeMap::from([("A".into(), "x\n".into()), ("B".into(), String::new())]));
        let read = |name: &str| keepers.read_now(&SecretRef::Environment(name.to_owned()));
        assert_eq!(read("A").unwrap().reveal(), "x");
        assert!(matches!(read("B"), Err(SecretError::NotSet(_))));
        assert!(matches!(read("C"), Err(SecretError::NotSet(_))));
    }
}
