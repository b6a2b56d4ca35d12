//! What can go wrong below an operation; outcomes of the protocol are not errors.

/// A result of a store operation.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why an operation has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is locked or has no room: trying again later may help. Nothing was changed,
    /// or it cannot be known whether it was.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A row or statement is not what this program expects; trying again will not help.
    #[error("the database answered something unexpected: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the operator wrote cannot work.
    #[error("{0}")]
    Misconfigured(String),
}
