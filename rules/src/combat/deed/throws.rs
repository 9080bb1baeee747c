//! Dice of what hurts and heals at once: how many, and what they showed.

use super::super::casting::{cantrip_times, times, upcast};
use super::super::damage::roll_hit;
use super::super::dice::{Dice, Rolled, Roller};
use super::super::scores::modifier;
use super::{Act, Deed, Fighter};
use crate::content::{AbilityDef, AbilityKind, EffectDef, Stat};

/// Dice that were thrown for one effect.
#[derive(Clone, Debug, Default)]
pub(super) struct Thrown {
    /// Their sum, with everything added.
    pub(super) total: i32,
    /// `2d6+3: 4 + 2 + 3 = 9`; empty for a number that is not rolled.
    pub(super) text: String,
}

impl Thrown {
    fn add(&mut self, rolled: &Rolled) {
        self.total = self.total.saturating_add(rolled.total);
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(&words_of(rolled));
    }
}

/// Dice as a line tells them; empty for a number that is not rolled.
pub(in crate::combat) fn words_of(rolled: &Rolled) -> String {
    if rolled.dice.count > 0 { format!("{}: {rolled}", rolled.dice) } else { String::new() }
}

/// Damage and healing that are rolled once for all who are reached, in the order of the effects.
pub(super) type Shared = Vec<Thrown>;

/// Rolls once for all. Who is attacked is rolled for by itself.
pub(super) fn roll_shared(deed: &Deed<'_>, user: &Fighter, roller: &mut dyn Roller) -> Shared {
    if deed.ability.attack.is_some() {
        return vec![];
    }
    let effects = deed.ability.effects.iter();
    effects.map(|effect| throw(&dice_of(deed, user, effect), false, roller)).collect()
}

/// Rolls an effect for one target; a critical hit doubles the dice that hurt.
pub(super) fn roll_for(
    act: &Act<'_, '_>,
    effect: &EffectDef,
    is_critical: bool,
    roller: &mut dyn Roller,
) -> Thrown {
    let hurts = matches!(effect, EffectDef::Damage { .. });
    throw(&dice_of(act.deed, act.user(), effect), is_critical && hurts, roller)
}

fn throw(dice: &[Dice], is_critical: bool, roller: &mut dyn Roller) -> Thrown {
    let mut thrown = Thrown::default();
    for dice in dice {
        thrown.add(&roll_hit(*dice, is_critical, 0, roller));
    }
    thrown
}

/// The dice of an effect that hurts or heals at once, with what the slot, the level and the
/// attribute add; none of all others. Dice of other sides come besides.
fn dice_of(deed: &Deed<'_>, user: &Fighter, effect: &EffectDef) -> Vec<Dice> {
    let (dice, more, adds) = match effect {
        EffectDef::Damage { dice, upcast, add_modifier, .. }
        | EffectDef::Heal { dice, upcast, add_modifier } => (*dice, *upcast, *add_modifier),
        EffectDef::TemporaryHitPoints { dice, upcast, .. } => (*dice, *upcast, false),
        EffectDef::Condition { .. }
        | EffectDef::Modifier { .. }
        | EffectDef::ModifierDice { .. }
        | EffectDef::Resistance { .. }
        | EffectDef::OverTime { .. }
        | EffectDef::Push { .. }
        | EffectDef::Pull { .. }
        | EffectDef::Teleport
        | EffectDef::Dash { .. }
        | EffectDef::Summon { .. }
        | EffectDef::Cure { .. }
        | EffectDef::Dispel { .. }
        | EffectDef::Revive { .. }
        | EffectDef::Stabilize
        | EffectDef::Taunt { .. } => return vec![],
    };
    let ability = deed.ability;
    let is_cantrip = ability.kind == AbilityKind::Spell && ability.level == 0;
    let dice = if ability.scales && is_cantrip {
        times(dice, cantrip_times(user.sheet.level))
    } else {
        dice
    };
    let (mut dice, besides) = upcast(dice, more, ability.level, deed.slot_level);
    let by = if adds { modifier(user.sheet.scores.get(user.sheet.casting_by)) } else { 0 };
    let added =
        by + if hurts_first(ability, effect) { user.sheet.always(Stat::DamageRoll) } else { 0 };
    dice.bonus = dice.bonus.saturating_add(i16::try_from(added).unwrap_or(0));
    std::iter::once(dice).chain(besides).collect()
}

/// Whether it is the first damage of a spell: what is always added to damage is added there, once
/// for each roll (SRD 5.1, "Classes", Sorcerer, Elemental Affinity; Wizard, Empowered Evocation).
fn hurts_first(ability: &AbilityDef, effect: &EffectDef) -> bool {
    let mut hurting =
        ability.effects.iter().filter(|effect| matches!(effect, EffectDef::Damage { .. }));
    ability.kind == AbilityKind::Spell
        && hurting.next().is_some_and(|first| std::ptr::eq(first, effect))
}
