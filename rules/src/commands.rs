//! Commands: calls that carry a number, so that repeating one does nothing twice.
//!
//! A client numbers its commands 1, 2, 3 … within a session, a number it draws at random when it
//! starts. What was done is remembered for each session's last commands; what was refused is not,
//! because it changed nothing. Keeps true: a command is done at most once, as long as its session
//! is remembered; where that cannot be told any more the answer is a refusal, never a repetition.
//! Leaves out on purpose: which calls are commands, which their domains say.

use crate::errors::domain_errors;
use std::hash::{Hash, Hasher};

/// How many numbers of a session are told apart: a command that is as many or more behind one that
/// was done may be refused as too old. Clients have at most half as many unanswered.
pub const WINDOW: u64 = 64;
/// Most sessions of an account that are remembered at once.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 32;
/// How exactly it is known when a session was last used, seconds.
pub const PERIOD_SECONDS: u32 = 900;
/// How long a session is remembered after its last command, seconds.
pub const RETENTION_SECONDS: u32 = 86_400;
/// For how many whole periods a session is spared when another one needs its place.
const SPARED_PERIODS: u32 = 1;
/// Periods until the wheel comes round: 32 hours.
const WHEEL_SLOTS: u32 = 128;
/// The first period back from now in which no session that is remembered was last used.
const SWEPT_FROM: u32 = RETENTION_SECONDS / PERIOD_SECONDS + 1;

domain_errors! {
    /// Why a command was refused whatever it wants.
    CommandError {
        IdInvalid = 2300, "command.id_invalid", "a command's session and sequence are at least 1";
        SessionsTooMany = 2301, "command.sessions_too_many", "the account has commanded from too many sessions within half an hour";
        TooOld = 2302, "command.too_old", "whether a command so far behind the session's others was done is not known any more";
        Reused = 2303, "command.reused", "another command of the session has that number";
    }
}

/// What a slot remembers: the last command of those that share it which was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its number.
    pub sequence: u64,
    /// What it was ([`fingerprint`]).
    pub fingerprint: u64,
}

/// Refuses numbers that no client gives.
///
/// # Errors
/// `IdInvalid`.
pub fn validate_id(session: u64, sequence: u64) -> Result<(), CommandError> {
    if session == 0 || sequence == 0 { Err(CommandError::IdInvalid) } else { Ok(()) }
}

/// Where a command of a session is remembered: commands [`WINDOW`] apart share a slot.
pub fn slot_of(sequence: u64) -> u64 {
    sequence % WINDOW
}

/// Whether a command was done before, from what its slot remembers. Numbers only rise in a slot, so
/// one above it was not done, and one below it may have been.
///
/// # Errors
/// In this order: `TooOld`, `Reused`.
pub fn was_done(command: Done, remembered: Option<Done>) -> Result<bool, CommandError> {
    match remembered {
        Some(last) if command.sequence < last.sequence => Err(CommandError::TooOld),
        Some(last) if command.sequence == last.sequence => {
            if command == last {
                Ok(true)
            } else {
                Err(CommandError::Reused)
            }
        }
        Some(_) | None => Ok(false),
    }
}

/// The period an instant lies in, counted from 1970.
pub fn period_of(now_micros: i64) -> u32 {
    let period = now_micros.div_euclid(i64::from(PERIOD_SECONDS) * 1_000_000);
    u32::try_from(period).unwrap_or(0)
}

/// Where a session that was last used in that period is found by the sweep. The engine never
/// forgets a key that an ordered index has had, so periods go round a wheel.
pub fn wheel_slot_of(period: u32) -> u8 {
    u8::try_from(period % WHEEL_SLOTS).unwrap_or(0)
}

/// The slots in which nobody is who is still remembered.
pub fn swept_slots(now_period: u32) -> impl Iterator<Item = u8> {
    (SWEPT_FROM..WHEEL_SLOTS).map(move |back| wheel_slot_of(now_period.wrapping_sub(back)))
}

/// Whether a session that was last used in that period is forgotten.
pub fn is_forgotten(used_period: u32, now_period: u32) -> bool {
    now_period.saturating_sub(used_period) >= SWEPT_FROM
}

/// Which session of an account gives its place to a new one, by the periods they were last used in:
/// none while there is room, else the one that was idle for longest.
///
/// # Errors
/// `SessionsTooMany` when all of them were used just now: a client that still repeats a command
/// must not find it forgotten.
pub fn place_for(used_periods: &[u32], now_period: u32) -> Result<Option<usize>, CommandError> {
    if used_periods.len() < SESSIONS_PER_ACCOUNT_MAX {
        return Ok(None);
    }
    let oldest = used_periods.iter().enumerate().min_by_key(|(_, period)| **period);
    let idle = oldest.filter(|(_, used)| now_period.saturating_sub(**used) > SPARED_PERIODS);
    idle.map(|(index, _)| Some(index)).ok_or(CommandError::SessionsTooMany)
}

