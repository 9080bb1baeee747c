//! The ranges of a pack's numbers.
//!
//! Keeps true: what is within these the rules can count with, without overflow or an endless loop.
//! Leaves out on purpose: lengths of keys, names and texts, which stand beside the shapes.

use std::ops::RangeInclusive;

/// A range of whole numbers, both ends within.
pub type Range = RangeInclusive<i64>;

/// Longest file of a pack, bytes.
pub const FILE_BYTES_MAX: usize = 2_097_152;
/// Most files of a pack.
pub const FILES_MAX: usize = 256;
/// Longest source of an entry, characters.
pub const SOURCE_CHARS_MAX: usize = 96;
/// Levels there are, and lengths of tables by level (SRD 5.1, "Beyond 1st Level").
pub const LEVELS: usize = 20;

/// Levels of characters.
pub const LEVEL: Range = 1..=20;
/// Experience a level begins with.
pub const EXPERIENCE: Range = 0..=1_000_000_000;
/// Proficiency at a level.
pub const PROFICIENCY: Range = 2..=6;

/// A creature's scores.
pub const SCORE: Range = 1..=30;
/// What a race adds to a score.
pub const RACE_BONUS: Range = 0..=2;
/// Millimetres a round: up to 200 feet, more than anything of the SRD.
pub const SPEED_MM_PER_ROUND: Range = 0..=60_000;
/// How far somebody sees in the dark, millimetres.
pub const DARKVISION_MM: Range = 0..=120_000;

/// Sides of a class's hit die.
pub const HIT_DICE: [u8; 4] = [6, 8, 10, 12];
/// Skills a class chooses.
pub const SKILLS_COUNT: Range = 0..=18;
/// Cantrips known at a level.
pub const CANTRIPS_KNOWN: Range = 0..=10;
/// Spells known at a level.
pub const SPELLS_KNOWN: Range = 0..=30;
/// Saving throws a class is proficient in.
pub const CLASS_SAVES: usize = 2;
/// Skills a background brings.
pub const BACKGROUND_SKILLS: usize = 2;
/// Coins, copper: 1,000 gold pieces.
pub const COINS: Range = 0..=100_000;
/// Most of any list within an entry: skills, features, effects, members.
pub const LIST_MAX: usize = 64;

/// Levels of spells; 0 for cantrips.
pub const SPELL_LEVEL: Range = 0..=9;
/// How long an ability is cast, milliseconds.
pub const CAST_MILLIS: Range = 0..=60_000;
/// How long until an ability can be used again, milliseconds: up to a day.
pub const COOLDOWN_MILLIS: Range = 0..=86_400_000;
/// How far an ability reaches, millimetres.
pub const ABILITY_RANGE_MM: Range = 0..=300_000;
/// Sizes of areas, millimetres: 1 mm would do, 400 feet are enough.
pub const AREA_MM: Range = 1..=120_000;
/// The difficulty of a saving throw.
pub const DIFFICULTY: Range = 1..=30;
/// How long an effect lasts, milliseconds: up to ten days.
pub const DURATION_MILLIS: Range = 1..=864_000_000;
/// How often an effect comes again, milliseconds.
pub const EVERY_MILLIS: Range = 500..=3_600_000;
/// What a modifier adds; of a speed, percent.
pub const MODIFIER: Range = -1_000..=1_000;
/// How far somebody is pushed or pulled, millimetres.
pub const DISTANCE_MM: Range = 1..=100_000;
/// How much faster somebody dashes, percent.
pub const DASH_PERCENT: Range = 1..=500;
/// Creatures that are summoned at once.
pub const SUMMON_COUNT: Range = 1..=20;
/// Hit points somebody is revived with.
pub const REVIVE_HIT_POINTS: Range = 1..=1_000;
/// Threat of a taunt.
pub const THREAT: Range = 1..=1_000_000;
/// Attacks with one action.
pub const ATTACKS: Range = 1..=6;
/// Dice of a sneak attack at a level.
pub const SNEAK_DICE: Range = 1..=20;
/// The lowest roll that is a critical hit.
pub const CRITICAL_FROM: Range = 2..=20;
/// Dice more on a critical hit.
pub const BRUTAL_DICE: Range = 1..=10;

