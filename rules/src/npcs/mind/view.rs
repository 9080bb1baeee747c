//! What one creature sees at an instant, in plain values, and what its abilities are good for.
//!
//! Keeps true: lists are bounded and nearest first; who is not in a view is not thought of.

use crate::combat::areas::{Direction, Point};
use crate::combat::dice::Dice;
use crate::combat::threat::Threat;
use crate::content::{
    AbilityDef, Action, Area, AttackKind, Behavior, Condition, CreatureAttack, CreatureDef,
    CreatureKind, EffectDef, Stat, Target,
};

/// Most allies and most enemies that are thought of, the nearest of each.
pub const SEEN_MAX: usize = 16;
/// Most abilities that are thought of.
pub const READY_MAX: usize = 16;

/// Somebody as a creature sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what is seen at a glance, one by one")]
pub struct Seen {
    /// Who.
    pub entity_id: u64,
    /// Where.
    pub place: Point,
    /// Whom it fights, where that is known.
    pub target_id: Option<u64>,
    /// 1 to 20.
    pub level: u8,
    /// What a roll must reach to hit it.
    pub armor_class: u8,
    /// 0 to 100, rounded down (`phases::percent_of`).
    pub hit_points_percent: u8,
    /// Whether it is dying, stable or dead.
    pub is_down: bool,
    /// Whether it casts or concentrates.
    pub is_casting: bool,
    /// Whether a condition keeps it from acting or going.
    pub is_hampered: bool,
    /// Whether something of its own side helps it already.
    pub is_helped: bool,
    /// Whether nothing stands between.
    pub is_in_sight: bool,
}

/// What a creature is about. The numbers stand in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// Nothing.
    #[default]
    Idle = 0,
    /// It fights.
    Fighting = 1,
    /// It runs from a fight.
    Fleeing = 2,
    /// It has given up and goes home.
    GoingHome = 3,
}

impl Mood {
    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The mood of that number; an unknown one is idle.
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Fighting,
            2 => Self::Fleeing,
            3 => Self::GoingHome,
            _ => Self::Idle,
        }
    }
}

/// What an ability is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It hurts.
    Harm,
    /// It heals.
    Heal,
    /// It makes a friend stronger.
    Help,
    /// It hinders an enemy.
    Control,
    /// It brings friends.
    Summon,
}

/// An ability as a creature thinks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready<'a> {
    /// Its key.
    pub key: &'a str,
    /// What it is good for.
    pub kind: Kind,
    /// At what it is aimed.
    pub target: Target,
    /// How far it reaches; 0 for one that strikes as far as the creature does.
    pub range_mm: u32,
    /// What it reaches besides its target.
    pub area: Option<Area>,
    /// How it is rolled whether it hits.
    pub attack: Option<AttackKind>,
    /// Whether friends in its area are spared.
    pub spares_allies: bool,
    /// What it hurts or heals on average, of one target.
    pub power: u16,
    /// Whether it can be used now; set by whoever knows the cooldowns.
    pub is_ready: bool,
}

impl Ready<'_> {
    /// Whether it is rolled whether it hits.
    pub const fn is_attack(&self) -> bool {
        self.attack.is_some()
    }
}

/// At what a decision aims an ability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aimed {
    /// The creature itself.
    Oneself,
    /// Somebody.
    Entity(u64),
    /// A place.
    Point(Point),
    /// A direction; only its angle counts.
    Direction(Direction),
}

/// What one creature sees at an instant. Distances are millimetres.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what a creature knows of itself, one by one")]
pub struct View<'v, 'a> {
    /// The creature.
    pub oneself: Seen,
    /// Others of its side, nearest first, at most [`SEEN_MAX`].
    pub allies: &'v [Seen],
    /// Those it may fight, nearest first, at most [`SEEN_MAX`]: who is near, and who draws it.
    pub enemies: &'v [Seen],
    /// Who draws it.
    pub threat: &'v Threat,
    /// Where it belongs.
    pub home: Point,
    /// How far from home it walks about.
    pub roam_mm: u32,
    /// How far from home it follows.
    pub leash_mm: u32,
    /// How far it sees.
    pub sight_mm: u32,
    /// What it tends to do now: its own, or those of the phase that has begun.
    pub behaviors: &'v [Behavior],
    /// What it can use, at most [`READY_MAX`].
    pub ready: &'v [Ready<'a>],
    /// How far it strikes; 0 for what does not.
    pub melee_mm: u32,
    /// How far it shoots without disadvantage; 0 for what does not.
    pub ranged_mm: u32,
    /// What its attack action hurts on average if all of it hits.
    pub strike_power: u16,
    /// How far it goes in a round; 0 for what cannot go.
    pub speed_mm_per_round: u32,
    /// What it is about.
    pub mood: Mood,
    /// Whom it fights.
    pub target_id: Option<u64>,
    /// Whether its action is back and nothing keeps it from acting.
    pub can_act: bool,
    /// Whether it may call for help again.
    pub can_call: bool,
    /// Whether areas hurt friends.
    pub is_friendly_fire: bool,
    /// Whether it knows no fear ([`is_fearless`]).
    pub is_fearless: bool,
    /// Whether it casts something.
    pub is_casting: bool,
    /// Whether it is on its way somewhere.
    pub is_walking: bool,
}

