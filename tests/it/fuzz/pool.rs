//! What means something in a realm: numbers and words that get a call past its first checks.
//!
//! Keeps true: every hint is a guess by a parameter's name; a parameter nobody thought of gets none
//! and is tried with extremes alone.

use super::arena::PLAYERS;
use crate::support::chance::Chance;
use crate::support::{PHC, now_micros, sha256};
use haven_rules::world::Area;
use haven_rules::world::terrain::SHIPPED;
use std::collections::BTreeMap;

/// What is known of a realm.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    pub(super) accounts: Vec<u64>,
    pub(super) sessions: Vec<u64>,
    pub(super) characters: Vec<u64>,
    pub(super) entities: Vec<u64>,
    pub(super) worlds: Vec<u64>,
    pub(super) emails: Vec<String>,
    pub(super) tokens: Vec<String>,
    pub(super) identities: Vec<[u8; 32]>,
    /// By column: what tables call a row by.
    pub(super) ids: BTreeMap<String, Vec<u64>>,
    /// The open world's.
    pub(super) bounds: Option<Area>,
}

impl Pool {
    /// A number for a parameter of that name.
    pub(super) fn number(&self, name: &str, chance: &mut Chance) -> Option<i128> {
        let known = |list: &[u64], chance: &mut Chance| {
            (!list.is_empty()).then(|| i128::from(*chance.pick(list)))
        };
        let between = |least, most, chance: &mut Chance| Some(chance.between(least, most).into());
        match name {
            "account_id" => known(&self.accounts, chance),
            "keep_session_id" if chance.one_in(2) => Some(0),
            "session_id" | "keep_session_id" => known(&self.sessions, chance),
            "character_id" => known(&self.characters, chance),
            "entity_id" => known(&self.entities, chance),
            "world" => known(&self.worlds, chance),
            "realm_id" => between(0, 2, chance),
            "role" | "kind" => between(0, 6, chance),
            "status" | "password_version" | "blocks" | "blocks_x" | "blocks_y" => {
                between(0, 3, chance)
            }
            "percent" => between(0, 210, chance),
            "millis" => between(0, 3_000, chance),
            "count" => between(0, 30, chance),
            "block_x" | "block_y" => between(-5, 5, chance),
            "min_block_x" | "min_block_y" => between(-4, 0, chance),
            "max_block_x" | "max_block_y" => between(0, 4, chance),
            "cell_x" | "cell_y" => between(-260, 260, chance),
            "width_cells" | "height_cells" => between(0, 20, chance),
            "x_mm" | "y_mm" | "spawn_x_mm" | "spawn_y_mm" => Some(self.place(name, chance)),
            "walk_speed_mm_per_s" => between(1, 3_000, chance),
            "run_speed_mm_per_s" => between(1_000, 50_001, chance),
            "capacity" => between(0, 200, chance),
            "lifetime_seconds" => between(1, 4_000, chance),
            "empty_seconds" => between(9, 60, chance),
            "issued_at_micros" => Some(i128::from(now_micros()) + between(-5, 5, chance)?),
            "dx" | "dy" => between(-3, 3, chance),
            "session" => between(1, 3, chance),
            "sequence" => between(1, 2_000, chance),
            "tab" | "rank" | "slot" | "what" | "choice" | "position" => between(0, 5, chance),
            "copper" | "price_copper" | "cod_copper" => between(0, 500, chance),
            _ => self.ids.get(name).and_then(|list| known(list, chance)),
        }
    }

    /// Somewhere near the middle, or at the very edge of the world.
    fn place(&self, name: &str, chance: &mut Chance) -> i128 {
        let bounds = self.bounds.filter(|_| chance.one_in(2));
        let Some(bounds) = bounds else { return chance.between(-300_000, 300_000).into() };
        let (least, most) = if name.ends_with("y_mm") {
            (bounds.min_y_mm, bounds.max_y_mm)
        } else {
            (bounds.min_x_mm, bounds.max_x_mm)
        };
        let edge = i64::from(*chance.pick(&[least, most]));
        i128::from(edge) + i128::from(chance.between(-1_500, 1_500))
    }

    /// A word for a parameter of that name.
    pub(super) fn word(&self, name: &str, chance: &mut Chance) -> Option<String> {
        let known = |list: &[String], chance: &mut Chance| {
            (!list.is_empty()).then(|| chance.pick(list).clone())
        };
        let said = |list: &[&str], chance: &mut Chance| Some((*chance.pick(list)).to_owned());
        match name {
            "email" if chance.one_in(2) => known(&self.emails, chance),
            "email" => Some(format!("{:x}@example.org", chance.bits())),
            "spent_sha256" => known(&self.tokens, chance),
            "refresh_sha256" | "email_sha256" if chance.one_in(4) => known(&self.tokens, chance),
            "refresh_sha256" | "email_sha256" => Some(sha256(&chance.bits().to_string())),
            "password_phc" => Some(PHC.to_owned()),
            "name" if chance.one_in(2) => Some(letters(chance)),
            "name" if chance.one_in(2) => said(&PLAYERS, chance),
            "name" => said(&["vale", "Haven", "cave-2", "castle", "Quiet Oak"], chance),
            "to" | "to_name" | "founder" => said(&PLAYERS, chance),
            "text" | "note" | "message" | "subject" | "reason" | "title" | "body" => {
                said(&["", "Well met", "sold!", "at eight"], chance)
            }
            "race" => said(&["human", "elf", "dwarf", "orc"], chance),
            "class" => said(&["fighter", "ranger", "rogue", "wizard"], chance),
            "uri" => said(&["http://127.0.0.1:3000", "https://realm.example.org"], chance),
            "database" => said(&["haven", "second", "test-1"], chance),
            "recipe" if chance.one_in(6) => Some(SHIPPED[chance.below(SHIPPED.len())].1.to_owned()),
            "recipe" => Some(String::new()),
            _ => None,
        }
    }
}

/// A name that a character may have.
fn letters(chance: &mut Chance) -> String {
    let count = 3 + chance.below(10);
    let letter = |number: usize| char::from(b'a' + u8::try_from(number).unwrap_or_default());
    (0..count).map(|_| letter(chance.below(26))).collect()
}
