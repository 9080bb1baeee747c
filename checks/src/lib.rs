//! What holds in every state of a realm's database, whatever was called before.
//!
//! Keeps true: a rule is checked over all rows as of one transaction, while others play; a rule
//! that is broken is told with the rows that break it. Nothing is changed.
//! Leaves out on purpose: mending.

mod chat;
mod combat;
mod company;
mod economy;
mod ground;
mod guilds;
mod invariants;
mod items;
mod leaderboards;
mod mail;
mod market;
mod snapshot;

pub use ground::segment;
pub use snapshot::{Declarations, ReadError, Snapshot, instant, number, text};

use std::fmt;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: &'static str,
    /// What breaks it.
    pub rows: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "broken: {}: {:?}", self.rule, self.rows)
    }
}

/// A rule's name, and what finds the rows that break it.
type Rule = (&'static str, fn(&Snapshot) -> Vec<String>);

/// Every rule but that about land, in the order they are checked.
const RULES: [&[Rule]; 10] = [
    &invariants::RULES,
    &combat::RULES,
    &items::RULES,
    &economy::RULES,
    &market::RULES,
    &mail::RULES,
    &guilds::RULES,
    &company::RULES,
    &chat::RULES,
    &leaderboards::RULES,
];

/// Each rule once, in the order they are checked.
pub fn rules() -> impl Iterator<Item = &'static str> {
    let all = RULES.into_iter().flatten().map(|(rule, _)| *rule);
    all.chain(std::iter::once(ground::RULE.0))
}

/// Every rule but that about land.
pub fn check(now: &Snapshot) -> Vec<Broken> {
    RULES.map(|rules| check_all(now, rules)).concat()
}

/// Whether everybody stands where one can stand: at the start of his segment, now, and at its end.
/// It does not hold while an administrator lays another land under those who play.
pub fn check_ground(now: &Snapshot) -> Vec<Broken> {
    check_all(now, &[ground::RULE])
}

