//! Attacks: with what is in hand, and with spells.

use super::super::check::{
    Attack, Attacked, CRITICAL_FROM, Cover, Edge, Edges, Hit, Range, Throw, attack,
};
use super::super::conditions::attack_edges;
use super::super::damage::{Share, roll_hit};
use super::super::dice::{Dice, Roller};
use super::super::fighter::What;
use super::super::sheet::Strike;
use super::effects::{after_hit, befall, effect_of};
use super::throws::words_of;
use super::{Act, Line, Verdict, difficulty_of};
use crate::content::{Action, AttackKind, Passive, Stat};

/// Strikes with what is in hand: as often as an action allows, until the target is down.
pub(super) fn strike(act: &mut Act<'_, '_>, roller: &mut dyn Roller) {
    let ability = act.deed.ability;
    let sheet = act.user().sheet.clone();
    if ability.key == super::super::aim::OFF_HAND_ATTACK {
        if let Some(strike) = &sheet.off_hand {
            strike_once(act, strike, roller);
        }
        return;
    }
    let is_full = ability.key == super::super::aim::ATTACK && ability.action == Action::Action;
    let attacks = if is_full { sheet.attacks.max(1) } else { 1 };
    let mut used = vec![0_u8; sheet.strikes.len()];
    for number in 0..attacks {
        if number > 0 && !act.target().health.is_awake() {
            break;
        }
        let Some(at) = pick(&sheet.strikes, &used, act) else { break };
        used[at] = used[at].saturating_add(1);
        strike_once(act, &sheet.strikes[at], roller);
    }
}

/// The first strike that reaches and is not used up; for who goes away only what is in the hand.
fn pick(strikes: &[Strike], used: &[u8], act: &Act<'_, '_>) -> Option<usize> {
    let distance = act.distance_mm();
    let is_near = act.deed.ability.key == super::super::aim::OPPORTUNITY_ATTACK;
    strikes.iter().zip(used).position(|(strike, used)| {
        let is_left = strike.times_max == 0 || *used < strike.times_max;
        // Who goes away is struck at the edge of the reach it leaves.
        let reaches = is_near || distance <= strike.range_mm.max(strike.long_range_mm);
        is_left && reaches && !(is_near && strike.is_ranged)
    })
}

fn strike_once(act: &mut Act<'_, '_>, strike: &Strike, roller: &mut dyn Roller) {
    let distance = act.distance_mm();
    let range = Range::of(distance, strike.range_mm, strike.long_range_mm);
    let (edges, made, mut line) =
        roll_attack(act, strike.to_hit, strike.is_ranged, range.edges(), roller);
    line.text = format!("{}: {}", strike.name, line.text);
    if made != Hit::Miss {
        let is_critical = made == Hit::Critical;
        hit(act, strike, edges, is_critical, &mut line, roller);
        after_hit(act, &mut line, is_critical, roller);
        force(act, strike, &mut line, roller);
    }
    act.told.lines.push(line);
}

/// The damage of a hit: its dice, what effects and a sneak attack add to them, and its second kind.
fn hit(
    act: &mut Act<'_, '_>,
    strike: &Strike,
    edges: Edges,
    is_critical: bool,
    line: &mut Line,
    roller: &mut dyn Roller,
) {
    let user = act.user();
    let brutal = if strike.is_ranged { 0 } else { user.sheet.brutal_dice() };
    let added = user.sum(Stat::DamageRoll) + user.sheet.always(Stat::DamageRoll);
    let mut dice = vec![(plus(strike.dice, added), false)];
    dice.extend(user.dice(Stat::DamageRoll));
    let sneak = sneak_dice(act, strike, edges);
    if sneak > 0 {
        act.fighters[act.user].sneaked_at = act.deed.now;
        dice.push((Dice::new(sneak, 6), false));
    }
    let mut total = 0_i32;
    for (number, (dice, is_negative)) in dice.into_iter().enumerate() {
        let more = if number == 0 { brutal } else { 0 };
        let rolled = roll_hit(dice, is_critical && !is_negative, more, roller);
        let words = words_of(&rolled);
        line.say(if is_negative { format!("less {words}") } else { words }.as_str());
        total = total.saturating_add(if is_negative { -rolled.total } else { rolled.total });
    }
    act.hurt(line, (total, strike.damage), Share::All);
    if let Some((dice, damage)) = strike.extra {
        let rolled = roll_hit(dice, is_critical, 0, roller);
        line.say(&words_of(&rolled));
        act.hurt(line, (rolled.total, damage), Share::All);
    }
}

