//! What can go wrong below an operation; outcomes of the protocol are not errors.

use sqlx::error::DatabaseError;

/// A result of a store operation.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why an operation has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked or has no room: trying again later may help. Nothing was changed,
    /// or it cannot be known whether it was.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Each time it looked again somebody else had been faster: trying again later may help.
    #[error("others changed the same rows each time")]
    Contended,
    /// A row or statement is not what this program expects; trying again will not help.
    #[error("the database answered something unexpected: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the operator wrote cannot work.
    #[error("{0}")]
    Misconfigured(String),
}

impl StoreError {
    /// Whether trying again later may help.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contended)
    }

    /// A row that does not convert into what it should be.
    pub(super) fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Broken(error.into())
    }

    /// Whether somebody else has written what may stand only once.
    pub(super) fn is_taken(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_unique_violation)
    }

    /// Whether what was to be written belongs to a row that has left meanwhile: it was swept.
    pub fn is_orphan(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_foreign_key_violation)
    }

    fn database_error(&self) -> Option<&dyn DatabaseError> {
        match self {
            Self::Broken(error) => error.downcast_ref::<sqlx::Error>()?.as_database_error(),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if passes(&error) { Self::Unavailable(error) } else { Self::Broken(Box::new(error)) }
    }
}

/// Whether the same statement may succeed later.
fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| code_passes(&code)),
        _ => false,
    }
}

/// Postgres has five characters: 08 connection, 28 its password, which was changed there a moment ago, 40 rollback, 53 resources, 55 lock or state, 57 intervention, 58 system.
/// SQLite has a number whose low byte counts: busy, locked, read-only, I/O error, full, cannot open.
fn code_passes(code: &str) -> bool {
    if code.len() == 5 {
        ["08", "28", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
    } else {
        code.parse::<u32>().is_ok_and(|number| matches!(number & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
    }
}
