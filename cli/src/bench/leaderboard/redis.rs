//! The peer: `redis-server` in a process of its own, asked in its own protocol (RESP 2) over a
//! Unix socket.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::Call;
use crate::bench::proc::Usage;

/// The sorted set.
const KEY: &str = "board";
/// How long it may take to start, or to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The 21 members around one, with their scores: what a page is.
const AROUND: &str = "local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1]) \
    if not rank then return {} end \
    local first = math.max(rank - 10, 0) \
    return redis.call('ZREVRANGE', KEYS[1], first, first + 20, 'WITHSCORES')";

/// A running Redis.
pub(super) struct Redis {
    // Before the directory, so that it is killed before that is removed.
    child: Child,
    stream: BufStream<UnixStream>,
    script: String,
    _dir: TempDir,
}

/// What it answers.
#[derive(Debug)]
enum Reply {
    Text(String),
    Number,
    List(usize),
    Nothing,
}

impl Redis {
    /// Starts it; none where there is no `redis-server` on the PATH.
    pub(super) async fn start() -> anyhow::Result<Option<Self>> {
        let dir = TempDir::with_prefix("haven-bench-redis-")?;
        let socket = dir.path().join("socket");
        let mut command = Command::new("redis-server");
        // A log as Haven has one, and no snapshots in between.
        command.args(["--port", "0", "--save", "", "--appendonly", "yes"]);
        command.args(["--appendfsync", "everysec", "--unixsocket"]).arg(&socket);
        command.arg("--dir").arg(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = match command.kill_on_drop(true).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("redis-server cannot be started"),
        };
        let connected = async {
            loop {
                match UnixStream::connect(&socket).await {
                    Ok(stream) => return stream,
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let stream = timeout(TIMEOUT, connected).await.context("redis-server does not answer")?;
        let (stream, script) = (BufStream::new(stream), String::new());
        let mut redis = Self { child, stream, script, _dir: dir };
        match redis.ask(&["SCRIPT", "LOAD", AROUND]).await? {
            Reply::Text(script) => redis.script = script,
            other => bail!("redis-server answers {other:?} to a script"),
        }
        Ok(Some(redis))
    }

    /// Its resident memory, bytes.
    pub(super) fn memory_bytes(&self) -> anyhow::Result<f64> {
        let process_id = self.child.id().context("redis-server has ended")?;
        Ok(Usage::of(process_id)?.memory_mb() * 1e6)
    }

    /// Adds many members at once; how long that took.
    pub(super) async fn fill(&mut self, lines: &[(u64, i64)]) -> anyhow::Result<Duration> {
        let mut words = vec!["ZADD".to_owned(), KEY.to_owned()];
        words.extend(
            lines.iter().flat_map(|(holder, score)| [score.to_string(), holder.to_string()]),
        );
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let began = Instant::now();
        self.ask(&words).await?;
        Ok(began.elapsed())
    }

    /// Makes a call; how long it took.
    pub(super) async fn call(
        &mut self,
        call: Call,
        (holder, score): (u64, i64),
    ) -> anyhow::Result<Duration> {
        let (holder, score, script) = (holder.to_string(), score.to_string(), self.script.clone());
        let words: Vec<&str> = match call {
            Call::Submit => vec!["ZADD", KEY, &score, &holder],
            Call::Rank => vec!["ZREVRANK", KEY, &holder],
            Call::Around => vec!["EVALSHA", &script, "1", KEY, &holder],
        };
        let began = Instant::now();
        let reply = self.ask(&words).await?;
        let took = began.elapsed();
        match (call, reply) {
            (Call::Submit | Call::Rank, Reply::Number) => Ok(took),
            (Call::Around, Reply::List(length)) if length > 0 => Ok(took),
            (call, reply) => bail!("redis-server answers {reply:?} to {call:?}"),
        }
    }

    /// Sends a command and reads the whole answer; of a list its length is told.
    async fn ask(&mut self, words: &[&str]) -> anyhow::Result<Reply> {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(text, "${}\r\n{word}\r\n", word.len());
        }
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await?;
        let mut first = None;
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            let reply = timeout(TIMEOUT, self.read()).await.context("redis-server is silent")??;
            if let Reply::List(length) = reply {
                left += length;
            }
            first.get_or_insert(reply);
        }
        first.context("redis-server has nothing to say")
    }

    async fn read(&mut self) -> anyhow::Result<Reply> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).context("redis-server has ended")?;
        Ok(match kind {
            "+" => Reply::Text(rest.to_owned()),
            "-" => bail!("redis-server refuses: {rest}"),
            ":" => Reply::Number,
            "*" => Reply::List(rest.parse().unwrap_or(0)),
            "$" if rest.starts_with('-') => Reply::Nothing,
            "$" => {
                let mut bytes = vec![0; rest.parse::<usize>()? + 2];
                self.stream.read_exact(&mut bytes).await?;
                Reply::Text(String::from_utf8_lossy(&bytes).trim_end().to_owned())
            }
            _ => bail!("redis-server says {line}"),
        })
    }
}
