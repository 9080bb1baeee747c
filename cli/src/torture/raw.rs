//! Sockets of which every byte is ours, for what no SDK would send.

use std::io;

use haven_client_sdk::Admission;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where an admission leads, `host:port`.
pub(super) fn addr_of(admission: &Admission) -> &str {
    admission.uri.trim_start_matches("http://")
}

/// Asks for a socket; the connection, and whether the guard agreed.
pub(super) async fn socket(admission: &Admission) -> io::Result<(TcpStream, bool)> {
    let mut stream = TcpStream::connect(addr_of(admission)).await?;
    let request = format!(
        "GET /v1/database/{}/subscribe HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: v1.json.spacetimedb\r\n\r\n",
        admission.database, admission.token
    );
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    Ok((stream, status.ends_with(b"101")))
}

/// A text frame that says it is this long, with what there is of it.
pub(super) fn frame(length: u64, text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81, 0x80 | 0x7f];
    bytes.extend(length.to_be_bytes());
    // A mask of zeros leaves the text as it is.
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// A frame that calls a reducer with arguments in JSON.
pub(super) fn call(reducer: &str, args: &str) -> Vec<u8> {
    let call = serde_json::json!({
        "CallReducer": { "reducer": reducer, "args": args, "request_id": 1, "flags": 0 },
    });
    let text = call.to_string();
    frame(text.len() as u64, &text)
}
