//! The stage: bodies for tests of fights, as the shipped content makes them.

use std::rc::Rc;

use super::areas::Point;
use super::fighter::Fighter;
use super::health::Health;
use super::house::House;
use super::sheet::{Build, Sheet, of_character, of_creature};
use super::turn::Turn;
use crate::characters::creation::usual;
use crate::content::AbilityDef;
use crate::content::book::Book;
use crate::content::tests::shipped_book;

/// The sheet of a character with the standard scores as its class deals them out.
pub(super) fn sheet(race: &str, class: &str, level: u8) -> Sheet {
    let book = shipped_book();
    of_character(&build(race, class, level), book).expect("content has race and class")
}

/// What such a character is made of.
pub(crate) fn build(race: &str, class: &str, level: u8) -> Build {
    let scores = usual(race, class, shipped_book()).expect("content has race and class").scores;
    Build { race: race.to_owned(), class: class.to_owned(), level, scores, outfit: None }
}

/// The sheet of a creature.
pub(super) fn beast(key: &str) -> Sheet {
    of_creature(shipped_book().creature(key).expect("content has the creature"), 100)
}

/// A body that is well, at the origin: characters on side 0, creatures on side 1.
pub(super) fn body(entity_id: u64, sheet: Sheet, is_player: bool) -> Fighter {
    Fighter {
        entity_id,
        is_player,
        side: u32::from(!is_player),
        place: Point::default(),
        health: Health::new(sheet.hit_points_max),
        sheet: Rc::new(sheet),
        turn: Turn::default(),
        exhaustion: 0,
        has_endured: false,
        sneaked_at: i64::MIN,
        is_casting: false,
        concentrates_on: String::new(),
        effects: vec![],
    }
}

/// A human of a class.
pub(super) fn hero(entity_id: u64, class: &str, level: u8) -> Fighter {
    body(entity_id, sheet("human", class, level), true)
}

/// A creature.
pub(super) fn foe(entity_id: u64, key: &str) -> Fighter {
    body(entity_id, beast(key), false)
}

/// The shipped balance.
pub(super) fn house() -> House {
    House::of(shipped_book())
}

/// A shipped ability.
pub(super) fn ability(key: &str) -> &'static AbilityDef {
    book().ability(key).unwrap_or_else(|| panic!("content has no {key}"))
}

/// The shipped content.
pub(super) fn book() -> &'static Book {
    shipped_book()
}
