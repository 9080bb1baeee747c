//! Realms, who is admitted to this one, and who is connected. All tables but `realm_notice` are
//! private.
//!
//! `realm` is filled in the home database; the rest in each realm's own. Missing means no: without
//! an `admission` row nobody connects, without `realm_config` nobody enters the world.

use spacetimedb::{ConnectionId, Identity, Timestamp, table};

/// Who published the database: one row, written when it is made. The owner may everything.
#[table(name = realm_owner)]
pub struct RealmOwner {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// The owner's identity; gateways connect with it.
    pub identity: Identity,
}

/// What this database is: one row. Written by the owner (`realm_configure`).
#[table(name = realm_config)]
pub struct RealmConfig {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// This realm's number, the top 16 bits of its entity ids. 1 to 65535.
    pub realm_id: u16,
    /// Whether accounts, sessions and the realm list live here.
    pub is_home: bool,
    /// How many characters may be in the world at once.
    pub capacity: u32,
    /// The realm's name as players see it.
    pub name: String,
    /// When the row was last written.
    pub configured_at: Timestamp,
}

/// The realm list, in the home database. Written by staff; population and heartbeat by gateways.
#[table(name = realm)]
pub struct Realm {
    /// The realm's number, 1 to 65535.
    #[primary_key]
    pub realm_id: u16,
    /// Whether staff has closed the realm to players.
    pub closed: bool,
    /// How many characters may be in its world at once.
    pub capacity: u32,
    /// How many characters were in its world at the last heartbeat.
    pub population: u32,
    /// The name players see, unique.
    #[unique]
    pub name: String,
    /// Where clients reach the realm's host, as `http://` or `https://`.
    pub uri: String,
    /// The name of its database on that host.
    pub database: String,
    /// When the realm was added.
    pub created_at: Timestamp,
    /// When a gateway last reached its database.
    pub heartbeat_at: Timestamp,
}

/// Who may connect, until when and as what. Written by the gateway when it admits a player.
#[table(
    name = admission,
    // Read to revoke what an account holds.
    index(name = by_account, btree(columns = [account_id])),
    // Read to revoke what a session holds.
    index(name = by_session, btree(columns = [session_id])),
    // Read by the sweep.
    index(name = by_expires_at, btree(columns = [expires_at_micros]))
)]
pub struct Admission {
    /// The identity SpacetimeDB derives from the account's token.
    #[primary_key]
    pub identity: Identity,
    /// The account behind it.
    pub account_id: u64,
    /// The session that asked to enter.
    pub session_id: u64,
    /// When the gateway decided, microseconds since 1970; a grant not newer than it is a replay.
    pub issued_at_micros: i64,
    /// When it ends unless it is renewed, microseconds since 1970.
    pub expires_at_micros: i64,
    /// The account's role at that time (`rules::accounts::Role`).
    pub role: u8,
    /// Whether it was taken back; kept until it expires, so that it cannot be replayed.
    pub revoked: bool,
}

/// The one connection that speaks for an account; a later one takes over.
#[table(
    name = realm_connection,
    // Read to show out what a session holds.
    index(name = by_session, btree(columns = [session_id]))
)]
pub struct RealmConnection {
    /// The caller's identity.
    #[primary_key]
    pub identity: Identity,
    /// The account that is connected.
    #[unique]
    pub account_id: u64,
    /// The session whose admission it connected under.
    pub session_id: u64,
    /// The caller's connection, unique only together with `identity`: clients choose it.
    pub connection_id: ConnectionId,
    /// How many sockets are open under it: a client that reconnects keeps its connection id, and
    /// the old socket's end is noticed after the new one's start.
    pub sockets: u32,
    /// When it connected.
    pub connected_at: Timestamp,
}

/// What all players should know: at most one row, while something is out of order. Written by the
/// host of the database (`realm_read_only_set`).
#[table(name = realm_notice, public)]
pub struct RealmNotice {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// Whether players' calls are refused with `realm.read_only`.
    pub is_read_only: bool,
    /// Why, for people.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
}

/// How many characters are in the world: one row, kept by `character_enter` and `character_leave`.
#[table(name = realm_population)]
pub struct RealmPopulation {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// Characters in the world now.
    pub online: u32,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// The identity that an account was last admitted with: who personal rows of the account are shown
/// to. Written at an admission; an account that was never admitted here has none.
#[table(name = account_viewer)]
pub struct AccountViewer {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// What its clients connect as.
    pub viewer: Identity,
}
