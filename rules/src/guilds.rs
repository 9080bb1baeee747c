//! Guilds: members, ranks and their rights, the bank.
//!
//! Keeps true: nobody acts on an equal or a better, and nobody gives what he does not have. What a
//! rank may ([`rights`]), who may act on whom ([`ranks`]), what is taken out of a bank in a day
//! ([`bank`]), who follows a leader ([`succession`]), what activity brings ([`levels`]) and what is
//! written down ([`log`]) have their own files.

pub mod bank;
pub mod levels;
pub mod log;
pub mod ranks;
pub mod rights;
pub mod succession;

use crate::characters::{is_reserved, skeleton};
use crate::errors::domain_errors;
use crate::friends::pace::Pace;
use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};

/// Shortest name of a guild in characters.
pub const NAME_CHARS_MIN: usize = 3;
/// Longest name of a guild in characters.
pub const NAME_CHARS_MAX: usize = 30;
/// Longest name of a rank in characters.
pub const RANK_NAME_CHARS_MAX: usize = 20;
/// Longest note in characters, also of a request.
pub const NOTE_CHARS_MAX: usize = 64;
/// Longest message of the day in characters.
pub const MESSAGE_CHARS_MAX: usize = 256;
/// Most members a guild can have, whatever its level and the settings.
pub const MEMBERS_MAX: u16 = 500;
/// Most leaders a guild has at once.
pub const LEADERS_MAX: u8 = 3;
/// Most invitations of a guild that are open at once.
pub const INVITES_PER_GUILD_MAX: usize = 50;
/// Most invitations that a character can have at once.
pub const INVITES_PER_CHARACTER_MAX: usize = 10;
/// Most requests to a guild that are open at once.
pub const REQUESTS_PER_GUILD_MAX: usize = 50;
/// Most guilds a character asks at once.
pub const REQUESTS_PER_CHARACTER_MAX: usize = 3;
/// Most accounts that are told of a request, those with the highest ranks.
pub const REQUEST_TOLD_MAX: usize = 20;
/// Most accounts a guild bans.
pub const BANS_MAX: usize = 100;
/// How long a charter collects signatures, days.
pub const CHARTER_DAYS: u32 = 7;
/// How often an account may call what guilds have: what bank clerks and officers do in a hurry
/// fits in, and then two calls a second.
pub const PACE: Pace = Pace { burst: 60, interval_micros: 500_000 };
/// How many rows a page of a list has at most.
pub const PAGE_ROWS: usize = 50;

/// A list that members ask for. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum List {
    /// Members and their notes, by number.
    Notes = 1,
    /// The log, the newest line first.
    Log = 2,
    /// Who asks to be let in.
    Requests = 3,
    /// Who is invited.
    Invites = 4,
    /// Who is banned.
    Bans = 5,
}

impl List {
    /// Every list.
    pub const ALL: [Self; 5] = [Self::Notes, Self::Log, Self::Requests, Self::Invites, Self::Bans];

    /// The list of that number.
    ///
    /// # Errors
    /// `ListUnknown`.
    pub fn from_code(code: u8) -> Result<Self, GuildError> {
        let list = Self::ALL.into_iter().find(|list| *list as u8 == code);
        list.ok_or(GuildError::ListUnknown)
    }

    /// The right that it needs besides membership.
    pub const fn right(self) -> Option<rights::Right> {
        match self {
            Self::Notes => None,
            Self::Log => Some(rights::Right::Log),
            Self::Requests | Self::Invites => Some(rights::Right::Invite),
            Self::Bans => Some(rights::Right::Ban),
        }
    }
}

