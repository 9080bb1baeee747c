//! Days that were played by the rules themselves, and every way to falsify one.

use super::*;
use crate::combat::areas::Point;
use crate::combat::deed::{self, Deed, perform};
use crate::combat::fighter::{Effect, Fighter, What};
use crate::combat::health::{Health, Vital};
use crate::combat::house::House;
use crate::combat::lasting::{death_save, initiative, moment};
use crate::combat::sheet::{Build, Sheet, of_character, of_creature};
use crate::combat::turn::Turn;
use crate::content::book::Book;
use crate::content::tests::read_shipped;
use crate::content::{AbilityDef, Attribute, Condition, DamageType, EffectDef, Scores, Stat};
use std::rc::Rc;

const SECRET: [u8; SECRET_BYTES] = [0x5a; SECRET_BYTES];
const USER: u64 = 7;

/// Day 3: begun at 1,000, and over.
fn over() -> Day {
    let commitment = hex_of(&commitment(&SECRET));
    Day { day: 3, begins_at_micros: 1_000, commitment, secret: hex_of(&SECRET) }
}

/// The dice of one event, and what they showed.
struct Throws {
    source: Source,
    shown: Vec<u8>,
}

impl Throws {
    fn of(event_id: u64, ability: &str) -> Self {
        let label = label(3, event_id, at_of(event_id), USER, ability);
        Self { source: Source::new(&SECRET, label.as_bytes()), shown: vec![] }
    }
}

impl Roller for Throws {
    fn roll(&mut self, sides: u8) -> u8 {
        let shown = self.source.roll(sides);
        self.shown.extend([sides, shown]);
        shown
    }
}

fn at_of(event_id: u64) -> i64 {
    2_000 + i64::try_from(event_id).unwrap_or(0)
}

fn event(event_id: u64, ability: &str, dice: Vec<u8>, lines: &[deed::Line]) -> Event {
    let line = |line: &deed::Line| Line {
        target_id: line.target_id,
        natural: line.natural,
        modifier: i16::try_from(line.modifier).unwrap_or(i16::MAX),
        against: i16::try_from(line.against).unwrap_or(i16::MAX),
        verdict: line.verdict.code(),
        rolled: line.rolled,
        amount: line.amount,
        text: line.text.clone(),
    };
    Event {
        event_id,
        day: 3,
        at_micros: at_of(event_id),
        actor_id: USER,
        ability: ability.to_owned(),
        dice,
        lines: lines.iter().map(line).collect(),
    }
}

fn fighter(entity_id: u64, is_player: bool, sheet: Rc<Sheet>, x_mm: i32) -> Fighter {
    Fighter {
        entity_id,
        is_player,
        side: u32::from(!is_player),
        place: Point { x_mm, y_mm: 0 },
        health: Health::new(sheet.hit_points_max),
        sheet,
        turn: Turn::default(),
        exhaustion: 0,
        has_endured: false,
        sneaked_at: 0,
        is_casting: false,
        concentrates_on: String::new(),
        effects: vec![],
    }
}

fn lying(effect_id: u64, what: What) -> Effect {
    Effect {
        effect_id,
        ability: "before".to_owned(),
        by: 99,
        what,
        ends_at: i64::MAX,
        next_at: 6_000,
        every_millis: 6_000,
        save: None,
        is_concentration: false,
    }
}

/// Somebody with dice added to and taken from its rolls, and others who concentrate and cast.
fn scene(book: &Book, class: &str, level: u8, is_helped: bool) -> Vec<Fighter> {
    let scores = Scores {
        strength: 16,
        dexterity: 14,
        constitution: 14,
        intelligence: 15,
        wisdom: 13,
        charisma: 12,
    };
    let (race, class) = ("halfling".to_owned(), class.to_owned());
    let sheet =
        of_character(&Build { race, class, level, scores, outfit: None }, book).expect("known");
    let ogre = Rc::new(of_creature(book.creature("ogre").expect("an ogre"), 100));
    let mut user = fighter(USER, true, Rc::new(sheet.clone()), 0);
    let mut other = fighter(9, false, ogre, 1_200);
    let mut third = fighter(11, false, Rc::new(sheet), 2_400);
    if is_helped {
        let dice = |text: &str| text.parse().expect("dice");
        for (at, what) in [
            (1, What::ModifierDice(Stat::AttackRoll, dice("1d4"), false)),
            (2, What::ModifierDice(Stat::AttackRoll, dice("2d4+1"), true)),
            (3, What::Modifier(Stat::AttacksWith, 1)),
        ] {
            user.effects.push(lying(at, what));
        }
        let save = What::ModifierDice(Stat::SavingThrow, dice("1d6"), false);
        other.effects.extend([lying(4, save), lying(5, What::Modifier(Stat::SavesWith, -1))]);
        other.concentrates_on = "bless".to_owned();
        third.is_casting = true;
        third.effects.push(lying(6, What::Condition(Condition::Paralyzed)));
        third.effects.push(lying(7, What::Resistance(DamageType::Fire)));
    }
    vec![user, other, third]
}

