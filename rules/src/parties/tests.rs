//! Tables of cases and properties of parties.

use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_000_000;
const GRACE: i64 = 300_000_000;

/// A party whose members 1, 2, … joined a second after one another; 1 leads.
fn party(size: u64) -> Party {
    let mut party = Party::new(1, NOW);
    party.is_raid = size > 5;
    for id in 2..=size {
        let at = NOW + i64::try_from(id).expect("small") * 1_000_000;
        party.join(id, at).expect("there is room");
    }
    party
}

fn ids(party: &Party) -> Vec<u64> {
    party.members.iter().map(|member| member.character_id).collect()
}

#[test]
fn parties_and_raids_have_their_sizes() {
    let mut small = party(5);
    assert_eq!(small.join(6, NOW), Err(PartyError::Full));
    assert_eq!(small.convert(2, true), Err(PartyError::NotLeader));
    small.convert(1, true).expect("a raid");
    small.join(6, NOW).expect("there is room");
    assert_eq!(small.member(6).map(|member| member.group), Ok(2));
    assert_eq!(small.convert(1, false), Err(PartyError::TooLarge));
    let mut raid = party(40);
    assert_eq!(raid.join(41, NOW), Err(PartyError::Full));
    for group in 1..=GROUPS {
        assert_eq!(raid.count_in(group), 5, "{group}");
    }
    for id in 6..=40 {
        raid.leave(id, NOW).expect("a member");
    }
    raid.convert(1, false).expect("small enough");
    assert!(raid.members.iter().all(|member| member.group == 1) && !raid.is_raid);
}

#[test]
fn the_next_leader_is_there_and_assists_and_came_first() {
    for (assistants, away, expected) in [
        (&[][..], &[][..], 2),
        (&[3], &[], 3),
        (&[4, 3], &[], 3),
        (&[3], &[3], 2),
        (&[], &[2], 3),
        (&[4], &[2, 3, 4], 4),
        (&[], &[2, 3, 4], 2),
    ] {
        let mut party = party(4);
        for id in assistants {
            party.assist(1, *id, true).expect("a member");
        }
        for id in away {
            party.goes(*id, NOW);
        }
        party.leave(1, NOW).expect("a member");
        assert_eq!(party.leader_id, expected, "{assistants:?} {away:?}");
        assert!(!party.member(expected).expect("a member").is_assistant);
    }
}

#[test]
fn who_leaves_hands_on_what_it_was() {
    let mut party = party(3);
    party.loot_by(1, 4, 2, 2).expect("a rule");
    party.leave(2, NOW).expect("a member");
    assert_eq!(party.loot, Loot { mode: LootMode::Master, threshold: 2, master_id: 1 });
    assert_eq!(party.alone_ends_at_micros, 0);
    party.leave(1, NOW).expect("a member");
    assert_eq!((party.leader_id, party.loot.master_id), (3, 3));
    assert_eq!(party.alone_ends_at_micros, NOW + GRACE);
    party.join(9, NOW).expect("there is room");
    assert_eq!(party.alone_ends_at_micros, 0);
    party.leave(9, NOW).expect("a member");
    party.leave(3, NOW).expect("a member");
    assert!(party.members.is_empty());
    assert_eq!(party.leave(3, NOW), Err(PartyError::MemberUnknown));
}

#[test]
fn rights_are_those_of_leaders_and_assistants() {
    let mut one = party(5);
    one.assist(1, 2, true).expect("the leader may");
    one.assist(1, 3, true).expect("the leader may");
    for (by, whom, expected) in [
        (4, 5, Err(PartyError::NotAssistant)),
        (2, 9, Err(PartyError::MemberUnknown)),
        (2, 2, Err(PartyError::Oneself)),
        (2, 3, Err(PartyError::NotLeader)),
        (2, 1, Err(PartyError::NotLeader)),
        (2, 5, Ok(())),
        (1, 3, Ok(())),
    ] {
        assert_eq!(one.kick(by, whom, NOW), expected, "{by} {whom}");
    }
    assert_eq!(ids(&one), [1, 2, 4]);
    one.goes(4, NOW);
    for (by, whom, expected) in [
        (2, 4, Err(PartyError::NotLeader)),
        (1, 9, Err(PartyError::MemberUnknown)),
        (1, 1, Err(PartyError::Oneself)),
        (1, 4, Err(PartyError::MemberAway)),
        (1, 2, Ok(())),
    ] {
        assert_eq!(one.pass(by, whom), expected, "{by} {whom}");
    }
    assert_eq!(one.leader_id, 2);
    assert!(one.member(1).expect("a member").is_assistant);
    for (by, whom, expected) in [
        (1, 4, Err(PartyError::NotLeader)),
        (2, 9, Err(PartyError::MemberUnknown)),
        (2, 2, Err(PartyError::Oneself)),
        (2, 4, Ok(())),
    ] {
        assert_eq!(one.assist(by, whom, true), expected, "{by} {whom}");
    }
}

