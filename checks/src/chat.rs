//! The rules about channels, what is kept of them, and notices.

use crate::Rule;
use crate::invariants::{count_by, set, strays};
use crate::snapshot::{Snapshot, number};
use haven_rules::chat::{ChatKind, kind_of};
use std::collections::{BTreeMap, BTreeSet};

/// The rules about chat and notices.
pub(crate) const RULES: [Rule; 4] = [
    ("a channel has as many messages as are counted, and no more than are kept", logs),
    ("what everybody may read is in the log, and nothing else is read by everybody", shared),
    ("a channel of players has one owner and as many members as are counted", channels),
    ("what goes on in the world has a plan, and what is planned a row", events),
];

/// `chat_log.flags` of a message that its sender alone sees.
const SHADOWED: u64 = 4;
/// `chat_member.role` of an owner.
const OWNER: u64 = 4;

fn logs(now: &Snapshot) -> Vec<String> {
    let held = count_by(now.column("chat_log", "channel_key"));
    let counted: BTreeMap<u64, u64> = now
        .rows("chat_head")
        .iter()
        .map(|row| (number(row, "channel_key"), number(row, "held")))
        .collect();
    let mut found: Vec<String> = held
        .iter()
        .filter(|(channel, held)| counted.get(channel) != Some(held))
        .map(|(channel, held)| format!("channel {channel} holds {held}"))
        .collect();
    found.extend(strays(now, "chat_head", "channel_key", &held.keys().copied().collect()));
    let is_over = |(channel, held): &(&u64, &u64)| {
        let most = kind_of(**channel).map_or(0, |kind| kind.retention().rows_max);
        **held > u64::from(most)
    };
    let over = held.iter().filter(is_over);
    found.extend(over.map(|(channel, held)| format!("channel {channel} keeps {held}")));
    found
}

fn shared(now: &Snapshot) -> Vec<String> {
    let is_open = |row: &&serde_json::Value| {
        kind_of(number(row, "channel_key")).is_some_and(ChatKind::is_shared)
            && number(row, "flags") & SHADOWED == 0
    };
    let expected: BTreeSet<u64> =
        now.rows("chat_log").iter().filter(is_open).map(|row| number(row, "message_id")).collect();
    let there = set(now, "chat_message", "message_id");
    let differing = there.symmetric_difference(&expected);
    differing.map(|id| format!("message {id} is in one of chat_log and chat_message")).collect()
}

fn channels(now: &Snapshot) -> Vec<String> {
    let members = count_by(now.column("chat_member", "channel_id"));
    let owners = now.rows("chat_member").iter().filter(|row| number(row, "role") == OWNER);
    let owners = count_by(owners.map(|row| number(row, "channel_id")));
    let mut found = vec![];
    for row in now.rows("chat_channel") {
        let id = number(row, "channel_id");
        let is_sound =
            members.get(&id) == Some(&number(row, "members")) && owners.get(&id) == Some(&1);
        if !is_sound {
            found.push(format!("chat_channel {row}"));
        }
    }
    let known = set(now, "chat_channel", "channel_id");
    found.extend(strays(now, "chat_member", "channel_id", &known));
    let characters = set(now, "character", "character_id");
    found.extend(strays(now, "chat_member", "character_id", &characters));
    found.extend(strays(now, "chat_cursor", "character_id", &characters));
    found
}

fn events(now: &Snapshot) -> Vec<String> {
    let shown = set(now, "world_event", "event_id");
    let planned = set(now, "world_event_plan", "event_id");
    let differing = shown.symmetric_difference(&planned);
    let mut found: Vec<String> = differing
        .map(|id| format!("world_event or world_event_plan without the other: {id}"))
        .collect();
    let live = set(now, "notice", "notice_id");
    let going = set(now, "notice_gone", "notice_id");
    let known: BTreeSet<u64> = live.union(&going).copied().collect();
    found.extend(strays(now, "notice_mark", "notice_id", &known));
    found
}
