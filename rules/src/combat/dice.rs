//! Dice: `2d6+3` as data, and where the numbers come from.
//!
//! Keeps true: nothing here makes chance; a source hands it in, and what each die showed is kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most dice of one throw.
pub const COUNT_MAX: u8 = 100;
/// Most sides of a die.
pub const SIDES_MAX: u8 = 100;

/// So many dice of so many sides, and something added: `2d6+3`, `1d8`, `5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dice {
    /// 0 to 100; 0 for a number that is not rolled.
    pub count: u8,
    /// 2 to 100; 0 where there are no dice.
    pub sides: u8,
    /// What is added, −1,000 to 1,000.
    pub bonus: i16,
}

/// It is no dice: `NdS`, `NdS+B`, `NdS-B` or `B`, with 1 to 100 dice of 2 to 100 sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiceError(String);

impl fmt::Display for DiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not dice as in 2d6+3, up to 100d100, with up to 1000 added", self.0)
    }
}

impl std::error::Error for DiceError {}

impl Dice {
    /// Dice without anything added.
    pub const fn new(count: u8, sides: u8) -> Self {
        Self { count, sides, bonus: 0 }
    }

    /// The least they can show.
    pub const fn min(self) -> i32 {
        self.count as i32 + self.bonus as i32
    }

    /// The most they can show.
    pub const fn max(self) -> i32 {
        self.count as i32 * self.sides as i32 + self.bonus as i32
    }

    /// What they show on average, rounded down (SRD 5.1, "Monsters", hit points).
    pub const fn average(self) -> i32 {
        (self.count as i32 * (self.sides as i32 + 1)).div_euclid(2) + self.bonus as i32
    }
}

impl FromStr for Dice {
    type Err = DiceError;

    fn from_str(text: &str) -> Result<Self, DiceError> {
        let wrong = || DiceError(text.chars().take(40).collect());
        let (dice, bonus) = match text.find(['+', '-']).filter(|at| *at > 0) {
            Some(at) => (&text[..at], text[at..].strip_prefix('+').unwrap_or(&text[at..])),
            None if text.contains('d') => (text, "0"),
            None => ("", text),
        };
        let (count, sides) = match dice.split_once('d') {
            Some((count, sides)) => {
                let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
                let parse = |text: &str| {
                    Some(text)
                        .filter(is_number)
                        .and_then(|text| text.parse().ok())
                        .ok_or_else(wrong)
                };
                (parse(count)?, parse(sides)?)
            }
            None if dice.is_empty() => (0, 0),
            None => return Err(wrong()),
        };
        let bonus = bonus.parse::<i16>().map_err(|_| wrong())?;
        let is_good = match count {
            0 => dice.is_empty(),
            _ => count <= COUNT_MAX && (2..=SIDES_MAX).contains(&sides),
        };
        let dice = Self { count, sides, bonus };
        if is_good && bonus.abs() <= 1_000 { Ok(dice) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Dice {
    type Error = DiceError;

    fn try_from(text: String) -> Result<Self, DiceError> {
        text.parse()
    }
}

impl From<Dice> for String {
    fn from(dice: Dice) -> Self {
        dice.to_string()
    }
}

impl fmt::Display for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, sides, bonus } = *self;
        match (count, bonus) {
            (0, _) => write!(f, "{bonus}"),
            (_, 0) => write!(f, "{count}d{sides}"),
            (..) => write!(f, "{count}d{sides}{bonus:+}"),
        }
    }
}

/// Where dice come from.
pub trait Roller {
    /// 1 to `sides`, each as likely; `sides` is at least 1.
    fn roll(&mut self, sides: u8) -> u8;
}

/// Dice that were thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolled {
    /// Which.
    pub dice: Dice,
    /// What each showed, in order.
    pub shown: Vec<u8>,
    /// Their sum and the bonus; below 0 where the bonus is.
    pub total: i32,
}

/// Throws dice.
pub fn roll(dice: Dice, roller: &mut dyn Roller) -> Rolled {
    let shown: Vec<u8> = (0..dice.count).map(|_| roller.roll(dice.sides)).collect();
    let sum: i32 = shown.iter().copied().map(i32::from).sum();
    Rolled { dice, shown, total: sum + i32::from(dice.bonus) }
}

/// `4 + 2 + 3 = 9`: what each die showed, the bonus, and their sum.
impl fmt::Display for Rolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, shown) in self.shown.iter().enumerate() {
            write!(f, "{}{shown}", if at == 0 { "" } else { " + " })?;
        }
        match (self.shown.len(), self.dice.bonus) {
            (0, bonus) => write!(f, "{bonus}"),
            (1, 0) => Ok(()),
            (_, 0) => write!(f, " = {}", self.total),
            (_, bonus) => {
                let sign = if bonus < 0 { '-' } else { '+' };
                write!(f, " {sign} {} = {}", bonus.unsigned_abs(), self.total)
            }
        }
    }
}

/// Dice that show what was written down, for tests and for telling a fight again.
#[derive(Clone, Debug)]
pub struct Fixed<'a> {
    numbers: &'a [u8],
    used: usize,
    is_wrong: bool,
}

impl<'a> Fixed<'a> {
    /// Dice that will show these numbers, one after another.
    pub const fn new(numbers: &'a [u8]) -> Self {
        Self { numbers, used: 0, is_wrong: false }
    }

    /// Whether exactly these numbers were asked for, each of a die that can show it.
    pub const fn is_used_up(&self) -> bool {
        self.used == self.numbers.len() && !self.is_wrong
    }
}

impl Roller for Fixed<'_> {
    /// The next number; 1 where none is left or the die cannot show it.
    fn roll(&mut self, sides: u8) -> u8 {
        let next = self.numbers.get(self.used).copied();
        self.used = self.used.saturating_add(1);
        let good = next.filter(|number| (1..=sides).contains(number));
        self.is_wrong |= good.is_none();
        good.unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_are_read_as_they_are_written() {
        for (text, count, sides, bonus) in
            [("2d6+3", 2, 6, 3), ("1d8", 1, 8, 0), ("5", 0, 0, 5), ("10d10-4", 10, 10, -4)]
        {
            assert_eq!(text.parse(), Ok(Dice { count, sides, bonus }));
            assert_eq!(Dice { count, sides, bonus }.to_string(), text);
        }
        for text in
            ["", "d6", "0d6", "2d1", "2d", "101d6", "2d101", "2d6+", "2d6+1001", "x", "+3d6", "1.5"]
        {
            assert!(text.parse::<Dice>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_each_die_showed_is_kept() {
        for (dice, numbers, total, text) in [
            ("2d6+3", &[4, 2][..], 9, "4 + 2 + 3 = 9"),
            ("1d8", &[8], 8, "8"),
            ("1d4-2", &[1], -1, "1 - 2 = -1"),
            ("5", &[], 5, "5"),
        ] {
            let mut fixed = Fixed::new(numbers);
            let rolled = roll(dice.parse().expect("dice"), &mut fixed);
            assert_eq!((rolled.total, rolled.to_string().as_str()), (total, text));
            assert_eq!(rolled.shown, numbers);
            assert!(fixed.is_used_up());
        }
    }

    #[test]
    fn fixed_dice_notice_what_was_not_written_down() {
        let mut too_few = Fixed::new(&[3]);
        assert_eq!((too_few.roll(6), too_few.roll(6)), (3, 1));
        assert!(!too_few.is_used_up());
        let mut too_high = Fixed::new(&[7]);
        assert_eq!(too_high.roll(6), 1);
        assert!(!too_high.is_used_up());
        assert!(!Fixed::new(&[1]).is_used_up());
    }
}
