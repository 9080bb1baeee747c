//! The arena: random commands against the rules of goods and coins, put together as the module
//! does.
//!
//! Keeps true: whatever fifty players try, half of it at others' goods, with numbers that cannot be
//! or a second time, coins that sources gave are held or were taken, pieces that were made lie
//! somewhere or are gone; what is refused has changed nothing, what is repeated is done once.
//! Every decision is one of the rules; only rows are the arena's own, and a refusal takes them back
//! as the database does. Leaves out on purpose: places, fights, levels, and characters that are
//! removed.
//!
//! `HAVEN_ARENA_SEED` and `HAVEN_ARENA_COMMANDS` choose another run; what fails names its seed and
//! the number of the command.

mod acts;
mod goods;
mod held;
mod letters;
mod market;
mod realm;
mod trades;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::prices::Goods;
use super::{EconomyError, PurseKind};
use crate::commands::{self, CommandError, fingerprint, slot_of, validate_id, was_done};
use crate::content::Binding;
use crate::guilds::GuildError;
use crate::items::{ItemError, Shape};
use crate::mail::MailError;
use acts::Command;
use realm::Realm;

use super::market::MarketError;

/// The seed where nobody asks for another.
const SEED: u64 = 6;
/// Commands where nobody asks for more or fewer: without optimization a part of them.
const COMMANDS: u64 = if cfg!(debug_assertions) { 60_000 } else { 2_000_000 };
/// Commands between two times that everything is counted.
const COUNTED_EVERY: u64 = 10_000;
/// Of so many refusals and repetitions one is compared row by row with what was before.
const COMPARED_EVERY: u64 = 500;
/// Who plays; an account has two of them.
const CHARACTERS: u64 = 50;
/// Their guilds.
const GUILDS: u64 = 5;
/// How many commands of each are remembered to be repeated.
const REMEMBERED: usize = 8;
/// When it begins, microseconds since 1970.
const BEGIN: i64 = 1_700_000_000_000_000;

/// A definition, by its place in [`ITEMS`].
type Def = u8;
/// How many definitions there are.
const DEFS: usize = 7;

/// What is known of a definition.
struct Item {
    shape: Shape,
    goods: Goods,
}

const fn item(stack_max: u32, binding: Binding, is_unique: bool, base_copper: u32) -> Item {
    let shape = Shape { stack_max, durability: 0, binding, is_unique };
    let (normal_stock, restock) = (200, 20);
    let (elasticity_bps, pays_bps) = (15_000, 2_500);
    Item { shape, goods: Goods { base_copper, normal_stock, restock, elasticity_bps, pays_bps } }
}

/// Goods of each kind: such as stack high, low and not at all, and such as are bound or unique.
static ITEMS: [Item; DEFS] = [
    item(20, Binding::None, false, 30),
    item(5, Binding::None, false, 5),
    item(200, Binding::None, false, 1),
    item(1, Binding::None, false, 1_500),
    item(1, Binding::OnEquip, false, 400),
    item(1, Binding::OnPickup, false, 250),
    item(1, Binding::None, true, 900),
];

/// Whose a character is.
const fn account_of(character: u64) -> u64 {
    character.div_ceil(2)
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused(&'static str);

/// What came of something.
type Done<T = ()> = Result<T, Refused>;
/// Something that is due at an instant.
type Timer = fn(&mut Realm) -> Done;

macro_rules! refusals {
    ($($error:ty),*) => {
        $(impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                Self(error.code())
            }
        })*
    };
}

refusals!(CommandError, EconomyError, GuildError, ItemError, MailError, MarketError);

/// Chance of a seed (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let one = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let other = (one ^ (one >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        other ^ (other >> 31)
    }

    /// 0 to one less than `count`.
    fn below(&mut self, count: u64) -> u64 {
        self.next() % count.max(1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        let at = self.below(u64::try_from(list.len()).unwrap_or(0));
        usize::try_from(at).ok().and_then(|at| list.get(at)).copied()
    }
}

/// A command as a client sends it: who, its number, and what.
type Sent = (u64, u64, Command);

/// How often something happened, so that a run that proves nothing is noticed.
#[derive(Debug, Default)]
struct Count {
    done: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
    repeated: u64,
}

struct Arena {
    chance: Chance,
    realm: Realm,
    /// The last number of each character's session.
    sequences: BTreeMap<u64, u64>,
    sent: VecDeque<Sent>,
    /// Which numbers of a session had an effect: each once.
    effects: BTreeSet<(u64, u64)>,
    count: Count,
    compared: u64,
}

