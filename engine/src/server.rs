//! The listener: accepts connections, serves HTTP/1.1 on them, and ends them for a stop.
//!
//! Keeps true: no Nagle delay; a connection that does not send its headers in time is dropped; a
//! socket ends when its database gets another module; at a stop, requests in flight are finished
//! and each `WebSocket` sees the end of its input, so that the engine runs `client_disconnected`.
//! Leaves out on purpose: HTTP/2 (the engine's sockets are HTTP/1.1), TLS (a proxy's task), and
//! byte budgets.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum07::body::Body;
use axum07::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};
use tower::{Service, ServiceExt as _};

use crate::durability::wait;
use crate::guard::LineSwap;

/// For the request line and the headers of one request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
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
    lines: Arc<AtomicUsize>,
}

impl Server {
    /// Serves `service` on `listener` until stopped.
    pub(crate) fn start<S>(listener: TcpListener, service: S) -> io::Result<Self>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
    {
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let lines = Arc::new(AtomicUsize::new(0));
        tokio::spawn(accept(listener, service, stop.clone(), lines.clone()));
        let stop_on_drop = stop.clone().drop_guard();
        Ok(Self { addr, stop, _stop_on_drop: stop_on_drop, lines })
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening and waits until all connections are closed; `false` when `patience` ran out.
    pub(crate) async fn stop(&self, patience: Duration) -> bool {
        self.stop.cancel();
        wait(patience, || self.lines.load(Ordering::Acquire) == 0).await
    }
}

async fn accept<S>(
    listener: TcpListener,
    service: S,
    stop: CancellationToken,
    lines: Arc<AtomicUsize>,
) where
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
            Ok((stream, _peer)) => {
                let service = service.clone();
                let line = Line::new(stream, &lines);
                tokio::spawn(serve(line, service, stop.clone()));
            }
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection, then watches over it while it is a WebSocket.
async fn serve<S>(line: Line, service: S, stop: CancellationToken)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let (end, gone) = (line.end.clone(), line.gone.clone());
    let swap = LineSwap::default();
    let noted = swap.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(noted.clone());
        service.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
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
        () = swap.happened() => end.cancel(),
    }
}

/// A TCP stream whose input can be ended from our side.
struct Line {
    stream: TcpStream,
    end: CancellationToken,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    gone: CancellationToken,
    _gone_on_drop: DropGuard,
    lines: Arc<AtomicUsize>,
}

impl Line {
    fn new(stream: TcpStream, lines: &Arc<AtomicUsize>) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("a connection keeps its Nagle delay: {error}");
        }
        lines.fetch_add(1, Ordering::AcqRel);
        let end = CancellationToken::new();
        let ended = Box::pin(end.clone().cancelled_owned());
        let gone = CancellationToken::new();
        let gone_on_drop = gone.clone().drop_guard();
        let lines = lines.clone();
        Self { stream, end, ended, gone, _gone_on_drop: gone_on_drop, lines }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.lines.fetch_sub(1, Ordering::AcqRel);
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.is_cancelled() || self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
