//! Threat: whom creatures turn to, and who is paid for their death.
//!
//! Keeps true: experience is given once for each creature, in whole, to those who contributed and
//! are near; a creature keeps at most `ENTRIES_MAX` in mind.

use super::bodies::Body;
use crate::sequences;
use crate::{characters, npcs, parties};
use haven_rules::combat::aim::is_within;
use haven_rules::combat::areas::Point;
use haven_rules::combat::deed::Line;
use haven_rules::combat::house::percent_of;
use haven_rules::combat::threat::{Entry, Threat};
use haven_rules::content::book::Book;
use haven_rules::parties::sharing::{Claim, divide};
use haven_rules::sequences::Numbered;
use haven_tables::combat::{CombatThreat, combat_state, combat_threat, combatant};
use spacetimedb::{ReducerContext, Table};
use std::collections::BTreeSet;
use std::rc::Rc;

/// All that a creature keeps in mind.
pub(crate) fn of(ctx: &ReducerContext, creature_id: u64) -> Threat {
    let rows = ctx.db.combat_threat().by_creature().filter(creature_id);
    let entry = |row: CombatThreat| Entry {
        entity_id: row.entity_id,
        threat: row.threat,
        contribution: row.contribution,
    };
    Threat::new(rows.map(entry).collect())
}

/// Changes what a creature keeps in mind.
pub(crate) fn change(ctx: &ReducerContext, creature_id: u64, apply: impl FnOnce(&mut Threat)) {
    let rows: Vec<CombatThreat> =
        ctx.db.combat_threat().by_creature().filter(creature_id).collect();
    let mut threat = of(ctx, creature_id);
    apply(&mut threat);
    let stays: BTreeSet<u64> = threat.entries().iter().map(|entry| entry.entity_id).collect();
    for row in &rows {
        if !stays.contains(&row.entity_id) {
            ctx.db.combat_threat().threat_id().delete(row.threat_id);
        }
    }
    for entry in threat.entries() {
        let known = rows.iter().find(|row| row.entity_id == entry.entity_id);
        let row = CombatThreat {
            threat_id: known.map_or(0, |row| row.threat_id),
            creature_id,
            entity_id: entry.entity_id,
            threat: entry.threat,
            contribution: entry.contribution,
        };
        match known {
            Some(known) if *known == row => {}
            Some(_) => {
                ctx.db.combat_threat().threat_id().update(row);
            }
            None => {
                let threat_id = sequences::next(ctx, Numbered::CombatThreat);
                ctx.db.combat_threat().insert(CombatThreat { threat_id, ..row });
            }
        }
    }
}

/// Counts what a line did: hurting draws the hurt, healing draws whoever fights the healed.
pub(super) fn count(
    ctx: &ReducerContext,
    user: &Body,
    line: &Line,
    is_hostile: bool,
    book: &Rc<Book>,
) {
    let user_id = user.fighter.entity_id;
    let amount = u32::try_from(line.amount).unwrap_or(0);
    if line.is_healing {
        let percent = book.setting("threat_per_healing_percent");
        let drawn = u32::try_from(percent_of(line.amount, percent)).unwrap_or(0);
        let fights = ctx.db.combat_threat().by_entity().filter(line.target_id);
        let fights: BTreeSet<u64> = fights.map(|row| row.creature_id).collect();
        for creature_id in fights {
            change(ctx, creature_id, |threat| threat.heal(user_id, drawn.saturating_mul(2)));
        }
        return;
    }
    if !is_hostile || line.target_id == user_id {
        return;
    }
    let Some(target) = ctx.db.combatant().entity_id().find(line.target_id) else { return };
    if !target.is_player {
        let per = u32::try_from(book.setting("threat_per_damage")).unwrap_or(1);
        change(ctx, line.target_id, |threat| {
            threat.hurt(user_id, amount);
            // What misses is an attack, too.
            threat.draw(user_id, amount.saturating_mul(per.saturating_sub(1)).max(1));
        });
        if target.vital != 3 {
            npcs::hurt_by(ctx, line.target_id, user_id);
        }
    }
}

/// Somebody draws a creature's attention.
pub(super) fn taunt(ctx: &ReducerContext, creature_id: u64, by: u64, more: u32) {
    let target = ctx.db.combatant().entity_id().find(creature_id);
    if target.is_some_and(|row| !row.is_player && row.vital != 3) {
        change(ctx, creature_id, |threat| threat.taunt(by, more));
        npcs::hurt_by(ctx, creature_id, by);
    }
}

/// Gives experience for a creature that died, by contribution; parties share theirs among members
/// who are near. What creatures contributed is lost.
pub(super) fn reward(ctx: &ReducerContext, creature_id: u64, book: &Rc<Book>) {
    let Some(state) = ctx.db.combat_state().entity_id().find(creature_id) else { return };
    let Some(sheet) = super::bodies::creature_sheet(book, &state.creature) else { return };
    let Some((world, x_mm, y_mm)) = crate::motion::place_of(ctx, creature_id) else { return };
    if !book.switch("experience") {
        return;
    }
    let radius = u32::try_from(book.setting("experience_share_radius_mm")).unwrap_or(0);
    let at = Point { x_mm, y_mm };
    let is_near = |entity_id: u64| {
        let place = crate::motion::place_of(ctx, entity_id);
        place.is_some_and(|(in_world, x_mm, y_mm)| {
            in_world == world && is_within(at, Point { x_mm, y_mm }, radius)
        })
    };
    let is_player = |entity_id: u64| {
        ctx.db.combatant().entity_id().find(entity_id).is_some_and(|row| row.is_player)
    };
    let threat = of(ctx, creature_id);
    let strikers = threat
        .entries()
        .iter()
        .filter(|entry| entry.contribution > 0)
        .filter(|entry| is_player(entry.entity_id) && is_near(entry.entity_id));
    let claims = claims(ctx, strikers, |id| is_player(id) && is_near(id));
    let worth = i32::try_from(sheet.experience).unwrap_or(i32::MAX);
    let whole = percent_of(worth, book.setting("experience_percent"));
    for (character_id, share) in divide(u32::try_from(whole).unwrap_or(0), &claims) {
        characters::give_experience(ctx, character_id, share);
    }
}

/// Who is paid: each striker for itself, or with all members of its party who share.
fn claims<'a>(
    ctx: &ReducerContext,
    strikers: impl Iterator<Item = &'a Entry>,
    shares: impl Fn(u64) -> bool,
) -> Vec<Claim> {
    let mut paid: Vec<Entry> = strikers.copied().collect();
    paid.sort_unstable_by_key(|entry| entry.entity_id);
    let mut claims: Vec<Claim> = vec![];
    for entry in paid {
        let id = entry.entity_id;
        if let Some(claim) = claims.iter_mut().find(|claim| claim.members.contains(&id)) {
            claim.contribution = claim.contribution.saturating_add(entry.contribution);
            continue;
        }
        let members = parties::companions(ctx, id).into_iter().filter(|id| shares(*id)).collect();
        claims.push(Claim { contribution: entry.contribution, members });
    }
    claims
}

/// Somebody is dead or gone: it draws nobody, and nobody draws it.
pub(crate) fn forget(ctx: &ReducerContext, entity_id: u64) {
    ctx.db.combat_threat().by_creature().delete(entity_id);
    let drawn = ctx.db.combat_threat().by_entity().filter(entity_id);
    let drawn: BTreeSet<u64> = drawn.map(|row| row.creature_id).collect();
    for creature_id in drawn {
        change(ctx, creature_id, |threat| threat.forget(entity_id));
    }
}
