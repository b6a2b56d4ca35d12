//! How many rows there are. Compiled once for each engine.

use super::Engine;
use crate::store::{StoreError, StoreResult, rows::Table};

impl Engine {
    pub(in crate::store) async fn count_rows(&self, table: &Table) -> StoreResult<u64> {
        let mut step = self.begin_unhurried().await?;
        let number: i64 = sqlx::query_scalar(table.count).fetch_one(&mut *step).await?;
        step.rollback().await?;
        u64::try_from(number).map_err(StoreError::broken)
    }
}
