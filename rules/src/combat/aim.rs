//! Aims: who may do what to whom, from where, and when. Every refusal of a fight.
//!
//! Keeps true: what is refused here has changed nothing; the order of checks is that of the errors.

use super::areas::Point;
use super::fighter::Fighter;
use super::house::House;
use super::sheet::Sheet;
use super::turn::NoTurn;
use crate::content::{AbilityDef, AbilityKind, AttackKind, Condition, Target};
use crate::errors::domain_errors;

domain_errors! {
    /// Why something in a fight was refused.
    CombatError {
        NotInWorld = 600, "combat.not_in_world", "the account has no character in the world";
        AbilityUnknown = 601, "combat.ability_unknown", "there is no such ability";
        AbilityNotKnown = 602, "combat.ability_not_known", "the character does not know that ability";
        AbilityNotPrepared = 603, "combat.ability_not_prepared", "that spell is not prepared";
        Dead = 604, "combat.dead", "the dead do nothing";
        Down = 605, "combat.down", "who has no hit points does nothing";
        Incapacitated = 606, "combat.incapacitated", "a condition keeps the character from acting";
        Silenced = 607, "combat.silenced", "who cannot speak casts no spells";
        Casting = 608, "combat.casting", "something is being cast already";
        Cooldown = 609, "combat.cooldown", "that ability is not ready yet";
        TurnUsed = 610, "combat.turn_used", "the action, bonus action or reaction is not back yet";
        UsesSpent = 611, "combat.uses_spent", "that ability is used up until a rest";
        SlotUnknown = 612, "combat.slot_unknown", "the character has no slots of that level, or the spell is of a higher one";
        SlotSpent = 613, "combat.slot_spent", "no slot of that level is left";
        AimWrong = 614, "combat.aim_wrong", "that ability is aimed at something else: a body, a point or a direction";
        TargetUnknown = 615, "combat.target_unknown", "there is nobody of that id in this world";
        TargetSelf = 616, "combat.target_self", "that cannot be done to oneself";
        TargetDead = 617, "combat.target_dead", "the target is dead";
        TargetNotDead = 618, "combat.target_not_dead", "the target is not dead";
        TargetNotEnemy = 619, "combat.target_not_enemy", "the target is no enemy";
        TargetNotAlly = 620, "combat.target_not_ally", "the target is no ally";
        TargetProtected = 621, "combat.target_protected", "players do not fight here without both wanting it";
        Charmed = 622, "combat.charmed", "nobody hurts who charmed him";
        OutOfRange = 623, "combat.out_of_range", "that is too far away";
        NoSight = 624, "combat.no_sight", "something is in between";
        SwitchedOff = 625, "combat.switched_off", "the realm has that switched off";
        RestTooSoon = 626, "combat.rest_too_soon", "there was a long rest not long ago";
        RestFighting = 627, "combat.rest_fighting", "nobody rests in a fight";
        NotResting = 628, "combat.not_resting", "the character is not resting";
        NotDead = 630, "combat.not_dead", "the character is not dead";
        RespawnTooEarly = 631, "combat.respawn_too_early", "the dead wait a moment before they return";
        DuelUnknown = 632, "combat.duel_unknown", "nobody has offered that duel";
        DuelBusy = 633, "combat.duel_busy", "one of both is in a duel already";
        SideInvalid = 634, "combat.side_invalid", "creatures fight on a side of 1 to 65535";
        CreatureUnknown = 635, "combat.creature_unknown", "there is no such creature";
        CreaturesTooMany = 636, "combat.creatures_too_many", "too many creatures";
    }
}

/// At what somebody aims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Nothing but oneself.
    Oneself,
    /// Somebody.
    Entity(u64),
    /// A place.
    Point(Point),
    /// A direction; only its angle counts.
    Direction(i32, i32),
}

/// How somebody stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The same body.
    Oneself,
    /// On the same side.
    Ally,
    /// On another side, or in the same duel.
    Enemy,
    /// Another player where players fight: may be hurt, and may be helped.
    Rival,
}

/// How one stands to another. `duels` is whether both are in the same duel, `is_pvp` whether
/// players fight players where they are.
pub fn relation(one: &Fighter, other: &Fighter, duels: bool, is_pvp: bool) -> Relation {
    if one.entity_id == other.entity_id {
        Relation::Oneself
    } else if duels {
        Relation::Enemy
    } else if one.is_player && other.is_player {
        if is_pvp { Relation::Rival } else { Relation::Ally }
    } else if one.side == other.side {
        Relation::Ally
    } else {
        Relation::Enemy
    }
}

/// What stands between somebody and the use of an ability, besides the aim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// Whether it knows the ability at all.
    pub is_known: bool,
    /// Whether it is prepared, or needs not be.
    pub is_prepared: bool,
    /// Whether it casts something already.
    pub is_casting: bool,
    /// When the ability is ready, and when anything is, milliseconds since 1970.
    pub ready_at: i64,
    /// Uses left until a rest; none where there is no end.
    pub uses_left: Option<u8>,
    /// Slots left of the level it is used at, and all there are; none where it needs none.
    pub slots: Option<(u8, u8)>,
}

