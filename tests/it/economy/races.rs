//! Commands of different domains that race for the same goods, coins or character.
//!
//! Keeps true: of two that want the same, one is done and the other is told why not, in whatever
//! order they come; after each pair all rows of goods are sound. An account has one connection that
//! plays, so its own commands come behind one another; those of two players come in any order.

use super::bazaar::ORE;
use super::trades::{Pair, is_there};
use super::{BAG, Town};
use crate::combat::Hero;
use crate::support::{Database, on_database};
use haven_checks::number;
use haven_rules::content::Pack;
use serde_json::{Value, json};

/// What Ann has before each race for coins, copper. Each command takes more than half of it.
const PURSE: u64 = 1_600;
/// What she has where goods are raced for: enough for all postage and deposits.
const PLENTY: u64 = 1_000_000;
/// What a letter without goods costs, copper.
const POSTAGE: u64 = 30;
/// Something that is put on.
const ARM: &str = "club";
/// `rules::items::HolderKind::Equipment`.
const EQUIPMENT: u64 = 2;
/// A slot that says that any will do.
const ANY: u16 = u16::MAX;

/// What Ann does with a stack in her bag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Offer,
    Mail,
    Destroy,
    Auction,
    Order,
    Bank,
    Equip,
    Sell,
}

impl Deed {
    const ALL: [Self; 8] = [
        Self::Offer,
        Self::Mail,
        Self::Destroy,
        Self::Auction,
        Self::Order,
        Self::Bank,
        Self::Equip,
        Self::Sell,
    ];

    /// The reducer.
    const fn name(self) -> &'static str {
        match self {
            Self::Offer => "trade_offer_item",
            Self::Mail => "mail_send",
            Self::Destroy => "item_destroy",
            Self::Auction => "auction_create",
            Self::Order => "order_place",
            Self::Bank => "guild_bank_put",
            Self::Equip => "item_equip",
            Self::Sell => "vendor_sell",
        }
    }

    /// How it is refused that comes after another: the stack is offered, or it is not there.
    const fn late(self, first: Self) -> &'static str {
        match (self, first) {
            (Self::Order, _) => "market.goods_missing",
            (Self::Auction, Self::Equip) => "market.not_in_bags",
            (_, Self::Offer) => "item.locked",
            _ => "item.unknown",
        }
    }

    /// How it is refused when the character has left.
    const fn absent(self) -> &'static str {
        match self {
            Self::Mail => "mail.not_in_world",
            Self::Destroy | Self::Equip => "item.not_in_world",
            Self::Bank => "guild.not_in_world",
            Self::Offer | Self::Auction | Self::Order | Self::Sell => "economy.not_in_world",
        }
    }

    fn args(self, town: &Town, stack: u64) -> Value {
        let command = town.command();
        match self {
            Self::Offer => json!([stack]),
            Self::Mail => {
                let attached = json!([{ "item_id": stack, "count": 1 }]);
                json!(["Bob", "Goods", "", attached, 0, 0, command])
            }
            Self::Destroy => json!([stack, 1, command]),
            Self::Auction => json!([stack, 1, 1, 0, 12, command]),
            Self::Order => json!([ORE, false, 1, 1, command]),
            Self::Bank => json!([stack, 1, 0, ANY, command]),
            Self::Equip => json!([stack, ANY, command]),
            Self::Sell => json!([town.smith, stack, 1, 0, command]),
        }
    }
}

/// What Ann does with her coins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payment {
    Confirm,
    Mail,
    Bid,
    Order,
    Bank,
    Buy,
}

impl Payment {
    const ALL: [Self; 6] =
        [Self::Confirm, Self::Mail, Self::Bid, Self::Order, Self::Bank, Self::Buy];

    /// The reducer.
    const fn name(self) -> &'static str {
        match self {
            Self::Confirm => "trade_confirm",
            Self::Mail => "mail_send",
            Self::Bid => "auction_bid",
            Self::Order => "order_place",
            Self::Bank => "guild_coins_put",
            Self::Buy => "vendor_buy",
        }
    }

    /// How it is refused that comes after another.
    const fn late(self, first: Self) -> &'static str {
        match (self, first) {
            (Self::Confirm, Self::Confirm) => "economy.trade_unknown",
            (Self::Bid, Self::Bid) => "market.bid_too_low",
            _ => "economy.coins_missing",
        }
    }
}

