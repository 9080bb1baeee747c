//! Parties and raids: members, leaders, ready checks, loot rules.
//!
//! Keeps true: a party has one leader, who is a member; at most five members, or as a raid forty in
//! groups of five; whoever was away for longer than the grace is a member no more, and so is nobody
//! of a party that was one alone for as long. How reward is shared is in `sharing`.
//! Leaves out on purpose: who is invited, and where anybody is.

mod checks;
pub mod sharing;

use crate::errors::domain_errors;

/// Most members of a party.
pub const PARTY_MAX: usize = 5;
/// Most members of a raid.
pub const RAID_MAX: usize = 40;
/// Groups of a raid.
pub const GROUPS: u8 = 8;
/// Most members of a group.
pub const GROUP_MAX: usize = 5;
/// Markers of a party.
pub const MARKERS: usize = 8;
/// How near a target must be to be marked, millimetres.
pub const MARK_RANGE_MM: u32 = 120_000;
/// How long a member may be away, and a party be one alone, seconds.
pub const GRACE_SECONDS: u32 = 300;
/// How long a ready check waits for answers, seconds.
pub const READY_SECONDS: u32 = 30;
/// How long an invitation stands, seconds.
pub const INVITE_SECONDS: u32 = 60;
/// Most invitations that a character is shown at once.
pub const INVITES_MAX: usize = 20;
/// The highest rarity: 0 common, 1 uncommon, 2 rare, 3 very rare, 4 legendary, 5 artifact.
pub const RARITY_MAX: u8 = 5;

domain_errors! {
    /// Why something about parties was refused.
    PartyError {
        CharacterAbsent = 1200, "party.not_in_world", "the caller has no character in the world";
        PlayerUnknown = 1201, "party.player_unknown", "there is no player of that name";
        Oneself = 1202, "party.self", "that is the caller";
        MarkerUnknown = 1203, "party.marker_unknown", "markers are 1 to 8";
        LootInvalid = 1204, "party.loot_invalid", "there is no such loot rule, or no such rarity";
        GroupUnknown = 1205, "party.group_unknown", "groups are 1 to 8";
        NoParty = 1206, "party.none", "the caller is in no party";
        AlreadyIn = 1207, "party.already_in", "the caller is in a party";
        NotLeader = 1208, "party.not_leader", "that is for the leader to do";
        NotAssistant = 1209, "party.not_assistant", "that is for the leader and assistants to do";
        MemberUnknown = 1210, "party.member_unknown", "that is no member of the caller's party";
        MemberAway = 1211, "party.member_away", "that member is away";
        Blocked = 1212, "party.blocked", "the caller has blocked that player";
        InvitePending = 1214, "party.invite_pending", "the caller has invited that player already";
        InvitesTooMany = 1215, "party.invites_too_many", "that player has 20 invitations";
        InviteUnknown = 1216, "party.invite_unknown", "there is no such invitation to the caller, or it has lapsed";
        InviteOver = 1217, "party.invite_over", "who has invited can take nobody in any more";
        Full = 1218, "party.full", "a party has 5 members, and a raid 40";
        NotRaid = 1219, "party.not_raid", "the party is no raid";
        TooLarge = 1220, "party.too_large", "a raid of more than 5 members stays one";
        GroupFull = 1221, "party.group_full", "the group has 5 members";
        ReadyGoing = 1222, "party.ready_going", "a ready check is going on";
        ReadyNone = 1223, "party.ready_none", "no ready check asks the caller";
        TargetUnknown = 1224, "party.target_unknown", "there is no such target within 120 m of the caller";
        TooFast = 1225, "party.too_fast", "the caller has done that too often for now";
    }
}

/// Who may take what lies on a corpse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum LootMode {
    /// Everybody near may.
    #[default]
    FreeForAll = 1,
    /// Members near in turn.
    RoundRobin = 2,
    /// From the threshold on members near say whether they need it, want it or pass.
    NeedBeforeGreed = 3,
    /// From the threshold on one member gives it out.
    Master = 4,
}

impl LootMode {
    /// The one of a code.
    pub fn from_code(code: u8) -> Option<Self> {
        let all = [Self::FreeForAll, Self::RoundRobin, Self::NeedBeforeGreed, Self::Master];
        all.into_iter().find(|mode| *mode as u8 == code)
    }
}

