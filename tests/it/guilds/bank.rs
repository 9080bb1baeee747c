//! The bank: who takes how much, what those who look at it see, and coins.

use super::{Hall, Hero};
use crate::support::content::set;
use crate::support::on_database;
use serde_json::{Value, json};

/// `rules::items::HolderKind` of bags and of tabs.
const BAG: u64 = 1;
const TAB: u64 = 7;

/// What a rank may do with the first tab: to see it, to put in, to take.
fn grant(items: u32, copper: u64) -> Value {
    json!({
        "rights": 1, "tab_rights": 0b111, "items_per_day": [items, 0, 0, 0, 0, 0],
        "copper_per_day": copper,
    })
}

async fn with_bank(hall: &Hall) -> (u64, [Hero; 2]) {
    let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
    let oak = hall.found(&ann, "Quiet Oak").await;
    hall.join(&ann, &bob).await;
    for _ in 0..2 {
        ann.does("guild_tab_buy", json!([ann.next()])).await;
    }
    (oak, [ann, bob])
}

#[test]
fn a_rank_takes_no_more_in_a_day_than_it_may() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [ann, bob]) = with_bank(&hall).await;
        ann.does("guild_rank_change", json!([4, "Initiate", grant(5, 30)])).await;
        for number in 0..3_u64 {
            let stack = hall.give(&ann, "torch", 4).await;
            let put = json!([stack, 4, 0, number * 2, ann.next()]);
            ann.does("guild_bank_put", put).await;
        }
        let stacks: Vec<u64> = hall.stacks(TAB).await;
        let take = async |stack: u64, count: u32| {
            bob.tries("guild_bank_take", json!([stack, count, 65_535, bob.next()])).await
        };
        assert_eq!(take(stacks[0], 6).await, "guild.items_spent", "more than there is, too");
        assert_eq!(take(stacks[0], 5).await, "item.count_invalid");
        assert_eq!(take(stacks[0], 0).await, "item.count_invalid");
        assert_eq!(take(stacks[0], 4).await, "ok");
        assert_eq!(take(stacks[1], 2).await, "guild.items_spent");
        assert_eq!(take(stacks[1], 1).await, "ok");
        assert_eq!(take(stacks[1], 1).await, "guild.items_spent");
        assert_eq!(take(stacks[1], u32::MAX).await, "guild.items_spent");
        // A higher limit counts what was taken before, and so does coming back.
        ann.does("guild_rank_change", json!([4, "Initiate", grant(6, 30)])).await;
        bob.does("guild_leave", json!([])).await;
        hall.join(&ann, &bob).await;
        assert_eq!(take(stacks[1], 1).await, "ok");
        assert_eq!(take(stacks[1], 1).await, "guild.items_spent");
        // A day later, by the instant the first was taken at.
        hall.sql("UPDATE guild_allowance SET began_at_micros = 0").await;
        assert_eq!(take(stacks[1], 2).await, "ok");
        assert_eq!(take(stacks[2], 4).await, "ok");
        assert_eq!((hall.items(BAG, "torch").await, hall.items(TAB, "torch").await), (12, 0));
        let rows = hall.database.rows("guild_allowance").await;
        assert_eq!(
            (rows.len(), &rows[0]["amount"], &rows[0]["guild_id"]),
            (1, &json!(6), &json!(oak))
        );
    });
}