/// An ability is used as the module does it.
fn play(
    event_id: u64,
    ability: &AbilityDef,
    book: &Book,
    fighters: &mut [Fighter],
    targets: &[usize],
) -> Event {
    let house = House::of(book);
    let slot_level = if ability.level > 0 { (ability.level + 1).min(9) } else { 0 };
    let at = Point::default();
    let deed = Deed { ability, slot_level, at, now: 6_000, house: &house, book };
    let mut throws = Throws::of(event_id, &ability.key);
    let told = perform(&deed, fighters, 0, targets, &mut throws);
    event(event_id, &ability.key, throws.shown, &told.lines)
}

/// Every ability there is, used by two classes at two levels, on one and on two, with and without
/// dice that are added; and what goes on by itself.
fn whole_day(book: &Book, first: u64) -> Vec<Event> {
    let mut events = vec![];
    for (class, level) in [("rogue", 1), ("barbarian", 17)] {
        for ability in &book.pack().ability {
            for (targets, is_helped) in
                [(&[1][..], false), (&[1, 2], true), (&[0], true), (&[], true)]
            {
                let mut fighters = scene(book, class, level, is_helped);
                let event_id = first + u64::try_from(events.len()).expect("few");
                events.push(play(event_id, ability, book, &mut fighters, targets));
                // Those who are dead at once have nothing else done to them.
                let mut fighters = scene(book, class, level, is_helped);
                fighters[1..].iter_mut().for_each(|fighter| fighter.health.current = 1);
                events.push(play(event_id + 1, ability, book, &mut fighters, targets));
            }
        }
    }
    let house = House::of(book);
    for number in 0..40_u8 {
        let event_id = first + u64::try_from(events.len()).expect("few");
        let mut fighters = scene(book, "wizard", 3, number % 2 == 0);
        let mut burning = lying(70, What::OverTime("2d6".parse().expect("dice"), None));
        if number % 3 > 0 {
            burning.what = What::OverTime("2d6+1".parse().expect("dice"), Some(DamageType::Fire));
            burning.save = Some((Attribute::Wisdom, 12));
        }
        fighters[1].effects.push(burning);
        let mut throws = Throws::of(event_id, "burning");
        let told = moment(&house, &mut fighters, 1, 70, true, 6_000, &mut throws);
        events.push(event(event_id, "burning", throws.shown, &told.lines));

        let mut throws = Throws::of(event_id + 2, "initiative");
        let line = initiative(&fighters[0], &mut throws);
        events.push(event(event_id + 2, "initiative", throws.shown, &[line]));

        let mut dying = fighters.remove(0);
        dying.health.current = 0;
        dying.health.vital = Vital::Dying { successes: 0, failures: 0 };
        let mut throws = Throws::of(event_id + 1, "death_save");
        let line = death_save(&house, &mut dying, &mut throws);
        let lines: Vec<deed::Line> = line.into_iter().collect();
        events.push(event(event_id + 1, "death_save", throws.shown, &lines));
    }
    events
}

fn book() -> Book {
    Book::new(read_shipped())
}

/// What does not fit, in words; empty where all does.
fn faults(days: &[Day], events: &[Event]) -> Vec<String> {
    prove(days, events).faults.iter().map(ToString::to_string).collect()
}

/// An event with one roll and one kind of damage.
fn struck() -> Event {
    let mut throws = Throws::of(1, "attack");
    let natural = throws.roll(20);
    let (one, other) = (throws.roll(6), throws.roll(6));
    let (total, sum) = (natural + 5, one + other + 3);
    let verdict = if natural == 20 || total >= 12 && natural > 1 { 2 } else { 1 };
    let text = format!(
        "sword: {natural} + 5 = {total} against 12: hit; 2d6+3: {one} + {other} + 3 = {sum}"
    );
    let line = Line {
        target_id: 9,
        natural,
        modifier: 5,
        against: 12,
        verdict,
        rolled: i32::from(sum),
        amount: i32::from(sum),
        text,
    };
    Event { lines: vec![line], ..event(1, "attack", throws.shown, &[]) }
}

