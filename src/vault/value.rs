//! A secret in memory.

use std::fmt;

use zeroize::Zeroizing;

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

    /// The same without the line break that editors and `echo` leave behind it; nothing if nothing is left.
    pub(super) fn bare(text: &str) -> Option<Self> {
        let bare = text.strip_suffix('\n').unwrap_or(text);
        let bare = bare.strip_suffix('\r').unwrap_or(bare);
        (!bare.is_empty()).then(|| Self::new(bare.to_owned()))
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", SecretValue::new("x".into())), "SecretValue(…)");
    }
}
