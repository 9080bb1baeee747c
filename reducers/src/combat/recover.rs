//! Fights that are over for a creature.
//!
//! Keeps true: a creature that gave up is as it was before the fight, so that nobody wears it down
//! in many small fights.

use super::{bodies, effects, threat};
use crate::content::book;
use haven_rules::combat::threat::Threat;
use spacetimedb::ReducerContext;

/// A creature keeps nobody in mind any more, is whole, and nothing lies on it.
pub(crate) fn recover(ctx: &ReducerContext, entity_id: u64) {
    threat::change(ctx, entity_id, |threat| *threat = Threat::default());
    effects::end_concentration(ctx, entity_id);
    let Some(mut body) = bodies::load(ctx, entity_id, &book(ctx)) else { return };
    if !body.fighter.health.is_awake() {
        return;
    }
    body.fighter.forget(|_| true);
    body.fighter.concentrates_on.clear();
    body.fighter.health.set_max(body.fighter.hit_points_max());
    body.fighter.health.heal(i32::MAX);
    body.fighter.health.temporary = 0;
    bodies::store(ctx, body);
}
