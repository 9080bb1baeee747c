//! Chances: 100,000 rolls each of a seeded source against exact probabilities, by chi-squared.
//!
//! Keeps true: whole numbers alone; a test fails where chance would give such a result less than
//! once in a thousand. The seed is fixed, so that a test that passes keeps passing.

use super::check::{
    Attack, Cover, D20, Edge, Edges, Hit, Modifier, Save, Throw, attack, d20, save,
};
use super::damage::roll_hit;
use super::dice::{Dice, Roller, roll};
use super::health::{Blow, DeathSave, Fate, Health};
use super::scores::roll_score;
use super::source::Source;
use crate::content::Attribute;

/// Rolls of one test.
const ROLLS: u32 = 100_000;
/// What chi-squared exceeds once in a thousand, times 1,000, for 1 to 20 degrees of freedom.
const CRITICAL_MILLI: [i128; 20] = [
    10_828, 13_816, 16_266, 18_467, 20_515, 22_458, 24_322, 26_124, 27_877, 29_588, 31_264, 32_909,
    34_528, 36_123, 37_697, 39_252, 40_790, 42_312, 43_820, 45_315,
];

/// How many ways there are for each sum of dice, by counting every way.
fn ways_of(count: usize, sides: usize) -> Vec<u64> {
    (0..count).fold(vec![1], |before, _| {
        let mut after = vec![0; before.len() + sides];
        for (sum, ways) in before.iter().enumerate() {
            for shown in 1..=sides {
                after[sum + shown] += ways;
            }
        }
        after
    })
}

/// Chi-squared times 1,000, rounded down: the sum of `(seen − expected)² ÷ expected`.
fn chi_squared_milli(seen: &[u32], ways: &[u64]) -> i128 {
    let all: i128 = ways.iter().copied().map(i128::from).sum();
    let rolls: i128 = seen.iter().copied().map(i128::from).sum();
    let cells = seen.iter().zip(ways).filter(|(_, ways)| **ways > 0);
    let scaled: i128 = cells
        .map(|(seen, ways)| {
            let (seen, expected) = (i128::from(*seen) * all, rolls * i128::from(*ways));
            (seen - expected).pow(2) * 1_000_000 / (expected * all)
        })
        .sum();
    scaled / 1_000
}

/// Rolls and compares: `ways[n]` is in how many ways `n` comes about.
fn check(name: &str, ways: &[u64], mut outcome: impl FnMut(&mut dyn Roller) -> usize) {
    let mut source = Source::new(&[20; 32], name.as_bytes());
    let mut seen = vec![0; ways.len()];
    for _ in 0..ROLLS {
        seen[outcome(&mut source)] += 1;
    }
    for (at, (seen, ways)) in seen.iter().zip(ways).enumerate() {
        assert!(*ways > 0 || *seen == 0, "{name}: {at} cannot be");
    }
    let freedom = ways.iter().filter(|ways| **ways > 0).count() - 1;
    let (got, limit) = (chi_squared_milli(&seen, ways), CRITICAL_MILLI[freedom - 1]);
    assert!(got < limit, "{name}: {got} of {limit}, {seen:?}");
}

fn index(number: i32) -> usize {
    usize::try_from(number).expect("at least 0")
}

#[test]
fn the_yardstick_itself_measures() {
    assert_eq!(chi_squared_milli(&[10, 10], &[1, 1]), 0);
    assert_eq!(chi_squared_milli(&[15, 5], &[1, 1]), 5_000);
    assert_eq!(ways_of(2, 6)[2..], [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]);
    // A die that shows its 20 once in 18 is found out.
    let mut seen = [ROLLS / 20; 20];
    (seen[19], seen[0]) = (ROLLS / 18, ROLLS / 20 - (ROLLS / 18 - ROLLS / 20));
    assert!(chi_squared_milli(&seen, &[1; 20]) > CRITICAL_MILLI[18]);
}

#[test]
fn a_d20_shows_each_side_as_often() {
    let mut ways = [1; 21];
    ways[0] = 0;
    check("d20", &ways, |dice| usize::from(dice.roll(20)));
    for (edge, ways) in [
        (Edge::Straight, ways),
        (Edge::Advantage, std::array::from_fn(|at| if at == 0 { 0 } else { 2 * at as u64 - 1 })),
        (
            Edge::Disadvantage,
            std::array::from_fn(|at| if at == 0 { 0 } else { 41 - 2 * at as u64 }),
        ),
    ] {
        check(&format!("{edge:?}"), &ways, |dice| usize::from(d20(edge, false, dice).natural));
    }
}

