//! Running: a server from its first connection to an orderly end; `serve` and `demo` share it.

use std::{io, net::TcpListener, sync::Arc};

use crate::{http, jobs, server::Server};

/// Serves until the operator or the system asks to stop: no more connections, answers under way are finished, jobs
/// end, the store is closed.
pub async fn until_stopped(server: Arc<Server>, listener: TcpListener) -> io::Result<()> {
    let listening = http::listen(Arc::clone(&server), listener)?;
    let stop = listening.stop();
    let background = [
        tokio::spawn(jobs::sweep::run(Arc::clone(&server))),
        tokio::spawn(jobs::clock_offset::run(Arc::clone(&server))),
    ];
    let mut serving = tokio::spawn(listening.run());
    let broken = tokio::select! {
        () = asked_to_stop() => None,
        // Nobody asked: the listener broke.
        broken = &mut serving => Some(broken),
    };
    let ended = if let Some(broken) = broken {
        broken
    } else {
        tracing::info!("stopping: finishing the answers under way");
        stop.gracefully().await;
        serving.await
    };
    background.iter().for_each(tokio::task::JoinHandle::abort);
    server.store.close().await;
    ended.map_err(io::Error::other)?
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