#[test]
fn a_second_guild_does_not_make_a_new_day() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [ann, bob]) = with_bank(&hall).await;
        hall.pay(&ann, 100).await;
        ann.does("guild_coins_put", json!([100, ann.next()])).await;
        ann.does("guild_rank_change", json!([4, "Initiate", grant(0, 30)])).await;
        let take =
            async |copper: u64| bob.tries("guild_coins_take", json!([copper, bob.next()])).await;
        assert_eq!(take(30).await, "ok");
        // A guild of his own, which sets him no limit.
        bob.does("guild_leave", json!([])).await;
        hall.found(&bob, "Loud Elm").await;
        bob.does("guild_coins_put", json!([2, bob.next()])).await;
        assert_eq!(take(2).await, "ok");
        bob.does("guild_disband", json!([bob.next()])).await;
        hall.join(&ann, &bob).await;
        assert_eq!(take(1).await, "guild.copper_spent");
        assert_eq!(hall.copper(5, oak).await, 70);
        let rows = hall.database.rows("guild_allowance").await;
        assert_eq!((rows.len(), &rows[0]["amount"]), (1, &json!(32)));
        // A day later.
        hall.sql("UPDATE guild_allowance SET began_at_micros = 0").await;
        assert_eq!(take(30).await, "ok");
    });
}

#[test]
fn coins_are_taken_within_the_limit_and_never_made() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [ann, bob]) = with_bank(&hall).await;
        hall.pay(&ann, 100).await;
        ann.does("guild_coins_put", json!([100, ann.next()])).await;
        let take =
            async |copper: u64| bob.tries("guild_coins_take", json!([copper, bob.next()])).await;
        assert_eq!(take(1).await, "guild.copper_spent", "an initiate takes none");
        ann.does("guild_rank_change", json!([4, "Initiate", grant(0, 30)])).await;
        assert_eq!(take(31).await, "guild.copper_spent");
        assert_eq!(take(u64::MAX).await, "guild.copper_spent");
        assert_eq!(take(0).await, "economy.amount_invalid");
        let command = bob.next();
        for _ in 0..3 {
            bob.does("guild_coins_take", json!([30, command])).await;
        }
        assert_eq!(take(1).await, "guild.copper_spent");
        assert_eq!((hall.copper(5, oak).await, hall.copper(1, bob.id).await), (70, 30));
        let answer = ann.tries("guild_coins_take", json!([71, ann.next()])).await;
        assert_eq!(answer, "economy.coins_missing", "no limit, but no coins either");
        let answer = ann.tries("guild_coins_put", json!([u64::MAX, ann.next()])).await;
        assert_eq!(answer, "economy.amount_invalid");
        ann.does("guild_coins_take", json!([70, ann.next()])).await;
        ann.does("guild_disband", json!([ann.next()])).await;
    });
}

#[test]
fn nobody_reaches_what_is_not_his() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, [ann, bob]) = with_bank(&hall).await;
        let eve = hall.hero("Eve").await;
        hall.found(&eve, "Loud Elm").await;
        eve.does("guild_tab_buy", json!([eve.next()])).await;
        let [torch, rope, bound] = [
            hall.give(&ann, "torch", 4).await,
            hall.give(&ann, "rope", 1).await,
            hall.give(&ann, "heirloom", 1).await,
        ];
        hall.sql(&format!("UPDATE item SET bound_to = {} WHERE item_id = {bound}", ann.id)).await;
        ann.does("guild_bank_put", json!([torch, 4, 0, 0, ann.next()])).await;
        for (hero, reducer, args, code) in [
            // Another's bag, another guild's bank, what does not exist, what is bound.
            (&eve, "guild_bank_put", json!([rope, 1, 0, 0, eve.next()]), "item.unknown"),
            (&eve, "guild_bank_take", json!([torch, 1, 0, eve.next()]), "item.unknown"),
            (&eve, "guild_bank_move", json!([torch, 1, 0, 9, eve.next()]), "item.unknown"),
            (&ann, "guild_bank_take", json!([rope, 1, 0, ann.next()]), "item.unknown"),
            (&ann, "guild_bank_put", json!([u64::MAX, 1, 0, 0, ann.next()]), "item.unknown"),
            (&ann, "guild_bank_put", json!([bound, 1, 0, 5, ann.next()]), "item.bound"),
            // Tabs that are not there, slots that are taken.
            (&ann, "guild_bank_put", json!([rope, 1, 2, 0, ann.next()]), "guild.tab_unknown"),
            (&ann, "guild_bank_put", json!([rope, 1, 255, 0, ann.next()]), "guild.tab_unknown"),
            (&ann, "guild_bank_open", json!([6]), "guild.tab_unknown"),
            (&ann, "guild_bank_put", json!([rope, 1, 0, 0, ann.next()]), "item.slot_taken"),
            // An initiate sees, and that is all.
            (&bob, "guild_bank_take", json!([torch, 1, 9, bob.next()]), "guild.tab_forbidden"),
            (&bob, "guild_bank_move", json!([torch, 1, 0, 9, bob.next()]), "guild.tab_forbidden"),
            (&ann, "guild_tab_buy", json!([ann.next()]), "guild.tabs_too_many"),
        ] {
            assert_eq!(hero.tries(reducer, args.clone()).await, code, "{reducer} {args}");
        }
        // Out of a tab one may put into but not take from, nothing is moved to another.
        let put = json!({ "rights": 1, "tab_rights": 0b111_011,
            "items_per_day": [9, 9, 0, 0, 0, 0], "copper_per_day": 0 });
        ann.does("guild_rank_change", json!([4, "Initiate", put])).await;
        let answer = bob.tries("guild_bank_move", json!([torch, 1, 1, 9, bob.next()])).await;
        assert_eq!(answer, "guild.tab_forbidden");
        bob.does("guild_bank_move", json!([torch, 1, 0, 9, bob.next()])).await;
        hall.sql(&format!("UPDATE item SET flags = 1 WHERE item_id = {torch}")).await;
        let answer = ann.tries("guild_bank_take", json!([torch, 1, 9, ann.next()])).await;
        assert_eq!(answer, "item.frozen");
        assert_eq!(hall.items(TAB, "torch").await, 4);
    });
}

