//! The socket: connections, and how they end.

use std::{io::Write, net::IpAddr, time::Duration};

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::watch};

use super::patience::Patient;
use crate::{Error, stop::Stop};

/// How long a connection may be silent before it has sent the head of a request: the first one or a further one.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// How long a client may take no byte of its answer.
const DEAF_LIMIT: Duration = Duration::from_secs(20);

/// The most bytes that are kept of a connection before they are understood, the head of a request among them.
const BUFFER_LIMIT: usize = 64 * 1024;

/// Listens until `stop` is asked for; says where on `stdout`, for callers who left the choice of the port open. What has
/// begun by then may take as long as `drain`.
pub(super) fn run(
    router: Router,
    address: (IpAddr, u16),
    drain: Duration,
    stop: &Stop,
    stdout: &mut dyn Write,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let outcome = runtime.block_on(async {
        let listen = |source| Error::Listen { host: address.0, port: address.1, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        let stopped = stopped(stop).map_err(Error::Runtime)?;
        writeln!(stdout, "listening on {bound}").and_then(|()| stdout.flush()).map_err(Error::Stdout)?;
        let connections = accept(listener, router, stopped).await;
        if tokio::time::timeout(drain, connections.shutdown()).await.is_err() {
            tracing::warn!("some clients did not come to an end within {} s; leaving them", drain.as_secs());
        }
        Ok(())
    });
    // A request that computes on after all patience must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// Serves every connection that comes until `stopped` becomes true; those that are left.
async fn accept(mut listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) -> GracefulShutdown {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE_LIMIT).max_buf_size(BUFFER_LIMIT);
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            // Waits while there are too many open files, which others may close.
            (stream, _) = Listener::accept(&mut listener) => stream,
            // An error would say that the sender has gone without a word, which it does not.
            _ = stopped.wait_for(|stopped| *stopped) => return connections,
        };
        // Answers are small and complete; waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
        let stream = TokioIo::new(Patient::new(stream, DEAF_LIMIT));
        let connection = http.serve_connection(stream, TowerToHyperService::new(router.clone()));
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }
}

/// Becomes true once `stop` is asked for.
fn stopped(stop: &Stop) -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let stop = stop.clone();
    let relay = move || {
        // Not within the line of the log, which is not even composed where nobody wants it.
        let reason = stop.wait();
        tracing::info!("{reason}: finishing what has begun, then stopping");
        sender.send_replace(true);
    };
    std::thread::Builder::new().name("stop".to_owned()).spawn(relay)?;
    Ok(receiver)
}
