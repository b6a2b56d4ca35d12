//! Secrets and the references to them: `file:PATH` and `env:NAME`. A secret itself never stands in a configuration.
//!
//! OWASP ranks the environment last among the places for a secret, because other processes and crash reports see
//! it; so `env:` is accepted with a warning, and `file:` only when nobody but its owner can read the file.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
};

use zeroize::Zeroizing;

use super::sources::Environment;

/// The largest file that is taken for a secret.
const BYTES_MAX: u64 = 64 * 1024;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// A file that only its owner can read.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

/// A text that refers to nothing. It is not repeated: it may be the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no reference to a secret")]
pub struct NotASecretRef;

impl FromStr for SecretRef {
    type Err = NotASecretRef;

    fn from_str(text: &str) -> Result<Self, NotASecretRef> {
        match text.trim().split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            _ => Err(NotASecretRef),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "file:{}", path.display()),
            Self::Environment(name) => write!(out, "env:{name}"),
        }
    }
}

/// A secret: it does not print, and leaves memory when it is dropped.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<String>);

impl SecretValue {
    /// Takes a secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretValue(…)")
    }
}

/// Why a reference leads to no secret: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("the variable {0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("{path} cannot be read ({error})")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{0} is not a plain file")]
    NotAFile(PathBuf),
    /// Somebody else could read it.
    #[error("{path} can be read by others than its owner (mode {mode:04o})")]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too long to be one.
    #[error("{0} is too large to be a secret")]
    TooLarge(PathBuf),
    /// Nothing in it.
    #[error("{0} is empty")]
    Empty(SecretRef),
}

impl SecretError {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::NotSet(name) => format!("set {name}, or refer to a file: file:PATH"),
            Self::Unreadable { .. } => "name a file that this program may read".to_owned(),
            Self::NotAFile(_) => "name a file".to_owned(),
            Self::Exposed { path, .. } => {
                format!("run chmod 600 {}, or have the container platform mount it with mode 0400", path.display())
            }
            Self::TooLarge(_) | Self::Empty(_) => "put the secret into it, and nothing else".to_owned(),
        }
    }
}

impl SecretRef {
    /// Reads the secret, without the line break that editors and `echo` leave behind it.
    pub fn read(&self, environment: &Environment) -> Result<SecretValue, SecretError> {
        let text = match self {
            Self::Environment(name) => {
                let text = environment.get(name).filter(|text| !text.is_empty());
                Zeroizing::new(text.ok_or_else(|| SecretError::NotSet(name.clone()))?.clone())
            }
            Self::File(path) => read_file(path)?,
        };
        let bare = text.strip_suffix('\n').unwrap_or(&text);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        if bare.is_empty() { Err(SecretError::Empty(self.clone())) } else { Ok(SecretValue::new(bare.to_owned())) }
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let unreadable = |error| SecretError::Unreadable { path: path.to_owned(), error };
    // Looked at before it is opened too: opening a pipe would wait for a writer.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(SecretError::NotAFile(path.to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    // The opened file is asked, not the path: the path may lead elsewhere by now.
    let facts = file.metadata().map_err(unreadable)?;
    if let Some(mode) = exposing_mode(&facts) {
        return Err(SecretError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(SecretError::TooLarge(path.to_owned()));
    }
    Ok(text)
}

/// The permission bits, if they let anybody but the owner at the file.
#[cfg(unix)]
fn exposing_mode(facts: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = facts.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Other systems keep access lists, which the standard library cannot read; the operator answers for them.
#[cfg(not(unix))]
fn exposing_mode(_: &std::fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(text: &str, mode: u32) -> tempfile::TempPath {
        use std::os::unix::fs::PermissionsExt;
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn read(path: &Path) -> Result<SecretValue, SecretError> {
        SecretRef::File(path.to_owned()).read(&Environment::new())
    }

    #[test]
    fn references_are_told_from_secrets() {
        assert_eq!("file:/run/x".parse(), Ok(SecretRef::File("/run/x".into())));
        assert_eq!(" env:X ".parse(), Ok(SecretRef::Environment("X".into())));
        for text in ["", "file:", "env:", "hunter2", "q83vEjRWeJA=", "aws:x"] {
            assert_eq!(text.parse::<SecretRef>(), Err(NotASecretRef), "{text}");
        }
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
        let environment = Environment::from([("A".into(), "x\n".into()), ("B".into(), String::new())]);
        let read = |name: &str| SecretRef::Environment(name.to_owned()).read(&environment);
        assert_eq!(read("A").unwrap().reveal(), "x");
        assert!(matches!(read("B"), Err(SecretError::NotSet(_))));
        assert!(matches!(read("C"), Err(SecretError::NotSet(_))));
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", SecretValue::new("x".into())), "SecretValue(…)");
    }
}
