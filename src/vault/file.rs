//! Secrets in files that nobody but their owner can read.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::error::SecretError;

/// The largest file that is taken for a secret.
const BYTES_MAX: u64 = 64 * 1024;

/// Reads one, as it is.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, SecretError> {
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
        return Err(SecretError::TooLarge(PathBuf::from(path)));
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
