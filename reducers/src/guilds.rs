//! Guilds: members, ranks and their rights, the bank.
//!
//! Keeps true: a character is in one guild at most; a guild that is there has members and a leader;
//! what is private to a guild is shown to members who are in the world and to nobody else.
//! Founding (`founding`), who asks whom (`asking`), what members do to each other (`people`), ranks
//! (`ranks`), what is written (`words`), the bank (`bank`, `windows`), what is shown (`shown`),
//! what is remembered (`past`), how often somebody may call (`pace`), what happens by itself
//! (`sweep`) and staff (`staff`) have their own files; members come and go by `members` alone.

mod asking;
mod bank;
mod founding;
mod members;
mod pace;
mod past;
mod people;
mod ranks;
mod shown;
mod staff;
mod sweep;
mod windows;
mod words;

pub use asking::{
    guild_invite_accept, guild_invite_decline, guild_invite_revoke, guild_member_invite,
    guild_request_accept, guild_request_cancel, guild_request_refuse, guild_request_send,
};
pub use bank::{
    guild_bank_move, guild_bank_put, guild_bank_take, guild_coins_put, guild_coins_take,
    guild_tab_buy,
};
pub use founding::{
    guild_charter_open, guild_charter_sign, guild_charter_withdraw, guild_disband, guild_found,
};
pub use people::{
    guild_leader_add, guild_leader_claim, guild_leader_pass, guild_leave, guild_member_ban,
    guild_member_demote, guild_member_kick, guild_member_promote, guild_member_unban,
};
pub use ranks::{guild_rank_add, guild_rank_change, guild_rank_remove};
pub use shown::guild_list_show;
pub use staff::{guild_leader_appoint, guild_rename};
pub use sweep::{GuildSweepTimer, guild_sweep, guild_sweep_timer};
pub use windows::{guild_bank_close, guild_bank_open};
pub use words::{guild_emblem_set, guild_message_set, guild_note_set, guild_officer_note_set};

pub(crate) use asking::blocked;
pub(crate) use sweep::ensure_timers;
pub(crate) use windows::{holders_changed, purses_changed};

use crate::authority::{Player, require_player};
use crate::content::book;
use crate::ordered::ranges;
use crate::{Refusal, characters, now_micros};
use haven_rules::guilds::GuildError;
use haven_rules::guilds::bank::TABS_MAX;
use haven_rules::guilds::levels::{level_of, points_for};
use haven_rules::guilds::log::Line;
use haven_rules::guilds::ranks::{Grant, LEADERS, check_right};
use haven_rules::guilds::rights::{Right, has};
use haven_rules::keys::keys_of;
use haven_tables::guilds::{
    Guild, GuildActivity, GuildMember, GuildRank, GuildSeen, guild, guild_activity, guild_member,
    guild_membership, guild_rank, guild_seen,
};
use spacetimedb::{Identity, ReducerContext, Table};

/// The member who calls, and what its rank gives it.
struct Own {
    account_id: u64,
    member: GuildMember,
    guild: Guild,
    rank: GuildRank,
}

impl Own {
    /// # Errors
    /// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`.
    fn find(ctx: &ReducerContext) -> Result<Self, Refusal> {
        let player = require_player(ctx)?;
        Ok(Self::of(ctx, player)?)
    }

    /// # Errors
    /// In this order: `guild.not_in_world`, `guild.none`, `guild.too_fast`.
    fn of(ctx: &ReducerContext, player: Player) -> Result<Self, GuildError> {
        let own = Self::unpaced(ctx, player)?;
        pace::spend(ctx, own.account_id)?;
        Ok(own)
    }

    /// The same, however often it has called: for what must always be possible.
    ///
    /// # Errors
    /// In this order: `guild.not_in_world`, `guild.none`.
    fn unpaced(ctx: &ReducerContext, player: Player) -> Result<Self, GuildError> {
        let account_id = player.account_id;
        let own = characters::entity_of(ctx, account_id).ok_or(GuildError::CharacterAbsent)?;
        let member = ctx.db.guild_member().character_id().find(own).ok_or(GuildError::NoGuild)?;
        let guild = guild_row(ctx, member.guild_id);
        let rank = rank_row(ctx, member.guild_id, member.rank);
        Ok(Self { account_id, member, guild, rank })
    }

