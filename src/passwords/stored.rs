//! Hashes as they are stored: our own Argon2id, and those of other programs that accounts were imported with, in the
//! spellings their makers use. What a foreign one costs to check is bounded when it is imported, not when somebody
//! signs in: a hash with absurd parameters would hold a worker for minutes.

use std::num::NonZeroU32;

use argon2::{Argon2, Params, PasswordVerifier, password_hash::phc::PasswordHash};
use aws_lc_rs::{constant_time, pbkdf2};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{foreign, rules::normalised};

/// Standard base64, with or without its padding: spellings differ in that.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What follows this many bytes means nothing to bcrypt.
const BCRYPT_LENGTH_MAX: usize = 72;

/// The shortest output taken: with fewer bits another password might fit by chance.
const OUTPUT_LENGTH_MIN: usize = 16;

/// About a second of one core each, and never more memory than this.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const ARGON2_KIB_PASSES_MAX: u64 = 5 * MEMORY_KIB_MAX as u64;
const BCRYPT_COST_MAX: u32 = 14;
const PBKDF2_ITERATIONS_MAX: u32 = 3_000_000;
/// The longest output of PBKDF2 that is taken, in bytes: that of its longest digest.
const PBKDF2_OUTPUT_MAX: usize = 64;
const SCRYPT_BLOCKS_MAX: u64 = 1 << 21;

/// Why a text is no hash that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHash {
    /// None of the spellings.
    #[error("it is no hash of a kind known here (Argon2, bcrypt, scrypt or PBKDF2)")]
    Unknown,
    /// It begins like one, and is not whole.
    #[error("it begins like a hash and is damaged")]
    Damaged,
    /// Each sign-in would take too long.
    #[error("it takes more memory or time to check than is allowed here")]
    TooDear,
    /// Another password might fit.
    #[error("it is shorter than 128 bits")]
    TooShort,
}

/// A hash.
pub enum Stored {
    /// Ours, or one like it.
    Argon2(Box<PasswordHash>),
    /// bcrypt, whole.
    Bcrypt {
        /// In the spelling `$2b$`.
        text: String,
        /// Its rounds, as a power of two.
        cost: u32,
    },
    /// scrypt (RFC 7914).
    Scrypt {
        /// N as a power of two.
        log_n: u8,
        /// Block size.
        r: u32,
        /// Lanes.
        p: u32,
        /// What was mixed in.
        salt: Vec<u8>,
        /// What came out.
        output: Vec<u8>,
    },
    /// PBKDF2 (RFC 8018).
    Pbkdf2 {
        /// With which HMAC.
        algorithm: pbkdf2::Algorithm,
        /// How often.
        iterations: NonZeroU32,
        /// What was mixed in.
        salt: Vec<u8>,
        /// What came out.
        output: Vec<u8>,
    },
}

/// How a password fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// As we would have hashed it.
    Normalised,
    /// As it was typed; another program hashed it.
    AsTyped,
}

impl Stored {
    /// Reads a hash in whichever spelling; also Django's, which has its own name in front.
    pub fn read(text: &str) -> Result<Self, NotAHash> {
        let text = text.strip_prefix("argon2").filter(|rest| rest.starts_with("$argon2")).unwrap_or(text);
        if text.starts_with("$argon2") {
            let hash = PasswordHash::new(text).map_err(|_| NotAHash::Damaged)?;
            Params::try_from(&hash).map_err(|_| NotAHash::Damaged)?;
            let is_whole = hash.salt.is_some() && hash.hash.is_some();
            return if is_whole { Ok(Self::Argon2(Box::new(hash))) } else { Err(NotAHash::Damaged) };
        }
        foreign::read(text)
    }

