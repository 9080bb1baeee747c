//! What goes on by itself: effects that hurt again and again, saves that end them, death saves.
//!
//! Keeps true: no effect does anything at or after its end. Leaves out on purpose: the clock.

use super::check::{Modifier, Throw};
use super::damage::Share;
use super::deed::{Hurting, Line, Told, Verdict, saves, take};
use super::dice::{Roller, roll};
use super::fighter::{Fighter, What};
use super::health::{DeathSave, Fell};
use super::house::{House, percent_of};
use super::initiative::roll_initiative;
use crate::content::{Attribute, Passive, Stat};

/// An effect's moment has come: it hurts or heals, and may be shaken off. `by_player` is whether a
/// player laid it. Whether it goes on stands in the fighter: it is gone, or has its next moment.
pub fn moment(
    house: &House,
    fighters: &mut [Fighter],
    target: usize,
    effect_id: u64,
    by_player: bool,
    now: i64,
    roller: &mut dyn Roller,
) -> Told {
    let mut told = Told::default();
    let found = fighters[target].effects.iter().find(|effect| effect.effect_id == effect_id);
    let Some(effect) = found.cloned() else { return told };
    if now >= effect.ends_at {
        fighters[target].forget(|other| other.effect_id == effect_id);
        return told;
    }
    let mut line = Line::of(fighters[target].entity_id);
    if let What::OverTime(dice, damage) = effect.what
        && !fighters[target].health.is_dead()
    {
        let rolled = roll(dice, roller);
        line.say(&format!("{dice}: {rolled}"));
        match damage {
            Some(damage) => {
                line.verdict = Verdict::Hit;
                let percent = house.percent(by_player, fighters[target].is_player);
                let total = rolled.total;
                let hurting =
                    Hurting { rolled: total, damage, share: Share::All, percent, is_critical: false };
                take(house, fighters, target, &hurting, &mut line, &mut told, roller);
            }
            None => {
                let amount = percent_of(rolled.total.max(0), house.healing_percent);
                line.rolled = rolled.total;
                line.amount = fighters[target].health.heal(amount);
                line.is_healing = true;
            }
        }
    }
    let mut is_over = fighters[target].health.is_dead();
    if let Some((attribute, difficulty)) = effect.save
        && !is_over
    {
        let mut saved = Line::of(line.target_id);
        let against = if let What::Condition(condition) = effect.what { Some(condition) } else { None };
        is_over = saves(&fighters[target], &mut saved, attribute, difficulty, against, roller);
        if line.verdict == Verdict::None {
            (line.verdict, line.natural) = (saved.verdict, saved.natural);
            (line.modifier, line.against) = (saved.modifier, saved.against);
        }
        line.say(&saved.text);
    }
    if is_over {
        fighters[target].forget(|other| other.effect_id == effect_id);
    } else {
        let next = next_moment(now, effect.next_at, effect.every_millis);
        for other in &mut fighters[target].effects {
            if other.effect_id == effect_id {
                other.next_at = next;
            }
        }
    }
    told.lines.push(line);
    told
}

/// When it happens next: a step after the last time, never before now.
fn next_moment(now: i64, last: i64, every_millis: u32) -> i64 {
    let every = i64::from(every_millis.max(1));
    let next = last.saturating_add(every);
    if next > now { next } else { now.saturating_add(every) }
}

/// Somebody begins to fight: what it rolled, to which `modifier` is added (SRD 5.1, "Combat",
/// Initiative).
pub fn initiative(of: &Fighter, roller: &mut dyn Roller) -> Line {
    let modifiers = [Modifier::flat("", of.sheet.modifier(Attribute::Dexterity))];
    let edges = of.conditions().check_edges(false, of.exhaustion);
    let is_lucky = of.sheet.has(&Passive::Lucky);
    let rolled = roll_initiative(&Throw { edges, is_lucky, modifiers: &modifiers }, roller);
    let mut line = Line::of(of.entity_id);
    line.natural = rolled.d20.natural;
    line.modifier = rolled.total - i32::from(rolled.d20.natural);
    line.say(&format!("initiative {rolled}"));
    line
}

/// Somebody who is dying rolls for its life; none where nobody is dying.
pub fn death_save(house: &House, of: &mut Fighter, roller: &mut dyn Roller) -> Option<Line> {
    let modifiers = of.modifiers(Stat::SavingThrow, 0);
    let edges = of.edges(Stat::SavesWith);
    let is_lucky = of.sheet.has(&Passive::Lucky);
    let throw = Throw { edges, is_lucky, modifiers: &modifiers };
    let (checked, ended) = of.health.death_save(&throw, roller)?;
    let mut line = Line::of(of.entity_id);
    line.verdict = if checked.is_success { Verdict::Saved } else { Verdict::Failed };
    line.against = house.death_save_difficulty;
    if let Some(roll) = &checked.roll {
        line.natural = roll.d20.natural;
        line.modifier = roll.total - i32::from(roll.d20.natural);
    }
    line.say(&format!("death save {checked}"));
    line.fell = match ended {
        DeathSave::Success | DeathSave::Stable => Fell::No,
        DeathSave::Failure(count) => Fell::Failures(count),
        DeathSave::Dead => Fell::Dead,
        DeathSave::Awake => {
            line.amount = of.health.current;
            line.is_healing = true;
            Fell::No
        }
    };
    line.say(match ended {
        DeathSave::Success => "one more made",
        DeathSave::Failure(_) => "missed",
        DeathSave::Stable => "stable",
        DeathSave::Dead => "dies",
        DeathSave::Awake => "wakes",
    });
    Some(line)
}
