//! Coins and the ledger they move by, vendors, trades, the market and the auditor.
//!
//! Keeps true: coins that move leave one account and come to another; what all sources gave is what
//! accounts hold and sinks took.

#[cfg(test)]
mod arena;
pub mod book;
pub mod market;
pub mod prices;
pub mod reversal;
pub mod trade;

use crate::errors::domain_errors;
use crate::keys::joint_key;

/// How long entries, causes and histories are kept, days.
pub const LEDGER_RETENTION_DAYS: u32 = 90;
/// Longest reason that staff gives for what it does with goods, characters.
pub const REASON_CHARS_MAX: usize = 120;
/// Most imbalances of a pass that are told one by one.
pub const IMBALANCES_MAX: u32 = 100;
/// Most copper an account can hold.
pub const COPPER_MAX: u64 = 1 << 60;

domain_errors! {
    /// Why something about coins, trades or the market was refused.
    EconomyError {
        CharacterAbsent = 900, "economy.not_in_world", "the caller has no character in the world";
        AmountInvalid = 901, "economy.amount_invalid", "an amount of copper is at least 1 and at most 2^60";
        CoinsMissing = 902, "economy.coins_missing", "there are not enough coins";
        Frozen = 903, "economy.frozen", "staff keeps these coins from moving";
        TooRich = 904, "economy.too_rich", "an account holds at most 2^60 copper";
        NotAwake = 905, "economy.not_awake", "who is dying or dead neither buys nor sells nor trades";
        VendorUnknown = 906, "economy.vendor_unknown", "there is no such vendor";
        VendorFar = 907, "economy.vendor_too_far", "the vendor is too far away";
        VendorsTooMany = 908, "economy.vendors_too_many", "the realm has as many vendors as it can have";
        GoodsUnknown = 909, "economy.goods_unknown", "the vendor does not deal in that";
        Worthless = 910, "economy.worthless", "the vendor gives nothing for that";
        StockMissing = 911, "economy.stock_missing", "the vendor does not have so many";
        StockFull = 912, "economy.stock_full", "the vendor has more of that than it can sell";
        PriceChanged = 913, "economy.price_changed", "the price is not what the caller agreed to any more";
        NotSold = 914, "economy.not_sold", "the caller has not sold that, or cannot have it back any more";
        TradeSelf = 920, "economy.trade_self", "nobody trades with oneself";
        TradePartnerUnknown = 921, "economy.trade_partner_unknown", "no such player is in the world";
        TradeBlocked = 922, "economy.trade_blocked", "one of the two takes no trade with the other";
        TradeFar = 923, "economy.trade_too_far", "the other one is too far away";
        TradeBusy = 924, "economy.trade_busy", "one of the two trades already";
        TradeUnknown = 925, "economy.trade_unknown", "the caller is in no such trade";
        TradeOver = 926, "economy.trade_over", "the time for the trade is over";
        TradeOpen = 927, "economy.trade_open", "the trade has been agreed to already";
        TradeNotOpen = 928, "economy.trade_not_open", "the trade has not been agreed to yet";
        TradeChanged = 929, "economy.trade_changed", "what is offered has changed since";
        TradeFull = 930, "economy.trade_full", "a side offers at most 8 stacks";
        TradeOffered = 931, "economy.trade_offered", "the item is offered already";
        TradeNotOffered = 932, "economy.trade_not_offered", "the item is not offered";
        TradeNotLocked = 933, "economy.trade_not_locked", "both have to lock what is offered first";
        TradeEmpty = 934, "economy.trade_empty", "nobody offers anything";
        ReasonInvalid = 940, "economy.reason_invalid", "a reason is 1 to 120 characters that can be printed";
        AccountUnknown = 941, "economy.account_unknown", "there is no such account of the ledger";
        CauseUnknown = 942, "economy.cause_unknown", "the ledger keeps no such cause";
        CauseReversed = 943, "economy.cause_reversed", "the cause was taken back already";
        CauseTooLong = 944, "economy.cause_too_long", "too much followed from the cause to take it back in one step";
        CauseInWay = 945, "economy.cause_in_way", "something that followed from the cause cannot be taken back";
    }
}

/// What holds, gives or takes coins. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum PurseKind {
    /// A character's.
    Wallet = 1,
    /// A letter's; its number is the letter's.
    Mail = 2,
    /// What is bid in an auction; its number is the auction's.
    Auction = 3,
    /// What an order to buy offers, and what is left of a fill; its number is the order's.
    Order = 4,
    /// A guild's bank.
    Guild = 5,
    /// What could not be given back; its number is the account's.
    LostAndFound = 6,
    /// Where coins come from: [`Source`].
    Source = 101,
    /// Where coins go: [`Sink`].
    Sink = 102,
}