    /// # Errors
    /// In this order: those of [`Self::find`], `guild.right_missing`.
    fn with(ctx: &ReducerContext, right: Right) -> Result<Self, Refusal> {
        let own = Self::find(ctx)?;
        check_right(own.grant().rights, right)?;
        Ok(own)
    }

    /// # Errors
    /// In this order: those of [`Self::find`], `guild.leaders_only`.
    fn leader(ctx: &ReducerContext) -> Result<Self, Refusal> {
        let own = Self::find(ctx)?;
        own.check_leads()?;
        Ok(own)
    }

    fn check_leads(&self) -> Result<(), GuildError> {
        if self.rank.position == LEADERS { Ok(()) } else { Err(GuildError::LeadersOnly) }
    }

    fn character_id(&self) -> u64 {
        self.member.character_id
    }

    fn guild_id(&self) -> u64 {
        self.guild.guild_id
    }

    fn grant(&self) -> Grant {
        grant_of(&self.rank)
    }

    /// Who caused something, for the ledger.
    fn who(&self) -> (u64, u64) {
        (self.account_id, self.character_id())
    }

    /// Another member of the same guild, and its rank.
    ///
    /// # Errors
    /// In this order: `guild.target_unknown`, `guild.target_self`.
    fn other(
        &self,
        ctx: &ReducerContext,
        character_id: u64,
    ) -> Result<(GuildMember, GuildRank), GuildError> {
        let other = ctx.db.guild_member().character_id().find(character_id);
        let other = other.filter(|row| row.guild_id == self.guild_id());
        let other = other.ok_or(GuildError::TargetUnknown)?;
        if character_id == self.character_id() {
            return Err(GuildError::TargetSelf);
        }
        let rank = rank_row(ctx, other.guild_id, other.rank);
        Ok((other, rank))
    }

    /// Writes a line about somebody or something.
    fn tell(&self, ctx: &ReducerContext, line: Line, subject: (u64, &str), amount: u64, tab: u8) {
        let actor = (self.character_id(), self.member.name.as_str());
        past::tell(ctx, self.guild_id(), past::Told { line, actor, subject, amount, tab });
    }
}

/// What a rank gives: leaders have everything, whatever the row says.
fn grant_of(rank: &GuildRank) -> Grant {
    if rank.position == LEADERS {
        return Grant::ALL;
    }
    let mut items_per_day = [0; TABS_MAX as usize];
    for (limit, kept) in items_per_day.iter_mut().zip(&rank.items_per_day) {
        *limit = *kept;
    }
    let GuildRank { rights, tab_rights, copper_per_day, .. } = *rank;
    Grant { rights, tab_rights, items_per_day, copper_per_day }
}

const fn rank_key(guild_id: u64, rank: u8) -> u64 {
    guild_id * 16 + rank as u64
}

fn rank_row(ctx: &ReducerContext, guild_id: u64, rank: u8) -> GuildRank {
    let row = ctx.db.guild_rank().rank_key().find(rank_key(guild_id, rank));
    row.expect("invariant: a member has a rank of its guild")
}

fn guild_row(ctx: &ReducerContext, guild_id: u64) -> Guild {
    let row = ctx.db.guild().guild_id().find(guild_id);
    row.expect("invariant: a member's guild is there")
}

/// A guild's ranks, the highest first: at most 10.
fn ranks_of(ctx: &ReducerContext, guild_id: u64) -> Vec<GuildRank> {
    let mut ranks: Vec<_> = ctx.db.guild_rank().by_guild().filter(guild_id).collect();
    ranks.sort_unstable_by_key(|rank| rank.position);
    ranks
}

pub(crate) fn character_entered(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    if let Some(member) = ctx.db.guild_member().character_id().find(character_id) {
        saw(ctx, character_id);
        shown::show(ctx, &member);
    }
}

pub(crate) fn character_leaving(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    pace::forget(ctx, account_id);
    if ctx.db.guild_member().character_id().find(character_id).is_some() {
        saw(ctx, character_id);
        shown::hide(ctx, character_id);
    }
}

