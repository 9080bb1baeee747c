//! Loot: what lies on the dead, who may have it, and who wins it.
//!
//! Keeps true: every die comes from the roller that is handed in; what is rolled has a bound; a
//! winner is one of those who wanted it, and need goes before greed.

use super::ItemError;
use crate::combat::dice::{Dice, Roller, roll};
use crate::content::book::Book;
use crate::content::{CreatureDef, LootEntry, LootTableDef, Rarity, limits};
use crate::parties::LootMode;

/// Most stacks that lie in one place.
pub const LOOT_SLOTS: u16 = 24;
/// How near somebody must be to take something, millimetres.
pub const LOOT_REACH_MM: u32 = 5_000;
/// How near somebody must be when a creature dies to have a right to what it leaves, millimetres.
pub const LOOT_SHARE_RADIUS_MM: u32 = 60_000;
/// Most characters that have a right to the same loot.
pub const HOLDERS_MAX: usize = 40;
/// How long it is one character's turn alone, seconds.
pub const TURN_SECONDS: u32 = 60;
/// Sides of the die that decides.
const ROLL_SIDES: u8 = 100;

/// Whether something of a rarity is not just taken, where a party shares so from a threshold on.
pub const fn withholds(mode: LootMode, threshold: u8, rarity: Rarity) -> bool {
    match mode {
        LootMode::FreeForAll | LootMode::RoundRobin => false,
        LootMode::NeedBeforeGreed | LootMode::Master => rarity as u8 >= threshold,
    }
}

/// What somebody says when something is rolled for. The numbers stand in rows and arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Choice {
    /// Not wanted.
    Pass = 0,
    /// Wanted for its worth.
    Greed = 1,
    /// Wanted for use.
    Need = 2,
}

impl Choice {
    /// The choice of a number.
    ///
    /// # Errors
    /// `ChoiceInvalid`.
    pub const fn of(code: u8) -> Result<Self, ItemError> {
        match code {
            0 => Ok(Self::Pass),
            1 => Ok(Self::Greed),
            2 => Ok(Self::Need),
            _ => Err(ItemError::ChoiceInvalid),
        }
    }
}

/// What was rolled on tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rolled {
    /// Coins, copper.
    pub copper: u64,
    /// Keys of items and how many, at most [`LOOT_SLOTS`].
    pub goods: Vec<(String, u32)>,
}

/// Whether creatures leave what a table says.
pub fn fits(table: &LootTableDef, creature: &CreatureDef) -> bool {
    let at = |word: &str| limits::CHALLENGES.iter().position(|known| *known == word);
    let (min, max) = (at(&table.challenge_min), at(&table.challenge_max));
    let is_within = at(&creature.challenge)
        .is_some_and(|own| min.is_none_or(|min| min <= own) && max.is_none_or(|max| own <= max));
    is_within
        && (table.kinds.is_empty() || table.kinds.contains(&creature.kind))
        && (table.creatures.is_empty() || table.creatures.contains(&creature.key))
}

/// Rolls what a creature leaves; of its coins a percentage, rounded down.
pub fn roll_creature(
    creature: &CreatureDef,
    coins_percent: i64,
    book: &Book,
    roller: &mut dyn Roller,
) -> Rolled {
    let mut rolled = Rolled::default();
    for table in book.loot_tables().iter().filter(|table| fits(table, creature)) {
        if let Some(coins) = table.coins {
            rolled.copper += u64::from(count_of(coins, roller)) * u64::from(table.coin_copper);
        }
        roll_entries(&table.entries, roller, &mut rolled.goods);
    }
    let percent = u64::try_from(coins_percent).unwrap_or(0);
    rolled.copper = rolled.copper.saturating_mul(percent) / 100;
    rolled
}

/// Rolls for each entry whether it is there: a die of a hundred sides, and its count's dice if so.
pub fn roll_entries(
    entries: &[LootEntry],
    roller: &mut dyn Roller,
    goods: &mut Vec<(String, u32)>,
) {
    for entry in entries {
        let is_there = entry.percent >= ROLL_SIDES || roller.roll(ROLL_SIDES) <= entry.percent;
        if is_there {
            let count = count_of(entry.count, roller);
            if let Some((_, known)) = goods.iter_mut().find(|(item, _)| *item == entry.item) {
                *known += count;
            } else if goods.len() < usize::from(LOOT_SLOTS) {
                goods.push((entry.item.clone(), count));
            }
        }
    }
}

fn count_of(dice: Dice, roller: &mut dyn Roller) -> u32 {
    u32::try_from(roll(dice, roller).total).unwrap_or(0)
}

/// What each of them gets of coins: the same, rounded down; the first ones one more each until
/// nothing is left.
pub fn split_coins(copper: u64, count: usize) -> Vec<u64> {
    let count = u64::try_from(count.max(1)).unwrap_or(1);
    (0..count).map(|at| copper / count + u64::from(at < copper % count)).collect()
}

/// A throw of somebody who wanted something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throw {
    /// Who.
    pub character_id: u64,
    /// How much it was wanted.
    pub choice: Choice,
    /// What the die showed, 1 to 100.
    pub natural: u8,
}

