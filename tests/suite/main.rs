//! The suite: one binary, so that it links once. Tests are found by what they test: `store/` is the exam both engines
//! sit, `rfc/` what the standards say, `attacks/` what must not work, `journeys/` whole stories with real browsers and
//! foreign clients, `pages/` how pages look and read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::too_many_lines, clippy::format_collect, reason = "a list of cases, or a story, may be long")]

mod attacks;
mod harness;
mod journeys;
mod pages;
mod rfc;
mod store;
