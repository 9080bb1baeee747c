//! Pace: what slows, hastens and holds, and when that ends.
//!
//! Keeps true: of each kind only the strongest counts, a root stands over everything, and a pace
//! is a function of the effects and the instant alone.

use super::EFFECTS_MAX;

/// What an effect does to an entity's speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EffectKind {
    /// It cannot move at all.
    Root = 1,
    /// It loses percent of its speed.
    Slow = 2,
    /// It gains percent of its speed.
    Haste = 3,
    /// What it carries takes percent of its speed.
    Load = 4,
}

impl EffectKind {
    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with that number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Root),
            2 => Some(Self::Slow),
            3 => Some(Self::Haste),
            4 => Some(Self::Load),
            _ => None,
        }
    }

    /// The most percent an effect of this kind may have.
    pub const fn percent_max(self) -> u16 {
        match self {
            Self::Root => 0,
            Self::Slow | Self::Load => 90,
            Self::Haste => 200,
        }
    }
}

/// An effect on an entity's speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What it does.
    pub kind: EffectKind,
    /// By how much, percent; 0 for a root.
    pub percent: u16,
    /// When it ends, microseconds since 1970; `i64::MAX` is never.
    pub ends_at_micros: i64,
}

/// The pace of an entity: its speed on easy ground, and what changes it when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Speed on easy ground without effects, millimetres per second.
    pub speed_mm_per_s: i32,
    /// Effects that have not been removed, ended ones among them.
    pub effects: Vec<Effect>,
}

impl Pace {
    /// That speed, without effects.
    pub const fn steady(speed_mm_per_s: i32) -> Self {
        Self { speed_mm_per_s, effects: Vec::new() }
    }

    /// Percent of the speed at that instant: 0 if rooted, else (100 − slow + haste), at least 10,
    /// times (100 − load). Rounded down.
    pub fn percent_at(&self, at_micros: i64) -> u16 {
        let strongest = |kind: EffectKind| {
            let holds = |effect: &&Effect| effect.kind == kind && effect.ends_at_micros > at_micros;
            self.effects.iter().take(EFFECTS_MAX).filter(holds).map(|effect| effect.percent).max()
        };
        if strongest(EffectKind::Root).is_some() {
            return 0;
        }
        let of = |kind: EffectKind| strongest(kind).unwrap_or(0).min(kind.percent_max());
        let magic = (100 + of(EffectKind::Haste)).saturating_sub(of(EffectKind::Slow)).max(10);
        let carried = 100 - of(EffectKind::Load);
        u16::try_from(u32::from(magic) * u32::from(carried) / 100).unwrap_or(100)
    }

    /// The speed at that instant on easy ground, millimetres per second, rounded down.
    pub fn speed_at(&self, at_micros: i64) -> i32 {
        if self.effects.is_empty() {
            return self.speed_mm_per_s;
        }
        super::plan::percent(self.speed_mm_per_s, self.percent_at(at_micros))
    }

    /// When the pace changes next after that instant; `i64::MAX` is never.
    pub fn changes_after(&self, at_micros: i64) -> i64 {
        let ends = self.effects.iter().map(|effect| effect.ends_at_micros);
        ends.filter(|ends_at| *ends_at > at_micros).min().unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: EffectKind = EffectKind::Slow;
    const HASTE: EffectKind = EffectKind::Haste;
    const LOAD: EffectKind = EffectKind::Load;
    const ROOT: EffectKind = EffectKind::Root;

    fn check(effects: &[(EffectKind, u16)], percent: u16) {
        let effects = effects
            .iter()
            .map(|(kind, percent)| Effect { kind: *kind, percent: *percent, ends_at_micros: 10 })
            .collect();
        let pace = Pace { speed_mm_per_s: 1_000, effects };
        assert_eq!(pace.percent_at(9), percent, "{pace:?}");
        assert_eq!(pace.speed_at(9), i32::from(percent) * 10);
        assert_eq!((pace.percent_at(10), pace.changes_after(10)), (100, i64::MAX));
        assert_eq!(pace.changes_after(9), if pace.effects.is_empty() { i64::MAX } else { 10 });
    }

    #[test]
    fn the_strongest_of_each_kind_counts() {
        check(&[], 100);
        check(&[(SLOW, 30)], 70);
        check(&[(SLOW, 30), (SLOW, 20)], 70);
        check(&[(HASTE, 50), (HASTE, 10)], 150);
        check(&[(HASTE, 50), (SLOW, 30)], 120);
        check(&[(SLOW, 90), (SLOW, 90)], 10);
        check(&[(LOAD, 25)], 75);
        check(&[(LOAD, 25), (HASTE, 100)], 150);
        check(&[(ROOT, 0), (HASTE, 200)], 0);
        check(&[(SLOW, u16::MAX), (LOAD, u16::MAX)], 1);
        check(&[(HASTE, u16::MAX)], 300);
    }

    #[test]
    fn kinds_come_back_from_their_codes() {
        for kind in [ROOT, SLOW, HASTE, LOAD] {
            assert_eq!(EffectKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!((EffectKind::from_code(0), EffectKind::from_code(5)), (None, None));
    }
}
