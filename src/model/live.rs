//! A value that may be replaced while others use it: what a reference to a secret led to when it was last followed.
//!
//! `vault::renewal` replaces it; whoever uses it asks for it each time.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// A value that all its clones share; it does not print.
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Live<T> {
    /// Begins with a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The value as it is now.
    pub fn get(&self) -> Arc<T> {
        // A writer only ever replaces the whole value, so even a poisoned lock holds a whole one.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another value in its place; who holds the one before keeps it for as long as they need it.
    pub fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Live<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Live<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Live(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_have_the_new_value_and_who_holds_the_old_one_keeps_it() {
        let secret = Live::new("old".to_owned());
        let (other, held) = (secret.clone(), secret.get());
        other.replace("new".to_owned());
        assert_eq!((secret.get().as_str(), other.get().as_str(), held.as_str()), ("new", "new", "old"));
        assert_eq!(format!("{secret:?}"), "Live(…)");
    }
}
