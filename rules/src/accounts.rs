//! Accounts: addresses, roles and what they may, and the limits of sessions.
//!
//! Keeps true: two spellings of one address normalise to the same text; a role holds exactly the
//! permissions listed here and nothing is permitted by default.

use crate::errors::domain_errors;

/// Longest address in bytes (RFC 5321, 4.5.3.1.3, less the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest part before the `@` in bytes (RFC 5321, 4.5.3.1.1).
pub const EMAIL_LOCAL_BYTES_MAX: usize = 64;
/// Shortest password in characters (NIST SP 800-63B, 5.1.1.2).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password in characters; bounds what the hash function is fed.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Longest password hash in bytes, a PHC string.
pub const PASSWORD_PHC_BYTES_MAX: usize = 256;
/// Length of a SHA-256 digest in hex digits.
pub const DIGEST_HEX_CHARS: usize = 64;
/// Shortest session a gateway may open, seconds.
pub const SESSION_SECONDS_MIN: u32 = 60;
/// Longest session a gateway may open, seconds: 400 days.
pub const SESSION_SECONDS_MAX: u32 = 400 * 24 * 3600;

domain_errors! {
    /// Why something about an account or a session was refused.
    AccountError {
        PermissionDenied = 100, "account.permission_denied", "the caller's role does not allow this";
        EmailInvalid = 101, "account.email_invalid", "that is not an e-mail address";
        DigestInvalid = 102, "account.digest_invalid", "a digest is 64 lower-case hex digits";
        PasswordHashInvalid = 103, "account.password_hash_invalid", "an argon2id PHC string is expected";
        LifetimeInvalid = 104, "session.lifetime_invalid", "a session lasts from 60 seconds to 400 days";
        RoleInvalid = 105, "account.role_invalid", "there is no such role";
        StatusInvalid = 106, "account.status_invalid", "there is no such status";
        EmailTaken = 107, "account.email_taken", "an account with that address exists";
        TokenTaken = 108, "session.token_taken", "that refresh token is already in use";
        Unknown = 109, "account.unknown", "there is no such account";
        BadCredentials = 110, "account.bad_credentials", "the address or the password is wrong";
        Banned = 111, "account.banned", "the account is banned";
        SessionUnknown = 112, "session.unknown", "there is no such session, or it has ended";
        RefreshReused = 113, "session.refresh_reused", "a spent refresh token was used; the session was ended";
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Plays.
    Player = 1,
    /// Keeps the peace.
    Moderator = 2,
    /// Helps players and runs events.
    GameMaster = 3,
    /// Runs the realm.
    Administrator = 4,
    /// A gateway or another service.
    Service = 5,
}

/// What can be permitted. Each staff reducer names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Register accounts, open and end sessions, admit players, create characters.
    Serve,
    /// Change an account's role.
    SetRole,
    /// Ban an account or lift its ban.
    SetStatus,
    /// Add, close and open realms.
    ManageRealms,
    /// Move characters, slow, hasten and hold them.
    MoveCharacters,
    /// Rename characters, change how they look, give them experience.
    ManageCharacters,
    /// Mute players, read what was reported, remove what was said.
    Moderate,
    /// Tell everybody something, run world events.
    Announce,
    /// Give, trace, freeze, restore and take back goods and coins.
    ManageGoods,
}

impl Role {
    /// Every role, by rising code.
    pub const ALL: &'static [Self] =
        &[Self::Player, Self::Moderator, Self::GameMaster, Self::Administrator, Self::Service];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The role with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.code() == code)
    }

    /// The name that stands in tokens and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Moderator => "moderator",
            Self::GameMaster => "game_master",
            Self::Administrator => "administrator",
            Self::Service => "service",
        }
    }

    /// The role with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// Whether the role holds the permission.
    pub const fn may(self, permission: Permission) -> bool {
        match self {
            Self::Player => false,
            Self::Moderator => matches!(permission, Permission::Moderate),
            Self::GameMaster => matches!(
                permission,
                Permission::MoveCharacters
                    | Permission::ManageCharacters
                    | Permission::Moderate
                    | Permission::Announce
                    | Permission::ManageGoods
            ),
            Self::Administrator => match permission {
                Permission::Serve => false,
                Permission::SetRole
                | Permission::SetStatus
                | Permission::ManageRealms
                | Permission::MoveCharacters
                | Permission::ManageCharacters
                | Permission::Moderate
                | Permission::Announce
                | Permission::ManageGoods => true,
            },
            Self::Service => true,
        }
    }
}

/// Whether an account may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccountStatus {
    /// It may.
    Active = 1,
    /// It may not until staff lifts the ban.
    Banned = 2,
}

impl AccountStatus {
    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status with that number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Active),
            2 => Some(Self::Banned),
            _ => None,
        }
    }
}

/// The one spelling of an address: trimmed and lower-case.
///
/// Accepts `local@domain` in ASCII: a dot-atom (RFC 5322, 3.2.3) before the `@`, at least two
/// labels of letters, digits and hyphens after it (RFC 1035, 2.3.1).
///
/// # Errors
/// [`AccountError::EmailInvalid`] for anything else.
pub fn normalize_email(email: &str) -> Result<String, AccountError> {
    let email = email.trim().to_ascii_lowercase();
    let (local, domain) = email.split_once('@').ok_or(AccountError::EmailInvalid)?;
    let local_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let local_good = local.len() <= EMAIL_LOCAL_BYTES_MAX
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(local_byte));
    let label_good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let domain_good = domain.contains('.') && domain.split('.').all(label_good);
    if email.len() <= EMAIL_BYTES_MAX && local_good && domain_good {
        Ok(email)
    } else {
        Err(AccountError::EmailInvalid)
    }
}

