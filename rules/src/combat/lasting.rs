//! What goes on by itself: effects that hurt again and again, saves that end them, death saves.
//!
//! Keeps true: no effect does anything at or after its end. Leaves out on purpose: the clock.

use super::check::{Modifier, Throw};
use super::conditions::Conditions;
use super::damage::Share;
use super::deed::{Hurting, Line, Told, Verdict, saves, take, words_of};
use super::dice::{Roller, roll};
use super::fighter::{Fighter, What};
use super::health::{DeathSave, Fell};
use super::house::{House, percent_of};
use super::initiative::roll_initiative;
use crate::content::{Attribute, Passive, Stat};

/// An effect's moment has come: it hurts or heals, and may be shaken off; before its moment nothing
/// happens, and at its end nothing but that. `by_player` is whether a
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
    if now < effect.next_at {
        return told;
    }
    let mut line = Line::of(fighters[target].entity_id);
    if let What::OverTime(dice, damage) = effect.what
        && !fighters[target].health.is_dead()
    {
        let rolled = roll(dice, roller);
        line.say(&words_of(&rolled));
        if let Some(damage) = damage {
            line.verdict = Verdict::Hit;
            let percent = house.percent(by_player, fighters[target].is_player);
            let (rolled, share) = (rolled.total, Share::All);
            let hurting = Hurting { rolled, damage, share, percent, is_critical: false };
            take(house, fighters, target, &hurting, &mut line, &mut told, roller);
        } else {
            let total = rolled.total.max(0);
            line.rolled = total;
            line.amount = fighters[target].health.heal(percent_of(total, house.healing_percent));
            line.is_healing = true;
            line.say(&format!("{} healed", line.amount));
        }
    }
    let mut is_over = fighters[target].health.is_dead();
    if let Some((attribute, difficulty)) = effect.save
        && !is_over
    {
        let mut saved = Line::of(line.target_id);
        let what = effect.what;
        let against = if let What::Condition(condition) = what { Some(condition) } else { None };
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
    // Exhaustion makes all saves worse (SRD 5.1, "Appendix PH-A: Conditions").
    let tired = Conditions::NONE.save_edges(Attribute::Constitution, of.exhaustion);
    let edges = of.edges(Stat::SavesWith).and(tired);
    let is_lucky = of.sheet.has(&Passive::Lucky);
    let throw = Throw { edges, is_lucky, modifiers: &modifiers };
    let (difficulty, needed) = (house.death_save_difficulty, house.death_saves_needed);
    let (checked, ended) = of.health.death_save_until(&throw, difficulty, needed, roller)?;
    let mut line = Line::of(of.entity_id);
    line.verdict = if checked.is_success { Verdict::Saved } else { Verdict::Failed };
    line.against = difficulty;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::dice::{Dice, Fixed};
    use crate::combat::fighter::Effect;
    use crate::combat::health::{Blow, Vital};
    use crate::combat::stage::{body, foe, hero, house, sheet};
    use crate::content::{Condition, DamageType, Stacking};

    const NOW: i64 = 1_000_000;

    fn burning() -> What {
        What::OverTime(Dice::new(2, 4), Some(DamageType::Acid))
    }

    /// A body on which something lies, first due in a round.
    fn under(mut fighter: Fighter, what: What, save: Option<(Attribute, i32)>) -> Fighter {
        let effect = Effect {
            effect_id: 5,
            ability: "acid_arrow".to_owned(),
            by: 9,
            what,
            ends_at: NOW + 15_000,
            next_at: NOW + 6_000,
            every_millis: 6_000,
            save,
            is_concentration: false,
        };
        assert!(fighter.lay(effect, Stacking::Both));
        fighter
    }

    /// The moment of what lies on a body, so long after it was laid; what is told, and when it
    /// comes next.
    fn check(
        fighter: &mut Fighter,
        after_millis: i64,
        dice: &[u8],
        expected: &[&str],
        next_after: Option<i64>,
    ) -> Told {
        let mut fixed = Fixed::new(dice);
        let mut fighters = [fighter.clone()];
        let now = NOW + after_millis;
        let told = moment(&house(), &mut fighters, 0, 5, true, now, &mut fixed);
        let [after] = fighters;
        *fighter = after;
        let lines: Vec<&str> = told.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, expected);
        assert!(fixed.is_used_up(), "{lines:?}");
        let next = fighter.effects.first().map(|effect| effect.next_at - NOW);
        assert_eq!(next, next_after);
        told
    }

    #[test]
    fn it_hurts_again_and_again_until_it_is_over() {
        let mut ogre = under(foe(1, "ogre"), burning(), None);
        check(&mut ogre, 5_999, &[], &[], Some(6_000));
        let told = check(&mut ogre, 6_000, &[3, 4], &["2d4: 3 + 4 = 7; 7 acid"], Some(12_000));
        assert_eq!((told.lines[0].amount, told.lines[0].verdict), (7, Verdict::Hit));
        // What comes late comes once, and then at its own time again.
        check(&mut ogre, 12_700, &[1, 1], &["2d4: 1 + 1 = 2; 2 acid"], Some(18_000));
        check(&mut ogre, 15_000, &[], &[], None);
        assert_eq!(ogre.health.current, 59 - 9);
        check(&mut ogre, 15_000, &[], &[], None);
    }

    #[test]
    fn what_comes_far_too_late_waits_a_whole_step() {
        let mut ogre = under(foe(1, "ogre"), burning(), None);
        ogre.effects[0].ends_at = NOW + 60_000;
        check(&mut ogre, 40_000, &[1, 1], &["2d4: 1 + 1 = 2; 2 acid"], Some(46_000));
    }

    #[test]
    fn it_heals_who_is_not_dead() {
        let song = What::OverTime(Dice { count: 0, sides: 0, bonus: 8 }, None);
        let mut fighter = under(hero(1, "fighter", 1), song, None);
        let blow = |amount| Blow { amount, is_critical: false, is_sparing: false };
        fighter.health.hurt(&blow(12), fighter.sheet.fate);
        let told = check(&mut fighter, 6_000, &[], &["8 healed"], Some(12_000));
        assert!(told.lines[0].is_healing);
        assert_eq!((fighter.health.vital, fighter.health.current), (Vital::Awake, 8));
        fighter.health.kill();
        check(&mut fighter, 12_000, &[], &[""], None);
        assert!(fighter.health.is_dead());
    }

    #[test]
    fn a_save_ends_it() {
        let held = What::Condition(Condition::Paralyzed);
        let save = Some((Attribute::Wisdom, 13));
        let mut ogre = under(foe(1, "ogre"), held, save);
        let told = check(
            &mut ogre,
            6_000,
            &[14],
            &["wisdom save 14 - 2 = 12 against 13: failure"],
            Some(12_000),
        );
        let line = &told.lines[0];
        assert_eq!((line.verdict, line.natural, line.against), (Verdict::Failed, 14, 13));
        check(&mut ogre, 12_000, &[15], &["wisdom save 15 - 2 = 13 against 13: success"], None);
        assert!(ogre.conditions().can_act());
        // Who is helpless fails with its body without a roll.
        let mut ogre = under(foe(1, "ogre"), held, Some((Attribute::Strength, 1)));
        let fails = ["strength save no roll against 1: failure"];
        check(&mut ogre, 6_000, &[], &fails, Some(12_000));
        // It hurts, and is shaken off in the same moment.
        let mut ogre = under(foe(1, "ogre"), burning(), save);
        let both = ["2d4: 1 + 2 = 3; 3 acid; wisdom save 15 - 2 = 13 against 13: success"];
        check(&mut ogre, 6_000, &[1, 2, 15], &both, None);
    }

    #[test]
    fn nature_helps_against_what_it_is_a_save_from() {
        let charmed = What::Condition(Condition::Charmed);
        let save = Some((Attribute::Wisdom, 13));
        let elf = body(1, sheet("elf", "fighter", 1), true);
        let mut elf = under(elf, charmed, save);
        let words = ["wisdom save (3, 14) 14 + 0 = 14 against 13: success"];
        check(&mut elf, 6_000, &[3, 14], &words, None);
    }

    #[test]
    fn it_kills_and_is_gone() {
        let mut goblin = under(foe(1, "goblin"), burning(), Some((Attribute::Wisdom, 13)));
        let told = check(&mut goblin, 6_000, &[4, 4], &["2d4: 4 + 4 = 8; 8 acid; dies"], None);
        assert_eq!((told.lines[0].fell, told.lines[0].amount), (Fell::Dead, 7));
    }

    /// Somebody dying rolls for its life.
    fn rolls(fighter: &mut Fighter, house: &House, dice: &[u8], expected: &str) -> Option<Line> {
        let mut fixed = Fixed::new(dice);
        let line = death_save(house, fighter, &mut fixed);
        assert!(fixed.is_used_up(), "{line:?}");
        assert_eq!(line.as_ref().map_or("", |line| line.text.as_str()), expected);
        line
    }

    fn dying(mut fighter: Fighter) -> Fighter {
        fighter.health.vital = Vital::Dying { successes: 0, failures: 0 };
        fighter.health.current = 0;
        fighter
    }

    #[test]
    fn the_dying_roll_for_their_life() {
        let house = house();
        let mut fighter = dying(hero(1, "fighter", 1));
        let made = "death save 10 + 0 = 10 against 10: success; one more made";
        let line = rolls(&mut fighter, &house, &[10], made).expect("it is dying");
        assert_eq!((line.verdict, line.against, line.fell), (Verdict::Saved, 10, Fell::No));
        let missed = "death save 1 + 0 = 1 against 10: failure; missed";
        let line = rolls(&mut fighter, &house, &[1], missed).expect("it is dying");
        assert_eq!(line.fell, Fell::Failures(2));
        let mut other = fighter.clone();
        let dies = "death save 9 + 0 = 9 against 10: failure; dies";
        let line = rolls(&mut other, &house, &[9], dies).expect("it is dying");
        assert_eq!((line.fell, other.health.vital), (Fell::Dead, Vital::Dead));
        rolls(&mut other, &house, &[], "");
        let wakes = "death save 20 + 0 = 20 against 10: success; wakes";
        let line = rolls(&mut fighter.clone(), &house, &[20], wakes).expect("it is dying");
        assert_eq!((line.amount, line.is_healing), (1, true));
        rolls(
            &mut fighter,
            &house,
            &[11],
            "death save 11 + 0 = 11 against 10: success; one more made",
        );
        let stable = "death save 12 + 0 = 12 against 10: success; stable";
        rolls(&mut fighter, &house, &[12], stable);
        rolls(&mut fighter, &house, &[], "");
    }

    #[test]
    fn the_house_says_what_death_asks_for() {
        let house = House { death_save_difficulty: 15, death_saves_needed: 1, ..house() };
        let mut fighter = dying(hero(1, "fighter", 1));
        let stable = "death save 15 + 0 = 15 against 15: success; stable";
        rolls(&mut fighter.clone(), &house, &[15], stable);
        let dies = "death save 14 + 0 = 14 against 15: failure; dies";
        rolls(&mut fighter, &house, &[14], dies);
    }

    #[test]
    fn what_helps_saves_helps_the_dying_and_exhaustion_does_not() {
        let house = house();
        let mut tired = Fighter { exhaustion: 3, ..dying(hero(1, "fighter", 1)) };
        let missed = "death save (15, 4) 4 + 0 = 4 against 10: failure; missed";
        rolls(&mut tired, &house, &[15, 4], missed);
        let mut paladin = dying(hero(1, "paladin", 6));
        let made = "death save 7 + 3 = 10 against 10: success; one more made";
        rolls(&mut paladin, &house, &[7], made);
        let mut halfling = dying(body(1, sheet("halfling", "fighter", 1), true));
        let again = "death save (1, again 12) 12 + 0 = 12 against 10: success; one more made";
        rolls(&mut halfling, &house, &[1, 12], again);
    }

    #[test]
    fn initiative_is_a_check_of_dexterity() {
        let mut fixed = Fixed::new(&[11]);
        let line = initiative(&hero(1, "fighter", 1), &mut fixed);
        assert!(fixed.is_used_up());
        assert_eq!((line.text.as_str(), line.modifier), ("initiative 11 + 2 = 13", 2));
    }
}