#[test]
fn whoever_looks_at_a_tab_sees_what_is_in_it_until_he_may_not() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [ann, bob]) = with_bank(&hall).await;
        let torch = hall.give(&ann, "torch", 4).await;
        ann.does("guild_bank_put", json!([torch, 4, 0, 3, ann.next()])).await;
        for hero in [&ann, &bob] {
            hero.does("guild_bank_open", json!([0])).await;
            hero.does("guild_bank_open", json!([0])).await;
        }
        assert_eq!(hall.seen(&bob).await, [(3, 4)]);
        ann.does("guild_bank_move", json!([torch, 3, 0, 5, ann.next()])).await;
        for hero in [&ann, &bob] {
            assert_eq!(hall.seen(hero).await, [(3, 1), (5, 3)]);
        }
        ann.does("guild_bank_move", json!([torch, 1, 1, 0, ann.next()])).await;
        assert_eq!(hall.seen(&bob).await, [(5, 3)]);
        bob.does("guild_bank_open", json!([1])).await;
        assert_eq!(hall.seen(&bob).await, [(0, 1)], "one tab at a time");
        bob.does("guild_bank_open", json!([0])).await;
        bob.does("guild_bank_close", json!([])).await;
        bob.does("guild_bank_close", json!([])).await;
        assert_eq!(hall.seen(&bob).await, []);
        // What ends it: the world, the right, the guild.
        bob.does("guild_bank_open", json!([0])).await;
        bob.does("character_leave", json!([])).await;
        assert_eq!(hall.seen(&bob).await, []);
        bob.does("character_enter", json!([bob.id])).await;
        bob.does("guild_bank_open", json!([0])).await;
        let none = json!({ "rights": 0, "tab_rights": 0b110, "items_per_day": [9, 0, 0, 0, 0, 0],
            "copper_per_day": 0 });
        ann.does("guild_rank_change", json!([4, "Initiate", none])).await;
        assert_eq!(hall.seen(&bob).await, []);
        assert_eq!(bob.tries("guild_bank_open", json!([0])).await, "guild.tab_forbidden");
        ann.does("guild_member_promote", json!([bob.id])).await;
        bob.does("guild_bank_open", json!([0])).await;
        ann.does("guild_member_kick", json!([bob.id])).await;
        assert_eq!(hall.seen(&bob).await, []);
        assert_eq!(hall.count("guild_bank_window").await, 1);
        // Fifty look at it, and that is enough.
        hall.join(&ann, &bob).await;
        ann.does("guild_member_promote", json!([bob.id])).await;
        let columns =
            "character_id, tab_key, viewer, guild_id, copper, copper_left, items_left, tab";
        for number in 0..49_u128 {
            let member = 1_000_000 + number;
            let key = (u128::from(oak * 8) << 64) | member;
            let zero = "0".repeat(64);
            let values = format!("{member}, {key}, 0x{zero}, {oak}, 0, 0, 0, 0");
            hall.insert("guild_bank_window", columns, &values).await;
        }
        assert_eq!(bob.tries("guild_bank_open", json!([0])).await, "guild.viewers_too_many");
        bob.does("guild_bank_open", json!([1])).await;
    });
}