#[test]
fn the_lucky_show_a_1_once_in_four_hundred() {
    let mut ways = [21; 21];
    (ways[0], ways[1]) = (0, 1);
    check("lucky", &ways, |dice| {
        let D20 { natural, .. } = d20(Edge::Straight, true, dice);
        usize::from(natural)
    });
}

/// Misses, hits and critical hits of +5 against 16, of which 11 or more hits.
fn attacks(name: &str, edges: Edges, ways: [u64; 3]) {
    let modifiers = [Modifier::flat("strength", 5)];
    let of = Attack {
        throw: Throw { edges, is_lucky: false, modifiers: &modifiers },
        armor_class: 16,
        cover: Cover::None,
        critical_from: 20,
        is_critical: false,
    };
    check(name, &ways, |dice| match attack(&of, dice).hit {
        Hit::Miss => 0,
        Hit::Hit => 1,
        Hit::Critical => 2,
    });
    check(&format!("{name}, critical"), &[ways[0] + ways[1], ways[2]], |dice| {
        usize::from(attack(&of, dice).hit == Hit::Critical)
    });
}

#[test]
fn criticals_come_once_in_twenty_and_almost_once_in_ten_with_advantage() {
    attacks("straight", Edges::NONE, [10, 9, 1]);
    attacks("advantage", Edges::ADVANTAGE, [100, 261, 39]);
    attacks("disadvantage", Edges::DISADVANTAGE, [300, 99, 1]);
}

#[test]
fn two_dice_sum_as_they_must() {
    check("2d6", &ways_of(2, 6), |dice| index(roll(Dice::new(2, 6), dice).total));
    check("3d4", &ways_of(3, 4), |dice| index(roll(Dice::new(3, 4), dice).total));
}

#[test]
fn of_four_dice_the_best_three_sum_as_they_must() {
    let mut ways = [0; 19];
    for way in 0..1_296_usize {
        let shown = [way % 6, way / 6 % 6, way / 36 % 6, way / 216].map(|shown| shown + 1);
        let lowest = shown.iter().min().expect("four");
        ways[shown.iter().sum::<usize>() - lowest] += 1;
    }
    check("4d6, lowest dropped", &ways, |dice| index(roll_score(dice).score.into()));
}

#[test]
fn saves_succeed_as_often_as_they_must() {
    let modifiers = [Modifier::flat("wisdom", 3)];
    for (edges, ways) in
        [(Edges::NONE, [11, 9]), (Edges::ADVANTAGE, [121, 279]), (Edges::DISADVANTAGE, [319, 81])]
    {
        let of = Save {
            attribute: Attribute::Wisdom,
            throw: Throw { edges, is_lucky: false, modifiers: &modifiers },
            difficulty: 15,
            cover: Cover::None,
            fails: false,
        };
        check(&format!("save {edges:?}"), &ways, |dice| usize::from(save(&of, dice).is_success));
    }
}

#[test]
fn a_blessed_save_succeeds_as_often_as_it_must() {
    let modifiers = [Modifier::plus("bless", Dice::new(1, 4))];
    let of = Save {
        attribute: Attribute::Wisdom,
        throw: Throw { modifiers: &modifiers, ..Throw::default() },
        difficulty: 15,
        cover: Cover::None,
        fails: false,
    };
    // Of 80 ways: 13, 12, 11 and 10 of each die of four fail.
    check("bless", &[46, 34], |dice| usize::from(save(&of, dice).is_success));
}

#[test]
fn criticals_hurt_by_twice_the_dice() {
    let dice = "2d6+3".parse::<Dice>().expect("dice");
    let shifted = |ways: Vec<u64>| [vec![0; 3], ways].concat();
    check("hit", &shifted(ways_of(2, 6)), |source| index(roll_hit(dice, false, 0, source).total));
    check("critical", &shifted(ways_of(4, 6)), |source| {
        index(roll_hit(dice, true, 0, source).total)
    });
    check("brutal", &ways_of(3, 6), |source| {
        index(roll_hit(Dice::new(1, 6), true, 1, source).total)
    });
}

#[test]
fn the_dying_fare_as_they_must() {
    check("death save", &[1, 8, 10, 1], |source| {
        let mut health = Health::new(9);
        health.hurt(&Blow { amount: 9, is_critical: false, is_sparing: false }, Fate::Dies);
        match health.death_save(&Throw::default(), source).map(|(_, ended)| ended) {
            Some(DeathSave::Failure(2)) => 0,
            Some(DeathSave::Failure(_)) => 1,
            Some(DeathSave::Success) => 2,
            Some(DeathSave::Awake) => 3,
            Some(DeathSave::Stable | DeathSave::Dead) | None => unreachable!("not at once"),
        }
    });
}
