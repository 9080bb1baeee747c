//! The reducers a player calls, and what they answer.

use super::{Inbox, News};
use crate::error::HavenError;
use crate::module_bindings::{
    AbilityAim, BoardQuestion, ChatLink, CommandId, DbConnection, GuildEmblem, GuildGrant,
    MailAttachment, ReducerEventContext, RemoteReducers,
};
use spacetimedb_sdk::Status;

/// Stands for an argument that nobody reads.
macro_rules! unread {
    ($field:ident) => {
        _
    };
}

/// Declares the calls: a name, the arguments, the reducer and what the bindings call its outcome.
macro_rules! calls {
    ($($name:ident $({ $($field:ident: $type:ty),+ })?, $reducer:ident, $on:ident;)*) => {
        $(use crate::module_bindings::$reducer as _;)*

        /// A reducer and its arguments.
        #[derive(Clone, Debug)]
        pub(crate) enum Call {
            $($name $({ $($field: $type),+ })?,)*
        }

        /// A reducer. Calls of one reducer have their outcomes in the order they were made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Reducer {
            $($name,)*
        }

        impl Call {
            pub(crate) fn reducer(&self) -> Reducer {
                match self {
                    $(Self::$name { .. } => Reducer::$name,)*
                }
            }

            pub(super) fn send(self, reducers: &RemoteReducers) -> spacetimedb_sdk::Result<()> {
                match self {
                    $(Self::$name $({ $($field),+ })? => reducers.$reducer($($($field),+)?),)*
                }
            }
        }

        /// Only own calls are reported: a light client hears of no others.
        pub(super) fn report_outcomes(connection: &DbConnection, inbox: &Inbox) {
            let reducers = &connection.reducers;
            $({
                let inbox = inbox.clone();
                reducers.$on(move |context $($(, unread!($field))+)?| {
                    inbox.put(outcome(Reducer::$name, context));
                });
            })*
        }
    };
}