    /// The same, if it is worth having and costs no more than is allowed.
    pub fn import(text: &str) -> Result<Self, NotAHash> {
        let stored = Self::read(text)?;
        let (is_cheap_enough, length) = match &stored {
            Self::Argon2(hash) => {
                let params = Params::try_from(hash.as_ref()).map_err(|_| NotAHash::Damaged)?;
                let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
                let is_cheap = params.m_cost() <= MEMORY_KIB_MAX && work <= ARGON2_KIB_PASSES_MAX;
                (is_cheap, hash.hash.as_ref().map_or(0, |output| output.as_bytes().len()))
            }
            Self::Bcrypt { cost, .. } => (*cost <= BCRYPT_COST_MAX, OUTPUT_LENGTH_MIN),
            Self::Scrypt { log_n, r, p, output, .. } => {
                let blocks = 1_u64.checked_shl((*log_n).into()).unwrap_or(u64::MAX).saturating_mul((*r).into());
                let is_small = blocks <= u64::from(MEMORY_KIB_MAX) * 8;
                (is_small && blocks.saturating_mul((*p).into()) <= SCRYPT_BLOCKS_MAX, output.len())
            }
            // Each block of the output costs all iterations again.
            Self::Pbkdf2 { iterations, output, .. } => {
                let is_small = iterations.get() <= PBKDF2_ITERATIONS_MAX && output.len() <= PBKDF2_OUTPUT_MAX;
                (is_small, output.len())
            }
        };
        match (is_cheap_enough, length) {
            (false, _) => Err(NotAHash::TooDear),
            (true, ..OUTPUT_LENGTH_MIN) => Err(NotAHash::TooShort),
            _ => Ok(stored),
        }
    }

    /// Whether it is Argon2id with at least that memory and so many passes.
    pub(super) fn is_at_least(&self, memory_kib: u32, passes: u32) -> bool {
        let Self::Argon2(hash) = self else { return false };
        let costs = Params::try_from(hash.as_ref()).map(|params| (params.m_cost(), params.t_cost()));
        hash.algorithm.as_str() == "argon2id"
            && hash.version == Some(0x13)
            && costs.is_ok_and(|(memory, time)| memory >= memory_kib && time >= passes)
    }

    /// Whether the password is the one behind it.
    pub(super) fn fits(&self, typed: &str) -> Fit {
        if let Self::Argon2(hash) = self {
            let verify = |password: &str| Argon2::default().verify_password(password.as_bytes(), &**hash).is_ok();
            let normalised = normalised(typed);
            return if verify(&normalised) {
                Fit::Normalised
            } else if *normalised != typed && verify(typed) {
                Fit::AsTyped
            } else {
                Fit::No
            };
        }
        if self.is_that_of(typed) { Fit::AsTyped } else { Fit::No }
    }

    fn is_that_of(&self, typed: &str) -> bool {
        let password = typed.as_bytes();
        match self {
            Self::Argon2(_) => false,
            // bcrypt looks at no more than 72 bytes, and many programs end at a zero: with that, other passwords would
            // be as good as the one that was chosen. So a longer one is never right, and its owner chooses another.
            Self::Bcrypt { text, .. } => {
                let is_seen_whole = password.len() <= BCRYPT_LENGTH_MAX && !password.contains(&0);
                is_seen_whole && bcrypt::verify(password, text).unwrap_or(false)
            }
            Self::Scrypt { log_n, r, p, salt, output } => {
                let Ok(params) = scrypt::Params::new(*log_n, *r, *p) else { return false };
                let mut made = vec![0; output.len()];
                scrypt::scrypt(password, salt, &params, &mut made).is_ok()
                    && constant_time::verify_slices_are_equal(&made, output).is_ok()
            }
            Self::Pbkdf2 { algorithm, iterations, salt, output } => {
                pbkdf2::verify(*algorithm, *iterations, salt, password, output).is_ok()
            }
        }
    }
}

/// Bytes in base64; passlib writes a dot for the plus.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, NotAHash> {
    BASE64.decode(text.replace('.', "+")).map_err(|_| NotAHash::Damaged)
}
