//! Decisions in words.

use super::*;
use crate::combat::areas::Direction;

pub(super) fn act(act: &Act<'_>) -> String {
    let place = |to: &Point| format!("{} {}", to.x_mm, to.y_mm);
    match act {
        Act::Attack { target_id } => format!("attack {target_id}"),
        Act::Use { ability, aimed } => format!("use {ability} at {}", aim(aimed)),
        Act::HealAlly { target_id, ability, aimed } => {
            format!("heal {target_id} by {ability} at {}", aim(aimed))
        }
        Act::Approach { target_id, to } => format!("approach {target_id} at {}", place(to)),
        Act::KeepDistance { to } => format!("keep distance at {}", place(to)),
        Act::Flee { to } => format!("flee to {}", place(to)),
        Act::CallForHelp => "call".to_owned(),
        Act::GoHome => "go home".to_owned(),
        Act::Wander { to } => format!("wander to {}", place(to)),
        Act::Patrol { to } => format!("patrol to {}", place(to)),
        Act::Guard => "guard".to_owned(),
        Act::Rest => "rest".to_owned(),
    }
}

fn aim(aimed: &Aimed) -> String {
    match aimed {
        Aimed::Oneself => "oneself".to_owned(),
        Aimed::Entity(entity_id) => format!("{entity_id}"),
        Aimed::Point(Point { x_mm, y_mm }) => format!("({x_mm} {y_mm})"),
        Aimed::Direction(Direction { dx, dy }) => format!("direction {dx} {dy}"),
    }
}
