//! Submissions case by case, and what holds for all of them.

use super::*;
use crate::content::BoardHolder;
use proptest::prelude::*;

fn board(operator: BoardOperator, order: BoardOrder) -> BoardDef {
    BoardDef {
        key: "test".to_owned(),
        name: "Test".to_owned(),
        text: String::new(),
        order,
        subscore: None,
        operator,
        start: 0,
        floor: 0,
        joined_only: false,
        attempts_max: 0,
        holder: BoardHolder::Character,
        feed: String::new(),
        served: true,
        reset: String::new(),
        reset_zone: String::new(),
        seasons_kept: 4,
        top: 10,
        rewards: vec![],
    }
}

fn standing(score: i64, subscore: i64) -> Standing {
    Standing { score, subscore }
}

fn after(def: &BoardDef, had: Option<i64>, given: i64) -> Result<Option<i64>, LeaderboardError> {
    let standing = had.map(|score| Standing { score, subscore: 0 });
    let holder = Holder { standing, ..Holder::default() };
    let new = submitted(def, Order::of(def), &holder, Standing { score: given, subscore: 0 })?;
    Ok(new.map(|new| new.score))
}

#[test]
fn operators_do_what_they_are_called() {
    use BoardOperator::{Best, Decrement, Set, Sum};
    use BoardOrder::{Ascending, Descending};
    const INVALID: LeaderboardError = LeaderboardError::ScoreInvalid;
    for (operator, order, had, given, expected) in [
        (Best, Descending, None, 5, Ok(Some(5))),
        (Best, Descending, Some(5), 6, Ok(Some(6))),
        (Best, Descending, Some(5), 5, Ok(None)),
        (Best, Descending, Some(5), 4, Ok(None)),
        (Best, Ascending, Some(5), 4, Ok(Some(4))),
        (Best, Ascending, Some(5), 6, Ok(None)),
        (Best, Descending, None, -7, Ok(Some(-7))),
        (Set, Descending, Some(5), 4, Ok(Some(4))),
        (Set, Descending, Some(5), 5, Ok(None)),
        (Sum, Descending, None, 5, Ok(Some(5))),
        (Sum, Descending, Some(5), -7, Ok(Some(-2))),
        (Sum, Descending, Some(5), 0, Ok(None)),
        (Sum, Descending, Some(SCORE_MAX), 1, Err(INVALID)),
        (Sum, Descending, Some(-SCORE_MAX), -1, Err(INVALID)),
        (Decrement, Descending, None, 3, Ok(Some(0))),
        (Decrement, Descending, Some(9), 3, Ok(Some(6))),
        (Decrement, Descending, Some(2), 3, Ok(Some(0))),
        (Decrement, Descending, Some(0), 3, Ok(None)),
        (Decrement, Descending, Some(2), -1, Err(INVALID)),
        (Set, Descending, None, SCORE_MAX + 1, Err(INVALID)),
        (Set, Descending, None, -SCORE_MAX - 1, Err(INVALID)),
        (Best, Descending, None, i64::MIN, Err(INVALID)),
        (Sum, Descending, None, i64::MAX, Err(INVALID)),
    ] {
        let def = board(operator, order);
        assert_eq!(after(&def, had, given), expected, "{operator:?} {order:?} {had:?} {given}");
    }
}

#[test]
fn what_is_taken_away_begins_at_the_start_and_ends_at_the_floor() {
    let def = BoardDef {
        start: 100,
        floor: 10,
        ..board(BoardOperator::Decrement, BoardOrder::Descending)
    };
    assert_eq!(after(&def, None, 30), Ok(Some(70)));
    assert_eq!(after(&def, None, 0), Ok(Some(100)), "whoever lost nothing is there too");
    assert_eq!(after(&def, Some(70), 65), Ok(Some(10)));
    assert_eq!(after(&def, Some(5), 1), Ok(None), "nobody is lifted up to a floor that is new");
}

#[test]
fn limits_are_checked_before_the_score() {
    let def = BoardDef {
        joined_only: true,
        attempts_max: 3,
        ..board(BoardOperator::Best, BoardOrder::Descending)
    };
    let order = Order::of(&def);
    for (is_joined, attempts, score, expected) in [
        (false, 9, i64::MAX, LeaderboardError::NotJoined),
        (true, 3, i64::MAX, LeaderboardError::AttemptsSpent),
        (true, 2, i64::MAX, LeaderboardError::ScoreInvalid),
    ] {
        let holder = Holder { standing: None, attempts, is_joined };
        assert_eq!(submitted(&def, order, &holder, standing(score, 0)), Err(expected));
    }
    assert_eq!(validate_join(&def, false), Ok(()));
    assert_eq!(validate_join(&def, true), Err(LeaderboardError::Joined));
    let open = board(BoardOperator::Best, BoardOrder::Descending);
    assert_eq!(validate_join(&open, true), Err(LeaderboardError::JoinUnneeded));
}

