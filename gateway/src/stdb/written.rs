//! Waiting until what a call has done is on the host's disk.
//!
//! A host acknowledges a call when it is committed in memory. Its guard tells when the log is
//! written, and which run of the host says so: one that was started anew knows nothing of what the
//! one before it acknowledged. Keeps true: what is reported as written was acknowledged and written
//! by one run. A host without such a guard is given the time that its sync takes.
//! Leaves out on purpose: TLS, which links do not speak either; all of HTTP but one small request.

use std::{future::Future, time::Duration};

use http::Uri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{CallError, Link};

/// The engine's sync interval of 500 ms and a margin: what is waited for where nobody tells.
const SYNC_MAX: Duration = Duration::from_millis(600);
/// Longest wait for an answer: the guard's own five seconds and a margin.
const ANSWER_MAX: Duration = Duration::from_secs(6);
/// Longest head of an answer, bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Where the guard says which run it is.
const RUN_HEADER: &str = "x-haven-run";

/// What an answer says, as far as it is read.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    run: Option<String>,
}

impl Link {
    /// Makes a call and waits until what it did is on disk.
    ///
    /// # Errors
    /// Those of the call; [`CallError::Unavailable`] when the host cannot be asked before it,
    /// [`CallError::Lost`] when it was started anew in between or cannot be asked after it,
    /// [`CallError::NotWritten`] when its disk does not keep up.
    pub async fn durably<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let before = self.ask("/v1/ping").await.ok_or(CallError::Unavailable)?;
        let result = call.await?;
        let path = format!("/v1/database/{}/written", self.database());
        let after = self.ask(&path).await.ok_or(CallError::Lost)?;
        match after.status {
            204 if after.run == before.run => Ok(result),
            204 => Err(CallError::Lost),
            404 if before.run.is_none() => {
                tokio::time::sleep(SYNC_MAX).await;
                Ok(result)
            }
            _ => Err(CallError::NotWritten),
        }
    }

    /// Asks the host something; none when it does not answer.
    async fn ask(&self, path: &str) -> Option<Head> {
        let token = (self.inner.token)().ok()?;
        match timeout(ANSWER_MAX, get(self.uri(), path, &token)).await.ok()? {
            Ok(head) => Some(head),
            Err(error) => {
                tracing::debug!(host = self.uri(), path, %error, "the host does not answer");
                None
            }
        }
    }
}

async fn get(uri: &str, path: &str, token: &str) -> Result<Head, std::io::Error> {
    let unusable = || std::io::Error::other("not the address of a host without TLS");
    let uri: Uri = uri.parse().map_err(|_| unusable())?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
    let authority = authority.ok_or_else(unusable)?;
    // Brackets are for addresses in URIs, not for the resolver.
    let host = authority.host().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let base = uri.path().trim_end_matches('/');
    let request = format!(
        "GET {base}{path} HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = read_head(&bytes) {
            return Ok(head);
        }
        if bytes.len() >= HEAD_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::Error::other("an answer that cannot be read"));
        }
    }
}

/// The head of an answer, once all of it is there.
fn read_head(bytes: &[u8]) -> Option<Head> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let run = fields.find(|(name, _)| name.eq_ignore_ascii_case(RUN_HEADER));
    Some(Head { status, run: run.map(|(_, value)| value.trim().to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_its_head_is_there() {
        let check = |text: &str, expected: Option<(u16, Option<&str>)>| {
            let head = read_head(text.as_bytes());
            let head = head.map(|head| (head.status, head.run));
            let expected = expected.map(|(status, run)| (status, run.map(str::to_owned)));
            assert_eq!(head, expected, "{text}");
        };
        check("HTTP/1.1 204 No Content\r\nX-Haven-Run: ab\r\n\r\n", Some((204, Some("ab"))));
        check("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}", Some((404, None)));
        check("HTTP/1.1 204 No Content\r\nx-haven-run: ab\r\n", None);
        check("", None);
        check("nonsense\r\n\r\n", None);
    }
}