calls! {
    Enter { character_id: u64, command: CommandId }, character_enter_once, on_character_enter_once;
    Leave, character_leave, on_character_leave;
    Respawn, character_respawn, on_character_respawn;
    Course { dx: i16, dy: i16, running: bool }, course_set, on_course_set;
    Goal { x_mm: i32, y_mm: i32 }, course_to, on_course_to;
    Follow { entity_id: u64 }, course_follow, on_course_follow;
    InstanceOpen { name: String, command: CommandId }, instance_open_once, on_instance_open_once;
    InstanceInvite { world: u32, character_id: u64 }, instance_invite, on_instance_invite;
    InstanceEnter { world: u32 }, instance_enter, on_instance_enter;
    InstanceLeave, instance_leave, on_instance_leave;
    UseAbility { ability: String, aim: AbilityAim, slot_level: u8 }, ability_use, on_ability_use;
    CancelCast, cast_cancel, on_cast_cancel;
    OfferDuel { entity_id: u64 }, duel_offer, on_duel_offer;
    AnswerDuel { entity_id: u64, accepts: bool }, duel_answer, on_duel_answer;
    EndDuel, duel_end, on_duel_end;
    BeginRest { is_long: bool }, rest_begin, on_rest_begin;
    EndRest, rest_end, on_rest_end;
    ReturnToLife, death_return, on_death_return;
    ItemMove { item_id: u64, count: u32, slot: u16, command: CommandId }, item_move, on_item_move;
    ItemEquip { item_id: u64, slot: u16, command: CommandId }, item_equip, on_item_equip;
    ItemUnequip { item_id: u64, command: CommandId }, item_unequip, on_item_unequip;
    ItemUse { item_id: u64, aim: AbilityAim, command: CommandId }, item_use, on_item_use;
    ItemRepair { item_id: u64, command: CommandId }, item_repair, on_item_repair;
    ItemDestroy { item_id: u64, count: u32, command: CommandId }, item_destroy, on_item_destroy;
    ItemGather { chunk_index: u64, number: u8, command: CommandId }, item_gather, on_item_gather;
    ItemCraft { recipe: String, command: CommandId }, item_craft, on_item_craft;
    LostItemClaim { item_id: u64, command: CommandId }, lost_item_claim, on_lost_item_claim;
    LostClaim { command: CommandId }, lost_claim, on_lost_claim;
    LootTake { loot_id: u64, item_id: u64, command: CommandId }, loot_take, on_loot_take;
    LootTakeAll { loot_id: u64, command: CommandId }, loot_take_all, on_loot_take_all;
    LootRoll { loot_id: u64, item_id: u64, choice: u8, command: CommandId },
        loot_roll, on_loot_roll;
    LootAssign { loot_id: u64, item_id: u64, character_id: u64, command: CommandId },
        loot_assign, on_loot_assign;
    VendorBuy { vendor_id: u64, def: String, count: u32, copper_max: u64, command: CommandId },
        vendor_buy, on_vendor_buy;
    VendorSell { vendor_id: u64, item_id: u64, count: u32, copper_min: u64, command: CommandId },
        vendor_sell, on_vendor_sell;
    VendorBuyBack { item_id: u64, command: CommandId }, vendor_buy_back, on_vendor_buy_back;
    AuctionCreate {
        item_id: u64, count: u32, bid_copper: u64, buyout_copper: u64, hours: u8,
        command: CommandId
    }, auction_create, on_auction_create;
    AuctionBid { auction_id: u64, bid_copper: u64, command: CommandId },
        auction_bid, on_auction_bid;
    AuctionBuyout { auction_id: u64, command: CommandId }, auction_buyout, on_auction_buyout;
    AuctionCancel { auction_id: u64, command: CommandId }, auction_cancel, on_auction_cancel;
    OrderPlace { def: String, is_buy: bool, price_copper: u64, count: u32, command: CommandId },
        order_place, on_order_place;
    OrderCancel { order_id: u64, command: CommandId }, order_cancel, on_order_cancel;
    MarketCollect { command: CommandId }, market_collect, on_market_collect;
    TradeRequest { character_id: u64 }, trade_request, on_trade_request;
    TradeAnswer { trade_id: u64, accepts: bool }, trade_answer, on_trade_answer;
    TradeOfferItem { item_id: u64 }, trade_offer_item, on_trade_offer_item;
    TradeOfferCoins { copper: u64 }, trade_offer_coins, on_trade_offer_coins;
    TradeWithdraw { item_id: u64 }, trade_withdraw, on_trade_withdraw;
    TradeLock { revision: u32 }, trade_lock, on_trade_lock;
    CoinsPay { character_id: u64, copper: u64, command: CommandId }, coins_pay, on_coins_pay;
    TradeConfirm { trade_id: u64, revision: u32, command: CommandId },
        trade_confirm, on_trade_confirm;
    TradeCancel, trade_cancel, on_trade_cancel;
    MailSend {
        to_name: String, subject: String, text: String, attachments: Vec<MailAttachment>,
        copper: u64, cod_copper: u64, command: CommandId
    }, mail_send, on_mail_send;
    MailRead { mail_id: u64 }, mail_read, on_mail_read;
    MailTake { mail_id: u64, item_id: u64, cod_copper: u64, command: CommandId },
        mail_take, on_mail_take;
    MailTakeAll { command: CommandId }, mail_take_all, on_mail_take_all;
    MailReturn { mail_id: u64, command: CommandId }, mail_return, on_mail_return;
    MailDelete { mail_id: u64 }, mail_delete, on_mail_delete;
    GuildFound { name: String, command: CommandId }, guild_found, on_guild_found;
    GuildCharterOpen { name: String }, guild_charter_open, on_guild_charter_open;
    GuildCharterSign { founder: String }, guild_charter_sign, on_guild_charter_sign;
    GuildCharterWithdraw, guild_charter_withdraw, on_guild_charter_withdraw;
    GuildMemberInvite { name: String }, guild_member_invite, on_guild_member_invite;
    GuildInviteRevoke { character_id: u64 }, guild_invite_revoke, on_guild_invite_revoke;
    GuildInviteAccept { guild_id: u64 }, guild_invite_accept, on_guild_invite_accept;
    GuildInviteDecline { guild_id: u64 }, guild_invite_decline, on_guild_invite_decline;
    GuildRequestSend { guild_id: u64, text: String }, guild_request_send, on_guild_request_send;
    GuildRequestCancel { guild_id: u64 }, guild_request_cancel, on_guild_request_cancel;
    GuildRequestAccept { character_id: u64 }, guild_request_accept, on_guild_request_accept;
    GuildRequestRefuse { character_id: u64 }, guild_request_refuse, on_guild_request_refuse;
    GuildLeave, guild_leave, on_guild_leave;
    GuildDisband { command: CommandId }, guild_disband, on_guild_disband;
    GuildListShow { list: u8, cursor: u64 }, guild_list_show, on_guild_list_show;
    GuildMemberKick { character_id: u64 }, guild_member_kick, on_guild_member_kick;
    GuildMemberPromote { character_id: u64 }, guild_member_promote, on_guild_member_promote;
    GuildMemberDemote { character_id: u64 }, guild_member_demote, on_guild_member_demote;
    GuildMemberBan { name: String }, guild_member_ban, on_guild_member_ban;
    GuildMemberUnban { character_id: u64 }, guild_member_unban, on_guild_member_unban;
    GuildLeaderPass { character_id: u64 }, guild_leader_pass, on_guild_leader_pass;
    GuildLeaderAdd { character_id: u64 }, guild_leader_add, on_guild_leader_add;
    GuildLeaderClaim, guild_leader_claim, on_guild_leader_claim;
    GuildRankAdd { name: String, position: u8 }, guild_rank_add, on_guild_rank_add;
    GuildRankChange { rank: u8, name: String, grant: GuildGrant },
        guild_rank_change, on_guild_rank_change;
    GuildRankRemove { rank: u8 }, guild_rank_remove, on_guild_rank_remove;
    GuildMessageSet { message: String }, guild_message_set, on_guild_message_set;
    GuildNoteSet { character_id: u64, note: String }, guild_note_set, on_guild_note_set;
    GuildOfficerNoteSet { character_id: u64, note: String },
        guild_officer_note_set, on_guild_officer_note_set;
    GuildEmblemSet { emblem: GuildEmblem }, guild_emblem_set, on_guild_emblem_set;
    GuildBankOpen { tab: u8 }, guild_bank_open, on_guild_bank_open;
    GuildBankClose, guild_bank_close, on_guild_bank_close;
    GuildBankPut { item_id: u64, count: u32, tab: u8, slot: u16, command: CommandId },
        guild_bank_put, on_guild_bank_put;
    GuildBankTake { item_id: u64, count: u32, slot: u16, command: CommandId },
        guild_bank_take, on_guild_bank_take;
    GuildBankMove { item_id: u64, count: u32, tab: u8, slot: u16, command: CommandId },
        guild_bank_move, on_guild_bank_move;
    GuildCoinsPut { copper: u64, command: CommandId }, guild_coins_put, on_guild_coins_put;
    GuildCoinsTake { copper: u64, command: CommandId }, guild_coins_take, on_guild_coins_take;
    GuildTabBuy { command: CommandId }, guild_tab_buy, on_guild_tab_buy;
    PartyInvite { name: String }, party_invite, on_party_invite;
    PartyAnswer { invitation_id: u64, accepts: bool }, party_answer, on_party_answer;
    PartyLeave, party_leave, on_party_leave;
    PartyKick { character_id: u64 }, party_kick, on_party_kick;
    PartyLeaderPass { character_id: u64 }, party_leader_pass, on_party_leader_pass;
    PartyAssistantSet { character_id: u64, assists: bool },
        party_assistant_set, on_party_assistant_set;
    PartyConvert { is_raid: bool }, party_convert, on_party_convert;
    PartyGroupSet { character_id: u64, group: u8 }, party_group_set, on_party_group_set;
    PartyLootSet { mode: u8, threshold: u8, master_id: u64 }, party_loot_set, on_party_loot_set;
    PartyMarkerSet { marker: u8, entity_id: u64 }, party_marker_set, on_party_marker_set;
    PartyReadyBegin, party_ready_begin, on_party_ready_begin;
    PartyReadyAnswer { is_ready: bool }, party_ready_answer, on_party_ready_answer;
    FriendRequest { name: String }, friend_request, on_friend_request;
    FriendAnswer { friend_id: u64, accepts: bool }, friend_answer, on_friend_answer;
    FriendRemove { friend_id: u64 }, friend_remove, on_friend_remove;
    FriendNoteSet { friend_id: u64, note: String }, friend_note_set, on_friend_note_set;
    BlockAdd { name: String }, block_add, on_block_add;
    BlockRemove { block_id: u64 }, block_remove, on_block_remove;
    PresenceSet { status: u8 }, presence_set, on_presence_set;
    PrivacySet { what: u8, whom: u8 }, privacy_set, on_privacy_set;
    PresenceLook { name: String }, presence_look, on_presence_look;
    ChatSay { kind: u8, channel_id: u64, text: String, links: Vec<ChatLink>, command: CommandId },
        chat_say, on_chat_say;
    ChatWhisper { name: String, text: String, links: Vec<ChatLink>, command: CommandId },
        chat_whisper, on_chat_whisper;
    ChatEdit { message_id: u64, text: String, command: CommandId }, chat_edit, on_chat_edit;
    ChatRemove { message_id: u64, command: CommandId }, chat_remove, on_chat_remove;
    ChatReport { message_id: u64, reason: String, command: CommandId }, chat_report, on_chat_report;
    ChatHistory { kind: u8, channel_id: u64, before_message_id: u64, count: u16 },
        chat_history, on_chat_history;
    ChatRead { kind: u8, channel_id: u64, message_id: u64 }, chat_read, on_chat_read;
    ChatChannelCreate { name: String, is_open: bool, command: CommandId },
        chat_channel_create, on_chat_channel_create;
    ChatChannelJoin { name: String, command: CommandId }, chat_channel_join, on_chat_channel_join;
    ChatChannelLeave { channel_id: u64, command: CommandId },
        chat_channel_leave, on_chat_channel_leave;
    ChatChannelDelete { channel_id: u64, command: CommandId },
        chat_channel_delete, on_chat_channel_delete;
    ChatChannelRoster { channel_id: u64 }, chat_channel_roster, on_chat_channel_roster;
    ChatChannelInvite { channel_id: u64, name: String, command: CommandId },
        chat_channel_invite, on_chat_channel_invite;
    ChatChannelKick { channel_id: u64, character_id: u64, command: CommandId },
        chat_channel_kick, on_chat_channel_kick;
    ChatChannelBan { channel_id: u64, character_id: u64, command: CommandId },
        chat_channel_ban, on_chat_channel_ban;
    ChatChannelUnban { channel_id: u64, character_id: u64, command: CommandId },
        chat_channel_unban, on_chat_channel_unban;
    ChatChannelRoleSet { channel_id: u64, character_id: u64, role: u8, command: CommandId },
        chat_channel_role_set, on_chat_channel_role_set;
    ChatChannelSlowSet { channel_id: u64, seconds: u16, command: CommandId },
        chat_channel_slow_set, on_chat_channel_slow_set;
    BoardJoin { board: String, command: CommandId }, board_join, on_board_join;
    BoardAsk { board: String, season: u32, question: BoardQuestion, request: u32 },
        board_ask, on_board_ask;
    NoticeRead { notice_id: u64 }, notice_read, on_notice_read;
}

impl Reducer {
    /// Whether it is an input: what the realm counts in `motion.input_number`.
    pub(crate) fn is_input(self) -> bool {
        matches!(self, Self::Course | Self::Goal | Self::Follow)
    }
}

fn outcome(reducer: Reducer, context: &ReducerEventContext) -> News {
    let result = match &context.event.status {
        Status::Committed => Ok(()),
        Status::Failed(message) => Err(HavenError::from_reducer(message)),
        Status::OutOfEnergy => Err(HavenError::from_reducer("the realm is out of energy")),
    };
    let server_micros = context.event.timestamp.to_micros_since_unix_epoch();
    News::Outcome { reducer, server_micros, result }
}
