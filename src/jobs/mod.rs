//! Jobs: what the server does by itself, in the background. One per file, bounded and safe to repeat; no cron.

pub mod audit_age;
pub mod audit_links;
pub mod clock_offset;
pub mod counts;
pub mod due_secrets;
pub mod flows;
pub mod gauges;
pub mod keys;
mod lanes;
pub mod mail;
pub mod notes;
pub mod references;
mod refilling;
pub mod reseal;
pub mod secrets;
pub mod sweep;
pub mod verification;
pub mod webhooks;
