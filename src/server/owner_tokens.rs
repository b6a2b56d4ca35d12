//! When owners' tokens were last used, gathered in passing and written down in the background, for each at most once a
//! minute. No request waits for it, and a process that is killed loses the last seconds of it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;

use crate::{
    model::{Timestamp, id::OwnerTokenId, owner_token::OwnerToken},
    store::owner_tokens::OwnerTokenUse,
};

/// Most tokens of which a use waits to be written down.
const TOKENS_MAX: usize = 10_000;

/// A use is written down again after so long.
const USE_AGE_MIN: TimeDelta = TimeDelta::minutes(1);

/// What has been gathered since the last time.
#[derive(Debug, Default)]
pub struct OwnerTokenUses {
    gathered: Mutex<HashMap<OwnerTokenId, Timestamp>>,
}

impl OwnerTokenUses {
    /// A token was shown that stands. What was written down less than a minute ago is news to nobody.
    pub fn shown(&self, token: &OwnerToken, at: Timestamp) {
        if token.last_used_at.is_some_and(|last| at - last < USE_AGE_MIN) {
            return;
        }
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.len() < TOKENS_MAX || gathered.contains_key(&token.id) {
            gathered.insert(token.id, at);
        }
    }

    /// What was gathered, to be written down: it is gathered no more.
    pub fn take(&self) -> Vec<OwnerTokenUse> {
        let gathered = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        let noted = |(id, at)| OwnerTokenUse { id, at, unless_after: at - USE_AGE_MIN };
        let mut uses: Vec<OwnerTokenUse> = gathered.into_iter().map(noted).collect();
        // In one order, so that two nodes do not wait for each other's rows.
        uses.sort_by_key(|used| used.id);
        uses
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::random;

    #[test]
    fn a_use_is_noted_at_most_once_a_minute() {
        let at = |second: i64| DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap();
        let token = |last_used_at| OwnerToken {
            id: OwnerTokenId(random::id(at(0))),
            name: "CI".into(),
            scopes: "log:read".parse().unwrap(),
            created_at: at(0),
            expires_at: at(1000),
            last_used_at,
        };
        let uses = OwnerTokenUses::default();
        let (fresh, lately, long_ago) = (token(None), token(Some(at(60))), token(Some(at(0))));
        for second in [100, 101] {
            for token in [&fresh, &lately, &long_ago] {
                uses.shown(token, at(second));
            }
        }
        let noted: Vec<_> = uses.take().iter().map(|used| (used.id, used.at, used.unless_after)).collect();
        let mut expected = vec![(fresh.id, at(101), at(41)), (long_ago.id, at(101), at(41))];
        expected.sort_by_key(|(id, _, _)| *id);
        assert_eq!(noted, expected);
        assert_eq!(uses.take(), [], "once");
    }
}
