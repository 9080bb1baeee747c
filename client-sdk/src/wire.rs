//! The JSON the gateway speaks, as its OpenAPI document has it.

use serde::{Deserialize, Serialize};

/// What a login, a registration and a refresh answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Grant {
    pub(crate) account_id: u64,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    /// Lifetime of the access token, seconds.
    pub(crate) expires_in: u64,
}

/// A realm of the list.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Realm {
    /// Its number, 1 to 65535.
    pub realm_id: u16,
    /// The name players see.
    pub name: String,
    /// `open` when it can be entered; `closed`, `full` or `offline` when not.
    pub status: String,
    /// Characters in its world, a few seconds ago.
    pub population: u32,
    /// Characters that fit into its world.
    pub capacity: u32,
    /// Where its host is.
    pub uri: String,
    /// Its database on that host.
    pub database: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RealmList {
    pub(crate) realms: Vec<Realm>,
}

/// A character of the account.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Character {
    /// Unique across realms; also the id of its entity in the world.
    pub character_id: u64,
    /// The realm it lives in.
    pub realm_id: u16,
    /// Its name.
    pub name: String,
    /// One of `haven_rules::characters::RACES`.
    pub race: String,
    /// One of `haven_rules::characters::CLASSES`.
    pub class: String,
    /// When it was created, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When it was deleted, RFC 3339; only while it can be restored.
    #[serde(default)]
    pub deleted_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CharacterList {
    pub(crate) characters: Vec<Character>,
}

/// What opens a realm.
#[derive(Clone, Deserialize)]
pub struct Admission {
    /// Where the realm's host is.
    pub uri: String,
    /// The database to subscribe to.
    pub database: String,
    /// The bearer token for it.
    pub token: String,
    /// The identity the token has there, 64 hex digits.
    pub identity: String,
    /// Lifetime of the token and of the admission, seconds.
    pub expires_in: u64,
}

/// A new character.
#[derive(Debug, Serialize)]
pub(crate) struct CharacterCreation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) realm_id: Option<u16>,
    pub(crate) name: &'a str,
    pub(crate) race: &'a str,
    pub(crate) class: &'a str,
}

/// A problem document (RFC 9457), as much of it as matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProblemDocument {
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) detail: String,
}
