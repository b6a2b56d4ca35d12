//! Examinations: how often owners may have the doctor look at a plugin. It sends some dozens of requests to addresses
//! that an owner has named, so each plugin is looked at by one at a time, a node looks at few at once, and an account
//! has a pace. So has what else an account has fetched from addresses that it names.
//!
//! A node counts for itself: several nodes together take so many times as much.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, nanos::Nanos, state::keyed::HashMapStateStore};

use super::shares::{Pace, TooMany, wait};
use crate::{
    clock::Clock,
    model::id::{AccountId, PluginId},
};

/// At once on a node.
const AT_ONCE_MAX: usize = 3;

/// How many an account has at once, and how long until it has one more.
const BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(5).unwrap();
const PERIOD: std::time::Duration = std::time::Duration::from_mins(1);

/// How many addresses an account has fetched at once, and how long until it has one more.
const FETCHES_BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(30).unwrap();
const FETCHES_PERIOD: std::time::Duration = std::time::Duration::from_secs(6);

/// Accounts that have their whole share again are forgotten when there are so many.
const ACCOUNTS_MAX: usize = 1_000;

type ByAccount = RateLimiter<AccountId, HashMapStateStore<AccountId>, Pace, NoOpMiddleware<Nanos>>;

/// Counts examinations.
#[derive(Debug)]
pub struct Examinations {
    underway: Mutex<HashSet<PluginId>>,
    by_account: ByAccount,
    fetches: ByAccount,
    pace: Pace,
}

/// Why there is none now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// This plugin is being looked at.
    Underway,
    /// Enough others are.
    Busy,
    /// This account had enough.
    TooMany(TooMany),
}

/// The right to look at a plugin, until it is dropped.
#[derive(Debug)]
pub struct Examination<'a> {
    examinations: &'a Examinations,
    plugin: PluginId,
}

impl Examinations {
    /// None yet.
    pub fn new(clock: &Clock) -> Self {
        let pace = Pace(clock.clone());
        let by_account = |burst, period| {
            let quota = Quota::with_period(period).map(|quota| quota.allow_burst(burst));
            RateLimiter::hashmap_with_clock(quota.unwrap_or(Quota::per_minute(burst)), pace.clone())
        };
        let (examinations, fetches) = (by_account(BURST, PERIOD), by_account(FETCHES_BURST, FETCHES_PERIOD));
        Self { underway: Mutex::default(), by_account: examinations, fetches, pace }
    }

    /// Begins one, if there is room for it. Only what begins is counted.
    pub fn begin(&self, plugin: PluginId, account: AccountId) -> Result<Examination<'_>, NotNow> {
        let examination = self.go_on(plugin)?;
        self.count(&self.by_account, account).map_err(NotNow::TooMany)?;
        Ok(examination)
    }

    /// Goes on with one whose beginning was counted.
    pub fn go_on(&self, plugin: PluginId) -> Result<Examination<'_>, NotNow> {
        let mut underway = self.underway();
        if underway.contains(&plugin) {
            return Err(NotNow::Underway);
        }
        if underway.len() >= AT_ONCE_MAX {
            return Err(NotNow::Busy);
        }
        underway.insert(plugin);
        Ok(Examination { examinations: self, plugin })
    }

    /// Counts one more address that is fetched for an account, if there is room for it.
    pub fn fetch(&self, account: AccountId) -> Result<(), TooMany> {
        self.count(&self.fetches, account)
    }

    fn count(&self, shares: &ByAccount, account: AccountId) -> Result<(), TooMany> {
        if shares.len() >= ACCOUNTS_MAX {
            shares.retain_recent();
        }
        shares.check_key(&account).map_err(|refused| wait(&refused, &self.pace))
    }

    fn underway(&self) -> MutexGuard<'_, HashSet<PluginId>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Examination<'_> {
    fn drop(&mut self) {
        self.examinations.underway().remove(&self.plugin);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::random;

    #[test]
    fn a_plugin_is_looked_at_by_one_and_few_are_looked_at_once_and_an_account_has_a_pace() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Clock::standing_at(now);
        let examinations = Examinations::new(&clock);
        let plugins: Vec<_> = (0..9).map(|_| PluginId(random::id(now))).collect();
        let (ada, grace) = (AccountId(random::id(now)), AccountId(random::id(now)));
        let first = examinations.begin(plugins[0], ada).unwrap();
        assert_eq!(examinations.begin(plugins[0], grace).unwrap_err(), NotNow::Underway);
        let others = [examinations.begin(plugins[1], grace).unwrap(), examinations.begin(plugins[2], grace).unwrap()];
        assert_eq!(examinations.begin(plugins[3], grace).unwrap_err(), NotNow::Busy);
        drop((first, others));
        let begun = |account| plugins.iter().filter(|plugin| examinations.begin(**plugin, account).is_ok()).count();
        assert_eq!((begun(ada), begun(grace)), (4, 3));
        let waits = examinations.begin(plugins[0], ada).unwrap_err();
        assert_eq!(waits, NotNow::TooMany(TooMany { retry_after_seconds: 60 + 1 }));
        clock.advance(TimeDelta::minutes(1));
        assert_eq!((begun(ada), begun(grace)), (1, 1));
    }
    #[test]
    fn an_account_has_a_pace_for_what_it_has_fetched() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Clock::standing_at(now);
        let examinations = Examinations::new(&clock);
        let (ada, grace) = (AccountId(random::id(now)), AccountId(random::id(now)));
        let fetched = |account| (0..99).filter(|_| examinations.fetch(account).is_ok()).count();
        assert_eq!((fetched(ada), fetched(grace)), (30, 30));
        assert_eq!(examinations.fetch(ada).unwrap_err(), TooMany { retry_after_seconds: 6 + 1 });
        clock.advance(TimeDelta::seconds(6));
        assert_eq!((fetched(ada), fetched(grace)), (1, 1));
    }
}
