//! The shapes of goods: items, what the dead leave, what is made of what, and what grows where.

use serde::{Deserialize, Serialize};

use super::{CreatureKind, Passive, words};
use crate::combat::dice::Dice;

words! {
    /// What an item is for.
    ItemKind {
        /// It is wielded: a weapon's key says how.
        Weapon = "weapon",
        /// It is worn or held against blows: an armor's key says how.
        Armor = "armor",
        /// It is worn for what it brings.
        Trinket = "trinket",
        /// Using it uses it up.
        Consumable = "consumable",
        /// Others are made of it.
        Material = "material",
        /// It has slots for others while it is put on.
        Container = "container",
        /// A recipe or a place asks for it, and does not use it up.
        Tool = "tool",
        /// It is shot.
        Ammunition = "ammunition",
        /// It is worth coins, and nothing else.
        Treasure = "treasure",
        /// Somebody waits for it.
        Quest = "quest",
    }
}

words! {
    /// How rare an item is.
    #[derive(Default)]
    Rarity {
        #[default]
        Common = "common",
        Uncommon = "uncommon",
        Rare = "rare",
        VeryRare = "very_rare",
        Legendary = "legendary",
    }
}

words! {
    /// What binds an item to the character that has it.
    #[derive(Default)]
    Binding {
        /// Nothing does.
        #[default]
        None = "none",
        /// Coming into its bag.
        OnPickup = "on_pickup",
        /// Being put on.
        OnEquip = "on_equip",
    }
}

words! {
    /// Where on a body something is put on.
    Wear {
        /// At hand: there are four such slots.
        Weapon = "weapon",
        Shield = "shield",
        Armor = "armor",
        Head = "head",
        Neck = "neck",
        Cloak = "cloak",
        Hands = "hands",
        Waist = "waist",
        Feet = "feet",
        /// There are two such slots.
        Ring = "ring",
        /// There are four such slots.
        Bag = "bag",
    }
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDef {
    pub key: String,
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub text: String,
    pub kind: ItemKind,
    #[serde(default)]
    pub rarity: Rarity,
    /// What it costs new, copper.
    pub price_copper: u32,
    pub weight_g: u32,
    /// Most in one stack; 1 for what does not stack.
    #[serde(default = "one")]
    pub stack_max: u16,
    #[serde(default)]
    pub binding: Binding,
    /// Whether a character can have one only.
    #[serde(default)]
    pub unique: bool,
    /// How much it wears before it is broken; 0 for what does not.
    #[serde(default)]
    pub durability: u16,
    /// Who may put it on or use it: from that level on.
    #[serde(default)]
    pub level_min: u8,
    /// The same: these classes, by key; empty for all.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Of a weapon: its key among weapons.
    #[serde(default)]
    pub weapon: Option<String>,
    /// Of armor or a shield: its key among armor.
    #[serde(default)]
    pub armor: Option<String>,
    /// Of a trinket: where it is put on.
    #[serde(default)]
    pub worn: Option<Wear>,
    /// What is always so while it is put on.
    #[serde(default)]
    pub passives: Vec<Passive>,
    /// Of a consumable: key of the ability that using it is.
    #[serde(default)]
    pub ability: Option<String>,
    /// Of a container: slots that it adds to the bag.
    #[serde(default)]
    pub slots: u8,
}

const fn one() -> u16 {
    1
}

/// Something that may be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LootEntry {
    /// Key of an item.
    pub item: String,
    /// How likely, 1 to 100.
    pub percent: u8,
    /// How many.
    #[serde(default = "one_of_it")]
    pub count: Dice,
}

const fn one_of_it() -> Dice {
    Dice { count: 0, sides: 0, bonus: 1 }
}

/// What lies on creatures that died. A creature leaves what every table that fits it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LootTableDef {
    pub key: String,
    /// On creatures of these kinds; empty for all.
    #[serde(default)]
    pub kinds: Vec<CreatureKind>,
    /// On these creatures, by key; empty for all.
    #[serde(default)]
    pub creatures: Vec<String>,
    /// On creatures of this challenge or more, and of that or less.
    pub challenge_min: String,
    pub challenge_max: String,
    /// How many coins.
    #[serde(default)]
    pub coins: Option<Dice>,
    /// What each of them is worth, copper.
    #[serde(default)]
    pub coin_copper: u32,
    #[serde(default)]
    pub entries: Vec<LootEntry>,
}

/// So many of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// Key of an item.
    pub item: String,
    pub count: u16,
}

/// How something is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeDef {
    pub key: String,
    pub name: String,
    /// Key of the item that is made.
    pub item: String,
    pub count: u16,
    /// What it is made of.
    pub materials: Vec<Portion>,
    /// Key of an item that is needed, and not used up.
    #[serde(default)]
    pub tool: Option<String>,
    #[serde(default)]
    pub level_min: u8,
    /// How long it keeps who makes it from making or gathering anything.
    pub work_millis: u32,
}

/// A place where something is gathered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatherNodeDef {
    pub key: String,
    pub name: String,
    /// How likely it is among those that fit a place, 1 to 1,000.
    pub weight: u16,
    /// Names of biomes it is found in; empty for all.
    #[serde(default)]
    pub biomes: Vec<String>,
    /// Key of an item that is needed, and not used up.
    #[serde(default)]
    pub tool: Option<String>,
    #[serde(default)]
    pub level_min: u8,
    /// How long it keeps who gathers there from making or gathering anything.
    pub work_millis: u32,
    /// How long until it can be gathered there again.
    pub respawn_millis: u32,
    pub entries: Vec<LootEntry>,
}
