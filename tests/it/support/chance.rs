//! Chance that can be had again: numbers that follow from a seed and from nothing else.
//!
//! Keeps true: what a case draws depends on the run's seed and the case's number alone, so a case
//! that fails is told by these two.

use haven_rules::motion::mix;

/// The environment variable with a run's seed; without it each run has its own.
const SEED: &str = "HAVEN_FUZZ_SEED";
/// The environment variable with the number of cases.
const CASES: &str = "HAVEN_FUZZ_CASES";

/// A run of random cases.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What all chance of the run follows from.
    pub seed: u64,
    /// How many cases it has.
    pub cases: u64,
}

impl Run {
    /// A run with a seed from the environment or the clock, and that many cases unless the
    /// environment says otherwise. Says so where a failing test shows it.
    #[expect(clippy::print_stderr, reason = "a failing run is told by its seed")]
    pub fn new(what: &str, cases: u64) -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let now = u64::try_from(super::now_micros()).unwrap_or_default();
        let seed = number(SEED).unwrap_or_else(|| mix(now, 0));
        let cases = number(CASES).unwrap_or(cases);
        eprintln!("{what}: {SEED}={seed} {CASES}={cases}");
        Self { seed, cases }
    }

    /// The chance of one case.
    pub fn case(&self, number: u64) -> Chance {
        Chance { seed: mix(self.seed, number.wrapping_add(1)), drawn: 0 }
    }

    /// Chance that never gets past the first check finds nothing: one case in twenty must.
    #[track_caller]
    #[expect(clippy::print_stderr, reason = "shows how deep a run got")]
    pub fn assert_share(&self, count: u64, what: &str) {
        eprintln!("{count} of {} {what}", self.cases);
        let enough = count * 20 >= self.cases;
        assert!(enough, "{SEED}={}: only {count} of {} {what}", self.seed, self.cases);
    }

    /// Fails a test, and says how to get there again.
    #[track_caller]
    pub fn fail(&self, case: u64, reason: &str) -> ! {
        panic!("{SEED}={} case {case}: {reason}", self.seed)
    }
}

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn)
    }

    /// A number below a bound, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(bound).unwrap_or(u64::MAX)).unwrap_or_default()
    }

    /// A number from one to another, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = most.abs_diff(least).saturating_add(1);
        least.saturating_add_unsigned(self.bits() % span)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list, which is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.bits().to_le_bytes()[0]).collect()
    }

    /// Text that somebody might send who means no good; at most that many bytes.
    pub fn text(&mut self, bytes_max: usize) -> String {
        const ODD: [&str; 14] = [
            "",
            " ",
            "a",
            "\0",
            "\u{feff}",
            "é\u{301}\u{301}\u{301}",
            "\u{202e}nimda",
            "👩‍👩‍👧‍👦",
            "'; DELETE FROM account; --",
            "%s%n%x{}{{",
            "../../../etc/passwd",
            "<script>alert(1)</script>",
            "ＡＤＭＩＮ",
            "null",
        ];
        const LENGTHS: [usize; 8] = [1, 8, 31, 32, 33, 256, 4_097, 40_000];
        if self.one_in(2) {
            return (*self.pick(&ODD)).to_owned();
        }
        let bytes = (*self.pick(&LENGTHS)).min(bytes_max);
        if self.one_in(2) {
            return char::from(b'a' + self.bits().to_le_bytes()[0] % 26).to_string().repeat(bytes);
        }
        let mut text = String::new();
        while text.len() + 4 <= bytes.min(1_024) {
            let code = u32::try_from(self.bits() % 0x0011_0000).unwrap_or_default();
            text.push(char::from_u32(code).unwrap_or('x'));
        }
        text
    }

    /// Bytes as they were, but for one of the things that go wrong.
    pub fn spoil(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        match self.below(7) {
            0 => bytes.truncate(at),
            1 => {
                let count = 1 + self.below(64);
                let more = self.bytes(count);
                bytes.extend(more);
            }
            2 => {
                for _ in 0..=self.below(4) {
                    let at = self.below(bytes.len().max(1));
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
            // A length that nothing comes up to.
            3 => {
                for byte in bytes.iter_mut().skip(at).take(4) {
                    *byte = 0xff;
                }
            }
            4 => bytes.insert(at, self.bits().to_le_bytes()[0]),
            5 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = 0xff;
                }
            }
            _ => bytes.clear(),
        }
    }
}
