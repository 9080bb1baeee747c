//! What a guild's log says, and for how long.

use crate::keys::joint_key;

/// How long lines are kept, days.
pub const LOG_RETENTION_DAYS: u32 = 90;

/// What happened. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Line {
    /// The guild was founded.
    Founded = 1,
    /// Somebody became a member: by invitation or request of the actor, or by signing.
    Joined = 2,
    /// Somebody left.
    Left = 3,
    /// Somebody was sent away.
    Kicked = 4,
    /// Somebody's account was banned.
    Banned = 5,
    /// A ban was lifted.
    Unbanned = 6,
    /// Somebody was raised.
    Promoted = 7,
    /// Somebody was lowered.
    Demoted = 8,
    /// Somebody became leader, by another leader or by staff.
    Leader = 9,
    /// Somebody became leader because those there were are gone.
    Succeeded = 10,
    /// A leader stepped down.
    SteppedDown = 11,
    /// A member is gone for good.
    Gone = 12,
    /// A rank was added.
    RankAdded = 13,
    /// A rank was changed.
    RankChanged = 14,
    /// A rank was removed.
    RankRemoved = 15,
    /// There is another message of the day.
    Message = 16,
    /// There is another emblem.
    Emblem = 17,
    /// Staff gave the guild another name.
    Renamed = 18,
    /// The guild has another level.
    Level = 19,
    /// A tab was bought.
    Tab = 20,
    /// Items were put into the bank.
    ItemPut = 21,
    /// Items were taken out of the bank.
    ItemTaken = 22,
    /// Items were moved within the bank.
    ItemMoved = 23,
    /// Coins were put into the bank.
    CoinsPut = 24,
    /// Coins were taken out of the bank.
    CoinsTaken = 25,
    /// Somebody was invited.
    Invited = 26,
    /// A request was refused, or an invitation taken back.
    TurnedDown = 27,
    /// Another note was written about somebody.
    Noted = 28,
    /// The guild was disbanded.
    Ended = 29,
}

/// Lines up to this instant may go, microseconds since 1970.
pub fn swept_up_to_micros(now_micros: i64) -> i64 {
    now_micros.saturating_sub(i64::from(LOG_RETENTION_DAYS) * 86_400_000_000)
}

/// The key of a line: its guild above, below it a number that falls, so that a guild's newest lines
/// come first.
pub const fn line_key(guild_id: u64, log_id: u64) -> u128 {
    joint_key(guild_id, u64::MAX - log_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_line_of_a_guild_comes_first() {
        assert!(line_key(7, 2) < line_key(7, 1));
        assert!(line_key(7, 1) < line_key(8, u64::MAX));
        let day = 86_400_000_000;
        assert_eq!(swept_up_to_micros(100 * day), 10 * day);
        assert_eq!(swept_up_to_micros(i64::MIN), i64::MIN);
    }
}