fn plus(dice: Dice, added: i32) -> Dice {
    let added = i16::try_from(added.clamp(-100, 100)).unwrap_or(0);
    Dice { bonus: dice.bonus.saturating_add(added), ..dice }
}

/// Dice of a sneak attack: once a round, with advantage or with help, never at a disadvantage
/// (SRD 5.1, "Classes", Rogue, Sneak Attack).
fn sneak_dice(act: &Act<'_, '_>, strike: &Strike, edges: Edges) -> u8 {
    let user = act.user();
    let is_back = act.deed.now >= user.sneaked_at.saturating_add(act.deed.house.round_millis);
    let suits = match edges.edge() {
        Edge::Advantage => true,
        Edge::Straight => act.has_help(false),
        Edge::Disadvantage => false,
    };
    if strike.is_subtle && is_back && suits { user.sheet.sneak_dice() } else { 0 }
}

/// What a creature's hit forces besides.
fn force(act: &mut Act<'_, '_>, strike: &Strike, line: &mut Line, roller: &mut dyn Roller) {
    let Some((condition, millis)) = strike.condition else { return };
    if act.target().health.is_dead() {
        return;
    }
    if let Some(def) = strike.save {
        let difficulty = difficulty_of(act.user(), act.deed.ability.kind, def);
        let mut rolled = Line::of(line.target_id);
        let is_saved = act.save(&mut rolled, def.attribute, difficulty, Some(condition), roller);
        line.say(&rolled.text);
        if is_saved {
            return;
        }
    }
    let effect = effect_of(act, What::Condition(condition), millis);
    befall(act, condition, effect, line, roller);
}

/// An attack with a spell, and what it does where it hits.
pub(super) fn spell_attack(act: &mut Act<'_, '_>, roller: &mut dyn Roller) {
    let is_ranged = act.deed.ability.attack == Some(AttackKind::RangedSpell);
    let to_hit = act.user().sheet.spell_attack();
    let (_, made, mut line) = roll_attack(act, to_hit, is_ranged, Edges::NONE, roller);
    if made != Hit::Miss {
        after_hit(act, &mut line, made == Hit::Critical, roller);
    }
    act.told.lines.push(line);
}

/// Rolls an attack: what spoke for and against it, how it ended, and the line that tells it.
fn roll_attack(
    act: &Act<'_, '_>,
    to_hit: i32,
    is_ranged: bool,
    ranged: Edges,
    roller: &mut dyn Roller,
) -> (Edges, Hit, Line) {
    let (user, target) = (act.user(), act.target());
    let flanks = act.deed.house.flanking && !is_ranged && act.has_help(true);
    let edges = attack_edges(&act.bout(is_ranged))
        .and(ranged)
        .and(user.edges(Stat::AttacksWith))
        .and(target.edges(Stat::AttackedWith))
        .and_if(flanks, Edges::ADVANTAGE);
    let modifiers = user.modifiers(Stat::AttackRoll, to_hit);
    let is_lucky = user.sheet.has(&Passive::Lucky);
    let is_weapon = act.deed.ability.attack == Some(AttackKind::Weapon);
    let throw = Throw { edges, is_lucky, modifiers: &modifiers };
    let mut made = attack(
        &Attack {
            throw,
            armor_class: target.armor_class(),
            cover: Cover::None,
            critical_from: if is_weapon { user.sheet.critical_from() } else { CRITICAL_FROM },
            is_critical: target.conditions().makes_critical(act.distance_mm()),
        },
        roller,
    );
    if made.hit == Hit::Critical && !act.deed.house.critical_hits {
        made.hit = Hit::Hit;
    }
    (edges, made.hit, line_of(target.entity_id, &made))
}

fn line_of(target_id: u64, made: &Attacked<'_>) -> Line {
    let natural = made.roll.d20.natural;
    let verdict = match made.hit {
        Hit::Miss => Verdict::Miss,
        Hit::Hit => Verdict::Hit,
        Hit::Critical => Verdict::Critical,
    };
    Line {
        verdict,
        natural,
        modifier: made.roll.total - i32::from(natural),
        against: made.armor_class,
        text: made.to_string(),
        ..Line::of(target_id)
    }
}