#[test]
fn a_day_that_was_played_by_the_rules_is_proved() {
    let book = book();
    for first in [1, 1_000_000, 2_000_000] {
        let events = whole_day(&book, first);
        let proof = prove(&[over()], &events);
        assert_eq!(proof.faults, [], "{:?}", faults(&[over()], &events));
        let proved = proof.proved[&3];
        assert_eq!(proved.events, u64::try_from(events.len()).expect("few"));
        assert!(proved.dice > 2_000, "{proved:?}");
        assert_eq!((proof.missing, proof.waiting.len(), proof.undecided.len()), (0, 0, 0));
    }
}

#[test]
fn dice_that_come_too_late_are_told_too() {
    let book = book();
    let mut late = book.ability("thunderwave").expect("known").clone();
    let (dice, duration_millis) = ("1d4".parse().expect("dice"), 1_000);
    late.effects.push(EffectDef::TemporaryHitPoints { dice, upcast: None, duration_millis });
    for event_id in 1..20 {
        let mut fighters = scene(&book, "wizard", 5, false);
        fighters[1].health.current = 1;
        let event = play(event_id, &late, &book, &mut fighters, &[1]);
        assert_eq!(faults(&[over()], std::slice::from_ref(&event)), Vec::<String>::new());
        assert!(event.dice.contains(&4) && event.lines[0].text.contains("1d4: "), "{event:?}");
    }
}

#[test]
fn one_altered_roll_is_told_by_its_number() {
    for (at, event) in whole_day(&book(), 1).into_iter().enumerate().step_by(7) {
        for number in 1..=event.dice.len() / 2 {
            let mut altered = event.clone();
            let (sides, thrown) = (altered.dice[2 * number - 2], altered.dice[2 * number - 1]);
            let shown = thrown % sides + 1;
            altered.dice[2 * number - 1] = shown;
            let expected = Wrong::DieDiffers { number, sides, thrown, shown };
            let found = prove(&[over()], &[altered]).faults;
            assert_eq!(found, [Fault::of(&event, expected)], "event {at}");
        }
    }
}

#[test]
fn dice_that_are_added_or_left_out_are_told() {
    let (mut told, mut all) = (0, 0);
    let thrown = |event: &Event| !event.lines.is_empty() && !event.dice.is_empty();
    for event in whole_day(&book(), 1).into_iter().filter(thrown) {
        let label = label(3, event.event_id, event.at_micros, USER, &event.ability);
        let mut source = Source::new(&SECRET, label.as_bytes());
        for pair in event.dice.chunks(2) {
            source.roll(pair[0]);
        }
        let (mut more, mut less) = (event.clone(), event.clone());
        // It is what the secret throws next, and still nobody asked for it.
        more.dice.extend([20, source.roll(20)]);
        less.dice.truncate(event.dice.len() - 2);
        let found = [faults(&[over()], &[more]), faults(&[over()], &[less])];
        // Where sums of several dice are added to rolls words leave some room.
        let is_plain = event.lines.len() == 1 && !event.lines[0].text.contains(" + ");
        assert!(!is_plain || found.iter().all(|found| found.len() == 1), "{event:?}");
        told += found.iter().filter(|found| !found.is_empty()).count();
        all += found.len();
    }
    assert!(told * 10 > all * 8, "{told} of {all}");
}

#[test]
fn every_field_of_the_label_counts() {
    let event = struck();
    assert_eq!(faults(&[over()], std::slice::from_ref(&event)), Vec::<String>::new());
    let others = [
        Event { event_id: 2, ..event.clone() },
        Event { at_micros: event.at_micros + 1, ..event.clone() },
        Event { actor_id: 8, ..event.clone() },
        Event { ability: "attack ".to_owned(), ..event.clone() },
    ];
    for other in others {
        let found = prove(&[over()], std::slice::from_ref(&other)).faults;
        assert!(matches!(found[..], [Fault { wrong: Wrong::DieDiffers { .. }, .. }]), "{other:?}");
    }
    let other = Event { day: 4, ..event.clone() };
    let known = [over(), Day { day: 4, secret: String::new(), ..over() }];
    assert_eq!(
        faults(&known[..1], std::slice::from_ref(&other)),
        ["event 1 of day 4, attack by 7: its day was never told"]
    );
    assert_eq!(prove(&known, &[other]).waiting[&4], 1);
    let early = Event { at_micros: 999, ..event };
    assert_eq!(
        faults(&[over()], &[early]),
        ["event 1 of day 3, attack by 7: it was at 999, and its day began at 1000"]
    );
}

