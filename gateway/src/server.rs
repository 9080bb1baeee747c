//! The listener: one task per connection, HTTP/1.1, bounded in number and time.
//!
//! Keeps true: a connection that does not send a whole request head in time is closed; one address
//! cannot hold all connections; when the gateway stops, requests under way are finished.
//! Leaves out TLS and HTTP/2: they end at a proxy.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tower::{ServiceExt, util::MapRequest};

use crate::{app::App, limits::AddressKey};

/// Pause after the system refuses a connection, for lack of descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest head of a request, bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The address a connection came from, in the extensions of its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Counts the connections of each address.
#[derive(Default)]
struct Counts(Mutex<HashMap<AddressKey, usize>>);

/// One connection's place; given back when it is dropped.
struct Place {
    app: Arc<App>,
    counts: Arc<Counts>,
    key: AddressKey,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// None when the address holds too many already.
    fn take(
        app: &Arc<App>,
        counts: &Arc<Counts>,
        peer: IpAddr,
        permit: OwnedSemaphorePermit,
    ) -> Option<Self> {
        let key = AddressKey::from(peer);
        // Behind a proxy all connections come from the proxy.
        let limited = !app.config.trust_forwarded_for;
        let mut held = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key).or_insert(0);
        if limited && *count >= app.config.limits.connections_per_address_max {
            return None;
        }
        *count += 1;
        drop(held);
        app.connections.fetch_add(1, Ordering::Relaxed);
        let (app, counts) = (Arc::clone(app), Arc::clone(counts));
        Some(Self { app, counts, key, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
        self.app.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts and serves until `stop` turns true, then finishes what is under way.
pub(crate) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(app.config.limits.connections_max));
    let counts = Arc::new(Counts::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        let Some((stream, peer, permit)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(place) = Place::take(&app, &counts, peer.ip(), permit) else {
            tracing::debug!(address = %peer.ip(), "too many connections of one address");
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(connection(stream, peer.ip(), place, router, stop));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until the gateway stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // What it returns holds a lock, so it is dropped here.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The next connection, as soon as there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    place: Place,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    // Without it short answers wait for the caller's acknowledgement.
    let _ = stream.set_nodelay(true);
    let header_read = Duration::from_secs(u64::from(place.app.config.header_read_seconds));
    let service: MapRequest<Router, _> =
        router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request.map(axum::body::Body::new)
        });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut served = std::pin::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    use super::*;
    use crate::{Gateway, GatewayConfig, app::tests::config_without_database};

    const WAIT: Duration = Duration::from_secs(10);
    const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: haven\r\n\r\n";

    async fn gateway(change: impl FnOnce(&mut GatewayConfig)) -> (tempfile::TempDir, Gateway) {
        let (dir, mut config) = config_without_database();
        change(&mut config);
        (dir, Gateway::start(config).await.expect("a gateway"))
    }

    /// Sends and returns the first bytes of the answer; none when the connection is closed.
    async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> String {
        stream.write_all(bytes).await.expect("a sent request");
        let mut answer = vec![0; 4_096];
        let read = timeout(WAIT, stream.read(&mut answer)).await.expect("an answer in time");
        // A reset is an end, too.
        answer.truncate(read.unwrap_or(0));
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_ends_the_connection() {
        let (_dir, gateway) = gateway(|config| config.header_read_seconds = 1).await;
        let mut stream = TcpStream::connect(gateway.addr()).await.expect("a connection");
        let began = Instant::now();
        assert_eq!(exchange(&mut stream, &REQUEST[..20]).await, "");
        assert!(began.elapsed() >= Duration::from_millis(900));
        gateway.stop().await;
    }

    #[tokio::test]
    async fn one_address_cannot_hold_all_connections() {
        let limit = |config: &mut GatewayConfig| config.limits.connections_per_address_max = 1;
        let (_dir, gateway) = gateway(limit).await;
        let mut first = TcpStream::connect(gateway.addr()).await.expect("a connection");
        assert!(exchange(&mut first, REQUEST).await.starts_with("HTTP/1.1 200"));
        let mut second = TcpStream::connect(gateway.addr()).await.expect("a connection");
        let refused = match second.write_all(REQUEST).await {
            Ok(()) => exchange(&mut second, b"").await,
            Err(_) => String::new(),
        };
        assert_eq!(refused, "");
        assert!(exchange(&mut first, REQUEST).await.starts_with("HTTP/1.1 200"));
        gateway.stop().await;
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_idle_connections() {
        let (_dir, gateway) = gateway(|_| ()).await;
        let mut idle = TcpStream::connect(gateway.addr()).await.expect("a connection");
        assert!(exchange(&mut idle, REQUEST).await.starts_with("HTTP/1.1 200"));
        let addr = gateway.addr();
        let began = Instant::now();
        gateway.stop().await;
        assert!(began.elapsed() < Duration::from_secs(4));
        assert_eq!(exchange(&mut idle, b"").await, "");
        assert!(TcpStream::connect(addr).await.is_err());
    }
}
