//! Realms: their list, and who is admitted until when.
//!
//! Keeps true: an admission is fresh, short and newer than the one before; what is missing is a no.

use crate::errors::domain_errors;

/// Longest realm name in characters.
pub const REALM_NAME_CHARS_MAX: usize = 32;
/// Longest address of a host in bytes.
pub const REALM_URI_BYTES_MAX: usize = 256;
/// Longest database name in bytes.
pub const REALM_DATABASE_BYTES_MAX: usize = 64;
/// Most characters a realm may be configured to hold at once.
pub const REALM_CAPACITY_MAX: u32 = 100_000;
/// How far a gateway's clock may be off when it admits somebody, microseconds.
pub const ADMISSION_CLOCK_SKEW_MICROS: i64 = 60_000_000;
/// Longest admission, seconds. The gateway renews it while the player stays.
pub const ADMISSION_SECONDS_MAX: u32 = 3600;
/// A realm whose last heartbeat is older than this is offline, seconds.
pub const HEARTBEAT_SECONDS_MAX: u32 = 30;

domain_errors! {
    /// Why a caller was not let into a realm, or a realm was not changed.
    RealmError {
        DatabaseOnly = 200, "realm.database_only", "only the database itself may call this";
        NotConfigured = 201, "realm.not_configured", "the realm has not been configured yet";
        NotAdmitted = 202, "realm.not_admitted", "the caller has not been admitted by a gateway";
        AdmissionRevoked = 203, "realm.admission_revoked", "the admission was taken back";
        AdmissionExpired = 204, "realm.admission_expired", "the admission has ended";
        TakenOver = 205, "realm.taken_over", "another connection of the account has taken over";
        IdInvalid = 206, "realm.id_invalid", "a realm's number is from 1 to 65535";
        NameInvalid = 207, "realm.name_invalid", "a realm's name has 1 to 32 printable characters";
        UriInvalid = 208, "realm.uri_invalid", "a host's address starts with http:// or https://";
        DatabaseInvalid = 209, "realm.database_invalid", "a database name has 1 to 64 of a-z 0-9 and -";
        CapacityInvalid = 210, "realm.capacity_invalid", "a realm's capacity is from 1 to 100000";
        NameTaken = 211, "realm.name_taken", "another realm has that name";
        Unknown = 212, "realm.unknown", "there is no such realm";
        AdmissionInvalid = 213, "realm.admission_invalid", "an admission is issued now and lasts up to an hour";
        AdmissionReplayed = 214, "realm.admission_replayed", "a newer admission has been granted already";
        Closed = 215, "realm.closed", "the realm is closed";
        Full = 216, "realm.full", "the realm is full";
        Offline = 217, "realm.offline", "the realm does not answer";
        ReadOnly = 218, "realm.read_only", "the realm's disk is nearly full; nothing changes until it has room";
    }
}

/// Refuses a realm list entry that clients could not use.
///
/// # Errors
/// In this order: `IdInvalid`, `NameInvalid`, `UriInvalid`, `DatabaseInvalid`, `CapacityInvalid`.
pub fn validate_realm(
    realm_id: u16,
    name: &str,
    uri: &str,
    database: &str,
    capacity: u32,
) -> Result<(), RealmError> {
    validate_realm_identity(realm_id, name)?;
    let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:/[]_".contains(&byte);
    let uri_good = rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(plain));
    if !uri_good || uri.len() > REALM_URI_BYTES_MAX {
        return Err(RealmError::UriInvalid);
    }
    let database_byte =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if database.is_empty()
        || database.len() > REALM_DATABASE_BYTES_MAX
        || !database.bytes().all(database_byte)
    {
        return Err(RealmError::DatabaseInvalid);
    }
    validate_capacity(capacity)
}

/// Refuses a number or a name no realm can have.
///
/// # Errors
/// In this order: `IdInvalid`, `NameInvalid`.
pub fn validate_realm_identity(realm_id: u16, name: &str) -> Result<(), RealmError> {
    if realm_id == 0 {
        return Err(RealmError::IdInvalid);
    }
    let chars = name.chars().count();
    let printable = !name.chars().any(char::is_control) && name.trim() == name;
    if (1..=REALM_NAME_CHARS_MAX).contains(&chars) && printable {
        Ok(())
    } else {
        Err(RealmError::NameInvalid)
    }
}

/// Refuses a capacity of nobody or of more than a realm can hold.
///
/// # Errors
/// `CapacityInvalid`.
pub fn validate_capacity(capacity: u32) -> Result<(), RealmError> {
    if (1..=REALM_CAPACITY_MAX).contains(&capacity) {
        Ok(())
    } else {
        Err(RealmError::CapacityInvalid)
    }
}

