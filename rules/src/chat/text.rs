//! Texts of messages: what may be written, and where links belong.
//!
//! Keeps true: a text that passed is in normal form C, has no control characters, nothing that
//! turns the direction of what is around it, and no heap of marks on one letter.

use super::{ChatError, LINKS_MAX, REASON_CHARS_MAX, TEXT_CHARS_MAX};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Where a link belongs in the text: the object replacement character.
pub const LINK_MARK: char = '\u{fffc}';
/// Most marks on one letter.
const MARKS_MAX: u32 = 3;

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkKind {
    /// An item of the speaker's own: what it is made of is shown.
    Item = 1,
    /// A character: its name is shown.
    Character = 2,
}

impl LinkKind {
    /// The kind with that number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Item),
            2 => Some(Self::Character),
            _ => None,
        }
    }
}

/// A message's text as it is stored: blanks around it are gone.
///
/// # Errors
/// In this order: `TextLength`, `TextLetters`, `LinksInvalid` unless each link has its mark.
pub fn validate_text(text: &str, links: usize) -> Result<String, ChatError> {
    let text = tidy(text, TEXT_CHARS_MAX, ChatError::TextLength)?;
    let marks = text.chars().filter(|letter| *letter == LINK_MARK).count();
    if links > LINKS_MAX || marks != links {
        return Err(ChatError::LinksInvalid);
    }
    Ok(text)
}

/// A reason as it is stored.
///
/// # Errors
/// In this order: `ReasonLength`, `TextLetters`.
pub fn validate_reason(reason: &str) -> Result<String, ChatError> {
    tidy(reason, REASON_CHARS_MAX, ChatError::ReasonLength)
}

fn tidy(text: &str, chars_max: usize, too_long: ChatError) -> Result<String, ChatError> {
    if text.len() > chars_max * 8 {
        return Err(too_long);
    }
    let text: String = text.trim().nfc().filter(|letter| !is_invisible(*letter)).collect();
    let text = text.trim().to_owned();
    if !(1..=chars_max).contains(&text.chars().count()) {
        return Err(too_long);
    }
    let mut marks = 0;
    for letter in text.chars() {
        marks = if is_combining_mark(letter) { marks + 1 } else { 0 };
        if letter.is_control() || turns_direction(letter) || marks > MARKS_MAX {
            return Err(ChatError::TextLetters);
        }
    }
    Ok(text)
}

/// What takes no room and can hide a word within another: left out. Joiners stay, because emoji and
/// some scripts need them.
pub(super) const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}

const fn turns_direction(letter: char) -> bool {
    matches!(
        letter,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}' | '\u{61c}'
    )
}

/// Folds case, blanks and look-alike letters, for names that must not be taken for one another.
pub fn skeleton(name: &str) -> String {
    let lower = name.to_lowercase();
    let folded: String = unicode_security::skeleton(&lower).collect();
    folded
        .to_lowercase()
        .nfd()
        .filter(|letter| letter.is_alphanumeric())
        .map(|letter| if matches!(letter, 'i' | 'ı' | '1') { 'l' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_tidied_and_bounded() {
        let long = "ä".repeat(TEXT_CHARS_MAX);
        for (text, links, expected) in [
            ("Hello there.", 0, Ok("Hello there.")),
            ("  Hello  there.  ", 0, Ok("Hello  there.")),
            ("", 0, Err(ChatError::TextLength)),
            (" \u{200b} ", 0, Err(ChatError::TextLength)),
            (long.as_str(), 0, Ok(long.as_str())),
            (&format!("{long}x"), 0, Err(ChatError::TextLength)),
            (&"x".repeat(100_000), 0, Err(ChatError::TextLength)),
            ("one\ntwo", 0, Err(ChatError::TextLetters)),
            ("bell \u{7}", 0, Err(ChatError::TextLetters)),
            ("back \u{202e}wards", 0, Err(ChatError::TextLetters)),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}", 0, Err(ChatError::TextLetters)),
            ("e\u{301}", 0, Ok("é")),
            ("👩\u{200d}🔬", 0, Ok("👩\u{200d}🔬")),
            ("look: \u{fffc}", 1, Ok("look: \u{fffc}")),
            ("look: \u{fffc}", 0, Err(ChatError::LinksInvalid)),
            ("look", 1, Err(ChatError::LinksInvalid)),
            ("\u{fffc}\u{fffc}\u{fffc}\u{fffc}\u{fffc}", 5, Err(ChatError::LinksInvalid)),
        ] {
            assert_eq!(
                validate_text(text, links).as_deref(),
                expected.as_ref().copied(),
                "{text:?}"
            );
        }
        assert_eq!(validate_reason(" rude "), Ok("rude".to_owned()));
        assert_eq!(validate_reason(""), Err(ChatError::ReasonLength));
        assert_eq!(validate_reason(&"x".repeat(201)), Err(ChatError::ReasonLength));
    }

    proptest! {
        /// What passed passes again, unchanged.
        #[test]
        fn tidying_is_done_once(text in "\\PC{0,300}") {
            let links = text.chars().filter(|letter| *letter == LINK_MARK).count();
            if let Ok(tidied) = validate_text(&text, links) {
                prop_assert!(tidied.chars().count() <= TEXT_CHARS_MAX);
                prop_assert_eq!(validate_text(&tidied, links), Ok(tidied));
            }
        }
    }
}