#[test]
fn whoever_looks_at_a_tab_sees_what_staff_freezes_and_takes_back() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [ann, bob]) = with_bank(&hall).await;
        hall.pay(&ann, 100).await;
        ann.does("guild_coins_put", json!([100, ann.next()])).await;
        let coins = hall.last_cause().await;
        let torch = hall.give(&ann, "torch", 4).await;
        ann.does("guild_bank_put", json!([torch, 4, 0, 3, ann.next()])).await;
        let goods = hall.last_cause().await;
        for hero in [&ann, &bob] {
            hero.does("guild_bank_open", json!([0])).await;
        }
        let owner = &hall.database.owner;
        let accounts = hall.database.rows("ledger_account").await;
        let is_bank = |row: &&Value| row["kind"] == 5 && row["owner_id"] == oak;
        let account = &accounts.iter().find(is_bank).expect("an account")["ledger_account_id"];
        let flags = async || hall.column("guild_bank_view", "flags").await;
        let left = async || hall.column("guild_bank_window", "copper_left").await;
        for what in [json!({ "Item": torch }), json!({ "Descent": torch })] {
            for (reducer, flag) in [("goods_freeze", 1), ("goods_thaw", 0)] {
                owner.call(reducer, json!([what, "looked into"])).await.expect(reducer);
                assert_eq!(flags().await, [flag, flag], "{reducer} {what}");
            }
        }
        // An initiate takes no coins, a leader as many as there are.
        assert_eq!(left().await, [0, u64::MAX]);
        let what = json!({ "Account": account });
        for (reducer, expected) in [("goods_freeze", [0, 0]), ("goods_thaw", [0, u64::MAX])] {
            owner.call(reducer, json!([what, "looked into"])).await.expect(reducer);
            assert_eq!(left().await, expected, "{reducer}");
        }
        for cause in [goods, coins] {
            owner.call("cause_reverse", json!([cause, "a mistake"])).await.expect("taken back");
        }
        assert_eq!(hall.seen(&bob).await, []);
        assert_eq!(hall.column("guild_bank_window", "copper").await, [0, 0]);
        assert_eq!((hall.items(BAG, "torch").await, hall.copper(1, ann.id).await), (4, 100));
    });
}

#[test]
fn neither_what_guilds_cost_nor_coins_of_a_bank_that_is_gone_are_taken_back() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| {
            for key in ["guild_cost_copper", "guild_tab_cost_copper"] {
                set(pack, key, 10);
            }
        })
        .await;
        let ann = hall.hero("Ann").await;
        hall.pay(&ann, 200).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        let founded = hall.last_cause().await;
        ann.does("guild_tab_buy", json!([ann.next()])).await;
        let bought = hall.last_cause().await;
        ann.does("guild_coins_put", json!([100, ann.next()])).await;
        ann.does("guild_coins_take", json!([100, ann.next()])).await;
        let taken = hall.last_cause().await;
        ann.does("guild_disband", json!([ann.next()])).await;
        assert_eq!(hall.count("guild_estate").await, 0, "nothing was left in the bank");
        for cause in [founded, bought, taken] {
            let args = json!([cause, "a mistake"]);
            let refused = hall.database.owner.call("cause_reverse", args).await;
            let refused = refused.expect_err("it cannot be undone");
            assert!(refused.starts_with("economy.cause_in_way:"), "{refused}");
            assert!(refused.ends_with(&format!("(cause {cause})")), "{refused}");
        }
        assert_eq!((hall.copper(1, ann.id).await, hall.copper(5, oak).await), (180, 0));
    });
}

