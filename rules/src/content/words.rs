//! The words of a pack: what a field can be that is neither number nor text.
//!
//! Keeps true: a word is written the same in packs, rows and events.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_meta])* #[doc = concat!("`", $word, "`.")] $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As packs, rows and events write it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a character or creature is made of. (The table game calls them abilities; here an
    /// ability is something that can be used.)
    Attribute {
        Strength = "strength",
        Dexterity = "dexterity",
        Constitution = "constitution",
        Intelligence = "intelligence",
        Wisdom = "wisdom",
        Charisma = "charisma",
    }
}

words! {
    /// What damage is made of.
    DamageType {
        Acid = "acid",
        Bludgeoning = "bludgeoning",
        Cold = "cold",
        Fire = "fire",
        Force = "force",
        Lightning = "lightning",
        Necrotic = "necrotic",
        Piercing = "piercing",
        Poison = "poison",
        Psychic = "psychic",
        Radiant = "radiant",
        Slashing = "slashing",
        Thunder = "thunder",
    }
}

words! {
    /// How large something is.
    Size {
        Tiny = "tiny",
        Small = "small",
        Medium = "medium",
        Large = "large",
        Huge = "huge",
        Gargantuan = "gargantuan",
    }
}

words! {
    /// What a body can be in. What each does stands in `combat::conditions`.
    Condition {
        Blinded = "blinded",
        Charmed = "charmed",
        Deafened = "deafened",
        Frightened = "frightened",
        Grappled = "grappled",
        Incapacitated = "incapacitated",
        Invisible = "invisible",
        Paralyzed = "paralyzed",
        Petrified = "petrified",
        Poisoned = "poisoned",
        Prone = "prone",
        Restrained = "restrained",
        /// Of the house: what the spell Silence does (SRD 5.1, "Spells (S)").
        Silenced = "silenced",
        Stunned = "stunned",
        Unconscious = "unconscious",
    }
}

words! {
    /// What a character is good at.
    Skill {
        Acrobatics = "acrobatics",
        AnimalHandling = "animal_handling",
        Arcana = "arcana",
        Athletics = "athletics",
        Deception = "deception",
        History = "history",
        Insight = "insight",
        Intimidation = "intimidation",
        Investigation = "investigation",
        Medicine = "medicine",
        Nature = "nature",
        Perception = "perception",
        Performance = "performance",
        Persuasion = "persuasion",
        Religion = "religion",
        SleightOfHand = "sleight_of_hand",
        Stealth = "stealth",
        Survival = "survival",
    }
}

words! {
    /// What kind of spell it is.
    School {
        Abjuration = "abjuration",
        Conjuration = "conjuration",
        Divination = "divination",
        Enchantment = "enchantment",
        Evocation = "evocation",
        Illusion = "illusion",
        Necromancy = "necromancy",
        Transmutation = "transmutation",
    }
}

words! {
    /// What kind of creature it is.
    CreatureKind {
        Aberration = "aberration",
        Beast = "beast",
        Celestial = "celestial",
        Construct = "construct",
        Dragon = "dragon",
        Elemental = "elemental",
        Fey = "fey",
        Fiend = "fiend",
        Giant = "giant",
        Humanoid = "humanoid",
        Monstrosity = "monstrosity",
        Ooze = "ooze",
        Plant = "plant",
        Undead = "undead",
    }
}

words! {
    /// What it takes to wear it.
    ArmorKind {
        Light = "light",
        Medium = "medium",
        Heavy = "heavy",
        Shield = "shield",
    }
}

words! {
    /// What it takes to wield it.
    WeaponKind {
        Simple = "simple",
        Martial = "martial",
    }
}

words! {
    /// What matters of a weapon besides its dice.
    WeaponProperty {
        Ammunition = "ammunition",
        Finesse = "finesse",
        Heavy = "heavy",
        Light = "light",
        Loading = "loading",
        Reach = "reach",
        Thrown = "thrown",
        TwoHanded = "two_handed",
        Versatile = "versatile",
    }
}

words! {
    /// How fast a class gains spell slots.
    Casting {
        /// No spells.
        None = "none",
        /// Slots up to level 9.
        Full = "full",
        /// Slots up to level 5, from level 2 on.
        Half = "half",
        /// Few slots of one level, back after a short rest.
        Pact = "pact",
    }
}

words! {
    /// What using an ability takes of a turn.
    Action {
        Action = "action",
        BonusAction = "bonus_action",
        Reaction = "reaction",
        Free = "free",
    }
}

words! {
    /// Where an ability comes from.
    AbilityKind {
        /// A cantrip (level 0) or a spell of level 1 to 9.
        Spell = "spell",
        /// What a class or race brings.
        Feature = "feature",
        /// What everybody can do.
        Basic = "basic",
        /// What only creatures can do.
        Creature = "creature",
        /// What only an item that is used does.
        Item = "item",
    }
}

words! {
    /// At what an ability is aimed.
    Target {
        Oneself = "oneself",
        Ally = "ally",
        Enemy = "enemy",
        Anyone = "anyone",
        Point = "point",
        Direction = "direction",
        Corpse = "corpse",
    }
}

words! {
    /// What a creature tends to do; which of it at a moment is decided by utility.
    Behavior {
        Wander = "wander",
        Guard = "guard",
        Patrol = "patrol",
        Hunt = "hunt",
        Flee = "flee",
        CallForHelp = "call_for_help",
        Cast = "cast",
        HealAllies = "heal_allies",
        KeepDistance = "keep_distance",
        Flank = "flank",
    }
}

words! {
    /// What happens when an effect meets another of the same ability.
    Stacking {
        /// The later one ends it.
        Refresh = "refresh",
        /// The one that ends later stays.
        Longest = "longest",
        /// Both run.
        Both = "both",
    }
}

words! {
    /// What a modifier changes.
    Stat {
        ArmorClass = "armor_class",
        AttackRoll = "attack_roll",
        DamageRoll = "damage_roll",
        SavingThrow = "saving_throw",
        /// Percent of the speed.
        SpeedPercent = "speed_percent",
        HitPointsMax = "hit_points_max",
        /// 1 or −1: whoever attacks it has advantage or disadvantage.
        AttackedWith = "attacked_with",
        /// 1 or −1: its attacks have advantage or disadvantage.
        AttacksWith = "attacks_with",
        /// 1 or −1: its saving throws have advantage or disadvantage.
        SavesWith = "saves_with",
        /// 1: nobody strikes at it when it walks away.
        Elusive = "elusive",
    }
}

words! {
    /// How it is rolled whether it hits.
    AttackKind {
        /// With the weapon in hand.
        Weapon = "weapon",
        MeleeSpell = "melee_spell",
        RangedSpell = "ranged_spell",
    }
}

words! {
    /// What remains for who saves.
    OnSave {
        Nothing = "nothing",
        Half = "half",
        /// All but the conditions.
        NoCondition = "no_condition",
    }
}
