//! Words that are hidden or refused, and addresses.
//!
//! A word is looked for in the text as it reads, not as it is spelled: case, accents, look-alike
//! letters, digits for letters and letters that are dragged out are folded, and blanks within a
//! spelled-out word are passed over. One pass finds all words at once (Aho–Corasick).
//! Keeps true: masking changes no more than the letters of what was found, and hides it for good:
//! what is masked has nothing left to find.

use super::text::is_invisible;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What stands for a letter of a masked word.
const MASK: char = '*';
/// Endings by which a word with a dot is an address, besides those that say so at their beginning.
const ENDINGS: &[&str] = &[
    "biz", "click", "com", "de", "dev", "eu", "gg", "info", "io", "link", "me", "net", "online",
    "org", "ru", "shop", "site", "store", "tk", "top", "tv", "uk", "us", "xyz",
];

/// What a filter says of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// The text with the found words masked.
    Masked(String),
    /// A word was found that is not said.
    Refused,
}

struct Word {
    is_whole: bool,
    is_refused: bool,
}

/// A list of words, ready to look for.
pub struct Filter {
    words: Vec<Word>,
    search: Option<AhoCorasick>,
}

impl Filter {
    /// A filter of words: each as it is written, whether only the whole word counts, and whether it
    /// is refused in place of being masked.
    pub fn new<'a>(words: impl IntoIterator<Item = (&'a str, bool, bool)>) -> Self {
        let (mut patterns, mut kept) = (vec![], vec![]);
        for (word, is_whole, is_refused) in words {
            let folded: String = fold(word).into_iter().map(|(letter, _)| letter).collect();
            let pattern: String = folded.split_whitespace().collect::<Vec<_>>().join(" ");
            if !pattern.is_empty() {
                patterns.push(pattern);
                kept.push(Word { is_whole, is_refused });
            }
        }
        let search = AhoCorasickBuilder::new().match_kind(MatchKind::Standard).build(&patterns);
        Self { words: kept, search: search.ok().filter(|_| !patterns.is_empty()) }
    }

    /// Whether nothing is found in a text.
    pub fn is_clean(&self, text: &str) -> bool {
        self.judge(text) == Verdict::Clean
    }

    /// Looks for all words.
    pub fn judge(&self, text: &str) -> Verdict {
        let Some(search) = &self.search else { return Verdict::Clean };
        let letters: Vec<char> = text.chars().collect();
        let mut is_hidden = vec![false; letters.len()];
        let folded = fold(text);
        // As it is written, and with what separates single letters taken out: `b a d`.
        for folded in [spelled_out(&folded), folded] {
            if self.mark(search, &folded, &mut is_hidden) {
                return Verdict::Refused;
            }
        }
        if !is_hidden.contains(&true) {
            return Verdict::Clean;
        }
        let shown = letters.iter().zip(&is_hidden).map(|(letter, is_hidden)| {
            if *is_hidden && !letter.is_whitespace() { MASK } else { *letter }
        });
        let shown: String = shown.collect();
        // What stood beside a masked word may be a whole one now. Each round hides letters.
        if shown == text {
            return Verdict::Clean;
        }
        match self.judge(&shown) {
            Verdict::Clean => Verdict::Masked(shown),
            found @ (Verdict::Masked(_) | Verdict::Refused) => found,
        }
    }

    /// Marks the letters of all that is found; true where it is refused.
    fn mark(&self, search: &AhoCorasick, folded: &[(char, usize)], hidden: &mut [bool]) -> bool {
        let text: String = folded.iter().map(|(letter, _)| *letter).collect();
        // Where each letter begins in bytes, to find it again.
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let is_part = |index: Option<usize>| {
            let letter = index.and_then(|index| folded.get(index));
            letter.is_some_and(|(letter, _)| letter.is_alphanumeric())
        };
        for found in search.find_overlapping_iter(&text) {
            let first = starts.partition_point(|start| *start < found.start());
            let end = starts.partition_point(|start| *start < found.end());
            let Some(word) = self.words.get(found.pattern().as_usize()) else { continue };
            let is_within = is_part(first.checked_sub(1)) || is_part(Some(end));
            if word.is_whole && is_within {
                continue;
            }
            if word.is_refused {
                return true;
            }
            let (Some(from), Some(to)) = (folded.get(first), folded.get(end - 1)) else { continue };
            hidden[from.1..=to.1].fill(true);
        }
        false
    }
}

