//! Commands that are sent in any order, dropped half-way, and sent again, also at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::StreamExt as _;
use haven_checks::text;
use haven_rules::characters::CHARACTERS_PER_ACCOUNT_MAX;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::site::{Site, ensure_sound};
use super::{Extent, Findings};

/// How often each command is sent before it is sent until it is answered.
const TIMES: u64 = 4;
/// When a request is given up by whoever sent it, milliseconds: some before it arrives, some before
/// it is answered, some not at all.
const DROPPED_MILLIS: std::ops::Range<u64> = 1..800;
/// Requests under way at once.
const AT_ONCE: usize = 64;
/// How long a command may take until its result is certain.
const CERTAIN_TIMEOUT: Duration = Duration::from_mins(1);

/// A command: who sends it, under which number, and what it says.
#[derive(Clone, Debug)]
struct Command {
    token: Arc<str>,
    key: String,
    name: String,
}

impl Command {
    /// Sends it; the status, and the code of a refusal.
    async fn send(&self, http: &Client, gateway: &str) -> reqwest::Result<(StatusCode, String)> {
        let body = json!({ "name": self.name, "race": "human", "class": "rogue" });
        let post = http.post(format!("{gateway}/v1/characters")).bearer_auth(&self.token);
        let answer = post.header("idempotency-key", &self.key).json(&body).send().await?;
        let (status, told) = (answer.status(), answer.json::<Value>().await.unwrap_or_default());
        Ok((status, told["code"].as_str().unwrap_or_default().to_owned()))
    }

    /// Sends it until it is known to be done.
    async fn finish(&self, http: &Client, gateway: &str) -> anyhow::Result<()> {
        let until = tokio::time::Instant::now() + CERTAIN_TIMEOUT;
        loop {
            match self.send(http, gateway).await {
                Ok((status, _)) if status.is_success() => return Ok(()),
                Ok((status, code)) if status.is_client_error() => {
                    bail!("{} under {} is refused: {code}", self.name, self.key)
                }
                _ if tokio::time::Instant::now() > until => bail!("{} is never done", self.name),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let mut site = Site::open(&[]).await?;
    let (http, gateway) = (Client::new(), site.reach.gateway.clone());
    let accounts = if extent.is_short { 8 } else { 100 };
    let mut commands = vec![];
    for account in 0..accounts {
        let token: Arc<str> = register(&http, &gateway, account).await?.into();
        let session = chance.random_range(1..=u64::MAX);
        for sequence in 1..=CHARACTERS_PER_ACCOUNT_MAX {
            let key = format!("{session}-{sequence}");
            commands.push(Command {
                token: Arc::clone(&token),
                key,
                name: name(account, sequence),
            });
        }
    }
    let mut sendings: Vec<(&Command, u64)> =
        commands.iter().flat_map(|command| (0..TIMES).map(move |_| (command, 0))).collect();
    sendings.shuffle(&mut chance);
    for (_, seed) in &mut sendings {
        *seed = chance.random();
    }
    let (before, after) = sendings.split_at(sendings.len() / 2);
    let mut dropped = send_all(&http, &gateway, before).await;
    site.kill().await?;
    site.start().await?;
    dropped += send_all(&http, &gateway, after).await;
    for command in &commands {
        command.finish(&http, &gateway).await?;
    }
    // Only what is on disk counts.
    site.kill().await?;
    site.start().await?;
    let now = site.reach.snapshot().await?;
    ensure_sound(&now)?;
    let mut found = BTreeMap::<&str, u32>::new();
    for row in now.rows("character") {
        *found.entry(text(row, "name")).or_default() += 1;
    }
    for command in &commands {
        let count = found.remove(command.name.as_str()).unwrap_or_default();
        ensure!(count == 1, "{} was made {count} times", command.name);
    }
    ensure!(found.is_empty(), "nobody asked for {found:?}");
    site.stop().await?;
    Ok(format!(
        "{} commands, each sent {TIMES} times and more in any order and from several at once, \
         {dropped} sendings given up half-way, one kill between: all done exactly once",
        commands.len(),
    ))
}

/// Sends all of them, many at once, each given up after a moment; how many were.
async fn send_all(http: &Client, gateway: &str, sendings: &[(&Command, u64)]) -> usize {
    let sent = futures::stream::iter(sendings).map(async |(command, seed)| {
        let mut chance = StdRng::seed_from_u64(*seed);
        let patience = Duration::from_millis(chance.random_range(DROPPED_MILLIS));
        tokio::time::timeout(patience, command.send(http, gateway)).await.is_err()
    });
    sent.buffer_unordered(AT_ONCE).filter(|dropped| std::future::ready(*dropped)).count().await
}

async fn register(http: &Client, gateway: &str, account: u32) -> anyhow::Result<String> {
    let email = format!("sender-{account}@players.example");
    let body = json!({ "email": email, "password": "sent more than once" });
    let answer = http.post(format!("{gateway}/v1/auth/register")).json(&body).send().await?;
    let told: Value = answer.json().await?;
    Ok(told["access_token"].as_str().context("it is not registered")?.to_owned())
}

/// A name for each account and number.
fn name(account: u32, sequence: usize) -> String {
    let syllables = ["ba", "de", "fu", "ga", "he", "ku", "pa", "se", "tu", "za"];
    let digits = format!("{account:03}{sequence}");
    let spoken: String =
        digits.bytes().map(|digit| syllables[usize::from(digit - b'0') % 10]).collect();
    spoken[..1].to_uppercase() + &spoken[1..]
}
