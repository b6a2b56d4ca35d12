//! The clock's offset: all nodes on one Postgres go by the database's time, measured at start and every minute.

use std::{sync::Arc, time::Duration};

use crate::server::Server;

const INTERVAL: Duration = Duration::from_mins(1);

/// Measures for ever. A failure leaves the last offset in force; readiness notices a database that does not answer.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = server.measure_clock().await {
            tracing::warn!(%error, "the database's time could not be asked for; the last offset stays");
        }
    }
}