/// Decides whether somebody may use an ability now, whatever it is aimed at.
///
/// # Errors
/// In this order: `AbilityNotKnown`, `AbilityNotPrepared`, `Dead`, `Down`, `Incapacitated`,
/// `Silenced`, `Casting`, `Cooldown`, `TurnUsed`, `UsesSpent`, `SlotUnknown`, `SlotSpent`.
pub fn check_means(
    user: &Fighter,
    ability: &AbilityDef,
    means: &Means,
    now: i64,
) -> Result<(), CombatError> {
    if !means.is_known {
        return Err(CombatError::AbilityNotKnown);
    }
    if !means.is_prepared {
        return Err(CombatError::AbilityNotPrepared);
    }
    let conditions = user.conditions();
    let turn = user.turn.check(ability.action, now, &user.health, conditions);
    match turn {
        Err(NoTurn::Dead) => return Err(CombatError::Dead),
        Err(NoTurn::Down) => return Err(CombatError::Down),
        Err(NoTurn::Incapacitated) => return Err(CombatError::Incapacitated),
        Ok(()) | Err(NoTurn::Used) => {}
    }
    if ability.kind == AbilityKind::Spell && !conditions.can_speak() {
        return Err(CombatError::Silenced);
    }
    if means.is_casting {
        return Err(CombatError::Casting);
    }
    if now < means.ready_at {
        return Err(CombatError::Cooldown);
    }
    if turn.is_err() {
        return Err(CombatError::TurnUsed);
    }
    if means.uses_left == Some(0) {
        return Err(CombatError::UsesSpent);
    }
    match means.slots {
        Some((_, 0)) => Err(CombatError::SlotUnknown),
        Some((0, _)) => Err(CombatError::SlotSpent),
        Some(_) | None => Ok(()),
    }
}

/// Decides whether an ability may be used on somebody, as both stand to each other.
///
/// # Errors
/// In this order: `TargetSelf`, `TargetDead` or `TargetNotDead`, `TargetProtected`,
/// `TargetNotEnemy`, `TargetNotAlly`, `Charmed`.
pub fn check_target(
    user: &Fighter,
    target: &Fighter,
    wanted: Target,
    relation: Relation,
) -> Result<(), CombatError> {
    let is_oneself = relation == Relation::Oneself;
    if is_oneself && matches!(wanted, Target::Enemy | Target::Corpse) {
        return Err(CombatError::TargetSelf);
    }
    match (wanted, target.health.is_dead()) {
        (Target::Corpse, false) => return Err(CombatError::TargetNotDead),
        (Target::Corpse, true) => return Ok(()),
        (_, true) => return Err(CombatError::TargetDead),
        (_, false) => {}
    }
    let is_hostile = wanted == Target::Enemy;
    match relation {
        Relation::Ally if is_hostile && user.is_player && target.is_player => {
            return Err(CombatError::TargetProtected);
        }
        Relation::Ally if is_hostile => return Err(CombatError::TargetNotEnemy),
        Relation::Enemy if wanted == Target::Ally => return Err(CombatError::TargetNotAlly),
        Relation::Oneself | Relation::Ally | Relation::Enemy | Relation::Rival => {}
    }
    if is_hostile && is_charmed_by(user, target.entity_id) {
        return Err(CombatError::Charmed);
    }
    Ok(())
}

/// Whether somebody is charmed by another.
pub fn is_charmed_by(user: &Fighter, other: u64) -> bool {
    let charms = super::fighter::What::Condition(Condition::Charmed);
    user.effects.iter().any(|effect| effect.by == other && effect.what == charms)
}

/// How far an ability reaches, millimetres; one that strikes as far as what is in hand.
pub fn reach_mm(ability: &AbilityDef, sheet: &Sheet) -> u32 {
    if ability.attack != Some(AttackKind::Weapon) {
        return ability.range_mm;
    }
    let reach = |strike: &super::sheet::Strike| strike.range_mm.max(strike.long_range_mm);
    let is_near = ability.key == OPPORTUNITY_ATTACK;
    let strikes = sheet.strikes.iter().filter(|strike| !is_near || !strike.is_ranged);
    strikes.map(reach).max().unwrap_or(0)
}

/// Key of the ability that strikes at who goes away.
pub const OPPORTUNITY_ATTACK: &str = "opportunity_attack";
/// Key of the ability that everybody strikes with.
pub const ATTACK: &str = "attack";

/// The square of the distance between two places, square millimetres.
pub fn distance_squared(one: Point, other: Point) -> i64 {
    let square = |a: i32, b: i32| {
        let way = i64::from(a) - i64::from(b);
        way.saturating_mul(way)
    };
    square(one.x_mm, other.x_mm).saturating_add(square(one.y_mm, other.y_mm))
}

/// The distance between two places, millimetres, rounded up: what is a hair beyond is beyond.
pub fn distance_mm(one: Point, other: Point) -> u32 {
    let squared = distance_squared(one, other);
    let root = squared.isqrt();
    let rounded = if root * root < squared { root + 1 } else { root };
    u32::try_from(rounded).unwrap_or(u32::MAX)
}

/// Whether a place is within reach, to the millimetre.
pub fn is_within(one: Point, other: Point, reach_mm: u32) -> bool {
    distance_squared(one, other) <= i64::from(reach_mm).saturating_mul(i64::from(reach_mm))
}

/// Takes what an ability takes of a turn; it is back when the house says.
pub fn take_turn(user: &mut Fighter, ability: &AbilityDef, now: i64, house: &House) {
    let back_at = now.saturating_add(house.turn_millis(ability.action));
    match ability.action {
        crate::content::Action::Action => user.turn.action_at = back_at,
        crate::content::Action::BonusAction => user.turn.bonus_action_at = back_at,
        crate::content::Action::Reaction => user.turn.reaction_at = back_at,
        crate::content::Action::Free => {}
    }
}