/// Throws for each who wants something, in the order of `choices`, and answers the throws, the
/// winner's first: of those who need it, or else of those who would like it, the highest; of equal
/// ones the first. Empty where nobody wants it.
pub fn decide(choices: &[(u64, Choice)], roller: &mut dyn Roller) -> Vec<Throw> {
    let best = choices.iter().map(|(_, choice)| *choice).max().unwrap_or(Choice::Pass);
    if best == Choice::Pass {
        return vec![];
    }
    let wanting = choices.iter().filter(|(_, choice)| *choice == best);
    let mut throws: Vec<Throw> = wanting
        .map(|(character_id, choice)| Throw {
            character_id: *character_id,
            choice: *choice,
            natural: roller.roll(ROLL_SIDES),
        })
        .collect();
    // A stable sort: of equal throws the first stays first.
    throws.sort_by_key(|throw| std::cmp::Reverse(throw.natural));
    throws
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::shipped_book;
    use proptest::prelude::*;

    /// Shows numbers in turn.
    struct Shown(Vec<u8>);

    impl Roller for Shown {
        fn roll(&mut self, sides: u8) -> u8 {
            let next = if self.0.is_empty() { sides } else { self.0.remove(0) };
            next.clamp(1, sides)
        }
    }

    #[test]
    fn every_creature_leaves_something_that_content_knows() {
        let book = shipped_book();
        for creature in &book.pack().creature {
            let best = roll_creature(creature, 100, book, &mut Shown(vec![1; 400]));
            let is_something = best.copper > 0 || !best.goods.is_empty();
            assert!(is_something, "{} leaves nothing", creature.key);
            for (item, count) in best.goods {
                assert!(book.item(&item).is_some() && count > 0, "{item}");
            }
        }
    }

    #[test]
    fn a_table_fits_by_kind_creature_and_challenge() {
        let book = shipped_book();
        let table = |key: &str| book.loot_tables().iter().find(|it| it.key == key).expect("there");
        let creature = |key: &str| book.creature(key).expect("there");
        for (key, of, expected) in [
            ("purse_petty", "bandit", true),
            ("purse_small", "bandit", false),
            ("purse_petty", "wolf", false),
            ("beast_small", "wolf", true),
            ("beast_large", "wolf", false),
            ("of_birds", "vulture", true),
            ("of_birds", "wolf", false),
        ] {
            assert_eq!(fits(table(key), creature(of)), expected, "{key} {of}");
        }
    }

    #[test]
    fn an_entry_is_there_by_its_percentage_and_counts_its_dice() {
        let entry = |item: &str, percent, count: &str| LootEntry {
            item: item.to_owned(),
            percent,
            count: count.parse().expect("dice"),
        };
        let entries = [entry("a", 50, "1d4"), entry("b", 100, "2d6"), entry("a", 10, "1")];
        let mut goods = vec![];
        roll_entries(&entries, &mut Shown(vec![50, 3, 6, 5, 11]), &mut goods);
        assert_eq!(goods, [("a".to_owned(), 3), ("b".to_owned(), 11)]);
        let mut goods = vec![];
        roll_entries(&entries, &mut Shown(vec![51, 1, 1, 10]), &mut goods);
        assert_eq!(goods, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
    }

    #[test]
    fn need_goes_before_greed_and_the_highest_wins() {
        use Choice::{Greed, Need, Pass};
        let win = |choices: &[(u64, Choice)], shown: &[u8]| {
            let throws = decide(choices, &mut Shown(shown.to_vec()));
            throws.iter().map(|throw| (throw.character_id, throw.natural)).collect::<Vec<_>>()
        };
        assert_eq!(win(&[], &[]), []);
        assert_eq!(win(&[(1, Pass), (2, Pass)], &[]), []);
        assert_eq!(win(&[(1, Greed), (2, Need)], &[7]), [(2, 7)]);
        assert_eq!(win(&[(1, Greed), (2, Greed)], &[7, 80]), [(2, 80), (1, 7)]);
        assert_eq!(win(&[(5, Need), (2, Need)], &[9, 9]), [(5, 9), (2, 9)]);
        assert_eq!(Choice::of(3), Err(ItemError::ChoiceInvalid));
    }

    #[test]
    fn what_is_rare_is_withheld_from_a_threshold_on() {
        use LootMode::{FreeForAll, Master, NeedBeforeGreed, RoundRobin};
        for (mode, threshold, rarity, expected) in [
            (FreeForAll, 0, Rarity::Legendary, false),
            (RoundRobin, 0, Rarity::Legendary, false),
            (NeedBeforeGreed, 0, Rarity::Common, true),
            (NeedBeforeGreed, 1, Rarity::Common, false),
            (NeedBeforeGreed, 1, Rarity::Uncommon, true),
            (Master, 4, Rarity::VeryRare, false),
            (Master, 4, Rarity::Legendary, true),
        ] {
            assert_eq!(withholds(mode, threshold, rarity), expected, "{mode:?} {rarity:?}");
        }
    }

    proptest! {
        #[test]
        fn coins_are_split_without_rest(copper in 0..u64::MAX, count in 0..40_usize) {
            let parts = split_coins(copper, count);
            prop_assert_eq!(parts.iter().sum::<u64>(), copper);
            prop_assert!(parts.iter().max().copied().unwrap_or(0)
                - parts.iter().min().copied().unwrap_or(0) <= 1);
        }

        #[test]
        fn the_winner_wanted_it_most(
            choices in prop::collection::vec((1..50_u64, 0..3_u8), 0..40),
            shown in prop::collection::vec(1..=100_u8, 40),
        ) {
            let choices: Vec<_> = choices
                .into_iter()
                .map(|(who, code)| (who, Choice::of(code).expect("valid")))
                .collect();
            let throws = decide(&choices, &mut Shown(shown));
            let best = choices.iter().map(|(_, choice)| *choice).max();
            match throws.first() {
                Some(won) => {
                    prop_assert_eq!(Some(won.choice), best);
                    prop_assert!(throws.iter().all(|throw| throw.natural <= won.natural));
                }
                None => prop_assert!(best.is_none_or(|best| best == Choice::Pass)),
            }
        }
    }
}
