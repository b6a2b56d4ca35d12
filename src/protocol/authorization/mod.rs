//! The authorization endpoint (RFC 6749 §4.1.1), one type per stage, each consuming the one before:
//!
//! ```text
//! received ──client, redirect URI──▶ addressed ──other checks──▶ checked ──session, consent──▶ attended ──▶ answered
//!    │                                   │                          │                            │
//!    ▼                                   ▼                          ▼                            ▼
//!  a page                        a redirect, and only from here on: only `Addressed` can build one; an error for
//!                                a client nobody vouches for is a link on a page instead
//! ```
//!
//! Before `Addressed` an error can only become a page: nobody is sent to an address that has not been proven.
//! `in_flight` is the same request while a person signs in and reads.

pub mod addressed;
pub mod answered;
pub mod attended;
pub mod checked;
pub mod in_flight;
pub mod received;

pub use addressed::{Addressed, Link, Redirect, Refusal, Told, iss_of_an_answer};
pub use answered::Answered;
pub use attended::{Attendance, Attended};
pub use checked::Checked;
pub use in_flight::{InFlight, Question};
pub use received::{NotAddressed, Received};
