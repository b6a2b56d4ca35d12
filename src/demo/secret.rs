//! The secrets the demo's little servers are given: a type that can be used and not printed.

use std::fmt;

use zeroize::Zeroizing;

/// A client secret. It leaves memory when dropped, and `{:?}` shows only that there is one.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the secret over.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The secret itself, for the one line that sends it.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn does_not_print() {
        let printed = format!("{:?}", Secret::new("csec_very_private"));
        assert!(!printed.contains("private"), "{printed}");
    }
}