fn check_all(now: &Snapshot, rules: &[Rule]) -> Vec<Broken> {
    let found = rules.iter().map(|(rule, find)| Broken { rule, rows: find(now) });
    found.filter(|broken| !broken.rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Rows of a database that nobody was ever in.
    fn empty() -> Snapshot {
        let mut now = Snapshot::default();
        now.insert("world_config", json!({ "world": 0 }));
        now.insert("realm_population", json!({ "online": 0 }));
        now
    }

    fn broken_by(table: &str, row: Value) -> Vec<&'static str> {
        let mut now = empty();
        now.insert(table, row);
        check(&now).iter().map(|broken| broken.rule).collect()
    }

    #[test]
    fn a_database_that_nobody_was_in_breaks_no_rule() {
        assert_eq!(check(&empty()), []);
        assert_eq!(check_ground(&empty()), []);
    }

    fn stack(place_key: u64, count: u64) -> Value {
        json!({
            "item_id": 7, "place_key": place_key, "count": count, "def": "wool", "viewer": "x",
            "bound_to": 0, "flags": 0, "durability": 0,
        })
    }

    #[test]
    fn each_kind_of_stray_row_breaks_its_rule() {
        let present = json!({ "character_id": 7, "account_id": 1 });
        let connected = json!({ "identity": "x", "account_id": 1 });
        let instance = json!({ "world": 9, "players": 1 });
        let counted = json!({ "region_index": 3, "players": 2 });
        let letters = json!({ "character_id": 7, "letters": 1 });
        let coins = json!({ "ledger_account_id": 3, "kind": 2, "owner_id": 7, "copper": 1 });
        let body = json!({ "entity_id": 7, "hit_points": 3, "hit_points_max": 2, "vital": 0 });
        let purse = json!({ "ledger_account_id": 3, "kind": 1, "owner_id": 7, "copper": 5 });
        let fold = json!({ "ledger_account_id": 3, "copper_in": 5, "copper_out": 0 });
        let entry = json!({
            "entry_key": 1 << 16, "from_account_id": 1, "to_account_id": 2, "copper": 5,
        });
        let level = json!({
            "level_key": 1, "market_item_id": 1, "price_copper": 5, "count": 2, "orders": 1,
            "first_order_id": 1, "last_order_id": 1, "is_buy": true,
        });
        let bank = json!({ "container_id": 1, "kind": 7, "owner_id": 56, "slots": 98 });
        let share = json!({ "account_id": 1, "auctions": 1, "bids": 0, "orders": 0 });
        for (table, row, rule) in [
            ("character_presence", present, 0),
            ("motion_path", json!({ "entity_id": 7 }), 1),
            ("region_count", counted, 2),
            ("account_session", json!({ "session_id": 1, "account_id": 5 }), 3),
            ("character_position", json!({ "character_id": 7 }), 4),
            ("realm_connection", connected, 5),
            ("instance", instance, 6),
            ("terrain_block", json!({ "world": 9 }), 7),
            ("content_def", json!({ "kind": "switch", "key": "pvp", "body": "{}" }), 8),
            ("combatant", body, 10),
            ("combat_effect", json!({ "entity_id": 7 }), 11),
            ("combat_threat", json!({ "creature_id": 7, "entity_id": 8 }), 12),
            ("dice_secret", json!({ "day": 3 }), 13),
            ("item", stack(65_536, 1), 14),
            ("item", stack(65_536, 1), 15),
            ("item", stack(0, 0), 16),
            ("item_container", json!({ "container_id": 1, "kind": 3, "owner_id": 4 }), 17),
            ("item_destroyed", json!({ "item_id": 7 }), 18),
            ("loot_share", json!({ "loot_id": 7 }), 18),
            ("ledger_account", purse, 19),
            ("ledger_fold", fold, 20),
            ("ledger_entry", entry, 21),
            ("trade", json!({ "trade_id": 4, "asker_id": 1, "asked_id": 2 }), 22),
            ("vendor_shelf", json!({ "vendor_id": 4, "def": "club" }), 23),
            ("item_container", json!({ "kind": 4, "owner_id": 3, "container_id": 1 }), 24),
            ("market_level", level, 25),
            ("market_account", share, 26),
            ("mail_held", json!({ "mail_id": 7 }), 27),
            ("mail_box", letters, 28),
            ("ledger_account", coins, 29),
            ("guild", json!({ "guild_id": 7, "members": 0, "leaders": 0, "tabs": 0 }), 30),
            ("guild_rank", json!({ "guild_id": 7, "rank": 0, "position": 1, "rank_key": 112 }), 31),
            ("guild_note", json!({ "character_id": 7 }), 32),
            ("item_container", bank, 33),
            ("party_seat", json!({ "character_id": 7 }), 34),
            ("friend", json!({ "friend_id": 7 }), 35),
            ("friend_presence", json!({ "friend_id": 7 }), 36),
            ("chat_head", json!({ "channel_key": 1, "held": 1 }), 37),
            ("chat_message", json!({ "message_id": 1 }), 38),
            ("chat_cursor", json!({ "character_id": 7 }), 39),
            ("notice_mark", json!({ "notice_id": 1 }), 40),
            ("board_season", json!({ "tree_id": 5, "state": 0 }), 41),
            ("board_node", json!({ "node_key": 5_u64 << 32, "shape": [] }), 42),
            ("board_record", json!({ "tree_id": 5, "holder_id": 1 }), 42),
        ] {
            let rule = rules().nth(rule).expect("a rule");
            assert!(broken_by(table, row).contains(&rule), "{table}: {rule}");
        }
    }

    #[test]
    fn a_number_that_was_not_given_is_found() {
        for (code, last, is_sound) in [(32, 7, true), (32, 6, false), (31, 7, false)] {
            let mut now = Snapshot::default();
            now.insert("sequence", json!({ "code": code, "last": last }));
            now.insert("party_invitation", json!({ "invitation_id": 7 }));
            let rule = rules().nth(9).expect("a rule");
            let broken = check(&now).iter().any(|broken| broken.rule == rule);
            assert_eq!(broken, !is_sound, "{code}: {last}");
        }
    }
}
