//! The rules about parties and friends.

use crate::Rule;
use crate::invariants::set;
use crate::snapshot::{Snapshot, number};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most members of a party, of a raid and of a group; most friends and requests, and blocks, of an
/// account: as the module bounds them.
const PARTY_MAX: usize = 5;
const RAID_MAX: usize = 40;
const GROUP_MAX: usize = 5;
const TIES_MAX: usize = 200;
const BLOCKS_MAX: usize = 200;
/// `friend_tie.state`.
const FRIENDS: u64 = 1;
const ASKED: u64 = 2;

/// The rules about company.
pub(crate) const RULES: [Rule; 3] = [
    ("parties have one leader, bounded groups, and a copy of all for each member", parties),
    ("friendships and requests that are shown have two sides, and are bounded", friends),
    ("friends see one row of each other, and nobody else sees any", presences),
];

/// A member's party, by what its copy of it says.
fn parties_of(now: &Snapshot) -> BTreeMap<u64, u64> {
    let views = now.rows("party_view").iter();
    views.map(|row| (number(row, "character_id"), number(row, "party_id"))).collect()
}

fn parties(now: &Snapshot) -> Vec<String> {
    let mut found = vec![];
    let of = parties_of(now);
    let seats = set(now, "party_seat", "character_id");
    let viewers: BTreeSet<u64> = of.keys().copied().collect();
    for id in seats.symmetric_difference(&viewers) {
        found.push(format!("party_seat or party_view without the other: {id}"));
    }
    let mut copies = 0;
    for party in now.rows("party") {
        let id = number(party, "party_id");
        let is_member = |row: &&Value| of.get(&number(row, "character_id")) == Some(&id);
        let members: Vec<&Value> = now.rows("party_seat").iter().filter(is_member).collect();
        copies += members.len() * members.len();
        let is_raid = party["is_raid"] == true;
        let most = if is_raid { RAID_MAX } else { PARTY_MAX };
        let leads = |row: &&&Value| row["character_id"] == party["leader_id"];
        let in_group =
            |group: u64| members.iter().filter(|row| number(row, "group") == group).count();
        let is_sound = (1..=most).contains(&members.len())
            && members.iter().filter(leads).count() == 1
            && (1..=8).all(|group| in_group(group) <= GROUP_MAX)
            && (members.len() == 1) == (party["alone_ends_at_micros"] != 0);
        if !is_sound {
            found.push(format!("party {party}"));
        }
    }
    if now.rows("party_member").len() != copies {
        let rows = now.rows("party_member").len();
        found.push(format!("{rows} copies of members, not {copies}"));
    }
    found
}

fn friends(now: &Snapshot) -> Vec<String> {
    let mut found = vec![];
    let shown = set(now, "friend", "friend_id");
    let ties: BTreeMap<u64, &Value> =
        now.rows("friend_tie").iter().map(|row| (number(row, "friend_id"), row)).collect();
    let known: BTreeSet<u64> = ties.keys().copied().collect();
    for id in shown.symmetric_difference(&known) {
        found.push(format!("friend or friend_tie without the other: {id}"));
    }
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for (id, row) in &ties {
        *counts.entry(number(row, "account_id")).or_default() += 1;
        let (state, mirror) = (number(row, "state"), number(row, "mirror_id"));
        let has_mirror = ties.get(&mirror).is_some_and(|other| number(other, "mirror_id") == *id);
        // A request may be seen by its asker alone.
        let may_lack = state == ASKED && mirror == 0;
        if !has_mirror && !may_lack {
            found.push(format!("friend_tie {row}"));
        }
    }
    let many = counts.iter().filter(|(_, count)| **count > TIES_MAX);
    found.extend(many.map(|(account, count)| format!("{account} has {count} ties")));
    if now.rows("friend_block_link").len() != now.rows("friend_block_name").len() {
        found.push("blocks without a name, or names without a block".to_owned());
    }
    let blocks = now.rows("friend_block").iter().filter(|row| number(row, "names") == 0);
    found.extend(blocks.map(|row| format!("friend_block {row}")));
    let most = now.rows("friend_block").iter().map(|row| number(row, "names")).max();
    if most.is_some_and(|most| most > BLOCKS_MAX as u64) {
        found.push(format!("{most:?} names of one account blocked"));
    }
    found
}

fn presences(now: &Snapshot) -> Vec<String> {
    let friends = now.rows("friend_tie").iter().filter(|row| number(row, "state") == FRIENDS);
    let friends: BTreeSet<u64> = friends.map(|row| number(row, "friend_id")).collect();
    let seen = set(now, "friend_presence", "friend_id");
    let differing = seen.symmetric_difference(&friends);
    let mut found: Vec<String> =
        differing.map(|id| format!("friend_presence or friendship alone: {id}")).collect();
    let pairs = set(now, "friend_pair", "friend_id");
    found.extend(pairs.symmetric_difference(&friends).map(|id| format!("friend_pair: {id}")));
    found
}
