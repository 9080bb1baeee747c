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
    if ability.key == OFF_HAND_ATTACK {
        return sheet.off_hand.as_ref().map_or(0, reach);
    }
    let is_near = ability.key == OPPORTUNITY_ATTACK;
    let strikes = sheet.strikes.iter().filter(|strike| !is_near || !strike.is_ranged);
    strikes.map(reach).max().unwrap_or(0)
}

/// Key of the ability that strikes at who goes away.
pub const OPPORTUNITY_ATTACK: &str = "opportunity_attack";
/// Key of the ability that strikes with the other hand: known to who has a light weapon in each.
pub const OFF_HAND_ATTACK: &str = "off_hand_attack";
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::fighter::{Effect, What};
    use crate::combat::health::Vital;
    use crate::combat::stage::{ability, beast, foe, hero, house, sheet};
    use crate::content::{Action, Stacking};

    const NOW: i64 = 1_000_000;

    fn in_condition(mut fighter: Fighter, condition: Condition, by: u64) -> Fighter {
        let effect = Effect {
            effect_id: 1,
            ability: "sleep".to_owned(),
            by,
            what: What::Condition(condition),
            ends_at: i64::MAX,
            next_at: i64::MAX,
            every_millis: 0,
            save: None,
            is_concentration: false,
        };
        assert!(fighter.lay(effect, Stacking::Both));
        fighter
    }

    /// Everything is in the way; then one thing after another is not.
    #[test]
    fn what_is_in_the_way_is_told_in_its_order() {
        use CombatError as E;
        type Mend<'a> = &'a dyn Fn(&mut Fighter, &mut Means);
        let spell = ability("fireball");
        let well = hero(1, "wizard", 5);
        let mut user = in_condition(well.clone(), Condition::Stunned, 2);
        user.health.kill();
        user.turn.action_at = NOW + 1;
        let mut means = Means {
            is_known: false,
            is_prepared: false,
            is_casting: true,
            ready_at: NOW + 1,
            uses_left: Some(0),
            slots: Some((0, 0)),
        };
        let steps: [(E, Mend<'_>); 11] = [
            (E::AbilityNotKnown, &|_, means| means.is_known = true),
            (E::AbilityNotPrepared, &|_, means| means.is_prepared = true),
            (E::Dead, &|user, _| user.health.vital = Vital::Stable),
            (E::Down, &|user, _| {
                user.health.heal(1);
            }),
            (E::Incapacitated, &|user, _| {
                user.forget(|_| true);
            }),
            (E::Casting, &|_, means| means.is_casting = false),
            (E::Cooldown, &|_, means| means.ready_at = NOW),
            (E::TurnUsed, &|user, _| user.turn.action_at = NOW),
            (E::UsesSpent, &|_, means| means.uses_left = Some(1)),
            (E::SlotUnknown, &|_, means| means.slots = Some((0, 2))),
            (E::SlotSpent, &|_, means| means.slots = Some((1, 2))),
        ];
        for (expected, mend) in steps {
            assert_eq!(check_means(&user, spell, &means, NOW), Err(expected));
            mend(&mut user, &mut means);
        }
        assert_eq!(check_means(&user, spell, &means, NOW), Ok(()));
        let free = Means { uses_left: None, slots: None, ..means };
        assert_eq!(check_means(&user, spell, &free, NOW), Ok(()));
    }

    #[test]
    fn each_action_waits_for_its_own() {
        let mut user = hero(1, "fighter", 5);
        let means = Means {
            is_known: true,
            is_prepared: true,
            is_casting: false,
            ready_at: 0,
            uses_left: None,
            slots: None,
        };
        for (key, back_after) in [
            ("attack", Some(6_000)),
            ("off_hand_attack", Some(6_000)),
            ("opportunity_attack", Some(6_000)),
            ("action_surge", None),
        ] {
            let ability = ability(key);
            take_turn(&mut user, ability, NOW, &house());
            let last = check_means(&user, ability, &means, NOW + 5_999);
            let expected = if back_after.is_some() { Err(CombatError::TurnUsed) } else { Ok(()) };
            assert_eq!(last, expected, "{key}");
            assert_eq!(check_means(&user, ability, &means, NOW + 6_000), Ok(()), "{key}");
        }
        let quick = House { action_millis: 500, ..house() };
        take_turn(&mut user, ability("attack"), NOW, &quick);
        assert_eq!(user.turn.ready_at(Action::Action), NOW + 500);
    }

    #[test]
    fn relations_follow_sides_duels_and_where_players_fight() {
        let (one, two) = (hero(1, "fighter", 1), hero(2, "wizard", 1));
        let goblin = foe(3, "goblin");
        let tame = Fighter { side: one.side, ..foe(4, "wolf") };
        for (other, duels, is_pvp, expected) in [
            (&one, true, true, Relation::Oneself),
            (&two, false, false, Relation::Ally),
            (&two, false, true, Relation::Rival),
            (&two, true, false, Relation::Enemy),
            (&goblin, false, true, Relation::Enemy),
            (&tame, false, true, Relation::Ally),
        ] {
            let got = relation(&one, other, duels, is_pvp);
            assert_eq!(got, expected, "{} {duels} {is_pvp}", other.entity_id);
        }
    }

    #[test]
    fn targets_are_those_an_ability_is_meant_for() {
        use CombatError as E;
        use Relation::{Ally, Enemy, Oneself, Rival};
        let user = hero(1, "cleric", 1);
        let (friend, goblin, tame) = (hero(2, "fighter", 1), foe(3, "goblin"), foe(4, "wolf"));
        for (target, wanted, stands, expected) in [
            (&user, Target::Enemy, Oneself, Err(E::TargetSelf)),
            (&user, Target::Corpse, Oneself, Err(E::TargetSelf)),
            (&user, Target::Ally, Oneself, Ok(())),
            (&user, Target::Anyone, Oneself, Ok(())),
            (&goblin, Target::Corpse, Enemy, Err(E::TargetNotDead)),
            (&friend, Target::Enemy, Ally, Err(E::TargetProtected)),
            (&tame, Target::Enemy, Ally, Err(E::TargetNotEnemy)),
            (&goblin, Target::Ally, Enemy, Err(E::TargetNotAlly)),
            (&goblin, Target::Enemy, Enemy, Ok(())),
            (&goblin, Target::Anyone, Enemy, Ok(())),
            (&friend, Target::Ally, Ally, Ok(())),
            (&friend, Target::Anyone, Ally, Ok(())),
            // Who may be hurt where players fight may be helped there, too.
            (&friend, Target::Enemy, Rival, Ok(())),
            (&friend, Target::Ally, Rival, Ok(())),
        ] {
            let got = check_target(&user, target, wanted, stands);
            assert_eq!(got, expected, "{} {wanted:?} {stands:?}", target.entity_id);
        }
    }

    #[test]
    fn the_dead_are_for_those_who_call_them_back() {
        let mut corpse = foe(3, "goblin");
        corpse.health.kill();
        let user = hero(1, "cleric", 1);
        for wanted in Target::ALL {
            let got = check_target(&user, &corpse, *wanted, Relation::Enemy);
            let expected =
                if *wanted == Target::Corpse { Ok(()) } else { Err(CombatError::TargetDead) };
            assert_eq!(got, expected, "{wanted:?}");
        }
        let mut myself = user.clone();
        myself.health.kill();
        let got = check_target(&myself, &myself, Target::Enemy, Relation::Oneself);
        assert_eq!(got, Err(CombatError::TargetSelf));
    }

    #[test]
    fn who_is_charmed_spares_its_charmer_and_nobody_else() {
        let user = in_condition(hero(1, "fighter", 1), Condition::Charmed, 3);
        let (charmer, other) = (foe(3, "goblin"), foe(4, "goblin"));
        let check = |target: &Fighter, wanted| check_target(&user, target, wanted, Relation::Enemy);
        assert_eq!(check(&charmer, Target::Enemy), Err(CombatError::Charmed));
        assert_eq!(check(&other, Target::Enemy), Ok(()));
        assert_eq!(check(&charmer, Target::Anyone), Ok(()));
        let afraid = in_condition(hero(1, "fighter", 1), Condition::Frightened, 3);
        assert!(!is_charmed_by(&afraid, 3));
    }

    #[test]
    fn distances_are_right_to_the_millimetre() {
        let at = |x_mm, y_mm| Point { x_mm, y_mm };
        let (least, most) = (at(i32::MIN, i32::MIN), at(i32::MAX, i32::MAX));
        for (other, distance, reach, is_in) in [
            (at(0, 0), 0, 0, true),
            (at(900, 1_200), 1_500, 1_500, true),
            (at(900, 1_201), 1_501, 1_500, false),
            (at(-900, -1_200), 1_500, 1_499, false),
            (at(1, 1), 2, 1, false),
            (at(1, 1), 2, 2, true),
            (at(36_000, 0), 36_000, 36_000, true),
            (at(36_001, 0), 36_001, 36_000, false),
            (at(36_000, 1), 36_001, 36_000, false),
        ] {
            assert_eq!(distance_mm(at(0, 0), other), distance, "{other:?}");
            assert_eq!(is_within(at(0, 0), other, reach), is_in, "{other:?} {reach}");
        }
        // What is farther than can be counted is far, and breaks nothing.
        assert!(distance_mm(least, most) > 3_000_000_000);
        assert!(!is_within(least, most, 300_000));
        assert_eq!(distance_squared(least, most), i64::MAX);
    }

    #[test]
    fn what_strikes_reaches_as_far_as_what_is_in_hand() {
        let fighter = sheet("human", "fighter", 1);
        let (wizard, dragon) = (sheet("human", "wizard", 1), beast("young_white_dragon"));
        for (key, sheet, expected) in [
            ("attack", &fighter, 96_000),
            ("attack", &wizard, 1_500),
            ("attack", &dragon, 3_000),
            ("opportunity_attack", &fighter, 1_500),
            ("opportunity_attack", &dragon, 3_000),
            ("fire_bolt", &wizard, 36_000),
            ("cure_wounds", &wizard, 1_500),
        ] {
            assert_eq!(reach_mm(ability(key), sheet), expected, "{key}");
        }
        let unarmed = Sheet { strikes: vec![], ..wizard };
        assert_eq!(reach_mm(ability("attack"), &unarmed), 0);
    }
}
