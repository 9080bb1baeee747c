//! Cases `haven` and `haven_durable`: players who stand at the spawn pay each other to and fro.
//!
//! Keeps true: each payment is a player's own call, a command with a receipt and an entry of the
//! ledger; it is the transfer of the peer in `bench/peers/postgres`, by the same order of pairs;
//! all copper is counted at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use haven_gateway::stdb::{Args, Link};
use haven_rules::economy::PurseKind;
use haven_rules::keys::whole_of;
use spacetimedb_lib::{SpacetimeType, bsatn};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::player::{Commands, Player, call};
use super::without_byte_limit;
use crate::bench::crowd::cast::{Actor, cast};
use crate::bench::motion::watch::rows;
use crate::bench::server::{Target, with_server};
use crate::bots::latency::Latencies;
use crate::setup::refused;
use crate::signals::StopSignal;

/// What each player begins with, copper.
const COPPER: u64 = 1_000_000;
/// What is paid, copper.
const PAID: u64 = 1;
/// Players who come into the world at once.
const AT_ONCE: usize = 32;
/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Payments under way at once.
    pub(super) in_flight: u32,
    /// Players, two to a pair.
    pub(super) accounts: u32,
    /// The measuring window, and the time before it, in seconds.
    pub(super) seconds: u32,
    pub(super) warmup: u32,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) round_trip: Latencies,
    pub(super) transactions_per_s: f64,
}

/// The first columns of `ledger_account`.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct AccountHead {
    owner_key: u128,
    ledger_account_id: u64,
    owner_id: u64,
    copper: u64,
}

/// How far a measurement is.
#[derive(Debug, Default)]
struct Phase(AtomicU8);

impl Phase {
    const WARMUP: u8 = 0;
    const MEASURES: u8 = 1;
    const OVER: u8 = 2;

    fn set(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Measures on one server, one after the other, payments that are answered once they are done, and,
/// where it says so, those that are waited for until they are on disk.
pub(super) async fn measure(
    plan: Plan,
    durable: &[bool],
    stop: &mut StopSignal,
    mut add: impl FnMut(bool, Measured),
) -> anyhow::Result<()> {
    with_server(&without_byte_limit(), stop, async |server| {
        let target = &server.target;
        let owner = target.owner().await?;
        let actors = cast(target, &owner, plan.accounts).await?;
        let commands = Commands::default();
        let players = stream::iter(&actors).map(|actor| enter(target, &owner, &commands, actor));
        let players: Vec<Player> = players.buffered(AT_ONCE).try_collect().await?;
        let players: Arc<[Player]> = players.into();
        let given = copper_held(target).await?;
        for is_durable in durable.iter().copied() {
            add(is_durable, pay_all(&players, plan, is_durable).await?);
        }
        let held = copper_held(target).await?;
        ensure!(held == given, "copper was made or lost: {held} of {given}");
        for player in players.iter() {
            player.link.close().await;
        }
        owner.close().await;
        Ok(())
    })
    .await
}

/// Comes into the world and is given coins.
async fn enter(
    target: &Target,
    owner: &Link,
    commands: &Commands,
    actor: &Actor,
) -> anyhow::Result<Player> {
    let player = Player::enter(target, actor).await?;
    let args = Args::new().with(&actor.character_id).with(&COPPER).with("A benchmark");
    call(owner, "coins_give", args.with(&commands.next())).await?;
    Ok(player)
}

/// Lets as many pay at once as are asked for.
async fn pay_all(
    players: &Arc<[Player]>,
    plan: Plan,
    is_durable: bool,
) -> anyhow::Result<Measured> {
    let phase = Arc::new(Phase::default());
    let mut payers = JoinSet::new();
    for number in 0..plan.in_flight {
        let (players, phase) = (Arc::clone(players), Arc::clone(&phase));
        let number = usize::try_from(number)?;
        payers.spawn(async move { pay(&players, number, is_durable, &phase).await });
    }
    sleep(Duration::from_secs(plan.warmup.into())).await;
    phase.set(Phase::MEASURES);
    let began = Instant::now();
    sleep(Duration::from_secs(plan.seconds.into())).await;
    phase.set(Phase::OVER);
    let mut round_trip = Latencies::default();
    while let Some(paid) = payers.join_next().await {
        round_trip.extend(paid.context("a payer's task failed")??);
    }
    let took = began.elapsed().as_secs_f64();
    let payments = u32::try_from(round_trip.count())?;
    ensure!(payments > 0, "nothing was paid");
    Ok(Measured { round_trip, transactions_per_s: f64::from(payments) / took })
}

/// One pays the other one of its pair and is paid back by that of the next one, without end.
async fn pay(
    players: &[Player],
    number: usize,
    is_durable: bool,
    phase: &Phase,
) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::default();
    let mut step = 0;
    while phase.get() != Phase::OVER {
        step += 1;
        let (payer, payee) = turn(number, step, players.len());
        let (payer, payee) = (&players[payer], &players[payee]);
        let args = Args::new().with(&payee.character_id).with(&PAID).with(&payer.command());
        let began = Instant::now();
        let paid = payer.link.call("coins_pay", args);
        let paid = if is_durable { payer.link.durably(paid).await } else { paid.await };
        paid.map_err(|error| refused("coins_pay", &error))?;
        if phase.get() != Phase::WARMUP {
            latencies.add(began.elapsed());
        }
    }
    Ok(latencies)
}

/// Who pays whom, of so many: the peer has the same order.
fn turn(number: usize, step: usize, accounts: usize) -> (usize, usize) {
    let pair = (number + step / 2) % (accounts / 2);
    let (one, other) = (pair * 2, pair * 2 + 1);
    if step.is_multiple_of(2) { (one, other) } else { (other, one) }
}

/// What is in all wallets, copper.
async fn copper_held(target: &Target) -> anyhow::Result<u128> {
    let mut held = 0;
    for row in &rows(target, &target.database, "ledger_account").await? {
        let mut bytes = &*row;
        let head: AccountHead =
            bsatn::from_reader(&mut bytes).context("a row of ledger_account cannot be read")?;
        if whole_of(head.owner_key) == PurseKind::Wallet as u64 {
            held += u128::from(head.copper);
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_paid_is_paid_back_and_all_take_part() {
        for accounts in [2, 64] {
            let mut balances = vec![0_i64; accounts];
            let mut payments = vec![0_u32; accounts];
            for number in 0..32 {
                // The first step pays, and the last one pays back.
                for step in 1..=accounts {
                    let (payer, payee) = turn(number, step, accounts);
                    assert_eq!((payer / 2, payer ^ 1), (payee / 2, payee));
                    balances[payer] -= 1;
                    balances[payee] += 1;
                    payments[payer] += 1;
                }
            }
            assert!(payments.iter().all(|payments| *payments > 0), "{payments:?}");
            assert!(balances.iter().all(|balance| balance.abs() <= 32), "{balances:?}");
        }
    }
}
