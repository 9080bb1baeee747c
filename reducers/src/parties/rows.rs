//! The rows of parties: what is so, and each member's copy of it.
//!
//! Keeps true: a party's rows are written by `write` alone, which brings its copies along and what
//! is due. A changed row of a party of n members costs n copies, a member who joins 2n.

use super::due::{self, Kind};
use crate::characters;
use crate::ordered::ranges;
use crate::sequences;
use haven_rules::keys::{joint_key, keys_of, whole_of};
use haven_rules::parties::{Answer, Loot, LootMode, MARKERS, Member, Party, Ready, ReadyState};
use haven_rules::sequences::Numbered;
use haven_tables::characters::character;
use haven_tables::parties::{
    self as tables, PartyMember, PartySeat, PartyView, party, party_member, party_seat, party_view,
};
use spacetimedb::{Identity, ReducerContext, Table};

/// The party of a seat.
pub(super) fn party_id_of(seat: &PartySeat) -> u64 {
    whole_of(seat.seat_key)
}

fn seats_of(ctx: &ReducerContext, party_id: u64) -> Vec<PartySeat> {
    ranges(ctx.db.party_seat().seat_key()).filter(keys_of(party_id)).collect()
}

/// Who is a member.
pub(super) fn members_of(ctx: &ReducerContext, party_id: u64) -> Vec<u64> {
    seats_of(ctx, party_id).into_iter().map(|seat| seat.character_id).collect()
}

/// A party as it is.
pub(super) fn load(ctx: &ReducerContext, party_id: u64) -> Option<Party> {
    let row = ctx.db.party().party_id().find(party_id)?;
    let mut members: Vec<Member> = seats_of(ctx, party_id).iter().map(member_of).collect();
    members.sort_by_key(|member| (member.joined_at_micros, member.character_id));
    let mut markers = [0; MARKERS];
    for (marker, on) in markers.iter_mut().zip(&row.markers) {
        *marker = *on;
    }
    Some(Party {
        leader_id: row.leader_id,
        is_raid: row.is_raid,
        loot: Loot {
            mode: LootMode::from_code(row.loot_mode).unwrap_or_default(),
            threshold: row.loot_threshold,
            master_id: row.loot_master_id,
        },
        markers,
        ready: Ready {
            state: ReadyState::from_code(row.ready_state),
            by_id: row.ready_by_id,
            ends_at_micros: row.ready_ends_at_micros,
        },
        alone_ends_at_micros: row.alone_ends_at_micros,
        members,
    })
}

fn member_of(seat: &PartySeat) -> Member {
    Member {
        character_id: seat.character_id,
        joined_at_micros: seat.joined_at_micros,
        away_ends_at_micros: seat.away_ends_at_micros,
        group: seat.group,
        is_assistant: seat.is_assistant,
        answer: Answer::from_code(seat.answer),
    }
}

fn seat_of(party_id: u64, member: &Member) -> PartySeat {
    PartySeat {
        character_id: member.character_id,
        seat_key: joint_key(party_id, member.character_id),
        joined_at_micros: member.joined_at_micros,
        away_ends_at_micros: member.away_ends_at_micros,
        group: member.group,
        answer: member.answer as u8,
        is_assistant: member.is_assistant,
    }
}

fn row_of(party_id: u64, turn_id: u64, party: &Party) -> tables::Party {
    tables::Party {
        party_id,
        leader_id: party.leader_id,
        loot_master_id: party.loot.master_id,
        turn_id,
        ready_by_id: party.ready.by_id,
        ready_ends_at_micros: party.ready.ends_at_micros,
        alone_ends_at_micros: party.alone_ends_at_micros,
        markers: party.markers.to_vec(),
        loot_mode: party.loot.mode as u8,
        loot_threshold: party.loot.threshold,
        ready_state: party.ready.state as u8,
        is_raid: party.is_raid,
    }
}