/// The letters of a text as they read, each with the number of the letter it came from. A letter
/// three times or more is one that is dragged out.
fn fold(text: &str) -> Vec<(char, usize)> {
    let mut folded: Vec<(char, usize)> = vec![];
    for (index, letter) in text.chars().enumerate() {
        if is_invisible(letter) || matches!(letter, '\u{200c}' | '\u{200d}') {
            continue;
        }
        for letter in letter.nfkd().flat_map(char::to_lowercase) {
            if is_combining_mark(letter) {
                continue;
            }
            for letter in unicode_security::skeleton(letter.encode_utf8(&mut [0; 4])) {
                for letter in letter.to_lowercase().map(as_letter) {
                    folded.push((letter, index));
                }
            }
        }
    }
    let mut kept: Vec<(char, usize)> = Vec::with_capacity(folded.len());
    for (place, (letter, index)) in folded.iter().copied().enumerate() {
        // Before a letter these are one themselves, after a word they end it.
        let next = folded.get(place + 1);
        let is_stroke =
            matches!(letter, '!' | '|') && next.is_some_and(|(letter, _)| letter.is_alphanumeric());
        let letter = if is_stroke { 'l' } else { letter };
        let run = kept.iter().rev().take_while(|(before, _)| *before == letter).count();
        if run < 2 || !letter.is_alphabetic() {
            kept.push((letter, index));
        }
    }
    kept
}

/// Digits and signs that are read as letters.
const fn as_letter(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | 'i' | 'ı' => 'l',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        _ => letter,
    }
}

/// The same with what stands between single letters left out, so that `b a d` and `b.a.d` read as
/// one word; whole words stay apart.
fn spelled_out(folded: &[(char, usize)]) -> Vec<(char, usize)> {
    let is_letter = |index: usize| {
        let letter = folded.get(index);
        letter.is_some_and(|(letter, _)| letter.is_alphanumeric())
    };
    let is_single = |index: usize| {
        is_letter(index) && !is_letter(index + 1) && (index == 0 || !is_letter(index - 1))
    };
    let between = |index: usize| {
        index > 0 && !is_letter(index) && is_single(index - 1) && is_single(index + 1)
    };
    folded.iter().enumerate().filter(|(index, _)| !between(*index)).map(|(_, kept)| *kept).collect()
}

/// Whether a text has an address: something with a scheme, with `www.`, or with a dot and one of
/// the usual endings.
pub fn has_address(text: &str) -> bool {
    let folded: String =
        text.nfkc().flat_map(char::to_lowercase).filter(|letter| !is_invisible(*letter)).collect();
    if folded.contains("://") || folded.contains("www.") {
        return true;
    }
    let dotted = folded.replace("(dot)", ".").replace("[dot]", ".").replace(['。', '．'], ".");
    dotted
        .split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '.' | '-')))
        .any(is_host)
}

fn is_host(word: &str) -> bool {
    let word = word.trim_matches('.');
    let Some((host, ending)) = word.rsplit_once('.') else { return false };
    host.chars().any(char::is_alphanumeric) && !host.ends_with('.') && ENDINGS.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter() -> Filter {
        Filter::new([
            ("dratted", false, false),
            ("oaf", true, false),
            ("vile slur", true, true),
            ("", true, true),
        ])
    }

    fn masked(text: &str) -> Verdict {
        Verdict::Masked(text.to_owned())
    }

    #[test]
    fn words_are_found_as_they_read() {
        for (text, expected) in [
            ("a fine day", Verdict::Clean),
            ("", Verdict::Clean),
            ("you oaf", masked("you ***")),
            ("you OAF!", masked("you ***!")),
            ("you 0af", masked("you ***")),
            ("you ôâf", masked("you ***")),
            ("you o a f", masked("you * * *")),
            ("you o.a.f", masked("you *****")),
            ("you o\u{200d}af", masked("you ****")),
            ("a loaf of bread", Verdict::Clean),
            ("oafish", Verdict::Clean),
            ("this dratted door", masked("this ******* door")),
            ("undrattedly", masked("un*******ly")),
            ("dratttttted", masked("***********")),
            ("oafdratted", masked("**********")),
            ("a vile slur", Verdict::Refused),
            ("a v1le $lur", Verdict::Refused),
            ("vile slurry", Verdict::Clean),
            ("оаf", masked("***")),
        ] {
            assert_eq!(filter().judge(text), expected, "{text:?}");
        }
        assert_eq!(Filter::new([]).judge("oaf"), Verdict::Clean);
    }

    #[test]
    fn addresses_are_told_from_sentences() {
        for (text, expected) in [
            ("see https://example.org/x", true),
            ("see www.example.museum", true),
            ("buy at gold-shop.com!", true),
            ("gold(dot)example.net", true),
            ("GOLD．COM", true),
            ("the end.Come on", false),
            ("well... me?", false),
            ("3.5 gold", false),
            ("Mr.Bones", false),
            (".com", false),
            ("e.g. this", false),
        ] {
            assert_eq!(has_address(text), expected, "{text:?}");
        }
    }

    proptest! {
        /// As many letters as before, others only where they are masked, and nothing left to find.
        #[test]
        fn masking_changes_only_what_it_hides(text in "[a-z0-9 .oafdrte@ÄäО]{0,60}") {
            if let Verdict::Masked(shown) = filter().judge(&text) {
                prop_assert_eq!(shown.chars().count(), text.chars().count());
                for (before, after) in text.chars().zip(shown.chars()) {
                    prop_assert!(before == after || after == MASK);
                }
                prop_assert_eq!(filter().judge(&shown), Verdict::Clean);
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,80}") {
            let _ = (filter().judge(&text), has_address(&text));
        }
    }
}