pub(crate) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    asking::forget_all(ctx, character_id);
    founding::forget_charter(ctx, character_id);
    bank::forget_taken(ctx, character_id);
    people::gone(ctx, account_id, character_id);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for character_id in characters::characters_of(ctx, account_id) {
        shown::rebind(ctx, character_id, viewer);
        windows::rebind(ctx, character_id, viewer);
        asking::rebind(ctx, character_id, viewer);
        founding::rebind(ctx, character_id, viewer);
    }
}

/// A character has another name than that before: the roster shows it, and what is asked. What its
/// guild has written down of the past keeps the one before, and so do pages.
pub(crate) fn character_renamed(ctx: &ReducerContext, character_id: u64, before: &str, name: &str) {
    asking::renamed(ctx, character_id, name);
    if let Some(row) = ctx.db.guild_member().character_id().find(character_id) {
        let guild_id = row.guild_id;
        asking::inviter_renamed(ctx, guild_id, before, name);
        words::writer_renamed(ctx, guild_id, before, name);
        ctx.db.guild_member().character_id().update(GuildMember { name: name.to_owned(), ..row });
    }
}

/// A member gained experience: its guild is the more active.
pub(crate) fn experience_gained(ctx: &ReducerContext, character_id: u64, experience: u32) {
    let Some(guild_id) = guild_of(ctx, character_id) else { return };
    let book = book(ctx);
    let gained = points_for(experience, &book);
    if gained == 0 {
        return;
    }
    let known = ctx.db.guild_activity().guild_id().find(guild_id);
    let points = known.as_ref().map_or(0, |row| row.points).saturating_add(gained);
    let row = GuildActivity { guild_id, points };
    if known.is_some() {
        ctx.db.guild_activity().guild_id().update(row);
    } else {
        ctx.db.guild_activity().insert(row);
    }
    let guild = guild_row(ctx, guild_id);
    let level = level_of(points, &book);
    if level > guild.level {
        ctx.db.guild().guild_id().update(Guild { level, ..guild });
        let (actor, subject, amount) = ((0, ""), (0, ""), u64::from(level));
        past::tell(ctx, guild_id, past::Told { line: Line::Level, actor, subject, amount, tab: 0 });
    }
}

/// The guild of a character.
pub(crate) fn guild_of(ctx: &ReducerContext, character_id: u64) -> Option<u64> {
    Some(ctx.db.guild_member().character_id().find(character_id)?.guild_id)
}

/// All members of a guild, at most 500, in the order of their numbers.
pub(crate) fn members_of(ctx: &ReducerContext, guild_id: u64) -> Vec<u64> {
    let rows = ctx.db.guild_member().by_guild().filter(guild_id);
    let mut members: Vec<u64> = rows.map(|row| row.character_id).collect();
    members.sort_unstable();
    members
}

/// The members of a guild who are in the world, in the order of their numbers.
pub(crate) fn members_present(ctx: &ReducerContext, guild_id: u64) -> Vec<u64> {
    let rows = ranges(ctx.db.guild_membership().guild_key()).filter(keys_of(guild_id));
    rows.map(|row| row.character_id).collect()
}

/// Whether a character's rank in its guild has that right; no where it is in none.
pub(crate) fn may(ctx: &ReducerContext, character_id: u64, right: Right) -> bool {
    let member = ctx.db.guild_member().character_id().find(character_id);
    member.is_some_and(|row| has(grant_of(&rank_row(ctx, row.guild_id, row.rank)).rights, right))
}

/// A member is in the world, or was until now.
fn saw(ctx: &ReducerContext, character_id: u64) {
    let row = GuildSeen { character_id, seen_at_micros: now_micros(ctx) };
    if ctx.db.guild_seen().character_id().find(character_id).is_some() {
        ctx.db.guild_seen().character_id().update(row);
    } else {
        ctx.db.guild_seen().insert(row);
    }
}

/// Whether a character's rank lets it speak in its guild's channel, or in that of its officers.
pub(crate) fn may_speak(ctx: &ReducerContext, character_id: u64, to_officers: bool) -> bool {
    may(ctx, character_id, if to_officers { Right::OfficerChat } else { Right::Speak })
}
