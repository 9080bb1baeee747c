//! The cases of the crowd: how it stands, how often it steers, and what a peer calls the same.

use clap::ValueEnum;

use super::layout::Formation;

/// What a crowd does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Case {
    #[value(name = "spread")]
    Spread,
    #[value(name = "spread_10x10")]
    TenByTen,
    #[value(name = "packed")]
    Packed,
    #[value(name = "spread_5_per_s")]
    Spread5,
    #[value(name = "spread_10x10_5_per_s")]
    TenByTen5,
    #[value(name = "packed_5_per_s")]
    Packed5,
}

impl Case {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::TenByTen => "spread_10x10",
            Self::Packed => "packed",
            Self::Spread5 => "spread_5_per_s",
            Self::TenByTen5 => "spread_10x10_5_per_s",
            Self::Packed5 => "packed_5_per_s",
        }
    }

    pub(super) fn formation(self) -> Formation {
        match self {
            Self::Spread | Self::Spread5 => Formation::Spread,
            Self::TenByTen | Self::TenByTen5 => Formation::TenByTen,
            Self::Packed | Self::Packed5 => Formation::Packed,
        }
    }

    pub(super) fn inputs_per_s(self) -> u32 {
        match self {
            Self::Spread | Self::TenByTen | Self::Packed => 1,
            Self::Spread5 | Self::TenByTen5 | Self::Packed5 => 5,
        }
    }

    /// What a peer calls the same, and what its figures are called after its name.
    pub(super) fn peer_cases(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::TenByTen => &[("spread", "spread_10x10")],
            Self::Packed => &[("packed", "packed"), ("packed_shared", "packed_shared")],
            Self::Spread | Self::Spread5 | Self::TenByTen5 | Self::Packed5 => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_called_what_their_flags_say() {
        for case in Case::value_variants() {
            let value = case.to_possible_value().expect("named");
            assert_eq!(value.get_name(), case.name());
        }
    }
}