impl PurseKind {
    /// The kind of a number.
    pub const fn of(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Wallet,
            2 => Self::Mail,
            3 => Self::Auction,
            4 => Self::Order,
            5 => Self::Guild,
            6 => Self::LostAndFound,
            101 => Self::Source,
            102 => Self::Sink,
            _ => return None,
        })
    }

    /// Whether coins only pass through it: it ends when they are out again.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Mail | Self::Auction | Self::Order)
    }
}

/// Where coins come from. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Source {
    /// What a new character begins with.
    Birth = 1,
    /// What the dead had on them.
    Loot = 2,
    /// What vendors pay.
    Vendor = 3,
    /// What staff gives.
    Staff = 4,
    /// What seasons and events reward.
    Reward = 5,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Birth, Self::Loot, Self::Vendor, Self::Staff, Self::Reward];
}

/// Where coins go. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sink {
    /// What vendors are paid.
    Vendor = 1,
    /// Postage.
    Postage = 2,
    /// The market's deposits and cuts.
    Market = 3,
    /// Repairs.
    Repair = 4,
    /// What founding a guild and its tabs cost.
    Guild = 5,
    /// What staff takes.
    Staff = 6,
    /// Taxes of vendors and of trades.
    Tax = 7,
}

impl Sink {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Vendor,
        Self::Postage,
        Self::Market,
        Self::Repair,
        Self::Guild,
        Self::Staff,
        Self::Tax,
    ];
}

/// Why coins or items moved. The numbers stand in rows: each domain has a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum CauseKind {
    /// A character was made.
    Birth = 100,
    /// Items were moved, split or merged within one holder's.
    Move = 101,
    /// Items were put on or off.
    Equip = 102,
    /// An item was used.
    Use = 103,
    /// Items were destroyed.
    Destroy = 104,
    /// Something lay on the dead, or was taken from it.
    Loot = 105,
    /// Something was gathered or crafted.
    Craft = 106,
    /// Something was repaired.
    Repair = 107,
    /// Something was bought of a vendor or sold to it.
    Vendor = 200,
    /// Two players traded.
    Trade = 201,
    /// An auction began, was bid on or ended.
    Auction = 202,
    /// An order was placed, filled or cancelled.
    Order = 203,
    /// A player handed coins to another one.
    Payment = 204,
    /// A letter was sent.
    MailSent = 300,
    /// A letter's goods were taken or paid for.
    MailTaken = 301,
    /// A letter went back or ended.
    MailReturned = 302,
    /// Something was claimed from the lost-and-found.
    Claim = 303,
    /// A guild was founded, or its bank extended.
    GuildCost = 400,
    /// Something was put into a guild's bank or taken out of it.
    GuildBank = 401,
    /// A season's reward.
    Reward = 500,
    /// Staff gave, took, restored or froze something.
    Staff = 900,
    /// Staff took back a cause.
    Reverse = 901,
    /// A character was removed for good.
    Purge = 902,
    /// The auditor began a pass: nothing moved.
    Audit = 903,
}

impl CauseKind {
    /// Whether a cause of that number paid for what is no movement of goods: something is whole
    /// again, a guild or a tab of its bank is there. Giving the coins back would not undo it.
    pub const fn pays_for_good(code: u16) -> bool {
        code == Self::Repair as u16 || code == Self::GuildCost as u16
    }
}

/// The key of an account: kind above, number below.
pub const fn purse_key(kind: PurseKind, owner_id: u64) -> u128 {
    joint_key(kind as u64, owner_id)
}

/// The key of something that belongs to a cause, in order.
pub const fn cause_key(cause_id: u64, number: u16) -> u64 {
    (cause_id << 16) | number as u64
}

/// The keys of all that belongs to a cause.
pub const fn cause_keys(cause_id: u64) -> std::ops::RangeInclusive<u64> {
    cause_key(cause_id, 0)..=cause_key(cause_id, u16::MAX)
}

/// The cause that a key belongs to.
pub const fn cause_of(key: u64) -> u64 {
    key >> 16
}

/// What happened up to this instant is not kept any more, microseconds since 1970.
pub fn kept_from_micros(now_micros: i64) -> i64 {
    now_micros.saturating_sub(i64::from(LEDGER_RETENTION_DAYS) * 86_400_000_000)
}