/// Writes a party that was not there before; its number.
pub(super) fn make(ctx: &ReducerContext, party: &Party) -> u64 {
    let party_id = sequences::next(ctx, Numbered::Party);
    ctx.db.party().insert(row_of(party_id, 0, party));
    if party.alone_ends_at_micros != 0 {
        due::set(ctx, Kind::Alone, party.alone_ends_at_micros, party_id);
    }
    let nobody = Party { members: vec![], ..party.clone() };
    write(ctx, party_id, &nobody, party);
    party_id
}

/// Changes a party, and its rows and copies with it. One of no members is gone.
pub(super) fn write(ctx: &ReducerContext, party_id: u64, before: &Party, after: &Party) {
    write_seats(ctx, party_id, before, after);
    set_due(ctx, party_id, before, after);
    let is_same = row_of(party_id, 0, before) == row_of(party_id, 0, after);
    if after.members.is_empty() {
        ctx.db.party().party_id().delete(party_id);
    } else if !is_same {
        let turn_id = turn_of(ctx, party_id);
        ctx.db.party().party_id().update(row_of(party_id, turn_id, after));
    }
    let was_there = |id: u64| before.member(id).is_ok();
    for member in before.members.iter().filter(|was| after.member(was.character_id).is_err()) {
        ctx.db.party_view().character_id().delete(member.character_id);
        for known in &before.members {
            let member_key = joint_key(member.character_id, known.character_id);
            ctx.db.party_member().member_key().delete(member_key);
        }
    }
    let copies: Vec<(PartyMember, bool)> = after
        .members
        .iter()
        .map(|member| {
            let known = before.member(member.character_id);
            (copy_of(ctx, member), known.is_ok_and(|known| known == member))
        })
        .collect();
    for member in &after.members {
        let character_id = member.character_id;
        let viewer = characters::viewer_of(ctx, character_id);
        let is_new = !was_there(character_id);
        if is_new || !is_same {
            show_party(ctx, party_id, character_id, viewer, after);
        }
        for (copy, is_unchanged) in &copies {
            if is_new || !is_unchanged {
                show_member(ctx, character_id, viewer, copy);
            }
        }
        if !is_new {
            hide_gone(ctx, character_id, before, after);
        }
    }
}

fn write_seats(ctx: &ReducerContext, party_id: u64, before: &Party, after: &Party) {
    for member in &before.members {
        if after.member(member.character_id).is_err() {
            ctx.db.party_seat().character_id().delete(member.character_id);
        }
    }
    for member in &after.members {
        match before.member(member.character_id) {
            Ok(known) if known == member => {}
            Ok(_) => {
                ctx.db.party_seat().character_id().update(seat_of(party_id, member));
            }
            Err(_) => {
                ctx.db.party_seat().insert(seat_of(party_id, member));
            }
        }
    }
}

/// What was due and is not any more, and the other way round.
fn set_due(ctx: &ReducerContext, party_id: u64, before: &Party, after: &Party) {
    let ready = |party: &Party| party.ready.ends_at_micros;
    let alone = |party: &Party| party.alone_ends_at_micros;
    let is_over = after.members.is_empty();
    for (kind, was, is) in [
        (Kind::Ready, ready(before), if is_over { 0 } else { ready(after) }),
        (Kind::Alone, alone(before), if is_over { 0 } else { alone(after) }),
    ] {
        due::replace(ctx, kind, party_id, was, is);
    }
    let away = |party: &Party, id: u64| party.member(id).map_or(0, |it| it.away_ends_at_micros);
    for member in &before.members {
        let id = member.character_id;
        due::replace(ctx, Kind::Away, id, member.away_ends_at_micros, away(after, id));
    }
}

fn copy_of(ctx: &ReducerContext, member: &Member) -> PartyMember {
    let name = ctx.db.character().character_id().find(member.character_id).map(|row| row.name);
    PartyMember {
        member_key: 0,
        viewer: Identity::ZERO,
        character_id: member.character_id,
        joined_at_micros: member.joined_at_micros,
        away_ends_at_micros: member.away_ends_at_micros,
        group: member.group,
        answer: member.answer as u8,
        is_assistant: member.is_assistant,
        name: name.unwrap_or_default(),
    }
}

