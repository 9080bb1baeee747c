//! What an event's words tell of its dice, and whether it is what was thrown.
//!
//! Keeps true: nobody is accused of what words cannot tell. They are those that `check`, `dice` and
//! `deed` write: `14 + 5 + 3 = 22 against 17: hit; 2d6+3: 4 + 4 + 3 = 11; 11 slashing`. Of a d20
//! the first number added is none of a die, and each further one is; dice that were thrown once for
//! several targets stand in the line of each.

use super::{Event, Line, Wrong, check_verdict};

/// What sets parts of a line off.
const PARTS: &str = "; ";
/// What stands between a roll of a d20 and what it had to reach.
const AGAINST: &str = " against ";
/// What stands before a roll that is against nothing.
const INITIATIVE: &str = "initiative ";

/// Whether every die that a line tells of was thrown, every line decides as its die says, and every
/// die that was thrown is in some line. What reached nobody has no lines, and tells of no dice.
///
/// # Errors
/// In this order: `DieNotThrown`, `VerdictDiffers`, `DieUntold`.
pub(super) fn check(event: &Event, thrown: &[Die]) -> Result<(), Wrong> {
    let mut account = Account { left: thrown.to_vec(), ..Account::default() };
    for line in &event.lines {
        let words = Words::of(&line.text);
        check_told(line, &words, thrown)?;
        check_verdict(line)?;
        account.enter(line.target_id, words)?;
    }
    if event.lines.is_empty() { Ok(()) } else { account.close() }
}

/// Whether what one line tells of was thrown.
///
/// # Errors
/// `DieNotThrown`.
fn check_told(line: &Line, words: &Words, thrown: &[Die]) -> Result<(), Wrong> {
    let target_id = line.target_id;
    let not_thrown = |shown: u8| Wrong::DieNotThrown { target_id, shown };
    if line.natural > 0 && !thrown.contains(&(20, line.natural)) {
        return Err(not_thrown(line.natural));
    }
    let mut left = thrown.to_vec();
    for (sides, shown) in &words.dice {
        take(&mut left, *sides, *shown).ok_or_else(|| not_thrown(*shown))?;
    }
    Ok(())
}

/// A die's sides and what it shows.
type Die = (u8, u8);

/// The dice of an event, line by line.
#[derive(Default)]
struct Account {
    /// Those that no line has told of yet.
    left: Vec<Die>,
    /// Those that a line has told of, and those that a later line may have told of once more:
    /// thrown once for both, or twice.
    told: Vec<Die>,
    again: Vec<Die>,
    /// What was added to d20s, and whom the line is about.
    added: Vec<(u64, u32)>,
}

impl Account {
    /// # Errors
    /// `DieNotThrown`.
    fn enter(&mut self, target_id: u64, words: Words) -> Result<(), Wrong> {
        for shown in words.d20s {
            let taken = take(&mut self.left, Some(20), shown);
            taken.ok_or(Wrong::DieNotThrown { target_id, shown })?;
        }
        let mut known = self.told.clone();
        for (sides, shown) in words.dice {
            if let Some(die) = take(&mut known, sides, shown) {
                self.again.push(die);
            } else if let Some(die) = take(&mut self.left, sides, shown) {
                self.told.push(die);
            }
        }
        self.added.extend(words.added.into_iter().map(|number| (target_id, number)));
        Ok(())
    }

    /// Whether dice that no line tells of are those that were added to d20s. What is added by
    /// several dice is one number, which then stands for any.
    ///
    /// # Errors
    /// In this order: `DieNotThrown`, `DieUntold`.
    fn close(mut self) -> Result<(), Wrong> {
        let mut sums = vec![];
        for (target_id, number) in self.added {
            let shown = u8::try_from(number).unwrap_or(u8::MAX);
            let is_it = |die: &Die| die.1 == shown && !self.again.contains(die);
            if let Some(at) = self.left.iter().position(is_it) {
                self.left.remove(at);
            } else {
                sums.push((target_id, shown));
            }
        }
        let is_empty = self.left.is_empty();
        for (sides, shown) in self.again {
            take(&mut self.left, Some(sides), shown);
        }
        match (self.left.first(), sums.first()) {
            (Some((sides, shown)), None) => Err(Wrong::DieUntold { sides: *sides, shown: *shown }),
            (None, Some((target_id, shown))) if is_empty => {
                Err(Wrong::DieNotThrown { target_id: *target_id, shown: *shown })
            }
            (None | Some(_), None | Some(_)) => Ok(()),
        }
    }
}

/// Takes a die away; none where there is none such. Without sides it may have any.
fn take(dice: &mut Vec<Die>, sides: Option<u8>, shown: u8) -> Option<Die> {
    let is_it = |die: &Die| die.1 == shown && sides.is_none_or(|sides| sides == die.0);
    let at = dice.iter().position(is_it)?;
    Some(dice.remove(at))
}

/// The dice that a line's words tell of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    /// Every d20, those that did not count as well.
    d20s: Vec<u8>,
    /// What was added to them by dice.
    added: Vec<u32>,
    /// All others: sides, where they are told, and what they show.
    dice: Vec<(Option<u8>, u8)>,
}

impl Words {
    fn of(text: &str) -> Self {
        let mut words = Self::default();
        for part in text.split(PARTS) {
            if words.read_dice(part).is_none() {
                words.read_d20(part);
            }
        }
        words
    }

