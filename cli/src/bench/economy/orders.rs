//! Case `orders`: a book in which n orders wait, and what one more costs.
//!
//! Keeps true: every order was placed by a player's own call; at least three quarters of the book
//! are there to the end, because no more than half of its pieces are filled.

use std::time::Instant;

use anyhow::{Context, anyhow};
use futures::{StreamExt, TryStreamExt, stream};
use haven_gateway::stdb::{Args, Link};
use spacetimedb_lib::{Identity, SpacetimeType, bsatn};

use super::player::{CommandId, Commands, Player, call};
use super::without_byte_limit;
use crate::bench::crowd::cast::{Actor, cast, name};
use crate::bench::motion::watch::{Run, Watch};
use crate::bench::server::{Target, with_server};
use crate::bots::latency::Latencies;
use crate::signals::StopSignal;

/// Something that stacks and is bound to nobody.
const COMMODITY: &str = "iron_ore";
/// Orders of each account: as many as it may have.
const PER_ACCOUNT: u32 = 100;
/// Pieces of each order.
const PIECES: u32 = 2;
/// Prices of each side.
const PRICES: u32 = 400;
/// The least that is asked for a piece, copper; less is offered.
const ASKED_COPPER: u64 = 500;
/// A price that nobody meets, and one that meets all others.
const FAR_COPPER: u64 = 999_000;
const NEAR_COPPER: u64 = 990_000;
/// What an account begins with, copper.
const COPPER: u64 = 1_000_000_000;
/// Accounts that place their orders at once, and calls of each that are under way.
const AT_ONCE: usize = 4;
const IN_FLIGHT: usize = 25;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) place: Latencies,
    pub(super) cancel: Latencies,
    pub(super) fill: Latencies,
    pub(super) round_trip: Latencies,
    pub(super) placed_per_s: f64,
    pub(super) memory_mb: f64,
}

/// What staff sends.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct Gift {
    def: String,
    count: u32,
}

/// The first columns of `market_order`.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct OrderHead {
    order_id: u64,
    owner_key: u128,
    viewer: Identity,
    account_id: u64,
    character_id: u64,
    price_copper: u64,
}

/// Somebody who trades.
struct Trader(Player);

/// Fills a book until so many orders wait, and measures what one more costs.
pub(super) async fn measure(
    resting: u32,
    rounds: u32,
    stop: &mut StopSignal,
) -> anyhow::Result<Measured> {
    with_server(&without_byte_limit(), stop, async |server| {
        let target = &server.target;
        let owner = target.owner().await?;
        let accounts = resting.div_ceil(PER_ACCOUNT);
        // One more, who is measured.
        let actors = cast(target, &owner, accounts + 1).await?;
        let (one, others) = actors.split_first().context("nobody trades")?;
        let letters = Commands::default();
        let began = Instant::now();
        let filled = stream::iter(others.iter().zip(1..)).map(|(actor, number)| {
            let orders = PER_ACCOUNT.min(resting - (number - 1) * PER_ACCOUNT);
            place_all(target, (&owner, &letters), actor, number, orders)
        });
        filled.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let placed_per_s = f64::from(resting) / began.elapsed().as_secs_f64();
        let memory_mb = target.usage()?.memory_mb();
        let mut measured = Measured { placed_per_s, memory_mb, ..Measured::default() };
        let trader = Trader::enter(target, (&owner, &letters), one, 0).await?;
        // A row of it is written by every command.
        let mut receipts = Watch::open(target, &target.database, "command_receipt").await?;
        let mut orders = Watch::open(target, &target.database, "market_order").await?;
        // Each side has as many pieces as orders wait, and each round takes one of them.
        for _ in 0..rounds.min(resting / 2) {
            measured.round(&trader, &mut receipts, &mut orders).await?;
        }
        trader.0.link.close().await;
        owner.close().await;
        Ok(measured)
    })
    .await
}

impl Measured {
    /// An order that waits, is taken back, and one that is filled on each side.
    async fn round(
        &mut self,
        trader: &Trader,
        receipts: &mut Watch,
        orders: &mut Watch,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        trader.place(false, FAR_COPPER, 1).await?;
        self.round_trip.add(began.elapsed());
        self.place.add(receipts.next().await?.took);
        let order_id = loop {
            // Those that were filled before are told as well.
            let head = head_of(&orders.next().await?)?;
            if head.price_copper == FAR_COPPER {
                break head.order_id;
            }
        };
        let began = Instant::now();
        trader.cancel(order_id).await?;
        self.round_trip.add(began.elapsed());
        self.cancel.add(receipts.next().await?.took);
        for (is_buy, price) in [(true, NEAR_COPPER), (false, 1)] {
            let began = Instant::now();
            trader.place(is_buy, price, 1).await?;
            self.round_trip.add(began.elapsed());
            self.fill.add(receipts.next().await?.took);
        }
        Ok(())
    }
}

fn head_of(run: &Run) -> anyhow::Result<OrderHead> {
    let mut bytes = &*run.row;
    bsatn::from_reader(&mut bytes)
        .map_err(|error| anyhow!("a row of market_order cannot be read: {error}"))
}

impl Trader {
    /// Comes into the world and takes what staff has sent.
    async fn enter(
        target: &Target,
        (owner, letters): (&Link, &Commands),
        actor: &Actor,
        number: u32,
    ) -> anyhow::Result<Self> {
        let gift = Gift { def: COMMODITY.to_owned(), count: PER_ACCOUNT * PIECES };
        let letter = Args::new()
            .with(&name(number))
            .with("Goods")
            .with("")
            .with(&vec![gift])
            .with(&COPPER)
            .with(&letters.next());
        call(owner, "mail_send_by_staff", letter).await?;
        let player = Player::enter(target, actor).await?;
        let command = player.command();
        player.call("mail_take_all", Args::new().with(&command)).await?;
        Ok(Self(player))
    }

    async fn place(&self, is_buy: bool, price: u64, count: u32) -> anyhow::Result<()> {
        let args = order(is_buy, price, count, self.0.command());
        self.0.call("order_place", args).await
    }

    async fn cancel(&self, order_id: u64) -> anyhow::Result<()> {
        let args = Args::new().with(&order_id).with(&self.0.command());
        self.0.call("order_cancel", args).await
    }
}

fn order(is_buy: bool, price: u64, count: u32, command: CommandId) -> Args {
    Args::new().with(COMMODITY).with(&is_buy).with(&price).with(&count).with(&command)
}

/// One account's orders, half to buy and half to sell, none of which meet.
async fn place_all(
    target: &Target,
    by: (&Link, &Commands),
    actor: &Actor,
    number: u32,
    orders: u32,
) -> anyhow::Result<()> {
    let trader = Trader::enter(target, by, actor, number).await?;
    let wanted: Vec<Args> = (0..orders)
        .map(|order_number| {
            let step = u64::from((number * 37 + order_number * 11) % PRICES);
            let is_buy = order_number % 2 == 0;
            let price = if is_buy { 1 + step } else { ASKED_COPPER + step };
            order(is_buy, price, PIECES, trader.0.command())
        })
        .collect();
    let placed = stream::iter(wanted).map(|args| trader.0.call("order_place", args));
    placed.buffer_unordered(IN_FLIGHT).try_collect::<()>().await?;
    trader.0.link.close().await;
    Ok(())
}
