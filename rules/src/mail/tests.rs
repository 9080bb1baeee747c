//! Tables of cases, and that value is neither made nor lost on any way a letter can go.

use super::fate::{Letter, at_the_end, goes_when_empty, may_go_back};
use super::*;
use proptest::prelude::*;

fn asked(item_ids: &[u64], copper: u64, cod_copper: u64) -> Asked<'_> {
    Asked { item_ids, copper, cod_copper }
}

#[test]
fn a_letter_holds_so_much_and_asks_cash_for_items_alone() {
    let twelve: Vec<u64> = (1..=12).collect();
    let thirteen: Vec<u64> = (1..=13).collect();
    for (wanted, expected) in [
        (asked(&[], 0, 0), Ok(())),
        (asked(&twelve, 5, 0), Ok(())),
        (asked(&[7], 0, 5), Ok(())),
        (asked(&thirteen, 0, 0), Err(MailError::AttachmentsTooMany)),
        (asked(&[7, 8, 7], 0, 0), Err(MailError::AttachmentTwice)),
        (asked(&[], 0, 5), Err(MailError::CodInvalid)),
        (asked(&[7], 1, 5), Err(MailError::CodInvalid)),
    ] {
        assert_eq!(validate_goods(wanted), expected, "{wanted:?}");
    }
    for (copper, cod_copper, good) in [
        (COPPER_MAX, 0, true),
        (0, COPPER_MAX, true),
        (COPPER_MAX + 1, 0, false),
        (0, u64::MAX, false),
    ] {
        assert_eq!(validate_amounts(asked(&[7], copper, cod_copper)).is_ok(), good);
    }
}

#[test]
fn subjects_are_one_line_and_texts_are_what_can_be_read() {
    let long = "ä".repeat(SUBJECT_CHARS_MAX);
    for (subject, good) in [
        ("Hello", true),
        (long.as_str(), true),
        (&format!("{long}x"), false),
        ("", false),
        ("   ", false),
        ("two\nlines", false),
        ("a\u{202E}b", false),
        ("a\u{0}b", false),
    ] {
        assert_eq!(validate_subject(subject).is_ok(), good, "{subject:?}");
    }
    assert_eq!(validate_subject("e\u{301}"), Ok("é".to_owned()));
    let long = "x".repeat(TEXT_CHARS_MAX);
    for (text, good) in [
        ("", true),
        ("two\nlines", true),
        (long.as_str(), true),
        (&format!("{long}x"), false),
        ("a\rb", false),
        ("a\u{2066}b", false),
    ] {
        assert_eq!(validate_text(text).is_ok(), good, "{text:?}");
    }
    assert_eq!(validate_text(&"x".repeat(1 << 20)), Err(MailError::TextInvalid));
    assert_eq!(tidy_word("Ann\n\u{202E}'s"), "Ann's");
    assert_eq!(tidy_word(&"x".repeat(500)).len(), WORD_CHARS_MAX);
}

#[test]
fn postage_is_a_base_and_something_for_each_stack() {
    for (base, each, attachments, expected) in [
        (30, 30, 0, 30),
        (30, 30, 12, 390),
        (0, 0, 12, 0),
        (u64::MAX, 30, 12, u64::MAX),
        (1, u64::MAX, 2, u64::MAX),
    ] {
        assert_eq!(postage(base, each, attachments), expected);
    }
}

#[test]
fn what_changes_account_takes_its_time() {
    for (has_value, is_same_account, expected) in
        [(true, false, 7), (true, true, 0), (false, false, 0), (false, true, 0)]
    {
        assert_eq!(delay_micros(has_value, is_same_account, 7), expected);
    }
}

#[test]
fn letters_stay_for_30_days_3_where_cash_is_asked_and_90_of_staff() {
    for (kind, asks_cash, days) in [
        (LetterKind::Player, false, 30),
        (LetterKind::Player, true, 3),
        (LetterKind::Realm, false, 30),
        (LetterKind::Staff, false, 90),
    ] {
        assert_eq!(expires_at_micros(kind, asks_cash, 5), 5 + days * DAY_MICROS);
        assert_eq!(expires_at_micros(kind, asks_cash, i64::MAX), i64::MAX);
    }
}

#[test]
fn a_mailbox_takes_a_hundred() {
    assert!(has_room(0) && has_room(99));
    assert!(!has_room(100) && !has_room(u16::MAX));
}

#[test]
fn a_letter_goes_back_once_is_lost_and_found_or_has_nothing_in_it() {
    use LetterKind::{Player, Realm, Staff};
    for (kind, is_returned, is_paid, has_value, expected) in [
        (Player, false, false, true, Fate::Back),
        (Player, true, false, true, Fate::Lost),
        (Player, false, true, true, Fate::Lost),
        (Player, true, true, true, Fate::Lost),
        (Realm, false, false, true, Fate::Lost),
        (Staff, false, false, true, Fate::Lost),
        (Player, false, false, false, Fate::Drop),
        (Player, true, false, false, Fate::Drop),
        (Player, false, true, false, Fate::Drop),
        (Realm, false, false, false, Fate::Drop),
        (Staff, false, false, false, Fate::Drop),
    ] {
        let letter = Letter { kind, is_returned, is_paid, has_value };
        assert_eq!(at_the_end(letter), expected, "{letter:?}");
        assert_eq!(may_go_back(letter), expected == Fate::Back, "{letter:?}");
    }
    for kind in [Player, Realm, Staff] {
        assert_eq!(LetterKind::from_code(kind as u8), kind);
        assert_eq!(goes_when_empty(kind), kind == Realm);
    }
    assert_eq!(LetterKind::from_code(0), Realm);
}

