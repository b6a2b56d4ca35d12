//! What a look at a plugin's public address means: the state it is in from now on, when the next look is due, and
//! whether its owners should hear of it.
//!
//! What is certain counts at once: another token, another document, a redirection, an address inside. That nobody
//! answered is not certain, it may be our own network; it counts once it has gone on for a while.

use chrono::TimeDelta;

use crate::model::{
    Timestamp,
    plugin::PluginState,
    verification::{Look, News, Outcome, Verification},
};

/// How long after a look that matched the next one comes.
const AGAIN: TimeDelta = TimeDelta::hours(4);

/// How long after a first one that did not; the wait doubles with each.
const FIRST_WAIT_MINUTES: i64 = 5;

/// The longest wait while it still counts as verified, and after that.
const WAIT_MAX_VERIFIED: TimeDelta = TimeDelta::hours(1);
const WAIT_MAX: TimeDelta = TimeDelta::days(1);

/// How often in a row, and for how long, nobody must have answered before a verified plugin is one no more.
const UNANSWERED_MIN: u32 = 4;
const UNANSWERED_FOR: TimeDelta = TimeDelta::hours(3);

/// What a look means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The plugin's state from now on.
    pub state: PluginState,
    /// What is to be remembered.
    pub verification: Verification,
    /// What its owners should hear.
    pub news: Option<News>,
}

/// Judges a look at a plugin that is in the state `was`; `unseen` is its state as long as nobody has looked.
pub fn meaning(was: PluginState, unseen: PluginState, known: &Verification, look: Look) -> Meaning {
    let (at, outcome) = (look.at, look.outcome);
    let matches = outcome == Outcome::Matches;
    let failures = if matches { 0 } else { known.failures.saturating_add(1) };
    let failing_since = if matches { None } else { known.failing_since.or(Some(at)) };
    let bears_with_it = outcome == Outcome::OutOfReach && !is_long(failures, failing_since, at);
    let state = match (unseen, was) {
        // Without a token there is nothing to verify.
        (PluginState::Draft, _) => PluginState::Draft,
        _ if matches => PluginState::Verified,
        (_, PluginState::Verified) if bears_with_it => PluginState::Verified,
        _ => PluginState::Published,
    };
    let breaks = was == PluginState::Verified && state != PluginState::Verified;
    let news = match known.broken_at {
        _ if breaks => Some(News::Broken),
        Some(_) if matches => Some(News::Mended),
        _ => None,
    };
    let verification = Verification {
        revision: known.revision,
        look: Some(look),
        failures,
        failing_since,
        verified_at: if matches { Some(at) } else { known.verified_at },
        broken_at: if breaks { Some(at) } else { known.broken_at.filter(|_| !matches) },
        due_at: (state != PluginState::Draft).then(|| at + wait(state, failures)),
    };
    Meaning { state, verification, news }
}

fn is_long(failures: u32, since: Option<Timestamp>, at: Timestamp) -> bool {
    failures >= UNANSWERED_MIN && since.is_some_and(|since| at - since >= UNANSWERED_FOR)
}

fn wait(state: PluginState, failures: u32) -> TimeDelta {
    let longest = if state == PluginState::Verified { WAIT_MAX_VERIFIED } else { WAIT_MAX };
    match failures {
        0 => AGAIN,
        _ => TimeDelta::minutes(FIRST_WAIT_MINUTES << (failures - 1).min(12)).min(longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(10_000) + TimeDelta::minutes(minutes)
    }

    fn look(minutes: i64, outcome: Outcome) -> Look {
        Look { at: at(minutes), outcome, says: String::new(), findings: Vec::new() }
    }

    /// A plugin with a token, looked at whenever a look is due.
    struct Plugin {
        state: PluginState,
        known: Verification,
        minutes: i64,
    }

    impl Plugin {
        fn verified() -> Self {
            let mut plugin = Self { state: PluginState::Published, known: Verification::default(), minutes: 0 };
            assert_eq!(plugin.meets(Outcome::Matches), (PluginState::Verified, None));
            plugin
        }

        fn meets(&mut self, outcome: Outcome) -> (PluginState, Option<News>) {
            let meaning = meaning(self.state, PluginState::Published, &self.known, look(self.minutes, outcome));
            self.minutes = (meaning.verification.due_at.unwrap() - at(0)).num_minutes();
            (self.state, self.known) = (meaning.state, meaning.verification);
            (self.state, meaning.news)
        }
    }

    #[test]
    fn what_is_certain_counts_at_once_and_is_told_once() {
        for outcome in Outcome::ALL.into_iter().filter(|it| !matches!(it, Outcome::Matches | Outcome::OutOfReach)) {
            let mut plugin = Plugin::verified();
            assert_eq!(plugin.meets(outcome), (PluginState::Published, Some(News::Broken)), "{outcome:?}");
            assert_eq!(plugin.meets(outcome), (PluginState::Published, None));
            assert_eq!(plugin.meets(Outcome::OutOfReach), (PluginState::Published, None));
            assert_eq!(plugin.meets(Outcome::Matches), (PluginState::Verified, Some(News::Mended)));
            assert_eq!(plugin.meets(Outcome::Matches), (PluginState::Verified, None));
            assert_eq!(plugin.known.broken_at, None);
        }
    }

    #[test]
    fn silence_counts_after_some_hours_and_several_looks() {
        let mut plugin = Plugin::verified();
        let since = plugin.minutes;
        let mut looks = 0;
        while plugin.meets(Outcome::OutOfReach).0 == PluginState::Verified {
            looks += 1;
            assert!(looks < 20, "it ends");
        }
        let last = (plugin.known.look.clone().unwrap().at - at(since)).num_minutes();
        assert!((180..360).contains(&last) && looks >= 3, "{last} minutes, {looks} looks");
        // Looks in haste are none of that kind.
        let mut hasty = Plugin::verified();
        for _ in 0..50 {
            let minutes = hasty.minutes;
            assert_eq!(hasty.meets(Outcome::OutOfReach), (PluginState::Verified, None));
            hasty.minutes = minutes;
        }
        // One answer in between begins the count anew.
        let mut flickering = Plugin::verified();
        for round in 0..50 {
            let outcome = if round % 5 == 4 { Outcome::Matches } else { Outcome::OutOfReach };
            assert_eq!(flickering.meets(outcome), (PluginState::Verified, None));
        }
    }

    #[test]
    fn waits_grow_and_end() {
        let minutes = |state, failures| wait(state, failures).num_minutes();
        let waits = [0, 1, 2, 3, 5, 9, 10, u32::MAX].map(|failures| minutes(PluginState::Published, failures));
        assert_eq!(waits, [240, 5, 10, 20, 80, 1280, 1440, 1440]);
        assert_eq!([1, 4, 5, 9].map(|failures| minutes(PluginState::Verified, failures)), [5, 40, 60, 60]);
    }

    #[test]
    fn what_was_never_verified_is_no_news_and_a_draft_stays_one() {
        let mut plugin = Plugin { state: PluginState::Published, known: Verification::default(), minutes: 0 };
        assert_eq!(plugin.meets(Outcome::Differs), (PluginState::Published, None));
        assert_eq!(plugin.meets(Outcome::Matches), (PluginState::Verified, None));
        for outcome in Outcome::ALL {
            let meaning = meaning(PluginState::Draft, PluginState::Draft, &Verification::default(), look(0, outcome));
            assert_eq!((meaning.state, meaning.verification.due_at, meaning.news), (PluginState::Draft, None, None));
        }
    }
}