domain_errors! {
    /// Why something about guilds was refused.
    GuildError {
        CharacterAbsent = 1100, "guild.not_in_world", "the caller has no character in the world";
        NoGuild = 1101, "guild.none", "the caller's character is in no guild";
        HasGuild = 1102, "guild.has_guild", "the character is in a guild already";
        RightMissing = 1103, "guild.right_missing", "the caller's rank may not do that";
        LeadersOnly = 1104, "guild.leaders_only", "a guild's leaders alone may do that";
        NameLength = 1105, "guild.name_length", "a name has 3 to 30 characters, that of a rank 1 to 20";
        NameLetters = 1106, "guild.name_letters", "a name has words of letters, single ' or - within them, and single spaces between them";
        NameScripts = 1107, "guild.name_scripts", "a name's letters belong to one script";
        NameReserved = 1108, "guild.name_reserved", "a word of that name is reserved";
        NameTaken = 1109, "guild.name_taken", "a guild has that name or one that looks like it";
        TextInvalid = 1110, "guild.text_invalid", "a note has at most 64 characters, a message 256, all of them printable";
        EmblemInvalid = 1111, "guild.emblem_invalid", "there is no such symbol, border or colour";
        ListUnknown = 1112, "guild.list_unknown", "there is no such list";
        SignaturesMissing = 1113, "guild.signatures_missing", "the charter of that name has too few signatures";
        CharterUnknown = 1114, "guild.charter_unknown", "there is no such charter";
        CharterFull = 1115, "guild.charter_full", "the charter has all the signatures it needs";
        Unknown = 1116, "guild.unknown", "there is no such guild";
        TargetUnknown = 1117, "guild.target_unknown", "there is no such character, or it is no member of the guild";
        TargetSelf = 1118, "guild.target_self", "nobody does that to himself";
        RankTooHigh = 1119, "guild.rank_too_high", "the rank is not below the caller's";
        RankLowest = 1120, "guild.rank_lowest", "there is no rank below";
        RankUnknown = 1121, "guild.rank_unknown", "the guild has no such rank";
        RanksTooMany = 1122, "guild.ranks_too_many", "a guild has at most 10 ranks";
        RanksTooFew = 1123, "guild.ranks_too_few", "a guild has at least 2 ranks";
        RankInUse = 1124, "guild.rank_in_use", "a member has that rank";
        GrantInvalid = 1125, "guild.grant_invalid", "a rank has a limit of items for each of six tabs";
        GrantTooHigh = 1126, "guild.grant_too_high", "a rank is given nothing that the caller's own lacks";
        Banned = 1127, "guild.banned", "the guild has banned the account";
        BanUnknown = 1128, "guild.ban_unknown", "the guild has not banned that character's account";
        BansTooMany = 1129, "guild.bans_too_many", "a guild bans at most 100 accounts";
        InviteUnknown = 1130, "guild.invite_unknown", "there is no such invitation, or it has ended";
        InvitesTooMany = 1131, "guild.invites_too_many", "the guild or the character has too many open invitations";
        RequestUnknown = 1132, "guild.request_unknown", "there is no such request, or it has ended";
        RequestsTooMany = 1133, "guild.requests_too_many", "the guild or the character has too many open requests";
        Full = 1134, "guild.full", "the guild has as many members as its level lets it have";
        LeaderStays = 1135, "guild.leader_stays", "a guild's last leader cannot leave it";
        LeadersTooMany = 1136, "guild.leaders_too_many", "a guild has at most 3 leaders";
        LeaderActive = 1137, "guild.leader_active", "a leader was there not long ago, or nobody could follow";
        BankNotEmpty = 1138, "guild.bank_not_empty", "there are still coins or items in the guild's bank";
        TabUnknown = 1139, "guild.tab_unknown", "the guild's bank has no such tab";
        TabsTooMany = 1140, "guild.tabs_too_many", "the guild has as many tabs as its level lets it have";
        TabForbidden = 1141, "guild.tab_forbidden", "the caller's rank may not do that with the tab";
        ItemsSpent = 1142, "guild.items_spent", "the rank takes no more items of that tab for now";
        CopperSpent = 1143, "guild.copper_spent", "the rank takes no more coins for now";
        ViewersTooMany = 1144, "guild.viewers_too_many", "too many members look at that tab";
        TooFast = 1145, "guild.too_fast", "the caller has done that too often for now";
    }
}

/// A name that may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuildName {
    /// As players see it: as typed, in normal form KC.
    pub display: String,
    /// What must be unique: case, spaces, marks and look-alike letters folded together.
    pub skeleton: String,
}

/// Decides whether a guild may have that name.
///
/// # Errors
/// In this order: `NameLength`, `NameLetters`, `NameScripts`, `NameReserved`.
pub fn validate_name(name: &str) -> Result<GuildName, GuildError> {
    if name.len() > NAME_CHARS_MAX * 8 {
        return Err(GuildError::NameLength);
    }
    let display: String = name.nfkc().collect();
    if !(NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&display.chars().count()) {
        return Err(GuildError::NameLength);
    }
    let is_part = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let is_word = |word: &str| word.split(['\'', '-']).all(is_part);
    if !display.split(' ').all(is_word) {
        return Err(GuildError::NameLetters);
    }
    let mut scripts = display
        .chars()
        .map(|letter| letter.script())
        .filter(|script| !matches!(script, Script::Common | Script::Inherited));
    let first = scripts.next().ok_or(GuildError::NameLetters)?;
    if scripts.any(|script| script != first) {
        return Err(GuildError::NameScripts);
    }
    let folded = skeleton(&display.replace(' ', ""));
    let is_word_reserved = display.split(' ').any(|word| is_reserved(&skeleton(word)));
    if is_word_reserved || is_reserved(&folded) {
        return Err(GuildError::NameReserved);
    }
    Ok(GuildName { display, skeleton: folded })
}

/// The name of a rank as it is stored.
///
/// # Errors
/// In this order: `NameLength`, `NameLetters`.
pub fn validate_rank_name(name: &str) -> Result<String, GuildError> {
    if name.len() > RANK_NAME_CHARS_MAX * 8 {
        return Err(GuildError::NameLength);
    }
    let name: String = name.nfkc().collect();
    if !(1..=RANK_NAME_CHARS_MAX).contains(&name.chars().count()) {
        return Err(GuildError::NameLength);
    }
    let is_part = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let is_word = |word: &str| word.split(['\'', '-']).all(is_part);
    if name.split(' ').all(is_word) { Ok(name) } else { Err(GuildError::NameLetters) }
}

