//! Tables of cases and properties of friends, blocks and presence.

use super::*;
use proptest::prelude::*;

fn counts(friends: usize, asked: usize, asks: usize) -> Counts {
    Counts { friends, asked, asks }
}

fn check(change: impl FnOnce(&mut Request), expected: Result<Asked, FriendError>) {
    let mut request = Request { is_admitted: true, ..Request::default() };
    change(&mut request);
    assert_eq!(ask(&request), expected, "{request:?}");
}

#[test]
fn requests_are_decided_in_their_order() {
    check(|_| {}, Ok(Asked::Shown));
    check(|it| it.is_blocked = true, Ok(Asked::Hidden));
    check(|it| it.asks_back = true, Ok(Asked::Friends));
    check(|it| it.has_blocked = true, Err(FriendError::Blocked));
    check(|it| it.are_friends = true, Err(FriendError::Already));
    check(|it| it.is_pending = true, Err(FriendError::RequestPending));
    check(|it| it.is_admitted = false, Err(FriendError::RequestsDeclined));
    check(|it| it.own = counts(150, 40, 10), Err(FriendError::TooMany));
    check(|it| it.own = counts(149, 40, 10), Ok(Asked::Shown));
    check(|it| it.own = counts(0, 50, 0), Err(FriendError::RequestsTooMany));
    check(|it| it.other = counts(150, 50, 0), Err(FriendError::OtherFull));
    check(|it| it.other = counts(0, 0, 50), Err(FriendError::OtherFull));
    check(|it| it.other = counts(149, 1, 49), Ok(Asked::Shown));
    // Who asks somebody that has asked needs nobody's leave, only room.
    check(|it| (it.asks_back, it.is_admitted) = (true, false), Ok(Asked::Friends));
    check(|it| (it.asks_back, it.own) = (true, counts(0, 50, 0)), Ok(Asked::Friends));
    check(|it| (it.asks_back, it.own) = (true, counts(200, 0, 0)), Err(FriendError::TooMany));
    check(|it| (it.asks_back, it.is_blocked) = (true, true), Ok(Asked::Hidden));
}

#[test]
fn codes_are_those_of_the_rows() {
    for what in What::ALL {
        assert_eq!(What::from_code(what as u8), Ok(what));
    }
    for whom in Whom::ALL {
        assert_eq!(Whom::from_code(whom as u8), Ok(whom));
    }
    for code in [0, 8, u8::MAX] {
        assert_eq!(What::from_code(code), Err(FriendError::ChoiceUnknown));
    }
    for code in [3, u8::MAX] {
        assert_eq!(Whom::from_code(code), Err(FriendError::ChoiceUnknown));
    }
    assert_eq!(Status::from_code(4), Ok(Status::Invisible));
    for code in [0, 5, u8::MAX] {
        assert_eq!(Status::from_code(code), Err(FriendError::StatusUnknown), "{code}");
    }
    for state in [State::Friends, State::Asked, State::Asks] {
        assert_eq!(State::from_code(state as u8), Some(state));
    }
    assert_eq!((State::from_code(0), State::from_code(4)), (None, None));
}

#[test]
fn choices_admit_whom_they_name() {
    for (whom, stranger, friend) in
        [(Whom::Everyone, true, true), (Whom::Friends, false, true), (Whom::Nobody, false, false)]
    {
        assert_eq!((whom.admits(false), whom.admits(true)), (stranger, friend), "{whom:?}");
    }
    assert_eq!(What::Presence.default_whom(), Whom::Friends);
    assert_eq!(What::Mail.default_whom(), Whom::Everyone);
}

#[test]
fn notes_are_one_bounded_line() {
    let long = "x".repeat(NOTE_CHARS_MAX);
    for good in ["", "met in the vale", long.as_str(), "łódź 🙂"] {
        assert_eq!(validate_note(good).as_deref(), Ok(good), "{good}");
    }
    assert_eq!(validate_note("e\u{301}").as_deref(), Ok("é"));
    let (longer, huge) = ("x".repeat(NOTE_CHARS_MAX + 1), "x".repeat(1_000_000));
    for bad in ["a\nb", "a\0", "\u{85}", longer.as_str(), huge.as_str()] {
        assert_eq!(validate_note(bad), Err(FriendError::NoteInvalid));
    }
}

#[test]
fn what_is_seen_follows_from_status_and_choices() {
    let shown = |status, is_place_shown, last_seen_at_micros| Seen {
        status,
        is_place_shown,
        last_seen_at_micros,
    };
    for (status, is_in_world, sees_presence, sees_place, expected) in [
        (Status::Online, true, true, true, shown(Status::Online, true, 0)),
        (Status::Away, true, true, false, shown(Status::Away, false, 0)),
        (Status::Busy, true, false, true, shown(Status::Offline, false, 0)),
        (Status::Online, false, true, true, shown(Status::Offline, false, 9)),
        (Status::Online, false, false, true, shown(Status::Offline, false, 0)),
        (Status::Invisible, true, true, true, shown(Status::Offline, false, 9)),
        (Status::Invisible, false, true, true, shown(Status::Offline, false, 9)),
    ] {
        let got = seen(status, is_in_world, 9, sees_presence, sees_place);
        assert_eq!(got, expected, "{status:?} {is_in_world} {sees_presence} {sees_place}");
    }
    assert_eq!(lapses_at_micros(0), 14 * 86_400_000_000);
    assert_eq!(lapses_at_micros(i64::MAX), i64::MAX);
}