/// The loot rule of a party.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loot {
    /// Who may take.
    pub mode: LootMode,
    /// From which rarity on the mode holds where it has a threshold.
    pub threshold: u8,
    /// Who gives out; 0 where the mode needs nobody.
    pub master_id: u64,
}

/// What a member has said in a ready check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Answer {
    /// It was not asked.
    #[default]
    Unasked = 0,
    /// It is asked.
    Waits = 1,
    /// It is ready.
    Ready = 2,
    /// It is not, or was away, or has not answered in time.
    NotReady = 3,
}

impl Answer {
    /// The one of a code; of any other, not asked.
    pub fn from_code(code: u8) -> Self {
        let all = [Self::Waits, Self::Ready, Self::NotReady];
        all.into_iter().find(|answer| *answer as u8 == code).unwrap_or_default()
    }
}

/// How a party's ready check stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ReadyState {
    /// There was none yet.
    #[default]
    None = 0,
    /// Members are asked.
    Going = 1,
    /// All were ready.
    AllReady = 2,
    /// Not all were.
    NotAll = 3,
}

impl ReadyState {
    /// The one of a code; of any other, none.
    pub fn from_code(code: u8) -> Self {
        let all = [Self::Going, Self::AllReady, Self::NotAll];
        all.into_iter().find(|state| *state as u8 == code).unwrap_or_default()
    }
}

/// A ready check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// How it stands.
    pub state: ReadyState,
    /// Who asked last; 0 for nobody.
    pub by_id: u64,
    /// When it ends by itself, microseconds since 1970; 0 while none is going on.
    pub ends_at_micros: i64,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub character_id: u64,
    /// Since when, microseconds since 1970.
    pub joined_at_micros: i64,
    /// Until when it may be away, microseconds since 1970; 0 while it is there.
    pub away_ends_at_micros: i64,
    /// 1 to [`GROUPS`]; 1 in a party.
    pub group: u8,
    /// Whether it may do what assistants may.
    pub is_assistant: bool,
    /// What it has said.
    pub answer: Answer,
}

impl Member {
    fn new(character_id: u64, joined_at_micros: i64, group: u8) -> Self {
        let (is_assistant, answer) = (false, Answer::Unasked);
        Self { character_id, joined_at_micros, away_ends_at_micros: 0, group, is_assistant, answer }
    }

    /// Whether it is in the world.
    pub const fn is_there(&self) -> bool {
        self.away_ends_at_micros == 0
    }
}

/// A party or a raid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// A member.
    pub leader_id: u64,
    /// Whether it is a raid.
    pub is_raid: bool,
    /// Its loot rule.
    pub loot: Loot,
    /// What each marker is on; 0 for nothing, and nothing twice.
    pub markers: [u64; MARKERS],
    /// Its ready check.
    pub ready: Ready,
    /// When it ends because it is one alone, microseconds since 1970; 0 while it is not.
    pub alone_ends_at_micros: i64,
    /// All members, in the order in which they joined; none where it has ended.
    pub members: Vec<Member>,
}

const fn seconds_after(now_micros: i64, seconds: u32) -> i64 {
    now_micros.saturating_add(seconds as i64 * 1_000_000)
}

/// When an invitation that is made now lapses, microseconds since 1970.
pub const fn invite_lapses_at_micros(now_micros: i64) -> i64 {
    seconds_after(now_micros, INVITE_SECONDS)
}

impl Party {
    /// A party of one, who leads it.
    pub fn new(leader_id: u64, now_micros: i64) -> Self {
        Self {
            leader_id,
            is_raid: false,
            loot: Loot::default(),
            markers: [0; MARKERS],
            ready: Ready::default(),
            alone_ends_at_micros: seconds_after(now_micros, GRACE_SECONDS),
            members: vec![Member::new(leader_id, now_micros, 1)],
        }
    }

    /// The member of that number.
    ///
    /// # Errors
    /// `MemberUnknown`.
    pub fn member(&self, character_id: u64) -> Result<&Member, PartyError> {
        let found = self.members.iter().find(|member| member.character_id == character_id);
        found.ok_or(PartyError::MemberUnknown)
    }

    fn member_mut(&mut self, character_id: u64) -> Result<&mut Member, PartyError> {
        let found = self.members.iter_mut().find(|member| member.character_id == character_id);
        found.ok_or(PartyError::MemberUnknown)
    }

