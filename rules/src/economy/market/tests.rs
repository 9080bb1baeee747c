//! Cases and properties of prices, fees and auctions.

use super::*;
use proptest::prelude::*;

const END: i64 = 100 * HOUR_MICROS;

const fn standing() -> Standing {
    Standing {
        seller_account_id: 1,
        ends_at_micros: END,
        last_end_at_micros: END + OVERTIME_MICROS,
        next_bid_copper: 100,
        buyout_copper: 500,
        bids: 0,
    }
}

#[test]
fn fees_are_rounded_as_they_say() {
    for (copper, bps, expected) in [
        (0, 500, 0),
        (19, 500, 0),
        (20, 500, 1),
        (39, 500, 1),
        (10_000, 1, 1),
        (9_999, 1, 0),
        (u64::MAX, 10_000, u64::MAX),
        (7, 0, 0),
    ] {
        assert_eq!(cut(copper, bps), expected, "{copper} {bps}");
    }
    for (bid, hours, bps, expected) in [
        (1, 12, 100, 1),
        (100, 12, 100, 1),
        (101, 12, 100, 2),
        (100, 24, 100, 2),
        (100, 48, 100, 4),
        (1_000, 12, 0, 0),
    ] {
        assert_eq!(deposit(bid, hours, bps), expected, "{bid} {hours} {bps}");
    }
    for (bid, bps, expected) in
        [(1, 500, 2), (20, 500, 21), (21, 500, 23), (100, 0, 101), (u64::MAX, 500, u64::MAX)]
    {
        assert_eq!(next_bid(bid, bps), expected, "{bid} {bps}");
    }
}

#[test]
fn an_auction_asks_for_what_can_be_paid() {
    use MarketError::{BuyoutInvalid, HoursInvalid, PriceInvalid};
    for (bid_copper, buyout_copper, hours, expected) in [
        (1, 0, 12, Ok(())),
        (1, 1, 24, Ok(())),
        (BID_COPPER_MAX, BID_COPPER_MAX, 48, Ok(())),
        (0, 0, 12, Err(PriceInvalid)),
        (BID_COPPER_MAX + 1, 0, 12, Err(PriceInvalid)),
        (u64::MAX, u64::MAX, 0, Err(PriceInvalid)),
        (2, 1, 12, Err(BuyoutInvalid)),
        (1, u64::MAX, 12, Err(BuyoutInvalid)),
        (1, 0, 0, Err(HoursInvalid)),
        (1, 0, 13, Err(HoursInvalid)),
        (1, 0, u8::MAX, Err(HoursInvalid)),
    ] {
        let asked = Asked { bid_copper, buyout_copper, hours };
        assert_eq!(validate_asked(asked), expected, "{asked:?}");
    }
}

#[test]
fn a_bid_beats_the_last_one_and_puts_the_end_off() {
    use MarketError::{AuctionEnded, AuctionOwn, BidTooHigh, BidTooLow};
    let minute = 60_000_000;
    for (account_id, copper, now, expected) in [
        (2, 100, 0, Ok(END)),
        (2, 499, 0, Ok(END)),
        (2, 99, 0, Err(BidTooLow)),
        (2, 0, 0, Err(BidTooLow)),
        (2, 500, 0, Err(BidTooHigh)),
        (2, u64::MAX, 0, Err(BidTooHigh)),
        (1, 100, 0, Err(AuctionOwn)),
        (2, 100, END, Err(AuctionEnded)),
        (1, 0, END, Err(AuctionEnded)),
        (2, 100, END - 5 * minute, Ok(END)),
        (2, 100, END - 2 * minute, Ok(END + 3 * minute)),
        (2, 100, END - 1, Ok(END + 5 * minute - 1)),
    ] {
        assert_eq!(bid(&standing(), account_id, copper, now), expected, "{account_id} {copper}");
    }
    let late = Standing { ends_at_micros: END + OVERTIME_MICROS - minute, ..standing() };
    let bid_late = bid(&late, 2, 100, late.ends_at_micros - 1);
    assert_eq!(bid_late, Ok(END + OVERTIME_MICROS), "no later than that");
    let open = Standing { buyout_copper: 0, ..standing() };
    assert_eq!(bid(&open, 2, BID_COPPER_MAX, 0), Ok(END));
    assert_eq!(bid(&open, 2, BID_COPPER_MAX + 1, 0), Err(BidTooHigh));
    assert_eq!(buyout(&open, 2, 0), Err(MarketError::NoBuyout));
    assert_eq!(buyout(&standing(), 2, 0), Ok(500));
    assert_eq!(buyout(&standing(), 1, 0), Err(AuctionOwn));
    assert_eq!(buyout(&standing(), 2, END), Err(AuctionEnded));
}

