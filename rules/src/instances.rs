//! Instances: what may be defined, who may open one, and who may go in.
//!
//! Keeps true: an instance is bounded in size, in guests and in time, and only who opened it and
//! who was invited gets in.

use crate::errors::domain_errors;
use crate::world::{Area, BLOCK_MM};

/// Most instances open in a realm at once.
pub const INSTANCES_MAX: u64 = 1_000;
/// Most guests of one instance: a raid of 40 less who opened it.
pub const GUESTS_MAX: usize = 39;
/// Widest and tallest instance, blocks of 64 m.
pub const INSTANCE_BLOCKS_MAX: i32 = 32;
/// Most characters in one instance at once.
pub const INSTANCE_CAPACITY_MAX: u32 = 100;
/// The longest an instance may be open, seconds: a week.
pub const LIFETIME_SECONDS_MAX: u32 = 604_800;
/// Longest name of a definition, bytes.
pub const DEFINITION_NAME_BYTES_MAX: usize = 32;

const MICROS_PER_S: i64 = 1_000_000;

domain_errors! {
    /// Why an instance was not defined, opened or entered.
    InstanceError {
        DefinitionInvalid = 1700, "instance.definition_invalid", "an instance has a name of a-z, 0-9 and -, at most 32×32 blocks, 1 to 100 characters, 60 s to a week";
        DefinitionUnknown = 1701, "instance.definition_unknown", "there is no such kind of instance";
        AlreadyOpen = 1702, "instance.already_open", "the account has an instance open already";
        TooMany = 1703, "instance.too_many", "the realm has as many instances open as it can";
        Unknown = 1704, "instance.unknown", "there is no such instance, or it has ended";
        NotOwner = 1705, "instance.not_owner", "only who opened the instance may do this";
        GuestUnknown = 1706, "instance.guest_unknown", "there is no such character to invite";
        GuestsTooMany = 1707, "instance.guests_too_many", "an instance has at most 39 guests";
        NotInvited = 1708, "instance.not_invited", "the caller was not invited into this instance";
        AlreadyInside = 1709, "instance.already_inside", "the character is in an instance already";
        Full = 1710, "instance.full", "the instance is full";
        NotInside = 1711, "instance.not_inside", "the character is in no instance";
    }
}

/// What is checked of a definition.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'a> {
    /// Its name.
    pub name: &'a str,
    /// The bounds of its world.
    pub bounds: Area,
    /// Most characters in it at once.
    pub capacity: u32,
    /// How long it is open, seconds.
    pub lifetime_seconds: u32,
    /// How long it stays when nobody is in it, seconds.
    pub empty_seconds: u32,
}

/// Refuses a definition that could not be opened or would not end.
///
/// # Errors
/// `DefinitionInvalid`.
pub fn validate_definition(definition: &Definition<'_>) -> Result<(), InstanceError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let name = definition.name;
    let bounds = &definition.bounds;
    let edge_max = INSTANCE_BLOCKS_MAX * BLOCK_MM;
    let wide = bounds.max_x_mm.saturating_sub(bounds.min_x_mm) > edge_max;
    let high = bounds.max_y_mm.saturating_sub(bounds.min_y_mm) > edge_max;
    let valid = (1..=DEFINITION_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(plain)
        && !wide
        && !high
        && (1..=INSTANCE_CAPACITY_MAX).contains(&definition.capacity)
        && (60..=LIFETIME_SECONDS_MAX).contains(&definition.lifetime_seconds)
        && (10..=definition.lifetime_seconds).contains(&definition.empty_seconds);
    if valid { Ok(()) } else { Err(InstanceError::DefinitionInvalid) }
}

/// When an instance ends: when nobody has been in it for a while, and when its time is over at the
/// latest. Microseconds since 1970.
pub fn ends_at_micros(
    now_micros: i64,
    players: u32,
    empty_seconds: u32,
    closes_at_micros: i64,
) -> i64 {
    if players > 0 {
        return closes_at_micros;
    }
    now_micros.saturating_add(i64::from(empty_seconds) * MICROS_PER_S).min(closes_at_micros)
}

/// When an instance that opens now is over, microseconds since 1970.
pub fn closes_at_micros(now_micros: i64, lifetime_seconds: u32) -> i64 {
    now_micros.saturating_add(i64::from(lifetime_seconds) * MICROS_PER_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALE: Definition<'_> = Definition {
        name: "vale-2",
        bounds: Area { min_x_mm: 0, min_y_mm: 0, max_x_mm: BLOCK_MM, max_y_mm: BLOCK_MM },
        capacity: 5,
        lifetime_seconds: 3_600,
        empty_seconds: 300,
    };

    fn check(definition: &Definition<'_>, valid: bool) {
        let expected = if valid { Ok(()) } else { Err(InstanceError::DefinitionInvalid) };
        assert_eq!(validate_definition(definition), expected, "{definition:?}");
    }

    #[test]
    fn a_definition_is_bounded_in_every_way() {
        let wide = 33 * BLOCK_MM;
        check(&VALE, true);
        for name in ["", "Vale", "v a", "abcdefghijklmnopqrstuvwxyz0123456"] {
            check(&Definition { name, ..VALE }, false);
        }
        check(&Definition { bounds: Area { max_x_mm: wide, ..VALE.bounds }, ..VALE }, false);
        check(&Definition { bounds: Area { min_y_mm: i32::MIN, ..VALE.bounds }, ..VALE }, false);
        check(&Definition { capacity: 0, ..VALE }, false);
        check(&Definition { capacity: 101, ..VALE }, false);
        check(&Definition { lifetime_seconds: 59, ..VALE }, false);
        check(&Definition { lifetime_seconds: 604_801, ..VALE }, false);
        check(&Definition { empty_seconds: 9, ..VALE }, false);
        check(&Definition { empty_seconds: 3_601, ..VALE }, false);
        check(&Definition { empty_seconds: 3_600, lifetime_seconds: 3_600, ..VALE }, true);
    }

    #[test]
    fn an_empty_instance_ends_sooner_but_never_later() {
        let closes = closes_at_micros(0, 3_600);
        assert_eq!(ends_at_micros(0, 1, 300, closes), closes);
        assert_eq!(ends_at_micros(0, 0, 300, closes), 300_000_000);
        assert_eq!(ends_at_micros(closes - 5, 0, 300, closes), closes);
        assert_eq!(ends_at_micros(i64::MAX - 1, 0, 300, i64::MAX), i64::MAX);
    }
}
