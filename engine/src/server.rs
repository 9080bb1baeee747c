//! The listener: accepts connections, serves HTTP/1.1 on them, and ends them for a stop.
//!
//! Keeps true: a connection that does not send its headers in time is dropped; one connection is
//! one request, so that a socket's frames follow right after the one head; a socket ends when its
//! database gets another module and when its token has ended; at a stop, requests in flight are
//! finished and each `WebSocket` sees the end of its input, so that the engine runs
//! `client_disconnected`.
//! Leaves out on purpose: HTTP/2 (the engine's sockets are HTTP/1.1), TLS (a proxy's task), and
//! what a connection may cost ([`Door`]).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum07::body::Body;
use axum07::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::{Service, ServiceExt as _};

use crate::door::{Door, Line, Pass};
use crate::durability::wait;
use crate::guard::Refusal;

/// Bytes of one request's headers; a token may be 8 KiB.
const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Headers of one request.
const HEADERS_MAX: usize = 64;
/// For requests in flight at a stop.
const REQUEST_PATIENCE: Duration = Duration::from_secs(1);
/// After the listener could not accept, for want of file handles for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running listener. Dropping it ends it without waiting.
pub(crate) struct Server {
    addr: SocketAddr,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    door: Arc<Door>,
}

impl Server {
    /// Serves `service` on `listener`, as far as `door` lets connections in, until stopped.
    pub(crate) fn start<S>(listener: TcpListener, service: S, door: Arc<Door>) -> io::Result<Self>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
    {
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, service, stop.clone(), door.clone()));
        let stop_on_drop = stop.clone().drop_guard();
        Ok(Self { addr, stop, _stop_on_drop: stop_on_drop, door })
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening and waits until all connections are closed; `false` when `patience` ran out.
    pub(crate) async fn stop(&self, patience: Duration) -> bool {
        self.stop.cancel();
        wait(patience, || self.door.connections() == 0).await
    }
}

async fn accept<S>(listener: TcpListener, service: S, stop: CancellationToken, door: Arc<Door>)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match door.admit(peer.ip()) {
                Ok(place) => {
                    let pass = Pass::default();
                    let line = Line::new(stream, &door, pass.clone(), place);
                    tokio::spawn(serve(line, pass, service.clone(), stop.clone(), door.clone()));
                }
                Err(refusal) => turn_away(&stream, refusal, &door),
            },
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Says why and closes, without reading or waiting.
fn turn_away(stream: &TcpStream, refusal: Refusal, door: &Door) {
    door.count(refusal);
    // Who cannot be told in one piece is not told.
    let _ = stream.try_write(refusal.last_words().as_bytes());
}

/// Serves one connection, then watches over it while it is a WebSocket.
async fn serve<S>(line: Line, pass: Pass, service: S, stop: CancellationToken, door: Arc<Door>)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let (end, gone) = (line.end(), line.gone());
    let noted = pass.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(noted.clone());
        service.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(door.limits().header_timeout())
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX);
    let connection = http.serve_connection(TokioIo::new(line), service).with_upgrades();
    let mut connection = Box::pin(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(REQUEST_PATIENCE, connection.as_mut()).await;
        }
    }
    drop(connection);
    // The HTTP part is over. What is left of the line, if anything, belongs to a WebSocket.
    tokio::select! {
        () = gone.cancelled() => {}
        () = stop.cancelled() => end.cancel(),
        () = pass.swapped() => end.cancel(),
        () = pass.ran_out() => {
            door.count(Refusal::TokenRanOut);
            end.cancel();
        }
    }
}