    /// Reads `2d6+3: 4 + 4 + 3 = 11`; none where it is something else.
    fn read_dice(&mut self, part: &str) -> Option<()> {
        let (dice, sum) = part.strip_prefix("less ").unwrap_or(part).split_once(": ")?;
        let (count, sides, has_bonus) = dice_of(dice)?;
        let sum = sum.split_once(" = ").map_or(sum, |(terms, _)| terms);
        let is_sign = |token: &&str| matches!(*token, "+" | "-");
        let numbers = sum.split(' ').filter(|token| !is_sign(token)).map(str::parse);
        let mut numbers: Vec<u16> = numbers.collect::<Result<_, _>>().ok()?;
        if has_bonus {
            numbers.pop();
        }
        for (at, number) in numbers.into_iter().enumerate() {
            // Beyond their count they are those of a higher slot, which may have other sides.
            self.dice.push(((at < count).then_some(sides), u8::try_from(number).ok()?));
        }
        Some(())
    }

    /// Reads `(3, 14) 14 + 5 = 19 against 17`, after whatever stands before it, or `initiative 14`.
    fn read_d20(&mut self, part: &str) -> Option<()> {
        let against = part.rsplit_once(AGAINST).map(|(before, _)| before);
        let before = against.or_else(|| part.starts_with(INITIATIVE).then_some(part))?;
        let mut tokens: Vec<&str> =
            before.rsplit(' ').take_while(|token| is_of_roll(token)).collect();
        tokens.reverse();
        let number = |token: &str| token.trim_matches(['(', ')', ',']).parse::<u8>().ok();
        let mut rest = tokens.into_iter().peekable();
        let mut all = vec![];
        if rest.peek().is_some_and(|token| token.starts_with('(')) {
            for token in rest.by_ref() {
                all.extend(number(token));
                if token.ends_with(')') {
                    break;
                }
            }
        }
        let natural = number(rest.next()?)?;
        if all.is_empty() {
            all.push(natural);
        }
        self.d20s.extend(all);
        let added = rest.take_while(|token| !matches!(*token, "=" | "and"));
        // The first is the bonus.
        self.added.extend(added.filter_map(|token| token.parse::<u32>().ok()).skip(1));
        Some(())
    }
}

/// Count and sides of dice, and whether something is added; more of them than content may have,
/// because a critical hit throws them twice.
fn dice_of(text: &str) -> Option<(usize, u8, bool)> {
    let (count, rest) = text.split_once('d')?;
    let (sides, bonus) = match rest.find(['+', '-']) {
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    if let Some(bonus) = bonus {
        bonus.parse::<i32>().ok()?;
    }
    let count = count.parse::<usize>().ok().filter(|count| *count > 0)?;
    Some((count, sides.parse().ok()?, bonus.is_some()))
}

/// Whether a word belongs to a roll: a number, a sign, or what stands around them.
fn is_of_roll(token: &str) -> bool {
    let bare = token.trim_matches(['(', ')', ',']);
    let digits = bare.strip_prefix('-').unwrap_or(bare);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number || matches!(bare, "+" | "-" | "=" | "again" | "and" | "for" | "cover")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, d20s: &[u8], added: &[u32], dice: &[(Option<u8>, u8)]) {
        let expected = Words { d20s: d20s.to_vec(), added: added.to_vec(), dice: dice.to_vec() };
        assert_eq!(Words::of(text), expected, "{text}");
    }

    #[test]
    fn dice_are_read_out_of_words() {
        let d6 = |shown: u8| (Some(6), shown);
        check("", &[], &[], &[]);
        check("dash", &[], &[], &[]);
        check("no roll against 15: failure", &[], &[], &[]);
        check("Bite: 14 + 5 = 19 against 17: hit", &[14], &[], &[]);
        check("(3, 14) 14 - 1 + 3 = 16 against 17: miss", &[3, 14], &[3], &[]);
        check("(1, again 15) 15 + 2 - 4 = 13 against 12: hit", &[1, 15], &[4], &[]);
        check("(1, 7, again 20) 20 + 2 = 22 against 12: critical hit", &[1, 7, 20], &[], &[]);
        check("dexterity save 9 and 2 for cover against 12: failure", &[9], &[], &[]);
        check("2d6+3: 4 + 4 + 3 = 11; 11 slashing, 5 resisted", &[], &[], &[d6(4), d6(4)]);
        check("1d6-2: 1 - 2 = -1; 0 acid", &[], &[], &[d6(1)]);
        check("1d6: 6", &[], &[], &[d6(6)]);
        check("1d6: 6 + 8 = 14", &[], &[], &[d6(6), (None, 8)]);
        check("less 1d6: 4", &[], &[], &[d6(4)]);
        check("initiative 14 + 2 = 16", &[14], &[], &[]);
        check("initiative (1, again 7) 7 + 2 = 9", &[1, 7], &[], &[]);
        check("wisdom save 1 - 2 = -1 against 18: failure; frightened", &[1], &[], &[]);
        check("1: 1", &[], &[], &[]);
        check("1d6+300: 6 + 300 = 306", &[], &[], &[d6(6)]);
        check("2d6x: 6 + 3 = 9", &[], &[], &[]);
        check(
            "Claw 2d6: 12 + 4 = 16 against 11: hit; 1d6: 2; 2 fire; \
             concentration: constitution save 8 + 1 + 2 = 11 against 10: success",
            &[12, 8],
            &[2],
            &[d6(2)],
        );
    }
}
