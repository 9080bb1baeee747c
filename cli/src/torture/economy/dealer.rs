//! One who deals: an account with a character, and the numbers of its commands.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use haven_gateway::stdb::{Args, CallError, Link, LinkConfig};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::acts::{self, Act};
use super::view::View;
use crate::torture::site::Reach;

/// How many of its last commands a dealer may send again.
const KEPT: usize = 16;
/// Of so many commands one is sent again.
const REPEATS: u32 = 3;
/// Of so many commands one waits for the disk.
const WAITS: u32 = 8;
/// How codes begin that a dealer may hear: rules of goods, of commands, and of a realm that comes
/// and goes.
const EXPECTED: [&str; 12] = [
    "item.",
    "economy.",
    "market.",
    "trade.",
    "auction.",
    "order.",
    "mail.",
    "guild.",
    "command.",
    "realm.",
    "character.",
    "vendor.",
];

/// A command that was told as written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) account_id: u64,
    pub(super) session: u64,
    pub(super) sequence: u64,
}

/// A dealer.
pub(super) struct Dealer {
    account_id: u64,
    character_id: u64,
    pub(super) name: String,
    database: String,
    /// Good for the run.
    token: String,
    chance: StdRng,
    session: u64,
    sequence: u64,
    /// The last commands, to be sent again.
    last: Vec<(&'static str, Vec<u8>)>,
    /// How many were refused.
    pub(super) refused: u64,
}

impl Dealer {
    /// Registers, makes a character, and is admitted.
    pub(super) async fn register(reach: &Reach, seed: u64, number: u32) -> anyhow::Result<Self> {
        let http = reqwest::Client::new();
        let email = format!("dealer-{seed}-{number}@players.example");
        let body = json!({ "email": email, "password": "nothing to hide here" });
        let told = post(&http, &format!("{}/v1/auth/register", reach.gateway), None, body).await?;
        let access = told["access_token"].as_str().context("it is not registered")?.to_owned();
        let account_id = told["account_id"].as_u64().context("it has no number")?;
        let name = acts::name(number);
        let body = json!({ "name": name, "race": "human", "class": "fighter" });
        let url = format!("{}/v1/characters", reach.gateway);
        let made = post(&http, &url, Some(&access), body).await?;
        let character_id = made["character_id"].as_u64().context("it has no character")?;
        let url = format!("{}/v1/realms/1/enter", reach.gateway);
        let admission = post(&http, &url, Some(&access), json!({})).await?;
        let said = |field: &str| admission[field].as_str().map(str::to_owned);
        Ok(Self {
            account_id,
            character_id,
            name,
            database: said("database").context("it is not admitted")?,
            token: said("token").context("it has no token")?,
            chance: StdRng::seed_from_u64(seed ^ (u64::from(number) << 32)),
            session: seed.max(1),
            sequence: 0,
            last: vec![],
            refused: 0,
        })
    }

    /// A connection with the character in the world.
    pub(super) async fn connect(&self, reach: &Reach) -> anyhow::Result<Link> {
        let token = self.token.clone();
        let source = Arc::new(move || Ok(token.clone()));
        let link = Link::open(LinkConfig::new(&reach.uri, &self.database, source));
        ensure!(link.wait_connected(Duration::from_secs(10)).await, "{} waits", self.name);
        link.call("character_enter", Args::new().with(&self.character_id)).await?;
        Ok(link)
    }

    /// Deals until the server is gone; how many commands were answered, and what was told as
    /// written.
    pub(super) async fn deal(
        mut self,
        reach: &Reach,
        view: &RwLock<Arc<View>>,
        mut ends: watch::Receiver<bool>,
    ) -> anyhow::Result<(Self, u64, Vec<Told>)> {
        let (mut answered, mut told) = (0, vec![]);
        let Ok(link) = self.connect(reach).await else { return Ok((self, 0, told)) };
        loop {
            let now = Arc::clone(&view.read().unwrap_or_else(PoisonError::into_inner));
            let (reducer, bytes, sequence) = self.next(&now);
            let call = link.call(reducer, Args::of_bytes(bytes));
            let waits = sequence.is_some() && self.chance.random_range(0..WAITS) == 0;
            let outcome = async { if waits { link.durably(call).await } else { call.await } };
            let outcome = tokio::select! {
                outcome = outcome => outcome,
                // Who is gone answers nothing any more.
                _ = ends.wait_for(|ended| *ended) => break,
            };
            match outcome {
                Ok(()) => {
                    answered += 1;
                    if let Some(sequence) = sequence.filter(|_| waits) {
                        let Self { account_id, session, .. } = self;
                        told.push(Told { account_id, session, sequence });
                    }
                }
                Err(CallError::Refused { code, message }) => {
                    if !EXPECTED.iter().any(|start| code.starts_with(start)) {
                        bail!("{} is told by {reducer}: {message}", self.name);
                    }
                    answered += 1;
                    self.refused += 1;
                }
                Err(CallError::Broken(reason)) => bail!("{reducer} broke: {reason}"),
                Err(_) => break,
            }
        }
        link.close().await;
        Ok((self, answered, told))
    }

    /// What he sends next; a command has a number.
    fn next(&mut self, view: &View) -> (&'static str, Vec<u8>, Option<u64>) {
        if !self.last.is_empty() && self.chance.random_range(0..REPEATS) == 0 {
            let index = self.chance.random_range(0..self.last.len());
            let (reducer, bytes) = self.last[index].clone();
            return (reducer, bytes, None);
        }
        let Act { reducer, args, is_command } =
            acts::draw(view, self.character_id, &mut self.chance);
        if !is_command {
            return (reducer, args.to_bytes(), None);
        }
        self.sequence += 1;
        let bytes = args.with(&self.session).with(&self.sequence).to_bytes();
        if self.last.len() >= KEPT {
            self.last.remove(0);
        }
        self.last.push((reducer, bytes.clone()));
        (reducer, bytes, Some(self.sequence))
    }
}

async fn post(
    http: &reqwest::Client,
    url: &str,
    token: Option<&str>,
    body: Value,
) -> anyhow::Result<Value> {
    let mut request = http.post(url).json(&body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await?;
    let status = answer.status();
    let told: Value = answer.json().await?;
    ensure!(status.is_success(), "{url}: {status} {told}");
    Ok(told)
}