/// A number for what a command is, its name and arguments: 64-bit FNV-1a. It tells a repetition
/// from another command that was given the same number by mistake; it is no defence.
pub fn fingerprint(what: &impl Hash) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    what.hash(&mut hasher);
    hasher.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const MICROS: i64 = 900_000_000;

    fn done(sequence: u64, fingerprint: u64) -> Done {
        Done { sequence, fingerprint }
    }

    #[test]
    fn numbers_are_from_one_to_the_largest() {
        assert_eq!(validate_id(1, 1), Ok(()));
        assert_eq!(validate_id(u64::MAX, u64::MAX), Ok(()));
        assert_eq!(validate_id(0, 1), Err(CommandError::IdInvalid));
        assert_eq!(validate_id(1, 0), Err(CommandError::IdInvalid));
    }

    #[test]
    fn a_slot_tells_new_commands_from_those_that_were_done() {
        for (command, remembered, expected) in [
            (done(1, 7), None, Ok(false)),
            (done(u64::MAX, 7), None, Ok(false)),
            (done(65, 7), Some(done(1, 7)), Ok(false)),
            (done(65, 7), Some(done(65, 7)), Ok(true)),
            (done(65, 8), Some(done(65, 7)), Err(CommandError::Reused)),
            (done(1, 7), Some(done(65, 7)), Err(CommandError::TooOld)),
            (done(63, 7), Some(done(u64::MAX, 7)), Err(CommandError::TooOld)),
            (done(u64::MAX, 7), Some(done(u64::MAX, 7)), Ok(true)),
        ] {
            assert_eq!(was_done(command, remembered), expected, "{command:?} {remembered:?}");
        }
    }

    #[test]
    fn a_session_is_swept_after_its_retention_and_before_the_wheel_comes_round() {
        let used = period_of(1_700_000_000_000_000);
        for after in 0..=96 {
            assert!(!is_forgotten(used, used + after), "{after}");
            assert!(!swept_slots(used + after).any(|slot| slot == wheel_slot_of(used)), "{after}");
        }
        for after in 97..128 {
            assert!(is_forgotten(used, used + after), "{after}");
            assert!(swept_slots(used + after).any(|slot| slot == wheel_slot_of(used)), "{after}");
        }
        assert!(!is_forgotten(used + 1_000, used), "a clock that was set back forgets nobody");
        assert_eq!(period_of(MICROS - 1), 0);
        assert_eq!(period_of(MICROS), 1);
        assert_eq!((period_of(-1), period_of(i64::MIN), period_of(i64::MAX / 2)), (0, 0, 0));
    }

    #[test]
    fn the_session_that_was_idle_for_longest_makes_room() {
        let mut used = vec![100; SESSIONS_PER_ACCOUNT_MAX];
        assert_eq!(place_for(&used[1..], 100), Ok(None));
        assert_eq!(place_for(&used, 100), Err(CommandError::SessionsTooMany));
        assert_eq!(place_for(&used, 101), Err(CommandError::SessionsTooMany));
        assert_eq!(place_for(&used, 102), Ok(Some(0)));
        used[5] = 99;
        assert_eq!(place_for(&used, 101), Ok(Some(5)));
        assert_eq!(place_for(&used, 50), Err(CommandError::SessionsTooMany));
    }

    #[test]
    fn a_fingerprint_tells_names_and_arguments_apart_and_never_changes() {
        let one = fingerprint(&("character_enter", 7_u64));
        assert_eq!(one, fingerprint(&("character_enter", 7_u64)));
        assert_ne!(one, fingerprint(&("character_enter", 8_u64)));
        assert_ne!(one, fingerprint(&("character_leave", 7_u64)));
        assert_ne!(fingerprint(&("ab", "c")), fingerprint(&("a", "bc")));
        // From the definition of FNV-1a: the bytes `a`.
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        hasher.write(b"a");
        assert_eq!(hasher.finish(), 0xaf63_dc4c_8601_ec8c);
    }

    proptest! {
        #[test]
        fn no_command_is_done_twice_in_whatever_order_they_come(
            sequences in prop::collection::vec(1..200_u64, 0..600),
        ) {
            let mut slots: BTreeMap<u64, Done> = BTreeMap::new();
            let mut effects = BTreeSet::new();
            for sequence in sequences {
                let command = done(sequence, sequence);
                let slot = slot_of(sequence);
                match was_done(command, slots.get(&slot).copied()) {
                    Ok(false) => {
                        prop_assert!(effects.insert(sequence), "{} was done twice", sequence);
                        slots.insert(slot, command);
                    }
                    Ok(true) => prop_assert!(effects.contains(&sequence)),
                    Err(error) => prop_assert_eq!(error, CommandError::TooOld),
                }
            }
            prop_assert!(slots.len() as u64 <= WINDOW);
        }

        #[test]
        fn what_is_within_the_window_is_never_too_old(last in 1..1_000_u64, back in 0..WINDOW) {
            // The newest number that the slot of an older one can hold.
            let sequence = last.saturating_sub(back).max(1);
            let newest = (sequence..=last).rev().find(|other| slot_of(*other) == slot_of(sequence));
            prop_assert_eq!(newest, Some(sequence));
        }
    }
}