/// Accounts that ask, answer, block and part at random, as the reducers do.
#[derive(Debug, Default)]
struct World {
    friends: std::collections::BTreeSet<(usize, usize)>,
    /// Who asks whom, and whether that one is shown it.
    asked: std::collections::BTreeMap<(usize, usize), bool>,
    blocks: std::collections::BTreeSet<(usize, usize)>,
}

impl World {
    fn counts_of(&self, one: usize) -> Counts {
        counts(
            self.friends.iter().filter(|(from, _)| *from == one).count(),
            self.asked.keys().filter(|(from, _)| *from == one).count(),
            self.asked.iter().filter(|((_, to), shown)| *to == one && **shown).count(),
        )
    }

    fn part(&mut self, one: usize, other: usize) {
        for pair in [(one, other), (other, one)] {
            self.friends.remove(&pair);
            self.asked.remove(&pair);
        }
    }

    fn ask(&mut self, one: usize, other: usize) {
        let asks_back = self.asked.contains_key(&(other, one));
        let mut own = self.counts_of(one);
        if asks_back {
            own.asks -= usize::from(self.asked[&(other, one)]);
        }
        let outcome = ask(&Request {
            has_blocked: self.blocks.contains(&(one, other)),
            are_friends: self.friends.contains(&(one, other)),
            is_pending: self.asked.contains_key(&(one, other)),
            asks_back,
            is_admitted: true,
            is_blocked: self.blocks.contains(&(other, one)),
            own,
            other: self.counts_of(other),
        });
        match outcome {
            Ok(Asked::Friends) => {
                self.part(one, other);
                self.friends.extend([(one, other), (other, one)]);
            }
            Ok(Asked::Shown) => {
                self.asked.insert((one, other), true);
            }
            Ok(Asked::Hidden) => {
                self.asked.insert((one, other), false);
            }
            Err(_) => {}
        }
    }

    fn block(&mut self, one: usize, other: usize) {
        self.blocks.insert((one, other));
        self.friends.remove(&(one, other));
        self.friends.remove(&(other, one));
        self.asked.remove(&(one, other));
        if let Some(shown) = self.asked.get_mut(&(other, one)) {
            *shown = false;
        }
    }
}

proptest! {
    #[test]
    fn caps_hold_and_friendship_has_two_sides(
        acts in prop::collection::vec((0..4_u8, 0..260_usize, 0..3_usize), 1..700),
    ) {
        let mut world = World::default();
        for (act, one, other) in acts {
            if one == other {
                continue;
            }
            match act {
                0 => world.ask(one, other),
                1 => world.ask(other, one),
                2 => world.block(other, one),
                _ => { world.blocks.remove(&(other, one)); }
            }
            for who in [one, other] {
                let counts = world.counts_of(who);
                prop_assert!(counts.total() <= TIES_MAX && counts.asked <= ASKED_MAX);
                prop_assert!(counts.asks <= ASKS_MAX);
            }
        }
        for (one, other) in &world.friends {
            prop_assert!(world.friends.contains(&(*other, *one)));
            prop_assert!(!world.blocks.contains(&(*one, *other)));
            prop_assert!(!world.asked.contains_key(&(*one, *other)));
        }
        for ((one, other), shown) in &world.asked {
            prop_assert!(!(*shown && world.blocks.contains(&(*other, *one))));
        }
    }

    #[test]
    fn being_blocked_changes_no_refusal(
        flags in prop::array::uniform5(any::<bool>()),
        own in (0..210_usize, 0..60_usize, 0..60_usize),
        other in (0..210_usize, 0..60_usize, 0..60_usize),
    ) {
        let [has_blocked, are_friends, is_pending, is_admitted, is_blocked] = flags;
        let request = Request {
            has_blocked,
            are_friends,
            is_pending,
            asks_back: false,
            is_admitted,
            is_blocked,
            own: counts(own.0, own.1, own.2),
            other: counts(other.0, other.1, other.2),
        };
        let free = ask(&Request { is_blocked: false, ..request });
        prop_assert_eq!(ask(&request).err(), free.err());
    }

    #[test]
    fn nobody_is_told_what_is_not_for_it(
        status in 0..5_u8, is_in_world: bool, last in 1..i64::MAX, place: bool,
    ) {
        let status = Status::from_code(status).unwrap_or(Status::Offline);
        let hidden = seen(status, is_in_world, last, false, place);
        prop_assert_eq!(hidden, seen(Status::Online, false, 0, false, false));
        let invisible = seen(Status::Invisible, is_in_world, last, true, place);
        prop_assert_eq!(invisible, seen(Status::Online, false, last, true, place));
    }
}
