//! Commands, run against an embedded store.
