//! Waiting until what a realm's host has acknowledged is on its disk.
//!
//! A host acknowledges a call when it is committed in memory, and syncs its log up to 500 ms later.
//! Its guard tells when, and which run of the host says so. Keeps true: what is called written was
//! acknowledged and written by one run, because a host that was started anew knows nothing of what
//! the run before it acknowledged. Where no guard tells, the time that a sync takes is waited.

use crate::error::HavenError;
use crate::wire::Admission;
use reqwest::{Client, Response, StatusCode};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is waited where the host does not tell: its sync interval of 500 ms and a margin.
const SYNC_MAX: Duration = Duration::from_millis(600);
/// Longest wait for an answer: the guard's own five seconds and a margin.
const ANSWER_MAX: Duration = Duration::from_secs(6);
/// Pause before the host is asked again that did not say yes.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// Where the guard says which run it is.
const RUN_HEADER: &str = "x-haven-run";

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Everything that was acknowledged before is on disk.
    Written,
    /// The host was started anew, and what it acknowledged before may be lost; or it does not take
    /// the token any more. A new connection and the same command settle either.
    Restarted,
}

/// A host, as it was before anything was asked of it over a connection.
#[derive(Debug)]
pub(crate) struct Disk {
    client: Client,
    url: String,
    token: Mutex<String>,
    /// The run of the host; none when it does not say.
    run: Option<String>,
}

impl Disk {
    /// Asks the host who it is, before a connection to it is used.
    ///
    /// # Errors
    /// `client.unreachable`.
    pub(crate) async fn find(client: Client, admission: &Admission) -> Result<Self, HavenError> {
        let Admission { uri, database, token, .. } = admission;
        let base = uri.trim_end_matches('/');
        let ping = client.get(format!("{base}/v1/ping")).bearer_auth(token).timeout(ANSWER_MAX);
        let answer = ping.send().await;
        let answer = answer.map_err(|error| HavenError::Unreachable(error.to_string()))?;
        let run = run_of(&answer);
        let url = format!("{base}/v1/database/{database}/written");
        Ok(Self { client, url, token: Mutex::new(token.clone()), run })
    }

    /// From now on asks with the token of a newer admission.
    pub(crate) fn renew(&self, admission: &Admission) {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.clone_from(&admission.token);
    }

    /// Waits until what the host has acknowledged before this call is on its disk, for as long as
    /// that takes.
    pub(crate) async fn written(&self) -> Waited {
        loop {
            match self.ask().await {
                Some(waited) => return waited,
                None => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    async fn ask(&self) -> Option<Waited> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ask = self.client.get(&self.url).bearer_auth(token).timeout(ANSWER_MAX);
        let answer = ask.send().await.ok()?;
        if run_of(&answer) != self.run {
            return Some(Waited::Restarted);
        }
        match answer.status() {
            StatusCode::NO_CONTENT => Some(Waited::Written),
            // The connection has held meanwhile, or nobody hears this.
            StatusCode::NOT_FOUND if self.run.is_none() => {
                tokio::time::sleep(SYNC_MAX).await;
                Some(Waited::Written)
            }
            // The token has ended before it was renewed, as where the host's clock was set forward.
            StatusCode::UNAUTHORIZED => Some(Waited::Restarted),
            _ => None,
        }
    }
}

fn run_of(answer: &Response) -> Option<String> {
    let value = answer.headers().get(RUN_HEADER)?;
    value.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A host that answers the first request with the first answer, and so on, and the last from
    /// then on; its address, and what it was asked.
    async fn host(answers: &[&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
        let answers = answers.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(vec![]));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut bytes = vec![];
                while !bytes.ends_with(b"\r\n\r\n") {
                    if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let count = {
                    let mut heard = heard.lock().expect("no panic");
                    let text = String::from_utf8_lossy(&bytes);
                    let mut words = text.split_whitespace();
                    heard.push(words.nth(1).unwrap_or_default().to_owned());
                    heard.len()
                };
                let answer = answers[count.min(answers.len()) - 1];
                let close = "connection: close\r\ncontent-length: 0\r\n\r\n";
                let _ = socket.write_all(format!("HTTP/1.1 {answer}\r\n{close}").as_bytes()).await;
            }
        });
        (address, asked)
    }

    async fn check(answers: &[&'static str], expected: Waited, asked: usize) -> Duration {
        let (uri, heard) = host(answers).await;
        let text = |text: &str| text.to_owned();
        let (database, token, identity) = (text("haven"), text("x.y.z"), text("0"));
        let admission = Admission { uri, database, token, identity, expires_in: 900 };
        let disk = Disk::find(Client::new(), &admission).await.expect("it answers");
        let began = Instant::now();
        assert_eq!(disk.written().await, expected, "{answers:?}");
        let heard = heard.lock().expect("no panic");
        assert_eq!(heard[0], "/v1/ping");
        assert!(heard[1..].iter().all(|path| path == "/v1/database/haven/written"), "{heard:?}");
        assert_eq!(heard.len(), 1 + asked, "{answers:?}");
        began.elapsed()
    }

    #[tokio::test]
    async fn a_host_is_believed_when_the_run_that_acknowledged_says_so() {
        let run = "200 OK\r\nx-haven-run: a";
        check(&[run, "204 No Content\r\nx-haven-run: a"], Waited::Written, 1).await;
        let (busy, done) = ("503 Busy\r\nx-haven-run: a", "204 No Content\r\nx-haven-run: a");
        check(&[run, busy, busy, done], Waited::Written, 3).await;
        check(&[run, "204 No Content\r\nx-haven-run: b"], Waited::Restarted, 1).await;
        check(&[run, "503 Busy\r\nx-haven-run: b"], Waited::Restarted, 1).await;
        check(&[run, "204 No Content"], Waited::Restarted, 1).await;
        check(&[run, "401 Unauthorized\r\nx-haven-run: a"], Waited::Restarted, 1).await;
    }

    #[tokio::test]
    async fn a_host_that_does_not_tell_is_given_the_time_of_a_sync() {
        let took = check(&["200 OK", "404 Not Found"], Waited::Written, 1).await;
        assert!(took >= SYNC_MAX, "{took:?}");
    }
}