/// Checks why staff does something with goods.
///
/// # Errors
/// `ReasonInvalid`.
pub fn validate_reason(reason: &str) -> Result<(), EconomyError> {
    let length = reason.chars().count();
    let is_good = (1..=REASON_CHARS_MAX).contains(&length)
        && reason.trim() == reason
        && !reason.chars().any(char::is_control);
    if is_good { Ok(()) } else { Err(EconomyError::ReasonInvalid) }
}

/// What the auditor is about. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AuditStage {
    /// It rests until the next pass.
    Rest = 0,
    /// It recounts accounts.
    Accounts = 1,
    /// It counts stacks.
    Stacks = 2,
    /// It compares definitions with what was made and what is gone.
    Definitions = 3,
}

impl AuditStage {
    /// The stage of a number; it rests where there is no such.
    pub const fn of(code: u8) -> Self {
        match code {
            1 => Self::Accounts,
            2 => Self::Stacks,
            3 => Self::Definitions,
            _ => Self::Rest,
        }
    }
}

/// What two accounts have after coins moved from one to the other.
///
/// A source has what it gave, so it gets more by giving; everything else gets less.
///
/// # Errors
/// In this order: `AmountInvalid`, `CoinsMissing`, `TooRich`.
pub fn moved(
    (from_is_source, from): (bool, u64),
    (to_is_source, to): (bool, u64),
    copper: u64,
) -> Result<(u64, u64), EconomyError> {
    if copper == 0 || copper > COPPER_MAX {
        return Err(EconomyError::AmountInvalid);
    }
    let from = if from_is_source { from.checked_add(copper) } else { from.checked_sub(copper) };
    let from = from.ok_or(EconomyError::CoinsMissing)?;
    let to = if to_is_source { to.checked_sub(copper) } else { to.checked_add(copper) };
    let to = to.filter(|to| *to <= COPPER_MAX || to_is_source).ok_or(EconomyError::TooRich)?;
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn coins_move_by_what_the_two_accounts_are() {
        use EconomyError::{AmountInvalid, CoinsMissing, TooRich};
        for (from, to, copper, expected) in [
            ((false, 5), (false, 1), 5, Ok((0, 6))),
            ((false, 5), (false, 1), 6, Err(CoinsMissing)),
            ((false, 5), (false, 1), 0, Err(AmountInvalid)),
            ((false, u64::MAX), (false, 0), COPPER_MAX, Ok((u64::MAX - COPPER_MAX, COPPER_MAX))),
            ((false, u64::MAX), (false, 0), COPPER_MAX + 1, Err(AmountInvalid)),
            ((false, 5), (false, COPPER_MAX), 1, Err(TooRich)),
            ((true, 5), (false, 0), 3, Ok((8, 3))),
            ((false, 3), (true, 8), 3, Ok((0, 5))),
            ((false, 3), (true, 2), 3, Err(TooRich)),
        ] {
            assert_eq!(moved(from, to, copper), expected, "{from:?} {to:?} {copper}");
        }
    }

    #[test]
    fn keys_are_taken_apart_again() {
        assert_eq!(cause_of(cause_key(7, u16::MAX)), 7);
        assert!(cause_keys(7).contains(&cause_key(7, 0)));
        assert!(!cause_keys(7).contains(&cause_key(8, 0)));
    }

    #[test]
    fn reasons_are_short_and_printable() {
        for (reason, is_good) in [
            ("", false),
            ("duplicated by hand", true),
            (" x", false),
            ("a\nb", false),
            (&"ä".repeat(120), true),
            (&"ä".repeat(121), false),
        ] {
            assert_eq!(validate_reason(reason).is_ok(), is_good, "{reason}");
        }
    }

    proptest! {
        #[test]
        fn what_leaves_one_account_comes_to_the_other(
            from_is_source: bool,
            to_is_source: bool,
            from in 0..=COPPER_MAX,
            to in 0..=COPPER_MAX,
            copper: u64,
        ) {
            let Ok((left, came)) = moved((from_is_source, from), (to_is_source, to), copper) else {
                return Ok(());
            };
            // A source holds less than nothing by what it gave.
            let held = |is_source: bool, copper: u64| {
                if is_source { -i128::from(copper) } else { i128::from(copper) }
            };
            let before = held(from_is_source, from) + held(to_is_source, to);
            let after = held(from_is_source, left) + held(to_is_source, came);
            prop_assert_eq!(before, after);
            prop_assert_eq!(held(to_is_source, came) - held(to_is_source, to), i128::from(copper));
        }
    }
}