/// Refuses what is not a SHA-256 digest in lower-case hex.
///
/// # Errors
/// [`AccountError::DigestInvalid`].
pub fn validate_digest(digest: &str) -> Result<(), AccountError> {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digest.len() == DIGEST_HEX_CHARS && digest.bytes().all(hex) {
        Ok(())
    } else {
        Err(AccountError::DigestInvalid)
    }
}

/// Refuses what cannot be an argon2id hash in PHC form. The hash itself is the gateway's work.
///
/// # Errors
/// [`AccountError::PasswordHashInvalid`].
pub fn validate_password_phc(phc: &str) -> Result<(), AccountError> {
    let printable = phc.bytes().all(|byte| byte.is_ascii_graphic());
    if phc.len() <= PASSWORD_PHC_BYTES_MAX && printable && phc.starts_with("$argon2id$v=19$") {
        Ok(())
    } else {
        Err(AccountError::PasswordHashInvalid)
    }
}

/// The instant a session of that length ends, microseconds since 1970.
///
/// # Errors
/// [`AccountError::LifetimeInvalid`] outside of one minute to 400 days.
pub fn session_ends_at_micros(now_micros: i64, seconds: u32) -> Result<i64, AccountError> {
    if (SESSION_SECONDS_MIN..=SESSION_SECONDS_MAX).contains(&seconds) {
        Ok(now_micros.saturating_add(i64::from(seconds) * 1_000_000))
    } else {
        Err(AccountError::LifetimeInvalid)
    }
}

/// Refuses an account that may not log in.
///
/// # Errors
/// [`AccountError::Banned`], also for a status nobody knows.
pub fn check_status(code: u8) -> Result<(), AccountError> {
    match AccountStatus::from_code(code) {
        Some(AccountStatus::Active) => Ok(()),
        Some(AccountStatus::Banned) | None => Err(AccountError::Banned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(email: &str, expected: Option<&str>) {
        assert_eq!(normalize_email(email).ok().as_deref(), expected, "{email:?}");
    }

    #[test]
    fn an_address_has_one_spelling() {
        check("Ann@Example.ORG", Some("ann@example.org"));
        check("  ann@example.org\n", Some("ann@example.org"));
        check("a.b+c@sub.example.org", Some("a.b+c@sub.example.org"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for email in [
            "",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.de",
            "a@b..c",
            "a..b@c.de",
            ".a@c.de",
            "a@-b.de",
            "a@b@c.de",
            "ann@exämple.org",
            "a\0@b.de",
            "\"a\"@b.de",
        ] {
            check(email, None);
        }
        check(&format!("{}@example.org", "a".repeat(65)), None);
        check(&format!("a@{}.org", "b".repeat(64)), None);
        check(&format!("{}@{}.org", "a".repeat(64), vec!["b".repeat(60); 4].join(".")), None);
    }

    #[test]
    fn permissions_fail_closed() {
        for role in [Role::Player, Role::Moderator, Role::GameMaster] {
            for permission in [Permission::Serve, Permission::SetRole, Permission::ManageRealms] {
                assert!(!role.may(permission), "{role:?} {permission:?}");
            }
        }
        for permission in [Permission::MoveCharacters, Permission::ManageCharacters] {
            for role in Role::ALL {
                let may = matches!(role, Role::GameMaster | Role::Administrator | Role::Service);
                assert_eq!(role.may(permission), may, "{role:?} {permission:?}");
            }
        }
        assert!(!Role::Administrator.may(Permission::Serve));
        assert!(Role::Administrator.may(Permission::SetStatus));
        assert!(Role::Service.may(Permission::Serve));
    }

    #[test]
    fn roles_and_statuses_come_back_from_their_codes() {
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(*role));
            assert_eq!(Role::from_name(role.name()), Some(*role));
        }
        assert_eq!(Role::from_code(0), None);
        assert_eq!(check_status(0), Err(AccountError::Banned));
        assert_eq!(check_status(AccountStatus::Active.code()), Ok(()));
    }

    #[test]
    fn sessions_are_bounded() {
        assert_eq!(session_ends_at_micros(5, 60), Ok(60_000_005));
        for seconds in [0, 59, SESSION_SECONDS_MAX + 1, u32::MAX] {
            assert_eq!(session_ends_at_micros(5, seconds), Err(AccountError::LifetimeInvalid));
        }
    }

    #[test]
    fn hashes_and_digests_have_their_form() {
        assert!(validate_digest(&"a0".repeat(32)).is_ok());
        for digest in ["", "a0", &"A0".repeat(32), &"g0".repeat(32), &"a0".repeat(33)] {
            assert!(validate_digest(digest).is_err(), "{digest}");
        }
        assert!(validate_password_phc("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA").is_ok());
        for phc in ["", "hunter2", "$argon2i$v=19$m=1", "$argon2id$v=19$ $"] {
            assert!(validate_password_phc(phc).is_err(), "{phc}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(email in "\\PC{0,40}") {
            if let Ok(once) = normalize_email(&email) {
                prop_assert_eq!(normalize_email(&once), Ok(once.clone()));
            }
        }
    }
}
