//! What a dealer tries: letters, trades, auctions, orders, bags and banks, with goods that are his,
//! were his, or never were.

use anyhow::ensure;
use haven_checks::Snapshot;
use haven_gateway::stdb::Args;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::view::View;

/// How many kinds of goods are dealt in.
const KINDS: usize = 6;
/// The hours an auction may run.
const HOURS: [u8; 4] = [12, 24, 48, 13];
/// Of so many acts one is with numbers that nobody may ask for: with the third of all calls that
/// are repeated, more than half of what is sent.
const HOSTILE: u32 = 3;

/// A call.
pub(super) struct Act {
    pub(super) reducer: &'static str,
    pub(super) args: Args,
    /// Whether its last argument is a command's number, which is still to come.
    pub(super) is_command: bool,
}

/// Keys of goods that stack and that anybody may have, as content has them.
pub(super) fn goods(now: &Snapshot) -> anyhow::Result<Vec<String>> {
    let defs = now.rows("content_def").iter().filter(|row| row["kind"] == "item");
    let stacks = |row: &&Value| {
        let body: Value =
            serde_json::from_str(row["body"].as_str().unwrap_or_default()).unwrap_or_default();
        let is_plain = |field: &str, plain: &str| {
            body.get(field).is_none_or(|value| value.as_str() == Some(plain))
        };
        body["stack_max"].as_u64().unwrap_or(1) >= 10
            && is_plain("binding", "none")
            && body.get("is_unique").is_none_or(|unique| unique == &Value::Bool(false))
    };
    let keys = defs.filter(stacks).filter_map(|row| row["key"].as_str().map(str::to_owned));
    let keys: Vec<String> = keys.take(KINDS).collect();
    ensure!(!keys.is_empty(), "content has no goods that stack");
    Ok(keys)
}

/// A letter of staff's with so many of each good.
pub(super) fn gift(name: &str, defs: &[String], count: u32, copper: u64) -> Args {
    let length = u32::try_from(defs.len()).unwrap_or_default();
    let mut args = Args::new().with(name).with("Welcome").with("Deal well.").with(&length);
    for def in defs {
        args = args.with(def.as_str()).with(&count);
    }
    args.with(&copper)
}

/// A name for each dealer.
pub(super) fn name(number: u32) -> String {
    let syllables = ["ba", "de", "fu", "ga", "he", "ku", "pa", "se", "tu", "za"];
    let digits = format!("{number:03}");
    let spoken: String =
        digits.bytes().map(|digit| syllables[usize::from(digit - b'0') % 10]).collect();
    spoken[..1].to_uppercase() + &spoken[1..] + "do"
}

/// Draws an act of a kind: by the market, who acts, whether he means ill, and chance.
type Draw = fn(&View, u64, bool, &mut StdRng) -> Act;

/// One act of many.
pub(super) fn draw(view: &View, me: u64, chance: &mut StdRng) -> Act {
    let is_hostile = chance.random_range(0..HOSTILE) == 0;
    let draws: [Draw; 6] = [letter, letter_end, trade, auction, order, bag];
    let index = chance.random_range(0..draws.len());
    draws[index](view, me, is_hostile, chance)
}

const fn command(reducer: &'static str, args: Args) -> Act {
    Act { reducer, args, is_command: true }
}

/// A number that nothing has.
fn nothing(chance: &mut StdRng) -> u64 {
    if chance.random_range(0..2) == 0 { 0 } else { u64::MAX }
}

/// Which of so many kinds of an act; of somebody hostile one of those that can be meant ill.
fn kind(all: u32, hostile: &[u32], is_hostile: bool, chance: &mut StdRng) -> u32 {
    if is_hostile {
        pick(hostile, chance).copied().unwrap_or_default()
    } else {
        chance.random_range(0..all)
    }
}

/// A stack that is his; of somebody hostile, another's.
fn stack(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> (u64, u64, String) {
    let owner = if is_hostile {
        let others = view.bags.keys().copied().filter(|owner| *owner != me);
        any(&others.collect::<Vec<_>>(), chance)
    } else {
        Some(me)
    };
    let stacks = owner.and_then(|owner| view.bags.get(&owner)).map_or(&[][..], Vec::as_slice);
    let Some(stack) = pick(stacks, chance) else { return (u64::MAX, 1, String::new()) };
    (stack.item_id, stack.count, stack.def.clone())
}

fn any(of: &[u64], chance: &mut StdRng) -> Option<u64> {
    pick(of, chance).copied()
}

fn pick<'a, T>(of: &'a [T], chance: &mut StdRng) -> Option<&'a T> {
    if of.is_empty() { None } else { of.get(chance.random_range(0..of.len())) }
}

/// An amount; of somebody hostile one that nobody has.
fn copper(is_hostile: bool, chance: &mut StdRng) -> u64 {
    match (is_hostile, chance.random_range(0..4)) {
        (true, 0) => u64::MAX,
        (true, 1) => 1 << 60,
        (true, _) => 0,
        (false, _) => chance.random_range(1..500),
    }
}

/// Some of a stack; of somebody hostile more than there are, or none.
fn some(count: u64, is_hostile: bool, chance: &mut StdRng) -> u32 {
    let most = u32::try_from(count).unwrap_or(1).max(1);
    match (is_hostile, chance.random_range(0..3)) {
        (true, 0) => u32::MAX,
        (true, 1) => 0,
        _ => chance.random_range(1..=most),
    }
}

