//! Running: a server from its first connection to an orderly end; `serve` and `demo` share it.

use std::{io, sync::Arc};

use tokio::task::JoinSet;

use crate::{
    http::{Listening, Stop},
    jobs,
    server::Server,
    telemetry::metrics::Exposition,
};

/// Serves until the operator or the system asks to stop, or one of the listeners breaks: no more connections, answers
/// under way are finished, jobs end, the store is closed. Where something is exposed, it is looked after.
pub async fn until_stopped(
    server: Arc<Server>,
    listening: Vec<Listening>,
    exposed: Option<Exposition>,
) -> io::Result<()> {
    let stops: Vec<Stop> = listening.iter().map(Listening::stop).collect();
    let gauges = exposed.map(|exposition| tokio::spawn(jobs::gauges::run(Arc::clone(&server), exposition)));
    let background = [
        tokio::spawn(jobs::sweep::run(Arc::clone(&server))),
        tokio::spawn(jobs::audit_links::run(Arc::clone(&server))),
        tokio::spawn(jobs::audit_age::run(Arc::clone(&server))),
        tokio::spawn(jobs::clock_offset::run(Arc::clone(&server))),
        tokio::spawn(jobs::keys::run(Arc::clone(&server))),
        tokio::spawn(jobs::flows::run(Arc::clone(&server))),
        tokio::spawn(jobs::counts::run(Arc::clone(&server))),
        tokio::spawn(jobs::due_secrets::run(Arc::clone(&server))),
        tokio::spawn(jobs::mail::run(Arc::clone(&server))),
        tokio::spawn(jobs::notes::run(Arc::clone(&server))),
        tokio::spawn(jobs::references::run(Arc::clone(&server))),
        tokio::spawn(jobs::reseal::run(Arc::clone(&server))),
        tokio::spawn(jobs::secrets::run(Arc::clone(&server))),
        tokio::spawn(jobs::verification::run(Arc::clone(&server))),
        tokio::spawn(jobs::webhooks::run(Arc::clone(&server))),
    ];
    let mut serving: JoinSet<io::Result<()>> = listening.into_iter().map(Listening::run).collect();
    let mut ended = Vec::with_capacity(stops.len());
    tokio::select! {
        () = asked_to_stop() => {}
        // Nobody asked: a listener broke, and half a server is worse than none.
        broken = serving.join_next() => ended.extend(broken),
    }
    tracing::info!("stopping: finishing the answers under way");
    let stopping: JoinSet<()> = stops.into_iter().map(|stop| async move { stop.gracefully().await }).collect();
    stopping.join_all().await;
    while let Some(end) = serving.join_next().await {
        ended.push(end);
    }
    background.iter().chain(&gauges).for_each(tokio::task::JoinHandle::abort);
    if let Err(error) = jobs::flows::keep(&server).await {
        tracing::warn!(%error, "the last steps of connections could not be recorded");
    }
    if let Err(error) = jobs::notes::end(&server).await {
        tracing::warn!(%error, "the last notes about clients are lost");
    }
    if let Err(error) = jobs::counts::keep(&server).await {
        tracing::warn!(%error, "what was counted last could not be kept");
    }
    if let Err(error) = jobs::audit_links::end(&server).await {
        tracing::warn!(%error, "the audit log's chain could not be made longer; it is when a server starts");
    }
    server.store.close().await;
    ended.into_iter().try_for_each(|end| end.map_err(io::Error::other)?)
}

/// Ctrl-C, or the signal service managers send.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