#[test]
fn an_auction_is_taken_back_by_its_seller_while_nobody_has_bid() {
    use MarketError::{AuctionEnded, AuctionHasBids, AuctionNotOwn};
    let bidden = Standing { bids: 1, ..standing() };
    for (standing, account_id, now, expected) in [
        (standing(), 1, END - 1, Ok(())),
        (standing(), 2, 0, Err(AuctionNotOwn)),
        (bidden, 1, 0, Err(AuctionHasBids)),
        (bidden, 1, END, Err(AuctionEnded)),
        (bidden, 2, END, Err(AuctionNotOwn)),
    ] {
        assert_eq!(check_cancel(&standing, account_id, now), expected, "{account_id} {now}");
    }
}

#[test]
fn prices_of_orders_have_three_digits() {
    use MarketError::{PriceInvalid, PriceStep};
    for (price, expected) in [
        (0, Err(PriceInvalid)),
        (1, Ok(1)),
        (999, Ok(999)),
        (1_000, Ok(1_000)),
        (1_001, Err(PriceStep)),
        (1_010, Ok(1_001)),
        (9_990, Ok(1_899)),
        (10_000, Ok(1_900)),
        (12_345, Err(PriceStep)),
        (PRICE_COPPER_MAX, Ok(STEPS - 1)),
        (PRICE_COPPER_MAX + 1, Err(PriceInvalid)),
        (u64::MAX, Err(PriceInvalid)),
    ] {
        assert_eq!(step_of(price), expected, "{price}");
    }
    for step in 1..STEPS {
        assert_eq!(step_of(price_of(step)), Ok(step));
        assert!(price_of(step) > price_of(step - 1), "{step}");
    }
    assert_eq!((price_of(0), price_of(STEPS), price_of(u16::MAX)), (0, 0, 0));
    let all = PRICE_COPPER_MAX.checked_mul(u64::from(ORDER_COUNT_MAX));
    assert!(all.is_some_and(|all| all < crate::economy::COPPER_MAX / 2), "an order can be paid");
}

#[test]
fn an_order_is_for_what_can_be_moved_at_once() {
    use MarketError::{CountInvalid, NotACommodity};
    for (count, stack_max, expected) in [
        (0, 20, Err(CountInvalid)),
        (1, 20, Ok(())),
        (400, 20, Ok(())),
        (401, 20, Err(CountInvalid)),
        (1_000, 100, Ok(())),
        (1_001, 5_000, Err(CountInvalid)),
        (u32::MAX, u32::MAX, Err(CountInvalid)),
        (1, 1, Err(NotACommodity)),
        (1, 0, Err(NotACommodity)),
    ] {
        assert_eq!(check_count(count, stack_max), expected, "{count} {stack_max}");
    }
}

#[test]
fn the_hash_is_fnv_1a_and_never_changes() {
    // From the definition: the empty text and the byte `a`.
    assert_eq!(def_hash(""), 0x811c_9dc5);
    assert_eq!(def_hash("a"), 0xe40c_292c);
}

#[test]
fn what_is_too_old_is_below_what_is_kept() {
    let now = 1_790_000_000_000_000;
    for span in [Span::Hour, Span::Day] {
        let period = span.period(now);
        let kept = u32::try_from(span.retention()).expect("fits");
        let stale = span.stale(now);
        assert!(!stale.contains(&span.key(period, u32::MAX)));
        assert!(!stale.contains(&span.key(period - kept, 0)));
        assert!(stale.contains(&span.key(period - kept - 1, u32::MAX)));
        assert!(stale.contains(&span.key(0, 0)));
    }
    assert!(Span::Hour.stale(now).end < Span::Day.stale(now).start);
    assert_eq!(Span::Hour.period(-1), 0);
}

#[test]
fn prices_add_up() {
    let sold = Prices::of(3, 100).and(Prices::of(1, 20)).and(Prices::of(2, 60));
    let expected =
        Prices { volume: 6, sum_copper: 180, low_copper: 20, high_copper: 33, last_copper: 30 };
    assert_eq!(sold, expected);
    let most = Prices { volume: u64::MAX, sum_copper: u64::MAX, ..expected };
    assert_eq!(most.and(most).sum_copper, u64::MAX);
    assert_eq!(Prices::of(0, 5).last_copper, 5);
}

proptest! {
    #[test]
    fn fees_are_within_what_they_are_taken_of(
        copper in 0..=BID_COPPER_MAX,
        bps in 0..=10_000_u32,
        hours in prop::sample::select(vec![12_u8, 24, 48]),
    ) {
        prop_assert!(cut(copper, bps) <= copper);
        let held = deposit(copper, hours, bps);
        prop_assert!(held <= 4 * copper);
        prop_assert!(held + copper <= crate::economy::COPPER_MAX);
        prop_assert!(next_bid(copper, bps) > copper);
    }

    #[test]
    fn no_end_comes_earlier_or_later_than_it_may(
        copper in any::<u64>(),
        now in 0..2 * END,
    ) {
        if let Ok(ends) = bid(&standing(), 2, copper, now) {
            prop_assert!((END..=END + OVERTIME_MICROS).contains(&ends));
            prop_assert!(ends > now);
        }
    }
}