fn show_party(
    ctx: &ReducerContext,
    party_id: u64,
    character_id: u64,
    viewer: Identity,
    party: &Party,
) {
    let row = PartyView {
        character_id,
        viewer,
        party_id,
        leader_id: party.leader_id,
        loot_master_id: party.loot.master_id,
        ready_by_id: party.ready.by_id,
        ready_ends_at_micros: party.ready.ends_at_micros,
        alone_ends_at_micros: party.alone_ends_at_micros,
        markers: party.markers.to_vec(),
        loot_mode: party.loot.mode as u8,
        loot_threshold: party.loot.threshold,
        ready_state: party.ready.state as u8,
        is_raid: party.is_raid,
    };
    if ctx.db.party_view().character_id().find(character_id).is_some() {
        ctx.db.party_view().character_id().update(row);
    } else {
        ctx.db.party_view().insert(row);
    }
}

fn show_member(ctx: &ReducerContext, character_id: u64, viewer: Identity, copy: &PartyMember) {
    let member_key = joint_key(character_id, copy.character_id);
    let row = PartyMember { member_key, viewer, ..copy.clone() };
    if ctx.db.party_member().member_key().find(member_key).is_some() {
        ctx.db.party_member().member_key().update(row);
    } else {
        ctx.db.party_member().insert(row);
    }
}

/// Removes a member's copies of those who are members no more.
fn hide_gone(ctx: &ReducerContext, character_id: u64, before: &Party, after: &Party) {
    for gone in before.members.iter().filter(|was| after.member(was.character_id).is_err()) {
        let member_key = joint_key(character_id, gone.character_id);
        ctx.db.party_member().member_key().delete(member_key);
    }
}

/// Changes the party of a character, if it has one.
pub(super) fn change_of(ctx: &ReducerContext, character_id: u64, change: impl FnOnce(&mut Party)) {
    let Some((party_id, before)) = super::of(ctx, character_id) else { return };
    let mut after = before.clone();
    change(&mut after);
    write(ctx, party_id, &before, &after);
}

/// Takes a character out of its party, if it has one.
pub(super) fn take_out(ctx: &ReducerContext, character_id: u64) {
    let now = crate::now_micros(ctx);
    change_of(ctx, character_id, |party| {
        // It is a member: that is how the party was found.
        let _ = party.leave(character_id, now);
    });
}

/// Who had the last turn.
pub(super) fn turn_of(ctx: &ReducerContext, party_id: u64) -> u64 {
    ctx.db.party().party_id().find(party_id).map_or(0, |row| row.turn_id)
}

pub(super) fn set_turn(ctx: &ReducerContext, party_id: u64, turn_id: u64) {
    if let Some(row) = ctx.db.party().party_id().find(party_id) {
        ctx.db.party().party_id().update(tables::Party { turn_id, ..row });
    }
}

/// A member has another name: at most `RAID_MAX` copies.
pub(super) fn renamed(ctx: &ReducerContext, character_id: u64, name: &str) {
    let Some(party_id) = super::party_of(ctx, character_id) else { return };
    for other in members_of(ctx, party_id) {
        let member_key = joint_key(other, character_id);
        if let Some(row) = ctx.db.party_member().member_key().find(member_key) {
            let row = PartyMember { name: name.to_owned(), ..row };
            ctx.db.party_member().member_key().update(row);
        }
    }
}

/// A character's copies are shown to another client.
pub(super) fn rebound(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    if let Some(row) = ctx.db.party_view().character_id().find(character_id) {
        ctx.db.party_view().character_id().update(PartyView { viewer, ..row });
    }
    let copies: Vec<PartyMember> =
        ranges(ctx.db.party_member().member_key()).filter(keys_of(character_id)).collect();
    for row in copies {
        ctx.db.party_member().member_key().update(PartyMember { viewer, ..row });
    }
}