#[test]
fn a_guild_rises_by_what_its_members_do() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| {
            set(pack, "guild_level_points", 50);
            set(pack, "guild_members_base", 1);
            set(pack, "guild_members_per_level", 1);
            set(pack, "guild_tabs_base", 0);
        })
        .await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        ann.does("guild_member_invite", json!(["Bob"])).await;
        assert_eq!(bob.tries("guild_invite_accept", json!([oak])).await, "guild.full");
        let answer = ann.tries("guild_tab_buy", json!([ann.next()])).await;
        assert_eq!(answer, "guild.tabs_too_many");
        for (amount, level) in [(49, 1), (1, 2), (99, 2), (1, 3), (1_000_000, 10)] {
            let args = json!([ann.id, amount]);
            hall.database.owner.call("character_experience_give", args).await.expect("given");
            assert_eq!(hall.guild(oak).await["level"], level, "{amount}");
        }
        // Who is in no guild moves none.
        let args = json!([bob.id, 5]);
        hall.database.owner.call("character_experience_give", args).await.expect("given");
        bob.does("guild_invite_accept", json!([oak])).await;
        ann.does("guild_tab_buy", json!([ann.next()])).await;
        assert_eq!(hall.guild(oak).await["tabs"], 1);
    });
}

impl Hall {
    /// The numbers in a column, in their order.
    async fn column(&self, table: &str, column: &str) -> Vec<u64> {
        let rows = self.database.rows(table).await;
        let number = |row: &Value| row[column].as_u64().expect("a number");
        let mut numbers: Vec<u64> = rows.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The newest cause that moved anything.
    async fn last_cause(&self) -> u64 {
        *self.column("ledger_cause", "cause_id").await.last().expect("a cause")
    }

    /// The numbers of the stacks in holders of a kind, in the order of their places.
    async fn stacks(&self, kind: u64) -> Vec<u64> {
        let containers = self.database.rows("item_container").await;
        let of_kind: Vec<u64> = containers
            .iter()
            .filter(|row| row["kind"] == kind)
            .filter_map(|row| row["container_id"].as_u64())
            .collect();
        let mut rows = self.database.rows("item").await;
        let place = |row: &Value| row["place_key"].as_u64().expect("a number");
        rows.retain(|row| of_kind.contains(&(place(row) >> 16)));
        rows.sort_by_key(place);
        rows.iter().map(|row| row["item_id"].as_u64().expect("a number")).collect()
    }

    /// What somebody sees of the tab he has open: slots and counts.
    async fn seen(&self, hero: &Hero) -> Vec<(u64, u64)> {
        let viewers = self.database.rows("account_viewer").await;
        let viewer = viewers.iter().find(|row| row["account_id"] == hero.account_id);
        let viewer = &viewer.expect("admitted")["viewer"];
        let windows = self.database.rows("guild_bank_window").await;
        let is_open = windows.iter().any(|row| row["character_id"] == hero.id);
        let rows = self.database.rows("guild_bank_view").await;
        let own = rows.iter().filter(|row| row["viewer"] == *viewer);
        let number = |value: &Value| value.as_u64().expect("a number");
        let mut seen: Vec<_> =
            own.map(|row| (number(&row["slot"]), number(&row["count"]))).collect();
        seen.sort_unstable();
        assert!(is_open || seen.is_empty(), "copies without a window");
        seen
    }
}