    /// Whether it has room for one more.
    ///
    /// # Errors
    /// `Full`.
    pub fn check_room(&self) -> Result<(), PartyError> {
        let most = if self.is_raid { RAID_MAX } else { PARTY_MAX };
        if self.members.len() < most { Ok(()) } else { Err(PartyError::Full) }
    }

    /// Refuses what only the leader does.
    ///
    /// # Errors
    /// `NotLeader`.
    pub fn check_leader(&self, by_id: u64) -> Result<(), PartyError> {
        if self.leader_id == by_id { Ok(()) } else { Err(PartyError::NotLeader) }
    }

    /// Refuses what the leader and assistants do.
    ///
    /// # Errors
    /// `NotAssistant`.
    pub fn check_assistant(&self, by_id: u64) -> Result<(), PartyError> {
        let assists = self.member(by_id).is_ok_and(|member| member.is_assistant);
        if self.leader_id == by_id || assists { Ok(()) } else { Err(PartyError::NotAssistant) }
    }

    fn count_in(&self, group: u8) -> usize {
        self.members.iter().filter(|member| member.group == group).count()
    }

    fn group_with_room(&self) -> u8 {
        let open = (1..=GROUPS).find(|group| self.count_in(*group) < GROUP_MAX);
        if self.is_raid { open.unwrap_or(GROUPS) } else { 1 }
    }

    /// Takes somebody in who is in no party, into the first group that has room.
    ///
    /// # Errors
    /// `Full`.
    pub fn join(&mut self, character_id: u64, now_micros: i64) -> Result<(), PartyError> {
        self.check_room()?;
        let group = self.group_with_room();
        self.members.push(Member::new(character_id, now_micros, group));
        self.alone_ends_at_micros = 0;
        Ok(())
    }

    /// Who leads after somebody who is gone: of those who are there, or of all where nobody is, the
    /// assistant who is a member for longest, else the member who is.
    fn next_leader(&self) -> Option<u64> {
        let rank =
            |member: &&Member| (!member.is_there(), !member.is_assistant, member.joined_at_micros);
        // The first of equals: members are in the order in which they joined.
        self.members.iter().min_by_key(rank).map(|member| member.character_id)
    }

    /// Somebody is a member no more. What it was is handed on; a party of none has ended.
    ///
    /// # Errors
    /// `MemberUnknown`.
    pub fn leave(&mut self, character_id: u64, now_micros: i64) -> Result<(), PartyError> {
        self.member(character_id)?;
        self.members.retain(|member| member.character_id != character_id);
        let Some(next) = self.next_leader() else { return Ok(()) };
        if self.leader_id == character_id {
            self.lead(next);
        }
        if self.loot.master_id == character_id {
            self.loot.master_id = self.leader_id;
        }
        if self.members.len() == 1 {
            self.alone_ends_at_micros = seconds_after(now_micros, GRACE_SECONDS);
        }
        self.end_check_if_all_answered();
        Ok(())
    }

    /// Who leads needs no other right.
    fn lead(&mut self, character_id: u64) {
        self.leader_id = character_id;
        if let Ok(member) = self.member_mut(character_id) {
            member.is_assistant = false;
        }
    }

    /// A member has left the world: it stays a member for the grace. What it leads it goes on
    /// leading for so long; a ready check that asks it waits for it, as it may come back in time.
    pub fn goes(&mut self, character_id: u64, now_micros: i64) {
        if let Ok(member) = self.member_mut(character_id) {
            member.away_ends_at_micros = seconds_after(now_micros, GRACE_SECONDS);
        }
    }

    /// A member is in the world again.
    pub fn comes(&mut self, character_id: u64) {
        if let Ok(member) = self.member_mut(character_id) {
            member.away_ends_at_micros = 0;
        }
    }

    /// Takes out a member: the leader anybody else, an assistant whoever is neither.
    ///
    /// # Errors
    /// In this order: `NotAssistant`, `MemberUnknown`, `Oneself`, `NotLeader`.
    pub fn kick(&mut self, by_id: u64, whom: u64, now_micros: i64) -> Result<(), PartyError> {
        self.check_assistant(by_id)?;
        let member = self.member(whom)?;
        if by_id == whom {
            return Err(PartyError::Oneself);
        }
        if member.is_assistant || self.leader_id == whom {
            self.check_leader(by_id)?;
        }
        self.leave(whom, now_micros)
    }