#[test]
fn a_subscore_decides_between_equal_scores_by_its_own_order() {
    let def = BoardDef {
        subscore: Some(BoardOrder::Ascending),
        ..board(BoardOperator::Best, BoardOrder::Descending)
    };
    let order = Order::of(&def);
    let better = |one: Standing, other: Standing| order.key(one, 9) < order.key(other, 1);
    assert!(better(standing(5, 100), standing(4, 1)));
    assert!(better(standing(5, 99), standing(5, 100)));
    assert!(order.key(standing(5, 5), 1) < order.key(standing(5, 5), 2), "the first one there");
    let holder = Holder { standing: Some(standing(5, 100)), ..Holder::default() };
    assert_eq!(submitted(&def, order, &holder, standing(5, 99)), Ok(Some(standing(5, 99))));
    assert_eq!(submitted(&def, order, &holder, standing(5, 101)), Ok(None));
    let without = board(BoardOperator::Set, BoardOrder::Descending);
    let new = submitted(&without, Order::of(&without), &Holder::default(), standing(5, i64::MAX));
    assert_eq!(new, Ok(Some(standing(5, 0))), "a board without subscores keeps none");
}

#[test]
fn a_rank_has_the_first_reward_it_is_among() {
    let ranks = [(1, 1), (2, 10), (1, 100)];
    for (rank, expected) in
        [(0, None), (1, Some(0)), (2, Some(1)), (10, Some(1)), (11, Some(2)), (101, None)]
    {
        assert_eq!(reward_of(ranks, rank), expected, "{rank}");
    }
    assert_eq!((last_rewarded(ranks), last_rewarded([])), (100, 0));
}

#[test]
fn questions_come_back_one_by_one() {
    let mut known = None;
    for _ in 0..QUESTIONS_BURST {
        known = Some(ask(known, 1_000).expect("one is left"));
    }
    assert_eq!(ask(known, 1_000), Err(LeaderboardError::AskedTooOften));
    assert_eq!(ask(known, 1_000 + QUESTION_MICROS - 1), Err(LeaderboardError::AskedTooOften));
    let later = ask(known, 1_000 + QUESTION_MICROS).expect("one came back");
    assert_eq!(later.left, 0);
    assert_eq!(ask(known, 0), Err(LeaderboardError::AskedTooOften), "a clock that was set back");
    let rested = ask(known, i64::MAX).expect("all came back");
    assert_eq!(rested.left, QUESTIONS_BURST - 1);
}

#[test]
fn a_page_around_a_rank_is_full_where_there_are_enough() {
    for (rank, total, expected) in [
        (0, 1, 0),
        (0, 100, 0),
        (10, 100, 0),
        (11, 100, 1),
        (50, 100, 40),
        (99, 100, 79),
        (5, 8, 0),
    ] {
        assert_eq!(around(rank, total), expected, "{rank} of {total}");
    }
}

#[test]
fn seasons_end_at_instants_that_do_not_depend_on_their_beginning() {
    let hour = 3_600_000_000;
    let def = BoardDef {
        reset: "0 4 * * *".to_owned(),
        reset_zone: "Europe/Berlin".to_owned(),
        ..board(BoardOperator::Best, BoardOrder::Descending)
    };
    // 1 January 1970 in Berlin began an hour before 1970 did.
    for (now, expected) in [(0, 3), (3 * hour - 1, 3), (3 * hour, 27), (100 * hour, 123)] {
        assert_eq!(reset::next_end_micros(&def, now), Some(expected * hour));
    }
    let utc = BoardDef { reset_zone: String::new(), ..def.clone() };
    assert_eq!(reset::next_end_micros(&utc, 0), Some(4 * hour));
    let never = board(BoardOperator::Best, BoardOrder::Descending);
    assert_eq!(reset::next_end_micros(&never, 5), None);
    let spelled = [&def, &utc, &never].map(reset::spelled);
    assert_eq!(spelled, ["0 4 * * * Europe/Berlin", "0 4 * * * ", ""]);
}

proptest! {
    #[test]
    fn a_key_holds_what_it_was_made_of_and_better_is_before(
        code in 0..4_u8,
        one in any::<(i64, i64)>(),
        other in any::<(i64, i64)>(),
        first in any::<u64>(),
    ) {
        let order = Order::from_code(code);
        prop_assert_eq!(order.code(), code);
        let (one, other) = (standing(one.0, one.1), standing(other.0, other.1));
        prop_assert_eq!(order.standing(order.key(one, first)), one);
        let score = match order.score {
            BoardOrder::Descending => other.score.cmp(&one.score),
            BoardOrder::Ascending => one.score.cmp(&other.score),
        };
        let subscore = match order.subscore {
            BoardOrder::Descending => other.subscore.cmp(&one.subscore),
            BoardOrder::Ascending => one.subscore.cmp(&other.subscore),
        };
        prop_assert_eq!(order.key(one, 1).cmp(&order.key(other, 1)), score.then(subscore));
    }

    /// Whatever is submitted: a best only improves, a floor holds, a score stays within bounds.
    #[test]
    fn scores_keep_their_bounds(
        given in prop::collection::vec(-SCORE_MAX..=SCORE_MAX, 1..40), which in 0..4_usize,
        is_rising: bool,
    ) {
        let order = if is_rising { BoardOrder::Ascending } else { BoardOrder::Descending };
        let def = BoardDef { start: 50, floor: -50, ..board(BoardOperator::ALL[which], order) };
        let mut holder = Holder::default();
        for score in given {
            let before = holder.standing;
            let new = submitted(&def, Order::of(&def), &holder, standing(score, 0));
            let Ok(Some(new)) = new else { continue };
            prop_assert!(is_score(new.score));
            if let (BoardOperator::Best, Some(before)) = (def.operator, before) {
                let order = Order::of(&def);
                prop_assert!(order.key(new, 0) < order.key(before, 0));
            }
            if def.operator == BoardOperator::Decrement {
                prop_assert!((-50..=50).contains(&new.score));
            }
            holder.standing = Some(new);
        }
    }
}