/// How two commands of one player are sent, without waiting for an answer in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The second behind the first.
    Behind,
    /// The second before the first.
    Before,
}

const WAYS: [Way; 2] = [Way::Behind, Way::Before];

/// A command: its reducer and its arguments.
type Command = (&'static str, Value);

/// Ann, who has a guild with a bank, and Bob, in a town.
struct Scene {
    pair: Pair,
}

impl Scene {
    async fn open(database: Database, copper: u64) -> Self {
        let pair = Pair::with(database, stocked).await;
        let Pair { town, ann, bob } = &pair;
        for hero in [ann, bob] {
            let had = town.copper(hero).await;
            town.gives(hero.id, PLENTY - had).await;
        }
        let founding = json!(["Quiet Oak", town.command()]);
        ann.player.call("guild_found", founding).await.expect("founded");
        ann.player.call("guild_tab_buy", json!([town.command()])).await.expect("bought");
        let scene = Self { pair };
        scene.has_copper(copper).await;
        scene
    }

    /// Ann has so much copper, whatever she had.
    async fn has_copper(&self, copper: u64) {
        let Pair { town, ann, .. } = &self.pair;
        let had = town.copper(ann).await;
        if had > 0 {
            let args = json!([ann.id, had, "to begin anew", town.command()]);
            town.database().owner.call("coins_take", args).await.expect("taken");
        }
        town.gives(ann.id, copper).await;
    }

    /// Sends two commands of Ann's: the code of each one's refusal, or nothing where it is done.
    async fn both(&self, way: Way, one: Command, two: Command) -> [String; 2] {
        let player = &self.pair.ann.player;
        let (one, two) = match way {
            Way::Behind => tokio::join!(player.call(one.0, one.1), player.call(two.0, two.1)),
            Way::Before => {
                let (two, one) = tokio::join!(player.call(two.0, two.1), player.call(one.0, one.1));
                (one, two)
            }
        };
        [one, two].map(|outcome| {
            let refused = outcome.err().unwrap_or_default();
            refused.split(':').next().unwrap_or_default().to_owned()
        })
    }

    /// Nothing is left of a race where the next one would meet it.
    async fn clear(&self) {
        let Pair { town, ann, .. } = &self.pair;
        // Refused where none goes on.
        let _ = ann.player.call("trade_cancel", json!([])).await;
        for (worn, _, _) in town.stacks(EQUIPMENT, ann.id).await {
            let args = json!([worn, town.command()]);
            ann.player.call("item_unequip", args).await.expect("put off");
        }
        for (stack, _, count) in town.stacks(BAG, ann.id).await {
            let args = json!([stack, count, town.command()]);
            ann.player.call("item_destroy", args).await.expect("destroyed");
        }
    }

    /// A trade in which Ann offers her coins, and only her confirmation is missing: that.
    async fn confirmation(&self) -> Value {
        let Pair { ann, bob, .. } = &self.pair;
        self.pair.begins().await;
        ann.player.call("trade_offer_coins", json!([PURSE])).await.expect("offered");
        for hero in [ann, bob] {
            self.pair.locks(hero).await;
        }
        let args = self.pair.confirmation().await;
        bob.player.call("trade_confirm", args).await.expect("confirmed");
        self.pair.confirmation().await
    }

    /// An auction of Bob's.
    async fn auction(&self) -> u64 {
        let Pair { town, bob, .. } = &self.pair;
        let stack = town.buys(bob, ORE).await;
        let args = json!([stack, 1, 1, 0, 12, town.command()]);
        bob.player.call("auction_create", args).await.expect("offered");
        let rows = town.database().rows("auction").await;
        rows.iter().map(|row| number(row, "auction_id")).max().expect("an auction")
    }

    fn payment(&self, payment: Payment, auction_id: u64, confirmation: &Value) -> Command {
        let town = &self.pair.town;
        let command = town.command();
        let args = match payment {
            Payment::Confirm => json!([confirmation[0], confirmation[1], command]),
            Payment::Mail => json!(["Bob", "Coins", "", [], PURSE - POSTAGE, 0, command]),
            Payment::Bid => json!([auction_id, PURSE, command]),
            Payment::Order => json!([ORE, true, PURSE, 1, command]),
            Payment::Bank => json!([PURSE, command]),
            Payment::Buy => json!([town.smith, "longsword", 1, PLENTY, command]),
        };
        (payment.name(), args)
    }
}

/// The weaponsmith has plenty of what is raced for, and guilds cost nothing.
fn stocked(pack: &mut Pack) {
    for key in ["guild_cost_copper", "guild_tab_cost_copper"] {
        crate::support::content::set(pack, key, 0);
    }
    let smith = pack.vendor.iter_mut().find(|vendor| vendor.key == "weaponsmith");
    let goods = &mut smith.expect("a weaponsmith").goods;
    let ore = haven_rules::content::VendorGoods { item: ORE.to_owned(), ..goods[0].clone() };
    goods.push(ore);
    for goods in goods {
        goods.stock = 1_000;
    }
}

/// Which one was done: exactly one, and the other was refused as one that is late.
#[track_caller]
fn won<T: Copy + std::fmt::Debug>(
    way: Way,
    pair: [T; 2],
    told: &[String; 2],
    late: impl Fn(T, T) -> &'static str,
) -> T {
    let first = match (way, told[0].is_empty(), told[1].is_empty()) {
        (Way::Behind, true, false) => 0,
        (Way::Before, false, true) => 1,
        _ => panic!("{way:?} {pair:?}: {told:?}"),
    };
    let (first, second, code) = (pair[first], pair[1 - first], &told[1 - first]);
    assert_eq!(code, late(second, first), "{way:?} {pair:?}");
    first
}

/// Every pair of the deeds that can be about one stack.
async fn race_for_a_stack(database: Database, mine: impl Fn(usize) -> bool) {
    let scene = Scene::open(database, PLENTY).await;
    let Pair { town, ann, bob } = &scene.pair;
    for (place, one) in Deed::ALL.into_iter().enumerate().filter(|(place, _)| mine(*place)) {
        for two in Deed::ALL.into_iter().skip(place + 1) {
            let deeds = [one, two];
            // What is put on does not stack, and only what stacks is ordered.
            if deeds == [Deed::Order, Deed::Equip] {
                continue;
            }
            let def = if deeds.contains(&Deed::Equip) { ARM } else { ORE };
            for way in WAYS {
                let stack = town.buys(ann, def).await;
                if deeds.contains(&Deed::Offer) {
                    scene.pair.begins().await;
                }
                let [first, second] = deeds.map(|deed| (deed.name(), deed.args(town, stack)));
                let told = scene.both(way, first, second).await;
                let winner = won(way, deeds, &told, Deed::late);
                let stays = matches!(winner, Deed::Offer);
                let in_bag = town.stacks(BAG, ann.id).await.len();
                assert_eq!(in_bag, usize::from(stays), "{way:?} {deeds:?}");
                assert!(town.bag(bob).await.is_empty(), "{way:?} {deeds:?}");
                scene.clear().await;
            }
            town.is_sound().await;
        }
    }
}

#[test]
fn of_an_offer_or_a_letter_and_whatever_else_is_done_with_a_stack_one_wins() {
    on_database(|database| race_for_a_stack(database, |place| place < 2));
}

#[test]
fn of_any_two_other_deeds_with_a_stack_one_wins() {
    on_database(|database| race_for_a_stack(database, |place| place >= 2));
}

#[test]
fn coins_are_spent_once() {
    on_database(|database| async move {
        let scene = Scene::open(database, PURSE).await;
        let Pair { town, .. } = &scene.pair;
        for (place, one) in Payment::ALL.into_iter().enumerate() {
            for two in Payment::ALL.into_iter().skip(place) {
                let payments = [one, two];
                for way in WAYS {
                    scene.has_copper(PURSE).await;
                    let auction_id =
                        if payments.contains(&Payment::Bid) { scene.auction().await } else { 0 };
                    let confirmation = if payments.contains(&Payment::Confirm) {
                        scene.confirmation().await
                    } else {
                        Value::Null
                    };
                    let [first, second] =
                        payments.map(|one| scene.payment(one, auction_id, &confirmation));
                    let told = scene.both(way, first, second).await;
                    won(way, payments, &told, Payment::late);
                    scene.clear().await;
                }
                town.is_sound().await;
            }
        }
    });
}

#[test]
fn who_has_left_does_nothing_more() {
    on_database(|database| async move {
        let scene = Scene::open(database, PLENTY).await;
        let Pair { town, ann, .. } = &scene.pair;
        for deed in Deed::ALL {
            let def = if deed == Deed::Equip { ARM } else { ORE };
            for way in WAYS {
                let stack = town.buys(ann, def).await;
                if deed == Deed::Offer {
                    scene.pair.begins().await;
                }
                let leave = ("character_leave", json!([]));
                let told = scene.both(way, leave, (deed.name(), deed.args(town, stack))).await;
                assert_eq!(told[0], "", "{way:?} {deed:?}");
                let is_late = way == Way::Behind;
                let code = if is_late { deed.absent() } else { "" };
                assert_eq!(told[1], code, "{way:?} {deed:?}");
                assert!(!is_there(town, ann).await, "{way:?} {deed:?}");
                // A trade ends with who leaves, so what was offered is free again.
                let stays = usize::from(is_late || deed == Deed::Offer);
                assert_eq!(town.stacks(BAG, ann.id).await.len(), stays, "{way:?} {deed:?}");
                assert!(scene.pair.is_over().await, "{way:?} {deed:?}");
                town.is_sound().await;
                comes_back(&scene, ann).await;
            }
        }
    });
}

#[test]
fn of_leaving_and_the_last_confirmation_the_first_wins() {
    on_database(|database| async move {
        let scene = Scene::open(database, PURSE).await;
        let Pair { town, ann, bob } = &scene.pair;
        for (leaver, way) in [ann, bob].into_iter().flat_map(|one| WAYS.map(|way| (one, way))) {
            scene.has_copper(PURSE).await;
            let had = town.copper(bob).await;
            let args = scene.confirmation().await;
            let leaves = || leaver.player.call("character_leave", json!([]));
            let confirms = || ann.player.call("trade_confirm", args.clone());
            let (left, confirmed) = if way == Way::Before {
                let (confirmed, left) = tokio::join!(confirms(), leaves());
                (left, confirmed)
            } else {
                tokio::join!(leaves(), confirms())
            };
            assert_eq!(left, Ok(()), "{} {way:?}", leaver.id);
            let refused = confirmed.err().unwrap_or_default();
            let code = refused.split(':').next().unwrap_or_default();
            // Ann's two come in the order they are sent in, Bob's leaving may come at any time.
            let expected: &[&str] = match (leaver.id == ann.id, way) {
                (true, Way::Before) => &[""],
                (true, Way::Behind) => &["economy.not_in_world"],
                (false, _) => &["economy.trade_unknown", ""],
            };
            assert!(expected.contains(&code), "{} {way:?}: {refused}", leaver.id);
            let paid = if code.is_empty() { PURSE } else { 0 };
            assert_eq!(town.copper(bob).await, had + paid, "{} {way:?}", leaver.id);
            assert_eq!(town.copper(ann).await, PURSE - paid, "{} {way:?}", leaver.id);
            assert!(scene.pair.is_over().await, "{} {way:?}", leaver.id);
            town.is_sound().await;
            comes_back(&scene, leaver).await;
        }
    });
}

async fn comes_back(scene: &Scene, hero: &Hero) {
    hero.player.call("character_enter", json!([hero.id])).await.expect("back");
    scene.clear().await;
}