#[test]
fn keys_are_in_the_order_of_instants() {
    assert!(due_key(1, u64::MAX) < due_key(2, 0));
    assert!(due_keys(5).contains(&due_key(5, u64::MAX)));
    assert!(!due_keys(5).contains(&due_key(6, 0)));
    assert!(due_keys(0).contains(&due_key(i64::MIN, 7)));
}

/// What can happen to a letter. Numbers say which, modulo how many there are.
#[derive(Clone, Copy, Debug)]
enum Event {
    Send {
        from: usize,
        to: usize,
        kind: u8,
        copper: u64,
        cod_copper: u64,
    },
    Deliver(usize),
    Take(usize),
    /// Pays what is asked, and leaves everything in the letter.
    Pay(usize),
    Return(usize),
    Expire(usize),
    Delete(usize),
    Remove(usize),
    Claim(usize),
}

const PEOPLE: usize = 3;
const BOX: usize = 4;

/// A letter of the model: `to` and `from` are people; coins and one item are in it.
#[derive(Clone, Debug)]
struct Sent {
    kind: LetterKind,
    from: usize,
    to: usize,
    copper: u64,
    item: u64,
    cod_copper: u64,
    is_delivered: bool,
    is_returned: bool,
    is_paid: bool,
    ends: u8,
}

impl Sent {
    fn letter(&self) -> Letter {
        let has_value = self.copper > 0 || self.item > 0;
        let Self { kind, is_returned, is_paid, .. } = *self;
        Letter { kind, is_returned, is_paid, has_value }
    }
}

/// People with coins and items, what is lost of them, and who is gone.
#[derive(Clone, Debug)]
struct World {
    held: [(u64, u64); PEOPLE],
    lost: [(u64, u64); PEOPLE],
    is_gone: [bool; PEOPLE],
    letters: Vec<Sent>,
}