impl Arena {
    fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            realm: Realm { now: BEGIN, ..Realm::default() },
            sequences: BTreeMap::new(),
            sent: VecDeque::new(),
            effects: BTreeSet::new(),
            count: Count::default(),
            compared: 0,
        }
    }

    /// A new command, or one that was sent before, as it was or with the number of another.
    fn next(&mut self) -> Sent {
        let known: Vec<usize> = (0..self.sent.len()).collect();
        if let Some(at) = self.chance.pick(&known).filter(|_| self.chance.one_in(5)) {
            let (own, sequence, command) = self.sent[at].clone();
            return if self.chance.one_in(8) {
                (own, sequence, self.invent(own))
            } else {
                (own, sequence, command)
            };
        }
        let anybody = 1 + self.chance.below(CHARACTERS);
        // Who trades has more to do than others, or no trade would come to its end in time.
        let trader = self.realm.trading.range(anybody..).next().map(|(key, _)| key);
        let own = trader.filter(|_| self.chance.one_in(3)).unwrap_or(anybody);
        let sequence = self.sequences.entry(own).or_default();
        // Now and then numbers are left out.
        *sequence += if self.chance.one_in(20) { 3 } else { 1 };
        let sequence = *sequence;
        if self.chance.one_in(500) {
            let number = u64::from(self.chance.one_in(2));
            return (own, number, self.invent(own));
        }
        let sent = (own, sequence, self.invent(own));
        self.sent.push_back(sent.clone());
        if self.sent.len() > REMEMBERED {
            self.sent.pop_front();
        }
        sent
    }

    /// One command, and what must hold after it.
    fn step(&mut self) -> Result<(), String> {
        self.realm.now += i64::try_from(self.chance.below(3_000_000)).unwrap_or(0);
        if self.chance.one_in(50) {
            self.timers()?;
        }
        let (own, sequence, command) = self.next();
        let told = format!("{own} {sequence} {command:?}");
        self.compared += 1;
        let is_compared = self.compared.is_multiple_of(COMPARED_EVERY);
        let before = is_compared.then(|| self.realm.clone());
        let rows = self.realm.rows();
        let what = fingerprint(&(own, &command));
        let mut was = false;
        let outcome = self.realm.whole(|realm| {
            was = realm.was_done(own, sequence, what)?;
            if was { Ok(()) } else { command.run(realm, own) }
        });
        let has_changed = outcome.is_ok() && !was;
        if has_changed && !self.effects.insert((own, sequence)) {
            return Err(format!("{told} had an effect for the second time"));
        }
        let is_other = before.is_some_and(|before| !self.realm.is_as(before));
        if !has_changed && (is_other || rows != self.realm.rows()) {
            return Err(format!("{told} changed something: {outcome:?}, done before: {was}"));
        }
        match outcome {
            Ok(()) if was => self.count.repeated += 1,
            Ok(()) => *self.count.done.entry(command.name()).or_default() += 1,
            Err(Refused(code)) => *self.count.refused.entry(code).or_default() += 1,
        }
        self.realm.judge().map_err(|problem| format!("{told}: {problem}"))
    }

    /// Time goes by, and what is due happens.
    fn timers(&mut self) -> Result<(), String> {
        let hours = match self.chance.below(40) {
            0 => self.chance.below(800),
            1..=4 => self.chance.below(30),
            _ => 0,
        };
        self.realm.now += i64::try_from(hours).unwrap_or(0) * super::market::HOUR_MICROS;
        let timers: [(&str, Timer); 4] = [
            ("letters", Realm::letters_run),
            ("market", Realm::market_run),
            ("trades", |realm| {
                realm.trades_run();
                Ok(())
            }),
            ("restock", Realm::restock),
        ];
        for (name, run) in timers {
            let outcome = self.realm.whole(run);
            outcome.map_err(|Refused(code)| format!("the timer of {name} failed: {code}"))?;
            self.realm.judge().map_err(|problem| format!("the timer of {name}: {problem}"))?;
        }
        Ok(())
    }
}

impl Realm {
    /// Whether a command was done before; it is from now on.
    fn was_done(&mut self, own: u64, sequence: u64, what: u64) -> Done<bool> {
        validate_id(own, sequence)?;
        let key = (own, slot_of(sequence));
        let command = commands::Done { sequence, fingerprint: what };
        let was = was_done(command, self.done.get(key).copied())?;
        self.done.put(key, Some(command));
        Ok(was)
    }
}

fn of_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn whatever_is_tried_nothing_is_made_or_lost() {
    let seed = of_environment("HAVEN_ARENA_SEED", SEED);
    let commands = of_environment("HAVEN_ARENA_COMMANDS", COMMANDS);
    let mut arena = Arena::new(seed);
    for number in 0..commands {
        let mut outcome = arena.step();
        if number % COUNTED_EVERY == 0 || number + 1 == commands {
            outcome = outcome.and_then(|()| arena.realm.judge_all());
        }
        if let Err(problem) = outcome {
            panic!("seed {seed}, command {number}: {problem}");
        }
    }
    arena.judge_run(commands);
}
