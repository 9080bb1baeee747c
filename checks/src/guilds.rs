//! The rules about guilds, their members and their banks.

use crate::Rule;
use crate::invariants::{count_by, set, strays};
use crate::snapshot::{Snapshot, number};
use haven_rules::guilds::bank::{TAB_SLOTS, tab_parts};
use haven_rules::guilds::ranks::{RANKS_MAX, RANKS_MIN};
use haven_rules::guilds::{LEADERS_MAX, MEMBERS_MAX};
use haven_rules::items::HolderKind;
use std::collections::{BTreeMap, BTreeSet};

/// The rules about guilds.
pub(crate) const RULES: [Rule; 4] = [
    ("a guild has members, leaders among them, and is counted", members),
    ("a guild's ranks stand one below the other, and each member has one", ranks),
    ("what is a guild's own is shown to its members in the world and nobody else", shown),
    ("banks belong to guilds that are there, or are handed over", banks),
];

/// The leaders' rank.
const LEADERS: u64 = 0;

fn members(now: &Snapshot) -> Vec<String> {
    let guilds = set(now, "guild", "guild_id");
    let mut found = strays(now, "guild_member", "guild_id", &guilds);
    found.extend(strays(
        now,
        "guild_member",
        "character_id",
        &set(now, "character", "character_id"),
    ));
    let members = count_by(now.column("guild_member", "guild_id"));
    let leading = now.rows("guild_member").iter().filter(|row| number(row, "rank") == LEADERS);
    let leaders = count_by(leading.map(|row| number(row, "guild_id")));
    for row in now.rows("guild") {
        let of = |counts: &BTreeMap<u64, u64>| {
            counts.get(&number(row, "guild_id")).copied().unwrap_or_default()
        };
        let (members, leaders) = (of(&members), of(&leaders));
        let agrees = (members, leaders) == (number(row, "members"), number(row, "leaders"));
        let is_bounded = (1..=u64::from(MEMBERS_MAX)).contains(&members)
            && (1..=u64::from(LEADERS_MAX)).contains(&leaders);
        if !agrees || !is_bounded {
            found.push(format!("{members} members, {leaders} leaders: guild {row}"));
        }
    }
    for table in ["guild_message", "guild_activity", "guild_invite", "guild_request", "guild_ban"] {
        found.extend(strays(now, table, "guild_id", &guilds));
    }
    // Who is in a guild neither asks nor is asked, and founds none.
    let inside = set(now, "guild_member", "character_id");
    for table in ["guild_invite", "guild_request", "guild_charter"] {
        let rows = now.rows(table).iter();
        let asked = rows.filter(|row| inside.contains(&number(row, "character_id")));
        found.extend(asked.map(|row| format!("{table} of a member: {row}")));
    }
    found
}

fn ranks(now: &Snapshot) -> Vec<String> {
    let mut found = strays(now, "guild_rank", "guild_id", &set(now, "guild", "guild_id"));
    let mut positions: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for row in now.rows("guild_rank") {
        positions.entry(number(row, "guild_id")).or_default().push(number(row, "position"));
        if (number(row, "rank") == LEADERS) != (number(row, "position") == LEADERS) {
            found.push(format!("leaders: guild_rank {row}"));
        }
    }
    for (guild_id, mut positions) in positions {
        positions.sort_unstable();
        let is_bounded = (RANKS_MIN..=RANKS_MAX).contains(&positions.len());
        if !is_bounded || !positions.iter().copied().eq(0..positions.len() as u64) {
            found.push(format!("positions {positions:?} of guild {guild_id}"));
        }
    }
    let keys = set(now, "guild_rank", "rank_key");
    let rows = now.rows("guild_member").iter();
    let lost =
        rows.filter(|row| !keys.contains(&(number(row, "guild_id") * 16 + number(row, "rank"))));
    found.extend(lost.map(|row| format!("without a rank: guild_member {row}")));
    found
}

fn shown(now: &Snapshot) -> Vec<String> {
    let members = set(now, "guild_member", "character_id");
    let mut found = vec![];
    for table in ["guild_note", "guild_seen"] {
        found.extend(strays(now, table, "character_id", &members));
    }
    let pair = |row| (number(row, "character_id"), number(row, "guild_id"));
    let present = set(now, "character_presence", "character_id");
    let expected: BTreeSet<_> = now
        .rows("guild_member")
        .iter()
        .map(pair)
        .filter(|(character_id, _)| present.contains(character_id))
        .collect();
    let there: BTreeSet<_> = now.rows("guild_membership").iter().map(pair).collect();
    let differing = there.symmetric_difference(&expected);
    found.extend(differing.map(|pair| format!("guild_membership of {pair:?}")));
    let windows = now.rows("guild_bank_window").iter();
    let stray = windows.filter(|row| !there.contains(&pair(row)));
    found.extend(stray.map(|row| format!("guild_bank_window {row}")));
    found
}

fn banks(now: &Snapshot) -> Vec<String> {
    let tabs: BTreeMap<u64, u64> = now
        .rows("guild")
        .iter()
        .map(|row| (number(row, "guild_id"), number(row, "tabs")))
        .collect();
    let estates = set(now, "guild_estate", "guild_id");
    let mut found = vec![];
    for row in now.rows("item_container") {
        if number(row, "kind") != HolderKind::GuildTab as u64 {
            continue;
        }
        let (guild_id, tab) = tab_parts(number(row, "owner_id"));
        let is_there = tabs.get(&guild_id).is_some_and(|tabs| u64::from(tab) < *tabs);
        let is_sound = number(row, "slots") == u64::from(TAB_SLOTS);
        if !is_sound || !(is_there || estates.contains(&guild_id)) {
            found.push(format!("item_container {row}"));
        }
    }
    let both = estates.iter().filter(|guild_id| tabs.contains_key(guild_id));
    found.extend(both.map(|guild_id| format!("the estate of guild {guild_id}, which is there")));
    found
}