impl World {
    fn total(&self) -> (u64, u64) {
        let letters = self.letters.iter().map(|sent| (sent.copper, sent.item));
        let all = self.held.iter().copied().chain(self.lost).chain(letters);
        all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn has_room(&self, person: usize) -> bool {
        !self.is_gone[person] && self.letters.iter().filter(|sent| sent.to == person).count() < BOX
    }

    fn lose(&mut self, person: usize, sent: &Sent) {
        self.lost[person].0 += sent.copper;
        self.lost[person].1 += sent.item;
    }

    fn send(&mut self, from: usize, to: usize, kind: u8, copper: u64, cod_copper: u64) {
        let kind = LetterKind::from_code(kind);
        let item = u64::from(self.held[from].1 > 0);
        let asked = asked(if item > 0 { &[1] } else { &[] }, copper, cod_copper);
        let is_possible = !self.is_gone[from] && self.held[from].0 >= copper;
        if from == to || !is_possible || validate_goods(asked).is_err() || !self.has_room(to) {
            return;
        }
        self.held[from].0 -= copper;
        self.held[from].1 -= item;
        let (is_delivered, is_returned, is_paid, ends) = (false, false, false, 0);
        self.letters.push(Sent {
            kind,
            from,
            to,
            copper,
            item,
            cod_copper,
            is_delivered,
            is_returned,
            is_paid,
            ends,
        });
    }

    /// What the module does when a letter is over, returned or without a recipient.
    fn end(&mut self, index: usize) {
        let mut sent = self.letters.remove(index);
        match at_the_end(sent.letter()) {
            Fate::Drop => assert_eq!((sent.copper, sent.item), (0, 0)),
            Fate::Lost => self.lose(sent.to, &sent),
            Fate::Back if self.has_room(sent.from) => {
                assert!(!sent.is_returned, "twice");
                assert!(!sent.is_paid, "its sender has the coins");
                std::mem::swap(&mut sent.from, &mut sent.to);
                sent.cod_copper = 0;
                sent.is_returned = true;
                sent.is_delivered = true;
                sent.ends += 1;
                assert_eq!(sent.ends, 1);
                self.letters.insert(index, sent);
            }
            Fate::Back => self.lose(sent.from, &sent),
        }
    }

    fn take(&mut self, index: usize) {
        if !self.pay(index) {
            return;
        }
        let sent = &mut self.letters[index];
        let to = sent.to;
        let (copper, item) = (std::mem::take(&mut sent.copper), std::mem::take(&mut sent.item));
        self.held[to] = (self.held[to].0 + copper, self.held[to].1 + item);
    }

    /// Whether something can be taken then.
    fn pay(&mut self, index: usize) -> bool {
        let sent = &mut self.letters[index];
        let (from, to, cod) = (sent.from, sent.to, sent.cod_copper);
        if !sent.is_delivered || self.is_gone[to] || self.held[to].0 < cod {
            return false;
        }
        if cod == 0 {
            return true;
        }
        sent.cod_copper = 0;
        sent.is_paid = true;
        self.held[to].0 -= cod;
        let paid = Sent {
            kind: LetterKind::Realm,
            from: to,
            to: from,
            copper: cod,
            item: 0,
            cod_copper: 0,
            is_delivered: true,
            is_returned: false,
            is_paid: false,
            ends: 0,
        };
        if self.has_room(from) {
            self.letters.push(paid);
        } else {
            self.lose(from, &paid);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        let count = self.letters.len().max(1);
        let letter = |number: usize| number % count;
        let exists = !self.letters.is_empty();
        match event {
            Event::Send { from, to, kind, copper, cod_copper } => {
                self.send(from % PEOPLE, to % PEOPLE, kind, copper, cod_copper);
            }
            Event::Deliver(number) if exists => {
                let sent = &mut self.letters[letter(number)];
                if self.is_gone[sent.to] && !sent.is_delivered {
                    self.end(letter(number));
                } else {
                    sent.is_delivered = true;
                }
            }
            Event::Take(number) if exists => self.take(letter(number)),
            Event::Pay(number) if exists => {
                self.pay(letter(number));
            }
            Event::Return(number) if exists => {
                let sent = &self.letters[letter(number)];
                if sent.is_delivered && !self.is_gone[sent.to] && may_go_back(sent.letter()) {
                    self.end(letter(number));
                }
            }
            Event::Expire(number) if exists => self.end(letter(number)),
            Event::Delete(number) if exists => {
                if !self.letters[letter(number)].letter().has_value {
                    self.letters.remove(letter(number));
                }
            }
            Event::Remove(person) => {
                let person = person % PEOPLE;
                self.is_gone[person] = true;
                while let Some(index) = self.letters.iter().position(|sent| sent.to == person) {
                    self.end(index);
                }
            }
            Event::Claim(person) => {
                let person = person % PEOPLE;
                let lost = std::mem::take(&mut self.lost[person]);
                self.held[person] = (self.held[person].0 + lost.0, self.held[person].1 + lost.1);
            }
            Event::Deliver(_)
            | Event::Take(_)
            | Event::Pay(_)
            | Event::Return(_)
            | Event::Expire(_)
            | Event::Delete(_) => {}
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let number = 0..16_usize;
    prop_oneof![
        4 => (0..PEOPLE, 0..PEOPLE, 1..4_u8, 0..50_u64, prop_oneof![Just(0), 1..50_u64]).prop_map(
            |(from, to, kind, copper, cod_copper)| {
                let copper = if cod_copper > 0 { 0 } else { copper };
                Event::Send { from, to, kind, copper, cod_copper }
            }
        ),
        2 => number.clone().prop_map(Event::Deliver),
        3 => number.clone().prop_map(Event::Take),
        1 => number.clone().prop_map(Event::Pay),
        2 => number.clone().prop_map(Event::Return),
        2 => number.clone().prop_map(Event::Expire),
        1 => number.clone().prop_map(Event::Delete),
        1 => number.clone().prop_map(Event::Remove),
        1 => number.prop_map(Event::Claim),
    ]
}

proptest! {
    #[test]
    fn value_is_conserved_on_every_way(events in prop::collection::vec(event(), 0..200)) {
        let held = [(100, 3), (100, 3), (100, 3)];
        let mut world =
            World { held, lost: [(0, 0); PEOPLE], is_gone: [false; PEOPLE], letters: vec![] };
        for event in events {
            world.happen(event);
            prop_assert_eq!(world.total(), (300, 9), "{:?}", event);
            for person in 0..PEOPLE {
                let letters = world.letters.iter().filter(|sent| sent.to == person).count();
                prop_assert!(letters <= BOX, "{} letters", letters);
            }
        }
        // Time alone brings everything to an end: a letter is over twice at most.
        for _ in 0..2 {
            for index in (0..world.letters.len()).rev() {
                world.end(index);
            }
        }
        prop_assert!(world.letters.is_empty());
        prop_assert_eq!(world.total(), (300, 9));
    }

    #[test]
    fn what_is_stored_is_bounded_whatever_comes(text in any::<String>()) {
        if let Ok(text) = validate_text(&text) {
            prop_assert!(text.chars().count() <= TEXT_CHARS_MAX);
            prop_assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
            prop_assert_eq!(validate_text(&text), Ok(text.clone()), "storing is idempotent");
        }
        if let Ok(subject) = validate_subject(&text) {
            prop_assert!(subject.chars().count() <= SUBJECT_CHARS_MAX);
        }
        prop_assert!(tidy_word(&text).chars().count() <= WORD_CHARS_MAX);
    }
}
