//! Second factors: passkeys (`WebAuthn`), codes of authenticator apps (RFC 6238) and recovery codes: what is shown to
//! people of them, and whether what they show in turn is right.
//!
//! Nothing is kept here. That each is taken once is the store's part, how often one may try `server::sign_ins`'s.

pub mod app_codes;
pub mod passkeys;
pub mod qr;
pub mod recovery;
