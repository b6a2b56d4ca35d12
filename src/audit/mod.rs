//! Audit: what makes it show when the log of events was altered.
//!
//! Events are written by the store, in the transaction of the change they tell of. Behind that each is put into a link
//! of one chain: by the digest of all that is written of it (`canonical`), beside the digest of the link before, under
//! a working key (`chain`). Whoever alters the log without that key is found when the chain is walked (`verify`, by what
//! `proof` takes for one).
//! `jobs::audit_links` makes the links, `jobs::audit_age` forgets the oldest, `consentry audit verify` walks.
//! `export` hands all of it out.

/// How much is read of it at once.
const LINKS: u32 = 50;
const EVENTS: u32 = 1000;

pub mod canonical;
pub mod chain;
pub mod export;
pub mod proof;
pub mod verify;
