//! The one shape of every refusal: a fixed number, a stable code, a sentence.
//!
//! Keeps true: numbers lie in the block of 100 of their domain and are never reused; the message of
//! a refusal is `code: sentence`, and clients branch on what stands before the colon.

/// Declares a domain's errors in the order they are checked.
macro_rules! domain_errors {
    ($(#[$meta:meta])* $name:ident {
        $($variant:ident = $number:literal, $code:literal, $text:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum $name {
            $(#[doc = $text] $variant = $number,)*
        }

        impl $name {
            /// Every error of the domain, in the order they are checked.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code: what stands before the colon of the message.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The fixed number, within the domain's block of 100.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// What the code means, one sentence.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(formatter, "{}: {}", self.code(), self.text())
            }
        }

        impl core::error::Error for $name {}
    };
}

pub(crate) use domain_errors;

/// One line of the list of all errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorEntry {
    /// The fixed number.
    pub number: u16,
    /// The stable code.
    pub code: &'static str,
    /// What it means.
    pub text: &'static str,
}

macro_rules! entries {
    ($($error:path),*) => {
        [$(<$error>::ALL.iter().map(|error| ErrorEntry {
            number: error.number(),
            code: error.code(),
            text: error.text(),
        }).collect::<Vec<_>>()),*].concat()
    };
}

/// Every error a reducer of Haven can answer with, by domain.
pub fn all() -> Vec<ErrorEntry> {
    entries!(
        crate::accounts::AccountError,
        crate::realms::RealmError,
        crate::characters::CharacterError,
        crate::world::WorldError,
        crate::motion::MotionError,
        crate::combat::aim::CombatError,
        crate::npcs::NpcError,
        crate::items::ItemError,
        crate::economy::EconomyError,
        crate::economy::market::MarketError,
        crate::mail::MailError,
        crate::guilds::GuildError,
        crate::parties::PartyError,
        crate::friends::FriendError,
        crate::chat::ChatError,
        crate::leaderboards::LeaderboardError,
        crate::instances::InstanceError,
        crate::notices::NoticeError,
        crate::content::versions::ContentError,
        crate::commands::CommandError
    )
}

/// The code of a refusal's message: what stands before the first colon, if it is one of ours.
pub fn code_of(message: &str) -> Option<&'static str> {
    let head = message.split(':').next()?;
    all().into_iter().map(|entry| entry.code).find(|code| *code == head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_are_unique_and_rise_within_their_domain() {
        let all = all();
        for pair in all.windows(2) {
            assert!(pair[0].number < pair[1].number, "{pair:?}");
        }
        let mut codes: Vec<_> = all.iter().map(|entry| entry.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len());
    }

    #[test]
    fn the_code_stands_before_the_colon() {
        for entry in all() {
            assert_eq!(code_of(&format!("{}: {}", entry.code, entry.text)), Some(entry.code));
        }
        assert_eq!(code_of("the database is on fire: really"), None);
    }
}