#[test]
fn what_an_event_decides_has_to_follow_from_its_dice() {
    let event = struck();
    let (natural, verdict) = (event.lines[0].natural, event.lines[0].verdict);
    let with = |change: &dyn Fn(&mut Event)| {
        let mut event = event.clone();
        change(&mut event);
        faults(&[over()], &[event]).join("\n")
    };
    assert_eq!(with(&|_| {}), "");
    let other = natural % 20 + 1;
    assert_eq!(
        with(&|event| event.lines[0].natural = other),
        format!(
            "event 1 of day 3, attack by 7: the line about 9 has a die that shows {other}: none \
             was thrown"
        )
    );
    let (wrong, word) = if verdict == 2 { (1, "miss") } else { (2, "hit") };
    assert_eq!(
        with(&|event| event.lines[0].verdict = wrong),
        format!(
            "event 1 of day 3, attack by 7: the line about 9 says {word} of {} against 12",
            i32::from(natural) + 5
        )
    );
    let against = if verdict == 2 { 99 } else { -99 };
    assert!(with(&|event| event.lines[0].against = against).contains("says"));
    for dice in [vec![20], vec![1, 1], vec![0, 0]] {
        assert_eq!(
            with(&|event| event.dice.clone_from(&dice)),
            "event 1 of day 3, attack by 7: its dice are no list of sides and numbers"
        );
    }
    // Nobody was reached, so nothing is told.
    assert_eq!(with(&|event| event.lines.clear()), "");
}

#[test]
fn a_secret_has_to_be_the_one_that_was_committed_to() {
    let event = struck();
    let told_before = Day { secret: String::new(), ..over() };
    let hash = over().commitment;
    let other = Day { secret: "11".repeat(SECRET_BYTES), ..over() };
    let unreadable = Day { secret: over().secret.replace('5', "x"), ..over() };
    let changed = Day { commitment: "22".repeat(SECRET_BYTES), ..over() };
    for (days, expected) in [
        (vec![told_before.clone(), over(), over()], String::new()),
        (vec![other], format!("the secret's hash is {}", hex_of(&commitment(&[0x11; 32])))),
        (vec![unreadable], "the secret is not 64 hexadecimal digits".to_owned()),
        (vec![told_before, changed], format!("the commitment {hash} was told, and later 2222")),
    ] {
        let proof = prove(&days, std::slice::from_ref(&event));
        let told: Vec<_> = proof.faults.iter().map(ToString::to_string).collect();
        if expected.is_empty() {
            assert_eq!((told, proof.proved[&3].events), (vec![], 1));
        } else {
            assert!(told[0].starts_with(&format!("day 3: {expected}")), "{told:?}");
            assert_eq!((told.len(), proof.undecided[&3], proof.proved.len()), (1, 1, 0));
        }
    }
}

#[test]
fn numbers_that_no_event_has_are_counted() {
    let ids = |ids: &[u64]| {
        let event = |id: &u64| Event { event_id: *id, ..struck() };
        prove(&[], &ids.iter().map(event).collect::<Vec<_>>()).missing
    };
    assert_eq!((ids(&[]), ids(&[5]), ids(&[5, 6, 6, 7])), (0, 0, 0));
    assert_eq!((ids(&[9, 5]), ids(&[0, u64::MAX])), (3, u64::MAX - 1));
}

#[test]
fn a_record_is_read_as_it_is_written() {
    let day = Day { secret: String::new(), ..over() };
    let entries = [Entry::Day(day.clone()), Entry::Event(struck()), Entry::Day(over())];
    let lines = entries.map(|entry| serde_json::to_string(&entry).expect("JSON"));
    assert!(lines[1].starts_with(r#"{"record":"event","event_id":1,"#), "{}", lines[1]);
    let read = Record::read(&format!("{}\n\n", lines.join("\n"))).expect("a record");
    assert_eq!(read, Record { days: vec![day, over()], events: vec![struck()] });
    for (text, line) in [("{}", 1), ("\n\n[1]", 3), ("\u{0}", 1), (r#"{"record":"event"}"#, 1)] {
        assert_eq!(Record::read(text).expect_err("no record").line, line, "{text}");
    }
    let long = format!("{}{}", " ".repeat(RECORD_LINE_BYTES_MAX), lines[0]);
    assert!(Record::read(&long).expect_err("too long").to_string().contains("longer than"));
}
