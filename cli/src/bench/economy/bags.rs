//! Case `bags`: a player moves items within a full bag while n characters have full bags.
//!
//! Keeps true: bags are filled until another piece has no room; each move is the player's own call
//! and lets two stacks change places, so the bag stays full.

use std::time::Instant;

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use haven_gateway::stdb::{Args, Link};
use haven_rules::items::{HolderKind, SLOTS_MAX};
use spacetimedb_lib::{Identity, SpacetimeType, bsatn};

use super::player::{Commands, Player};
use super::without_byte_limit;
use crate::bench::crowd::cast::{Actor, cast};
use crate::bench::motion::watch::{Watch, rows};
use crate::bench::server::{Target, with_server};
use crate::bots::latency::Latencies;
use crate::setup::refused;
use crate::signals::StopSignal;

/// Something that does not stack and is bound to nobody.
const DEF: &str = "longsword";
/// Bags that are filled at once, one call of each under way: half of what the database remembers of
/// a session.
const AT_ONCE: usize = 32;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Inside the engine, and as the player sees it.
    pub(super) inside: Latencies,
    pub(super) round_trip: Latencies,
    pub(super) memory_mb: f64,
}

/// A row of `item_container`.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct ContainerRow {
    owner_key: u128,
    container_id: u64,
    owner_id: u64,
    viewer: Identity,
    slots: u16,
    kind: u8,
}

/// A row of `item`.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct ItemRow {
    item_id: u64,
    place_key: u64,
    viewer: Identity,
    bound_to: u64,
    count: u32,
    durability: u16,
    flags: u8,
    def: String,
}

/// Fills so many bags, for each number in rising order, and measures the first one's moves.
pub(super) async fn measure(
    characters: &[u32],
    rounds: u32,
    stop: &mut StopSignal,
    mut add: impl FnMut(u32, Measured),
) -> anyhow::Result<()> {
    let most = characters.iter().copied().max().unwrap_or(0);
    with_server(&without_byte_limit(), stop, async |server| {
        let target = &server.target;
        let owner = target.owner().await?;
        let actors = cast(target, &owner, most).await?;
        let player = Player::enter(target, actors.first().context("nobody has a bag")?).await?;
        let commands = Commands::default();
        let mut filled = 0;
        for number in characters.iter().copied() {
            let wanted = usize::try_from(number)?.max(filled);
            let new = actors[filled..wanted].iter().map(|actor| fill(&owner, &commands, actor));
            stream::iter(new).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            filled = wanted;
            add(number, moves(target, &player, rounds).await?);
        }
        player.link.close().await;
        owner.close().await;
        Ok(())
    })
    .await
}

/// Gives somebody one piece after the other until there is no room.
async fn fill(owner: &Link, commands: &Commands, actor: &Actor) -> anyhow::Result<()> {
    for _ in 0..=SLOTS_MAX {
        let args = Args::new().with(&actor.character_id).with(DEF).with(&1_u32).with("bench");
        match owner.call("item_give", args.with(&commands.next())).await {
            Ok(()) => {}
            Err(error) if error.code() == Some("item.no_room") => return Ok(()),
            Err(error) => return Err(refused("item_give", &error)),
        }
    }
    bail!("a bag has room without end")
}

/// Lets two stacks of a full bag change places, again and again.
async fn moves(target: &Target, player: &Player, rounds: u32) -> anyhow::Result<Measured> {
    let mut bag = bag_of(target, player.character_id).await?;
    // A row of it is written by every command.
    let mut receipts = Watch::open(target, &target.database, "command_receipt").await?;
    let mut measured = Measured::default();
    for round in 0..rounds {
        let (one, other) = pair(usize::try_from(round)?, bag.len());
        let ((item_id, slot), (_, to)) = (bag[one], bag[other]);
        let args = Args::new().with(&item_id).with(&1_u32).with(&to).with(&player.command());
        let began = Instant::now();
        player.call("item_move", args).await?;
        measured.round_trip.add(began.elapsed());
        measured.inside.add(receipts.next().await?.took);
        bag[one].1 = to;
        bag[other].1 = slot;
    }
    measured.memory_mb = target.usage()?.memory_mb();
    Ok(measured)
}

/// Which two of so many change places in a round, 2 at least: never one with itself.
fn pair(round: usize, stacks: usize) -> (usize, usize) {
    let one = round % stacks;
    let step = 1 + round / stacks % (stacks - 1);
    (one, (one + step) % stacks)
}

/// The pieces in a character's bag, and their slots. The bag is full.
async fn bag_of(target: &Target, character_id: u64) -> anyhow::Result<Vec<(u64, u16)>> {
    let mut bag = None;
    for row in &rows(target, &target.database, "item_container").await? {
        let row: ContainerRow =
            bsatn::from_slice(&row).context("a row of item_container cannot be read")?;
        if row.kind == HolderKind::Bag as u8 && row.owner_id == character_id {
            bag = Some(row);
        }
    }
    let bag = bag.context("there is no bag")?;
    let (mut pieces, mut taken) = (vec![], 0);
    for row in &rows(target, &target.database, "item").await? {
        let row: ItemRow = bsatn::from_slice(&row).context("a row of item cannot be read")?;
        if row.place_key >> 16 != bag.container_id {
            continue;
        }
        taken += 1;
        if row.def == DEF && row.count == 1 {
            pieces.push((row.item_id, u16::try_from(row.place_key & u64::from(u16::MAX))?));
        }
    }
    ensure!(taken == bag.slots, "a bag of {} slots has {taken} stacks", bag.slots);
    ensure!(pieces.len() >= 2, "there are no two pieces to move");
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stack_changes_places_with_itself() {
        for stacks in 2..=20 {
            for round in 0..1_000 {
                let (one, other) = pair(round, stacks);
                assert!(one != other && one < stacks && other < stacks, "{round} of {stacks}");
            }
        }
    }
}