impl View<'_, '_> {
    /// Whether it tends to something.
    pub fn tends(&self, behavior: Behavior) -> bool {
        self.behaviors.contains(&behavior)
    }

    /// Whether it can go.
    pub const fn can_go(&self) -> bool {
        self.speed_mm_per_round > 0
    }
}

/// What a creature strikes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strikes {
    /// How far it strikes, millimetres; 0 for what does not.
    pub melee_mm: u32,
    /// How far it shoots without disadvantage, millimetres; 0 for what does not.
    pub ranged_mm: u32,
    /// What its attack action hurts on average if all of it hits, by its best attack.
    pub power: u16,
}

/// What a creature strikes with.
pub fn strikes_of(def: &CreatureDef) -> Strikes {
    let is_ranged = |attack: &&CreatureAttack| attack.long_range_mm > 0;
    let is_melee = |attack: &&CreatureAttack| attack.long_range_mm == 0;
    let range_mm = |attack: &CreatureAttack| attack.range_mm;
    let average = |dice: Dice| i64::from(dice.average()).max(0);
    let power =
        |attack: &CreatureAttack| average(attack.dice) + attack.extra_dice.map_or(0, average);
    let best = def.attacks.iter().map(power).max().unwrap_or(0);
    Strikes {
        melee_mm: def.attacks.iter().filter(is_melee).map(range_mm).max().unwrap_or(0),
        ranged_mm: def.attacks.iter().filter(is_ranged).map(range_mm).max().unwrap_or(0),
        power: u16::try_from(best * i64::from(def.attacks_per_action.max(1))).unwrap_or(u16::MAX),
    }
}

/// Whether creatures of a kind never flee: they have no mind, or no life to lose.
pub const fn is_fearless(kind: CreatureKind) -> bool {
    use CreatureKind::{
        Aberration, Beast, Celestial, Construct, Dragon, Elemental, Fey, Fiend, Giant, Humanoid,
        Monstrosity, Ooze, Plant, Undead,
    };
    match kind {
        Construct | Elemental | Ooze | Plant | Undead => true,
        Aberration | Beast | Celestial | Dragon | Fey | Fiend | Giant | Humanoid | Monstrosity => {
            false
        }
    }
}

/// An ability as a creature thinks of it, not ready yet; none for what no creature uses by itself:
/// reactions, what wakes corpses, what only moves its user, what only ends something.
pub fn ready_of(ability: &AbilityDef) -> Option<Ready<'_>> {
    if ability.action == Action::Reaction || ability.target == Target::Corpse {
        return None;
    }
    let range_mm = match (ability.attack, ability.area) {
        (Some(AttackKind::Weapon), _) => 0,
        (_, Some(Area::Cone { length_mm } | Area::Line { length_mm, .. })) => {
            ability.range_mm.max(length_mm)
        }
        (_, Some(Area::Sphere { .. } | Area::Cube { .. }) | None) => ability.range_mm,
    };
    Some(Ready {
        key: &ability.key,
        kind: kind_of(ability)?,
        target: ability.target,
        range_mm,
        area: ability.area,
        attack: ability.attack,
        spares_allies: ability.spares_allies,
        power: power_of(ability),
        is_ready: false,
    })
}

/// What the effects of an ability say it is for, the strongest word first.
fn kind_of(ability: &AbilityDef) -> Option<Kind> {
    let has = |wanted: Tells| ability.effects.iter().any(|effect| tells(effect) == wanted);
    let is_hostile = match ability.target {
        Target::Enemy => true,
        Target::Ally => false,
        Target::Oneself if ability.area.is_none() => false,
        Target::Oneself | Target::Anyone | Target::Point | Target::Direction | Target::Corpse => {
            has(Tells::Hurts) || has(Tells::Hinders)
        }
    };
    if has(Tells::Summons) {
        Some(Kind::Summon)
    } else if is_hostile && has(Tells::Hurts) {
        Some(Kind::Harm)
    } else if is_hostile {
        has(Tells::Hinders).then_some(Kind::Control)
    } else if has(Tells::Heals) {
        Some(Kind::Heal)
    } else {
        has(Tells::Helps).then_some(Kind::Help)
    }
}

/// What one effect tells of its ability.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    Hurts,
    Heals,
    Helps,
    Hinders,
    Summons,
    Nothing,
}

