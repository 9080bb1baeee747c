//! The queries the gateway sends: one table, at most one column compared with one value.
//!
//! Keeps true: a query's text holds nothing but names written in this crate, numbers and hex
//! digits, because the engine's SQL has no parameters. Text of a player never reaches it.

use std::fmt;

use sha2::{Digest, Sha256};
use spacetimedb_lib::Identity;

/// Longest hex literal, digits: a SHA-256.
pub const HEX_DIGITS_MAX: usize = 64;

/// Lower-case hex digits, the one kind of text that may stand in a query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hex(String);

impl Hex {
    /// The SHA-256 of those bytes, 64 digits.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// Accepts 1 to [`HEX_DIGITS_MAX`] lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let good = (1..=HEX_DIGITS_MAX).contains(&text.len()) && text.bytes().all(digit);
        good.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A digest of an address or a token is no secret, but has no business in a log either.
        formatter.write_str("Hex(..)")
    }
}

/// Which rows of a table.
#[derive(Clone, Debug)]
pub struct Filter(Option<(&'static str, Literal)>);

#[derive(Clone, Debug)]
enum Literal {
    Number(u64),
    Above(u64),
    Hex(Hex),
    Identity(Identity),
}

impl Filter {
    /// Every row. Only for tables that are small by nature.
    pub fn all() -> Self {
        Self(None)
    }

    /// The rows whose column holds that number.
    pub fn number(column: &'static str, value: impl Into<u64>) -> Self {
        Self(Some((column, Literal::Number(value.into()))))
    }

    /// The rows whose column holds a greater number.
    pub fn above(column: &'static str, value: impl Into<u64>) -> Self {
        Self(Some((column, Literal::Above(value.into()))))
    }

    /// The rows whose column holds those hex digits as text.
    pub fn hex(column: &'static str, value: &Hex) -> Self {
        Self(Some((column, Literal::Hex(value.clone()))))
    }

    /// The rows whose column holds that identity.
    pub fn identity(column: &'static str, value: Identity) -> Self {
        Self(Some((column, Literal::Identity(value))))
    }

    /// The text of the query over `table`.
    pub(super) fn select(&self, table: &'static str) -> String {
        let Some((column, literal)) = &self.0 else {
            return format!("SELECT * FROM {table}");
        };
        match literal {
            Literal::Number(number) => {
                format!("SELECT * FROM {table} WHERE {column} = {number}")
            }
            Literal::Above(number) => {
                format!("SELECT * FROM {table} WHERE {column} > {number}")
            }
            Literal::Hex(hex) => format!("SELECT * FROM {table} WHERE {column} = '{}'", hex.0),
            Literal::Identity(identity) => {
                format!("SELECT * FROM {table} WHERE {column} = 0x{}", identity.to_hex())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &Filter, expected: &str) {
        assert_eq!(filter.select("account"), expected);
    }

    #[test]
    fn a_query_names_one_table_and_one_value() {
        check(&Filter::all(), "SELECT * FROM account");
        let number = Filter::number("account_id", u64::MAX);
        check(&number, "SELECT * FROM account WHERE account_id = 18446744073709551615");
        check(&Filter::above("account_id", 7_u32), "SELECT * FROM account WHERE account_id > 7");
        let digits = Hex::parse("00ff").expect("hex");
        check(
            &Filter::hex("email_sha256", &digits),
            "SELECT * FROM account WHERE email_sha256 = '00ff'",
        );
        let identity = Filter::identity("identity", Identity::ZERO);
        let zeros = "0".repeat(64);
        check(&identity, &format!("SELECT * FROM account WHERE identity = 0x{zeros}"));
    }

    #[test]
    fn only_lower_case_hex_digits_are_hex() {
        let longest = "a".repeat(HEX_DIGITS_MAX);
        assert_eq!(Hex::parse(&longest).as_ref().map(Hex::as_str), Some(longest.as_str()));
        for text in ["", "A0", "0x00", "a'", "' OR 1=1 --", " a", "a\n", "é", &"a".repeat(65)] {
            assert!(Hex::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_digest_is_64_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Hex::sha256(b"").as_str(), empty);
        assert!(Hex::parse(Hex::sha256(b"x").as_str()).is_some());
    }
}