    /// Makes somebody else the leader, and the leader an assistant.
    ///
    /// # Errors
    /// In this order: `NotLeader`, `MemberUnknown`, `Oneself`, `MemberAway`.
    pub fn pass(&mut self, by_id: u64, whom: u64) -> Result<(), PartyError> {
        self.check_leader(by_id)?;
        let member = self.member(whom)?;
        if by_id == whom {
            return Err(PartyError::Oneself);
        }
        if !member.is_there() {
            return Err(PartyError::MemberAway);
        }
        self.lead(whom);
        self.member_mut(by_id)?.is_assistant = true;
        Ok(())
    }

    /// Makes a member an assistant, or no longer.
    ///
    /// # Errors
    /// In this order: `NotLeader`, `MemberUnknown`, `Oneself`.
    pub fn assist(&mut self, by_id: u64, whom: u64, assists: bool) -> Result<(), PartyError> {
        self.check_leader(by_id)?;
        let member = self.member_mut(whom)?;
        if by_id == whom {
            return Err(PartyError::Oneself);
        }
        member.is_assistant = assists;
        Ok(())
    }

    /// Makes a raid of a party, or a party of a raid that is small enough.
    ///
    /// # Errors
    /// In this order: `NotLeader`, `TooLarge`.
    pub fn convert(&mut self, by_id: u64, is_raid: bool) -> Result<(), PartyError> {
        self.check_leader(by_id)?;
        if !is_raid && self.members.len() > PARTY_MAX {
            return Err(PartyError::TooLarge);
        }
        self.is_raid = is_raid;
        if !is_raid {
            for member in &mut self.members {
                member.group = 1;
            }
        }
        Ok(())
    }

    /// Puts a member of a raid into another group.
    ///
    /// # Errors
    /// In this order: `GroupUnknown`, `NotAssistant`, `NotRaid`, `MemberUnknown`, `GroupFull`.
    pub fn regroup(&mut self, by_id: u64, whom: u64, group: u8) -> Result<(), PartyError> {
        if !(1..=GROUPS).contains(&group) {
            return Err(PartyError::GroupUnknown);
        }
        self.check_assistant(by_id)?;
        if !self.is_raid {
            return Err(PartyError::NotRaid);
        }
        let before = self.member(whom)?.group;
        if before != group && self.count_in(group) >= GROUP_MAX {
            return Err(PartyError::GroupFull);
        }
        self.member_mut(whom)?.group = group;
        Ok(())
    }

    /// Says who may take what. `master_id` is a member where the mode needs one, else ignored.
    ///
    /// # Errors
    /// In this order: `LootInvalid`, `NotLeader`, `MemberUnknown`.
    pub fn loot_by(
        &mut self,
        by_id: u64,
        mode: u8,
        threshold: u8,
        master_id: u64,
    ) -> Result<(), PartyError> {
        let mode = LootMode::from_code(mode).ok_or(PartyError::LootInvalid)?;
        if threshold > RARITY_MAX {
            return Err(PartyError::LootInvalid);
        }
        self.check_leader(by_id)?;
        let master_id = match mode {
            LootMode::Master => self.member(master_id)?.character_id,
            LootMode::FreeForAll | LootMode::RoundRobin | LootMode::NeedBeforeGreed => 0,
        };
        self.loot = Loot { mode, threshold, master_id };
        Ok(())
    }

    /// Puts a marker of 1 to [`MARKERS`] on a target, 0 for none: in a raid the leader and
    /// assistants do, in a party everybody. A target has one marker.
    ///
    /// # Errors
    /// In this order: `MarkerUnknown`, `NotAssistant`.
    pub fn mark(&mut self, by_id: u64, marker: u8, target_id: u64) -> Result<(), PartyError> {
        let at = usize::from(marker).checked_sub(1).filter(|at| *at < MARKERS);
        let at = at.ok_or(PartyError::MarkerUnknown)?;
        if self.is_raid {
            self.check_assistant(by_id)?;
        }
        for known in self.markers.iter_mut().filter(|known| **known == target_id) {
            *known = 0;
        }
        self.markers[at] = target_id;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