fn tells(effect: &EffectDef) -> Tells {
    match effect {
        EffectDef::Damage { .. } | EffectDef::OverTime { damage: Some(_), .. } => Tells::Hurts,
        EffectDef::Heal { .. } | EffectDef::OverTime { damage: None, .. } => Tells::Heals,
        EffectDef::Condition { condition: Condition::Invisible, .. }
        | EffectDef::TemporaryHitPoints { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::Dash { .. }
        | EffectDef::ModifierDice { negative: false, .. } => Tells::Helps,
        EffectDef::Condition { .. }
        | EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Taunt { .. }
        | EffectDef::ModifierDice { negative: true, .. } => Tells::Hinders,
        // Who is attacked with advantage is worse off for it.
        EffectDef::Modifier { stat, amount, .. } => {
            let is_good = (*amount >= 0) != (*stat == Stat::AttackedWith);
            if is_good { Tells::Helps } else { Tells::Hinders }
        }
        EffectDef::Summon { .. } => Tells::Summons,
        EffectDef::Teleport
        | EffectDef::Cure { .. }
        | EffectDef::Dispel { .. }
        | EffectDef::Revive { .. }
        | EffectDef::Stabilize => Tells::Nothing,
    }
}

/// Times that an effect over time counts at most: fights are short.
const TIMES_MAX: u32 = 3;

fn power_of(ability: &AbilityDef) -> u16 {
    let average = |dice: &Dice| u32::try_from(dice.average()).unwrap_or(0);
    let power = |effect: &EffectDef| match effect {
        EffectDef::Damage { dice, .. } | EffectDef::Heal { dice, .. } => average(dice),
        EffectDef::OverTime { dice, every_millis, duration_millis, .. } => {
            average(dice) * (duration_millis / (*every_millis).max(1)).clamp(1, TIMES_MAX)
        }
        EffectDef::TemporaryHitPoints { .. }
        | EffectDef::Condition { .. }
        | EffectDef::Modifier { .. }
        | EffectDef::ModifierDice { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Teleport
        | EffectDef::Dash { .. }
        | EffectDef::Summon { .. }
        | EffectDef::Cure { .. }
        | EffectDef::Dispel { .. }
        | EffectDef::Revive { .. }
        | EffectDef::Stabilize
        | EffectDef::Taunt { .. } => 0,
    };
    let sum: u32 = ability.effects.iter().map(power).sum();
    u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::book::Book;
    use crate::content::tests::read_shipped;

    fn check(book: &Book, key: &str, expected: Option<(Kind, u32, u16)>) {
        let ability = book.ability(key).expect("shipped");
        let found = ready_of(ability).map(|ready| (ready.kind, ready.range_mm, ready.power));
        assert_eq!(found, expected, "{key}");
    }

    #[test]
    fn abilities_are_known_by_what_they_do() {
        let book = Book::new(read_shipped());
        check(&book, "fire_breath_hell_hound", Some((Kind::Harm, 4_500, 21)));
        check(&book, "fireball", Some((Kind::Harm, 45_000, 28)));
        check(&book, "cure_wounds", Some((Kind::Heal, 1_500, 4)));
        check(&book, "bless", Some((Kind::Help, 9_000, 0)));
        check(&book, "hold_person", Some((Kind::Control, 18_000, 0)));
        check(&book, "heads_regrow", Some((Kind::Heal, 0, 20)));
        check(&book, "misty_step", None);
        check(&book, "parry_2", None);
        check(&book, "revivify", None);
    }

    #[test]
    fn creatures_know_what_to_do_with_nearly_all_they_have() {
        let book = Book::new(read_shipped());
        let creatures = &book.pack().creature;
        let of_phases =
            creatures.iter().flat_map(|def| def.phases.iter().flat_map(|phase| &phase.abilities));
        let keys = creatures.iter().flat_map(|def| &def.abilities).chain(of_phases);
        let mut unused: Vec<&str> = keys
            .filter(|key| book.ability(key).and_then(ready_of).is_none())
            .map(String::as_str)
            .collect();
        unused.sort_unstable();
        unused.dedup();
        assert!(unused.len() <= 6, "{unused:?}");
    }

    #[test]
    fn strikes_reach_as_far_as_the_longest_of_their_kind() {
        let book = Book::new(read_shipped());
        for (key, melee_mm, ranged_mm, power) in [
            ("wolf", 1_500, 0, 7),
            ("scout", 1_500, 45_000, 12),
            ("adult_red_dragon", 4_500, 0, 104),
        ] {
            let strikes = strikes_of(book.creature(key).expect("shipped"));
            assert_eq!(strikes, Strikes { melee_mm, ranged_mm, power }, "{key}");
        }
    }

    #[test]
    fn moods_have_numbers() {
        for mood in [Mood::Idle, Mood::Fighting, Mood::Fleeing, Mood::GoingHome] {
            assert_eq!(Mood::from_code(mood.code()), mood);
        }
        assert_eq!(Mood::from_code(9), Mood::Idle);
    }
}