/// Armor classes of creatures.
pub const ARMOR_CLASS: Range = 1..=30;
/// How far a creature notices players, millimetres.
pub const SIGHT_MM: Range = 0..=120_000;
/// How far from home a creature follows, millimetres.
pub const LEASH_MM: Range = 0..=300_000;
/// What is added to a creature's attack roll.
pub const TO_HIT: Range = -5..=25;
/// What is added to a creature's saving throw.
pub const SAVE_BONUS: Range = -5..=25;
/// How far an attack reaches, millimetres.
pub const ATTACK_RANGE_MM: Range = 1..=300_000;
/// The same where there may be none.
pub const LONG_RANGE_MM: Range = 0..=300_000;
/// Percent of hit points below which a phase begins.
pub const BELOW_PERCENT: Range = 1..=99;
/// Challenges of creatures (SRD 5.1, "Monsters", challenge).
pub const CHALLENGES: [&str; 24] = [
    "0", "1/8", "1/4", "1/2", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13",
    "14", "15", "16", "17", "18", "19", "20",
];

/// What something costs, copper.
pub const PRICE_COPPER: Range = 0..=100_000_000;
/// What something weighs, grams.
pub const WEIGHT_G: Range = 0..=1_000_000;
/// What armor or a shield brings.
pub const ARMOR_BRINGS: Range = 1..=20;
/// Most of dexterity's modifier that armor lets count.
pub const DEXTERITY_MAX: Range = 0..=10;
/// Strength that armor asks for.
pub const STRENGTH_MIN: Range = 0..=20;

/// How likely a camp is.
pub const CAMP_WEIGHT: Range = 1..=1_000;
/// How far from the realm's home a camp is, metres.
pub const HOME_M: Range = 0..=1_000_000;
/// How wide a camp is, millimetres.
pub const CAMP_RADIUS_MM: Range = 1_000..=200_000;
/// How long until a camp is filled again, milliseconds: a second to a week.
pub const RESPAWN_MILLIS: Range = 1_000..=604_800_000;
/// Creatures of one kind in a camp.
pub const MEMBER_COUNT: Range = 0..=100;

/// Most items in a stack.
pub const STACK_MAX: Range = 1..=1_000;
/// How much something wears before it is broken.
pub const DURABILITY: Range = 0..=1_000;
/// The level something asks for; 0 for none.
pub const LEVEL_MIN: Range = 0..=20;
/// Slots of a container.
pub const CONTAINER_SLOTS: Range = 1..=32;
/// How likely something is, percent.
pub const PERCENT: Range = 1..=100;
/// What a coin that lies somewhere is worth, copper.
pub const COIN_COPPER: Range = 1..=100_000;
/// Most items or coins that a throw of dice brings.
pub const COUNT_AT_ONCE_MAX: i32 = 1_000;
/// How many of something a recipe takes or makes.
pub const PORTION: Range = 1..=100;
/// Most kinds of materials of a recipe.
pub const MATERIALS_MAX: usize = 8;
/// How long making or gathering takes, milliseconds.
pub const WORK_MILLIS: Range = 0..=600_000;
/// Pieces of something that a vendor has normally, and that come with each tick.
pub const VENDOR_STOCK: Range = 0..=10_000;
/// How demand answers to prices, basis points.
pub const ELASTICITY_BPS: Range = 1_000..=100_000;
/// What a vendor pays, basis points of an item's price: no more than the lowest it ever asks.
pub const PAYS_BPS: Range = 0..=5_000;
/// Characters of a word that is masked or refused.
pub const FILTER_WORD_CHARS_MIN: usize = 2;
/// Characters of a word that is masked or refused.
pub const FILTER_WORD_CHARS_MAX: usize = 48;
/// Leaderboards of a pack.
pub const BOARDS_MAX: usize = 64;
/// What a board's scores begin with, and down to where they go: 2^53.
pub const BOARD_SCORE: Range = -9_007_199_254_740_992..=9_007_199_254_740_992;
/// Submissions of a season.
pub const BOARD_ATTEMPTS: Range = 0..=1_000_000;
/// Seasons that are kept after they have closed.
pub const BOARD_SEASONS: Range = 0..=52;
/// Records that everybody can watch.
pub const BOARD_TOP: Range = 1..=100;
/// Ranks that are rewarded.
pub const BOARD_RANK: Range = 1..=100_000;
/// Copper of a reward: 100,000 gold pieces.
pub const BOARD_COPPER: Range = 0..=10_000_000;
/// Kinds of items of a reward.
pub const BOARD_ITEMS: usize = 8;
/// Items of a kind of a reward.
pub const BOARD_ITEM_COUNT: Range = 1..=1_000;