#[test]
fn groups_are_of_raids_and_bounded() {
    let mut raid = party(7);
    raid.assist(1, 2, true).expect("a member");
    for (by, whom, group, expected) in [
        (2, 3, 0, Err(PartyError::GroupUnknown)),
        (2, 3, 9, Err(PartyError::GroupUnknown)),
        (3, 3, 4, Err(PartyError::NotAssistant)),
        (2, 99, 4, Err(PartyError::MemberUnknown)),
        (2, 7, 1, Err(PartyError::GroupFull)),
        (2, 5, 1, Ok(())),
        (2, 5, 8, Ok(())),
        (2, 7, 1, Ok(())),
    ] {
        assert_eq!(raid.regroup(by, whom, group), expected, "{by} {whom} {group}");
    }
    assert_eq!(party(3).regroup(1, 2, 1), Err(PartyError::NotRaid));
}

#[test]
fn loot_rules_and_markers_are_bounded() {
    let mut one = party(3);
    for (by, mode, threshold, master, expected) in [
        (1, 0, 0, 0, Err(PartyError::LootInvalid)),
        (1, 5, 0, 0, Err(PartyError::LootInvalid)),
        (1, 3, 6, 0, Err(PartyError::LootInvalid)),
        (2, 3, 5, 0, Err(PartyError::NotLeader)),
        (1, 4, 0, 0, Err(PartyError::MemberUnknown)),
        (1, 4, 0, 3, Ok(3)),
        (1, 2, 0, 3, Ok(0)),
    ] {
        let outcome = one.loot_by(by, mode, threshold, master);
        assert_eq!(outcome.map(|()| one.loot.master_id), expected, "{by} {mode} {threshold}");
    }
    for (by, marker, target, expected) in [
        (2, 0, 7, Err(PartyError::MarkerUnknown)),
        (2, 9, 7, Err(PartyError::MarkerUnknown)),
        (2, 1, 7, Ok([7, 0])),
        (3, 2, 7, Ok([0, 7])),
        (3, 1, 8, Ok([8, 7])),
        (3, 1, 0, Ok([0, 7])),
    ] {
        let outcome = one.mark(by, marker, target);
        let markers = [one.markers[0], one.markers[1]];
        assert_eq!(outcome.map(|()| markers), expected, "{by} {marker} {target}");
    }
    one.convert(1, true).expect("a raid");
    assert_eq!(one.mark(2, 1, 7), Err(PartyError::NotAssistant));
}

#[test]
fn a_ready_check_ends_with_the_last_answer_or_its_time() {
    let mut one = party(3);
    assert_eq!(one.ask_ready(2, NOW), Err(PartyError::NotAssistant));
    assert_eq!(one.answer_ready(2, true), Err(PartyError::ReadyNone));
    one.ask_ready(1, NOW).expect("the leader may");
    assert_eq!(one.ready.ends_at_micros, NOW + 30_000_000);
    assert_eq!(one.ask_ready(1, NOW), Err(PartyError::ReadyGoing));
    one.join(4, NOW).expect("there is room");
    assert_eq!(one.answer_ready(4, true), Err(PartyError::ReadyNone), "it was not asked");
    one.answer_ready(2, false).expect("asked");
    one.answer_ready(2, true).expect("it may think again");
    assert_eq!(one.ready.state, ReadyState::Going);
    one.answer_ready(3, true).expect("asked");
    assert_eq!((one.ready.state, one.ready.ends_at_micros), (ReadyState::AllReady, 0));
    assert_eq!(one.answer_ready(2, false), Err(PartyError::ReadyNone));

    one.ask_ready(1, NOW).expect("another one");
    one.answer_ready(2, true).expect("asked");
    one.end_check();
    assert_eq!(one.ready.state, ReadyState::NotAll);
    assert_eq!(one.member(3).map(|member| member.answer), Ok(Answer::NotReady));

    one.ask_ready(1, NOW).expect("another one");
    one.goes(3, NOW);
    one.leave(2, NOW).expect("a member");
    one.answer_ready(4, true).expect("asked");
    assert_eq!(one.ready.state, ReadyState::Going, "the third may come back in time");
    let mut left = one.clone();
    left.leave(3, NOW).expect("a member");
    assert_eq!(left.ready.state, ReadyState::AllReady, "nobody is asked any more");
    one.comes(3);
    one.answer_ready(3, true).expect("back in time");
    assert_eq!(one.ready.state, ReadyState::AllReady);

    one.goes(3, NOW);
    one.ask_ready(1, NOW).expect("another one");
    assert_eq!(
        one.member(3).map(|member| member.answer),
        Ok(Answer::NotReady),
        "away from the start"
    );
    one.answer_ready(4, true).expect("asked");
    assert_eq!(one.ready.state, ReadyState::NotAll);

    let mut alone = party(1);
    alone.ask_ready(1, NOW).expect("the leader may");
    assert_eq!(alone.ready.state, ReadyState::AllReady);
}

