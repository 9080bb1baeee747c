//! Rows of dice and of what they decided, as the module's schema has them.

use haven_gateway::stdb::Row;
use haven_rules::combat::proof::{Day, Event, Line};
use spacetimedb_lib::SpacetimeType;

/// A day of dice.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(super) struct DiceDay {
    day: u32,
    begins_at_micros: i64,
    ends_at_micros: i64,
    commitment: String,
    secret: String,
}

impl Row for DiceDay {
    const TABLE: &'static str = "dice_day";
}

impl From<DiceDay> for Day {
    fn from(row: DiceDay) -> Self {
        let DiceDay { day, begins_at_micros, commitment, secret, .. } = row;
        Self { day, begins_at_micros, commitment, secret }
    }
}

/// What was decided.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(super) struct CombatEvent {
    event_id: u64,
    chunk_index: u64,
    actor_id: u64,
    at_micros: i64,
    day: u32,
    slot: u16,
    ability: String,
    dice: Vec<u8>,
    lines: Vec<CombatLine>,
}

impl Row for CombatEvent {
    const TABLE: &'static str = "combat_event";
}

/// What happened to one target, once.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct CombatLine {
    target_id: u64,
    rolled: i32,
    amount: i32,
    modifier: i16,
    against: i16,
    natural: u8,
    verdict: u8,
    damage: u8,
    is_healing: bool,
    fell: u8,
    text: String,
}

impl From<CombatEvent> for Event {
    fn from(row: CombatEvent) -> Self {
        let CombatEvent { event_id, actor_id, at_micros, day, ability, dice, lines, .. } = row;
        let lines = lines.into_iter().map(Line::from).collect();
        Self { event_id, day, at_micros, actor_id, ability, dice, lines }
    }
}

impl From<CombatLine> for Line {
    fn from(row: CombatLine) -> Self {
        let CombatLine { target_id, rolled, amount, modifier, against, .. } = row;
        let CombatLine { natural, verdict, text, .. } = row;
        Self { target_id, natural, modifier, against, verdict, rolled, amount, text }
    }
}

#[cfg(test)]
mod tests {
    use haven_engine::{MODULE_WASM, module_schema};

    #[test]
    fn rows_are_those_of_the_module() {
        let schema = module_schema(MODULE_WASM).expect("the module's schema");
        for columns in [
            "table combat_event (public)\n  event_id: u64, primary key\n  chunk_index: u64\n  \
             actor_id: u64\n  at_micros: i64\n  day: u32\n  slot: u16\n  ability: String\n  \
             dice: Vec<u8>\n  lines: Vec<CombatLine>\n  index",
            "table dice_day (public)\n  day: u32, primary key\n  begins_at_micros: i64\n  \
             ends_at_micros: i64\n  commitment: String\n  secret: String\n  index",
            "type CombatLine = struct { target_id: u64, rolled: i32, amount: i32, modifier: i16, \
             against: i16, natural: u8, verdict: u8, damage: u8, is_healing: bool, fell: u8, \
             text: String }",
        ] {
            assert!(schema.contains(columns), "{columns}");
        }
    }
}