/// When an admission issued then for so long ends, microseconds since 1970.
///
/// # Errors
/// In this order: `AdmissionInvalid` when it was not issued about now or lasts too long,
/// `AdmissionReplayed` when it is not newer than the last one, unless the clock was set back since.
pub fn admission_ends_at_micros(
    now_micros: i64,
    issued_at_micros: i64,
    lifetime_seconds: u32,
    last_issued_at_micros: Option<i64>,
) -> Result<i64, RealmError> {
    let skew = issued_at_micros.abs_diff(now_micros);
    if skew > ADMISSION_CLOCK_SKEW_MICROS.unsigned_abs()
        || !(1..=ADMISSION_SECONDS_MAX).contains(&lifetime_seconds)
    {
        return Err(RealmError::AdmissionInvalid);
    }
    // One that was issued later than any can be by now is from before the clock was set back.
    let latest_micros = now_micros.saturating_add(ADMISSION_CLOCK_SKEW_MICROS);
    let last_micros = last_issued_at_micros.filter(|last| *last <= latest_micros);
    if last_micros.is_some_and(|last| issued_at_micros <= last) {
        return Err(RealmError::AdmissionReplayed);
    }
    Ok(issued_at_micros + i64::from(lifetime_seconds) * 1_000_000)
}

/// Whether an admission lets its holder act now.
///
/// # Errors
/// In this order: `AdmissionRevoked`, `AdmissionExpired`.
pub fn check_admission(
    now_micros: i64,
    expires_at_micros: i64,
    revoked: bool,
) -> Result<(), RealmError> {
    if revoked {
        Err(RealmError::AdmissionRevoked)
    } else if now_micros >= expires_at_micros {
        Err(RealmError::AdmissionExpired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        name: &str,
        uri: &str,
        database: &str,
        capacity: u32,
        expected: Result<(), RealmError>,
    ) {
        assert_eq!(validate_realm(1, name, uri, database, capacity), expected);
    }

    #[test]
    fn a_realm_must_be_usable() {
        check("Haven", "http://127.0.0.1:3000", "haven", 1, Ok(()));
        check("", "http://h", "haven", 1, Err(RealmError::NameInvalid));
        check(&"x".repeat(33), "http://h", "haven", 1, Err(RealmError::NameInvalid));
        check("a\nb", "http://h", "haven", 1, Err(RealmError::NameInvalid));
        check("Haven", "ftp://h", "haven", 1, Err(RealmError::UriInvalid));
        check("Haven", "http://", "haven", 1, Err(RealmError::UriInvalid));
        check("Haven", "http://h/?token=x", "haven", 1, Err(RealmError::UriInvalid));
        check("Haven", "http://h", "Haven'", 1, Err(RealmError::DatabaseInvalid));
        check("Haven", "http://h", "", 1, Err(RealmError::DatabaseInvalid));
        check("Haven", "http://h", "haven", 0, Err(RealmError::CapacityInvalid));
        check("Haven", "http://h", "haven", u32::MAX, Err(RealmError::CapacityInvalid));
        assert_eq!(validate_realm(0, "", "", "", 0), Err(RealmError::IdInvalid));
    }

    #[test]
    fn an_admission_is_fresh_short_and_new() {
        let now = 1_000_000_000_000;
        let grant = |issued, seconds, last| admission_ends_at_micros(now, issued, seconds, last);
        assert_eq!(grant(now, 900, None), Ok(now + 900_000_000));
        assert_eq!(grant(now, 900, Some(now - 1)), Ok(now + 900_000_000));
        assert_eq!(grant(now, 900, Some(now)), Err(RealmError::AdmissionReplayed));
        assert_eq!(grant(now, 900, Some(now + 60_000_000)), Err(RealmError::AdmissionReplayed));
        assert_eq!(grant(now, 900, Some(now + 60_000_001)), Ok(now + 900_000_000));
        assert_eq!(grant(now, 900, Some(i64::MAX)), Ok(now + 900_000_000));
        assert_eq!(grant(now - 60_000_001, 900, None), Err(RealmError::AdmissionInvalid));
        assert_eq!(grant(now + 60_000_001, 900, None), Err(RealmError::AdmissionInvalid));
        for (issued, seconds) in [(now, 0), (now, 3601), (i64::MIN, 900), (i64::MAX, 900)] {
            assert_eq!(grant(issued, seconds, None), Err(RealmError::AdmissionInvalid));
        }
    }

    #[test]
    fn an_admission_ends_at_its_instant() {
        assert_eq!(check_admission(9, 10, false), Ok(()));
        assert_eq!(check_admission(10, 10, false), Err(RealmError::AdmissionExpired));
        assert_eq!(check_admission(9, 10, true), Err(RealmError::AdmissionRevoked));
    }
}
