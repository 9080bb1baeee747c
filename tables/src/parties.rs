//! Parties and raids: members, leaders, ready checks, loot rules.
//!
//! Keeps true: what is so is in private rows; each member has a copy of its own of the party and of
//! each member, which nobody else is shown. A party is at most `rules::parties::RAID_MAX` members,
//! so a change of one row is that many copies, and nothing stays when it has ended.

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// A party or a raid.
#[table(name = party)]
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Never reused.
    #[primary_key]
    pub party_id: u64,
    /// A member.
    pub leader_id: u64,
    /// Who gives out what is found; 0 where the loot rule needs nobody.
    pub loot_master_id: u64,
    /// Who had the last turn; 0 for nobody.
    pub turn_id: u64,
    /// Who asked last whether all are ready; 0 for nobody.
    pub ready_by_id: u64,
    /// When the ready check ends, microseconds since 1970; 0 while there is none.
    pub ready_ends_at_micros: i64,
    /// When it ends because it has one member, microseconds since 1970; 0 while it has more.
    pub alone_ends_at_micros: i64,
    /// What its eight markers are on; 0 for nothing.
    pub markers: Vec<u64>,
    /// `rules::parties::LootMode`.
    pub loot_mode: u8,
    /// The rarity from which it holds, 0 to 5.
    pub loot_threshold: u8,
    /// `rules::parties::ReadyState`.
    pub ready_state: u8,
    /// Whether it is a raid.
    pub is_raid: bool,
}

/// A member: a character has one seat.
#[table(name = party_seat)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartySeat {
    /// Who.
    #[primary_key]
    pub character_id: u64,
    /// The party in the upper 64 bits, the character in the lower: read for all of a party.
    #[unique]
    pub seat_key: u128,
    /// Since when, microseconds since 1970.
    pub joined_at_micros: i64,
    /// Until when it may be away, microseconds since 1970; 0 while it is in the world.
    pub away_ends_at_micros: i64,
    /// 1 to 8; 1 in a party.
    pub group: u8,
    /// `rules::parties::Answer`.
    pub answer: u8,
    /// Whether it may do what assistants may.
    pub is_assistant: bool,
}

/// A member's copy of its party.
#[table(name = party_view, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartyView {
    /// The member whose copy it is.
    #[primary_key]
    pub character_id: u64,
    /// Who plays it.
    pub viewer: Identity,
    /// Its party.
    pub party_id: u64,
    /// See `party`, as are all others.
    pub leader_id: u64,
    /// Who gives out what is found; 0 for nobody.
    pub loot_master_id: u64,
    /// Who asked last whether all are ready; 0 for nobody.
    pub ready_by_id: u64,
    /// When the ready check ends, microseconds since 1970; 0 while there is none.
    pub ready_ends_at_micros: i64,
    /// When it ends because it has one member, microseconds since 1970; 0 while it has more.
    pub alone_ends_at_micros: i64,
    /// What its eight markers are on; 0 for nothing.
    pub markers: Vec<u64>,
    /// 1 free for all, 2 round robin, 3 need before greed, 4 master.
    pub loot_mode: u8,
    /// 0 common to 5 artifact.
    pub loot_threshold: u8,
    /// 0 none yet, 1 going on, 2 all were ready, 3 not all were.
    pub ready_state: u8,
    /// Whether it is a raid.
    pub is_raid: bool,
}

#[client_visibility_filter]
const PARTY_VIEW_FILTER: Filter = Filter::Sql("SELECT * FROM party_view WHERE viewer = :sender");

/// A member's copy of a member of its party, itself among them.
#[table(name = party_member, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartyMember {
    /// The member whose copy it is in the upper 64 bits, `character_id` in the lower.
    #[primary_key]
    pub member_key: u128,
    /// Who plays the former.
    pub viewer: Identity,
    /// Whom it is about. See `party_seat`, as are all others.
    pub character_id: u64,
    /// Since when, microseconds since 1970.
    pub joined_at_micros: i64,
    /// Until when it may be away, microseconds since 1970; 0 while it is in the world.
    pub away_ends_at_micros: i64,
    /// 1 to 8; 1 in a party.
    pub group: u8,
    /// 0 was not asked, 1 is asked, 2 ready, 3 not ready.
    pub answer: u8,
    /// Whether it may do what assistants may.
    pub is_assistant: bool,
    /// Its name.
    pub name: String,
}

#[client_visibility_filter]
const PARTY_MEMBER_FILTER: Filter =
    Filter::Sql("SELECT * FROM party_member WHERE viewer = :sender");

/// An invitation that waits for an answer.
#[table(name = party_invitation, public)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartyInvitation {
    /// What it is answered by. Never reused.
    #[primary_key]
    pub invitation_id: u64,
    /// Who plays the invited character; zero where it is not shown.
    pub viewer: Identity,
    /// The character that invites.
    pub from_id: u64,
    /// When it lapses, microseconds since 1970.
    pub lapses_at_micros: i64,
    /// Whether it was to a raid.
    pub is_raid: bool,
    /// The name of who invites.
    pub name: String,
}

#[client_visibility_filter]
const PARTY_INVITATION_FILTER: Filter =
    Filter::Sql("SELECT * FROM party_invitation WHERE viewer = :sender");

/// Whom an invitation is to.
#[table(name = party_invitee)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartyInvitee {
    /// `party_invitation.invitation_id`.
    #[primary_key]
    pub invitation_id: u64,
    /// The invited character in the upper 64 bits, `invitation_id` in the lower: read for all of a
    /// character.
    #[unique]
    pub invitee_key: u128,
    /// The character that invites.
    pub from_id: u64,
    /// Whether it is kept from who is invited.
    pub is_hidden: bool,
}

/// Something about parties that is due.
#[table(name = party_due)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartyDue {
    /// When, microseconds since 1970 times four, and the kind, in the upper 64 bits: 0 a member was
    /// away for too long, 1 a party was one alone for too long, 2 a ready check ends, 3 an
    /// invitation lapses. Below it the character, the party or the invitation.
    #[primary_key]
    pub due_key: u128,
}

/// How often an account may invite, and change what all members see. Removed when its character
/// leaves, unless it was too quick.
#[table(name = party_pace)]
#[derive(Clone, Debug, PartialEq)]
pub struct PartyPace {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// `rules::friends::pace` of invitations, microseconds since 1970.
    pub invites_on_time_at_micros: i64,
    /// The same of changes.
    pub changes_on_time_at_micros: i64,
}