fn letter(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> Act {
    let to = name(chance.random_range(0..50));
    let (item_id, count, _) = stack(view, me, is_hostile, chance);
    // Without goods there is nothing wrong with a letter of no coins.
    let with_goods = chance.random_range(0..3) > 0 || is_hostile;
    let mut args = Args::new().with(to.as_str()).with("Goods").with("As agreed.");
    args = if with_goods {
        args.with(&1_u32).with(&item_id).with(&some(count, is_hostile, chance))
    } else {
        args.with(&0_u32)
    };
    let asks = with_goods && chance.random_range(0..3) == 0;
    let amount = copper(is_hostile, chance);
    let (coins, cod) = if asks { (0, amount) } else { (amount, 0) };
    command("mail_send", args.with(&coins).with(&cod))
}

fn letter_end(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> Act {
    let whose = if is_hostile {
        let others = view.letters.keys().copied().filter(|owner| *owner != me);
        any(&others.collect::<Vec<_>>(), chance)
    } else {
        Some(me)
    };
    let letters = whose.and_then(|owner| view.letters.get(&owner)).map_or(&[][..], Vec::as_slice);
    let (mail_id, cod) = pick(letters, chance).copied().unwrap_or((u64::MAX, 0));
    match kind(5, &[0, 3, 4], is_hostile, chance) {
        0 => command("mail_return", Args::new().with(&mail_id)),
        1 => command("mail_take_all", Args::new()),
        2 => command("lost_claim", Args::new()),
        3 => Act { reducer: "mail_delete", args: Args::new().with(&mail_id), is_command: false },
        _ => command("mail_take", Args::new().with(&mail_id).with(&0_u64).with(&cod)),
    }
}

fn trade(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> Act {
    let free = |reducer, args| Act { reducer, args, is_command: false };
    let Some(trade) = view.trades.get(&me) else {
        let other = any(&view.bags.keys().copied().collect::<Vec<_>>(), chance).unwrap_or(me);
        let other = if is_hostile { nothing(chance) } else { other };
        return free("trade_request", Args::new().with(&other));
    };
    let trade_id = if is_hostile { nothing(chance) } else { trade.id };
    let revision = if is_hostile { u64::from(u32::MAX) } else { trade.revision };
    let revision = u32::try_from(revision).unwrap_or(0);
    if !trade.is_open {
        return free("trade_answer", Args::new().with(&trade_id).with(&true));
    }
    let (item_id, ..) = stack(view, me, is_hostile, chance);
    match kind(8, &[0, 1, 2, 4, 6], is_hostile, chance) {
        0 => free("trade_offer_item", Args::new().with(&item_id)),
        1 => {
            // To offer none is anybody's right.
            let coins = copper(is_hostile, chance);
            let coins = if is_hostile { coins.max(1 << 60) } else { coins };
            free("trade_offer_coins", Args::new().with(&coins))
        }
        2 => free("trade_withdraw", Args::new().with(&item_id)),
        3 => free("trade_cancel", Args::new()),
        4 | 5 => free("trade_lock", Args::new().with(&revision)),
        _ => command("trade_confirm", Args::new().with(&trade_id).with(&revision)),
    }
}

fn auction(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> Act {
    let auction_id = any(&view.auctions, chance).filter(|_| !is_hostile);
    let auction_id = auction_id.unwrap_or_else(|| nothing(chance));
    match chance.random_range(0..5) {
        0 | 1 => {
            let (item_id, count, _) = stack(view, me, is_hostile, chance);
            let bid = copper(is_hostile, chance);
            let buyout = if chance.random_range(0..2) == 0 { 0 } else { bid.saturating_mul(2) };
            let hours = HOURS[chance.random_range(0..if is_hostile { 4 } else { 3 })];
            let count = some(count, is_hostile, chance);
            let args = Args::new().with(&item_id).with(&count).with(&bid).with(&buyout);
            command("auction_create", args.with(&hours))
        }
        2 => {
            let bid = copper(is_hostile, chance).saturating_mul(2);
            command("auction_bid", Args::new().with(&auction_id).with(&bid))
        }
        3 => command("auction_buyout", Args::new().with(&auction_id)),
        _ => command("auction_cancel", Args::new().with(&auction_id)),
    }
}

fn order(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> Act {
    match kind(4, &[0, 2], is_hostile, chance) {
        0 => {
            let order_id = any(&view.orders, chance).filter(|_| !is_hostile);
            let order_id = order_id.unwrap_or_else(|| nothing(chance));
            command("order_cancel", Args::new().with(&order_id))
        }
        1 => command("market_collect", Args::new()),
        _ => {
            let (_, count, def) = stack(view, me, is_hostile, chance);
            let price = copper(is_hostile, chance) % 60;
            let price = if is_hostile { nothing(chance) } else { price };
            let is_buy = chance.random_range(0..2) == 0;
            let count = some(count, is_hostile, chance);
            let args = Args::new().with(def.as_str()).with(&is_buy).with(&price).with(&count);
            command("order_place", args)
        }
    }
}

fn bag(view: &View, me: u64, is_hostile: bool, chance: &mut StdRng) -> Act {
    let (item_id, count, _) = stack(view, me, is_hostile, chance);
    let count = some(count, is_hostile, chance);
    let slot = chance.random_range(0..if is_hostile { u16::MAX } else { 20 });
    match chance.random_range(0..6) {
        0 => command("item_destroy", Args::new().with(&item_id).with(&1_u32)),
        1 => command("guild_coins_put", Args::new().with(&copper(is_hostile, chance))),
        2 => command("guild_coins_take", Args::new().with(&copper(is_hostile, chance))),
        _ => command("item_move", Args::new().with(&item_id).with(&count).with(&slot)),
    }
}