#[test]
fn codes_are_those_of_the_rows() {
    for mode in 1..=4 {
        assert_eq!(LootMode::from_code(mode).map(|mode| mode as u8), Some(mode));
    }
    assert_eq!((LootMode::from_code(0), LootMode::from_code(5)), (None, None));
    for code in 0..=3 {
        assert_eq!(Answer::from_code(code) as u8, code);
        assert_eq!(ReadyState::from_code(code) as u8, code);
    }
    assert_eq!((Answer::from_code(9), ReadyState::from_code(9)), <_>::default());
    assert_eq!(invite_lapses_at_micros(NOW), NOW + 60_000_000);
}

/// Does something that a member or a stranger might, and answers whether it was done.
fn act(party: &mut Party, (what, by, whom, small): (u8, u64, u64, u8), now: i64) -> bool {
    let outcome = match what {
        0 | 1 if party.member(whom).is_err() => party.join(whom, now),
        2 => party.leave(by, now),
        3 => party.kick(by, whom, now),
        4 => party.pass(by, whom),
        5 => party.assist(by, whom, small % 2 == 0),
        6 => party.convert(by, small % 2 == 0),
        7 => party.regroup(by, whom, small),
        8 => party.loot_by(by, small, small, whom),
        9 => party.mark(by, small, whom),
        10 => party.ask_ready(by, now),
        11 => party.answer_ready(by, small % 2 == 0),
        12 => {
            party.goes(by, now);
            Ok(())
        }
        13 => {
            party.comes(by);
            Ok(())
        }
        _ => {
            party.end_check();
            Ok(())
        }
    };
    outcome.is_ok()
}

fn assert_sound(party: &Party) -> Result<(), TestCaseError> {
    let most = if party.is_raid { RAID_MAX } else { PARTY_MAX };
    prop_assert!((1..=most).contains(&party.members.len()));
    prop_assert!(party.member(party.leader_id).is_ok(), "one leader, who is a member");
    prop_assert!(!party.member(party.leader_id).expect("a member").is_assistant);
    let mut sorted = ids(party);
    sorted.sort_unstable();
    sorted.dedup();
    prop_assert_eq!(sorted.len(), party.members.len());
    for group in 1..=GROUPS {
        prop_assert!(party.count_in(group) <= GROUP_MAX);
    }
    let groups = if party.is_raid { 1..=GROUPS } else { 1..=1 };
    prop_assert!(party.members.iter().all(|member| groups.contains(&member.group)));
    prop_assert_eq!(party.alone_ends_at_micros != 0, party.members.len() == 1);
    let is_going = party.ready.state == ReadyState::Going;
    prop_assert_eq!(party.ready.ends_at_micros != 0, is_going);
    let waits = party.members.iter().any(|member| member.answer == Answer::Waits);
    prop_assert_eq!(waits, is_going);
    let is_master = party.loot.mode == LootMode::Master;
    prop_assert_eq!(party.member(party.loot.master_id).is_ok(), is_master);
    for (at, marker) in party.markers.iter().enumerate().filter(|(_, marker)| **marker != 0) {
        prop_assert!(!party.markers[..at].contains(marker));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_party_is_sound_whatever_its_members_do(
        is_raid: bool,
        acts in prop::collection::vec((0..15_u8, 1..50_u64, 1..50_u64, 0..11_u8), 1..300),
    ) {
        let mut party = Party::new(1, NOW);
        party.convert(1, is_raid).expect("the leader may");
        for (number, (what, by, whom, small)) in acts.into_iter().enumerate() {
            // Half of all acts are by the leader, or hardly anything would happen.
            let by = if small % 2 == 0 { party.leader_id } else { by };
            let before = party.clone();
            let now = NOW + i64::try_from(number).expect("small");
            if !act(&mut party, (what, by, whom, small), now) {
                prop_assert_eq!(&party.members, &before.members, "a refusal changes nobody");
                prop_assert_eq!(party.leader_id, before.leader_id);
            }
            if party.members.is_empty() {
                party = Party::new(1, now);
            }
            assert_sound(&party)?;
        }
    }
}