/// A text as it is stored: normal form C, without spaces around it. It may be empty.
///
/// # Errors
/// `TextInvalid`.
pub fn validate_text(text: &str, chars_max: usize) -> Result<String, GuildError> {
    if text.len() > chars_max * 8 {
        return Err(GuildError::TextInvalid);
    }
    let text: String = text.trim().nfc().collect();
    let is_shown = |letter: char| !letter.is_control() && !is_steering(letter);
    let is_good = text.chars().count() <= chars_max && text.chars().all(is_shown);
    if is_good { Ok(text) } else { Err(GuildError::TextInvalid) }
}

/// Whether a character is not seen but changes how others are: marks of direction and the like.
const fn is_steering(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}')
}

/// How many symbols, borders and colours there are to choose from.
pub const EMBLEM_SYMBOLS: u8 = 128;
/// See above.
pub const EMBLEM_BORDERS: u8 = 16;
/// See above.
pub const EMBLEM_COLORS: u8 = 64;

/// Refuses what clients cannot draw: a symbol and its colour, a border and its colour, a ground.
///
/// # Errors
/// `EmblemInvalid`.
pub fn check_emblem(
    (symbol, symbol_color): (u8, u8),
    (border, border_color): (u8, u8),
    ground_color: u8,
) -> Result<(), GuildError> {
    let colors = [symbol_color, border_color, ground_color];
    let is_good = symbol < EMBLEM_SYMBOLS
        && border < EMBLEM_BORDERS
        && colors.iter().all(|color| *color < EMBLEM_COLORS);
    if is_good { Ok(()) } else { Err(GuildError::EmblemInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_follow_the_rules() {
        for (name, expected) in [
            ("The Quiet Oak", Ok("The Quiet Oak")),
            ("Ó Briain's Own", Ok("Ó Briain's Own")),
            ("Абв где", Ok("Абв где")),
            ("ab", Err(GuildError::NameLength)),
            ("", Err(GuildError::NameLength)),
            (" ab", Err(GuildError::NameLetters)),
            ("ab ", Err(GuildError::NameLetters)),
            ("a  b", Err(GuildError::NameLetters)),
            ("a\tb", Err(GuildError::NameLetters)),
            ("Guild 7", Err(GuildError::NameLetters)),
            ("a\u{200b}bc", Err(GuildError::NameLetters)),
            ("--- ---", Err(GuildError::NameLetters)),
            ("Pаul's Men", Err(GuildError::NameScripts)),
            ("The Staff", Err(GuildError::NameReserved)),
            ("Game Master", Err(GuildError::NameReserved)),
            ("ADMlN of Oak", Err(GuildError::NameReserved)),
        ] {
            let got = validate_name(name);
            assert_eq!(got.as_ref().map(|name| name.display.as_str()), expected.as_ref().copied());
        }
        for long in [31, 1_000_000] {
            assert_eq!(validate_name(&"x".repeat(long)), Err(GuildError::NameLength));
        }
        let skeleton_of = |name| validate_name(name).map(|name| name.skeleton);
        assert_eq!(skeleton_of("Quiet Oak"), skeleton_of("QuIet-oak"));
        assert_eq!(skeleton_of("Quiet Oak"), skeleton_of("quietoak"));
        assert_ne!(skeleton_of("Quiet Oak"), skeleton_of("Quiet Oaks"));
    }

    #[test]
    fn texts_are_short_and_printable() {
        assert_eq!(validate_text("  Hello, all!  ", 20), Ok("Hello, all!".to_owned()));
        assert_eq!(validate_text("", 20), Ok(String::new()));
        assert_eq!(validate_text(&"ä".repeat(20), 20), Ok("ä".repeat(20)));
        for bad in ["a\nb", "a\u{202e}b", "a\u{200b}b", "a\u{7}b", &"x".repeat(21)] {
            assert_eq!(validate_text(bad, 20), Err(GuildError::TextInvalid), "{bad:?}");
        }
        assert_eq!(validate_rank_name("Old Guard"), Ok("Old Guard".to_owned()));
        assert_eq!(validate_rank_name(""), Err(GuildError::NameLength));
        assert_eq!(validate_rank_name(&"x".repeat(21)), Err(GuildError::NameLength));
        assert_eq!(validate_rank_name("a1"), Err(GuildError::NameLetters));
    }

    #[test]
    fn emblems_are_bounded() {
        assert_eq!(check_emblem((127, 63), (15, 63), 63), Ok(()));
        for (symbol, border, ground) in [
            ((128, 0), (0, 0), 0),
            ((0, 64), (0, 0), 0),
            ((0, 0), (16, 0), 0),
            ((0, 0), (0, 64), 0),
            ((0, 0), (0, 0), 64),
            ((255, 255), (255, 255), 255),
        ] {
            assert_eq!(check_emblem(symbol, border, ground), Err(GuildError::EmblemInvalid));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_stored_is_bounded(text in any::<String>()) {
            if let Ok(name) = validate_name(&text) {
                prop_assert!((3..=30).contains(&name.display.chars().count()));
                prop_assert_eq!(validate_name(&name.display), Ok(name));
            }
            if let Ok(text) = validate_text(&text, 64) {
                prop_assert!(text.chars().count() <= 64);
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
