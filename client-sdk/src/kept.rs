//! Rows that a game asks for by topic: goods, company, talk, boards and notices.
//!
//! Keeps true: each table is declared once, here; a row is told when it came, changed or went,
//! once, in the order of the realm's transactions and after the whole transaction is known. While
//! the connection is lost the rows stay as they were, and when it is back what has changed is told,
//! not what has not.
//! Leaves out on purpose: what rows mean (docs/ITEMS.md, docs/GUILDS.md and so on).

mod chat;
mod table;
#[cfg(test)]
mod tests;
mod topic;

use crate::event::Event;
use crate::module_bindings::DbConnection;
pub use chat::Said;
use spacetimedb_sdk::TableWithPrimaryKey;
use std::sync::Arc;
use std::time::Instant;
pub use table::Change;
pub(crate) use table::{Heard, Table};
pub use topic::Topic;
pub(crate) use topic::around;

/// Declares the kept tables. A group is one sort of event; each of its lines is a table: the
/// variant of the event, the row, the table, its key and the key's type.
macro_rules! kept {
    ($(
        $(#[$group_doc:meta])*
        $group:ident($event:ident) {
            $($(#[$doc:meta])* $name:ident: $row:ident in $table:ident by $key:ident: $type:ty;)*
        }
    )*) => {
        /// The rows of topics, as the realm has them. docs/SDK.md says where their columns are
        /// explained.
        pub mod rows {
            pub use crate::module_bindings::{$($($row,)*)*};
        }
        use rows::*;

        $(
            $(#[$group_doc])*
            #[derive(Clone, Debug, PartialEq)]
            #[non_exhaustive]
            pub enum $event {
                $($(#[$doc])* $name(Change<$row>),)*
            }
        )*

        /// What is to be told of a row.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Told {
            $($group($event),)*
        }

        impl Told {
            pub(crate) fn at(self, at: Instant) -> Event {
                match self {
                    $(Self::$group(what) => Event::$group { what, at },)*
                }
            }
        }

        /// What was heard of a row.
        #[derive(Clone, Debug)]
        pub(crate) enum Report {
            $($($row(Heard<$row>),)*)*
        }

        /// The rows that are known.
        #[derive(Debug, Default)]
        pub(crate) struct Kept {
            $($(pub(crate) $table: Table<$type, $row>,)*)*
            told: Vec<Told>,
            order: chat::Order,
            /// Whether some may be of a connection that is lost.
            is_stale: bool,
        }

        impl Kept {
            pub(crate) fn apply(&mut self, report: Report) {
                match report {
                    $($(Report::$row(heard) => {
                        let change = self.$table.apply(heard.row().$key, heard);
                        self.told.extend(change.map(|change| Told::$group($event::$name(change))));
                    })*)*
                }
            }

            /// The connection is lost; the rows stay until they are known anew.
            pub(crate) fn suspend(&mut self) {
                self.is_stale = true;
                $($(self.$table.suspend();)*)*
            }

            /// All that is watched is here: what is not, is gone.
            pub(crate) fn settle(&mut self) {
                if !std::mem::take(&mut self.is_stale) {
                    return;
                }
                $($({
                    let gone = self.$table.settle().into_iter();
                    self.told.extend(gone.map(|change| Told::$group($event::$name(change))));
                })*)*
            }

            /// What is to be told now, in order.
            pub(crate) fn take_told(&mut self) -> Vec<Told> {
                self.order.sort(std::mem::take(&mut self.told))
            }
        }

        /// Has the changes of a connection's tables reported.
        pub(crate) fn report(
            connection: &DbConnection,
            put: impl Fn(Report) + Clone + Send + 'static,
        ) {
            #[allow(clippy::wildcard_imports, reason = "the tables' traits")]
            use crate::module_bindings::*;
            let db = &connection.db;
            $($({
                let put = put.clone();
                hear(&db.$table(), move |heard| put(Report::$row(heard)));
            })*)*
        }
    };
}

fn hear<T: TableWithPrimaryKey>(table: &T, put: impl Fn(Heard<T::Row>) + Clone + Send + 'static)
where
    T::Row: Clone + 'static,
{
    let is = put.clone();
    table.on_insert(move |_, row| is(Heard::Is(Arc::new(row.clone()))));
    let is = put.clone();
    table.on_update(move |_, _, row| is(Heard::Is(Arc::new(row.clone()))));
    table.on_delete(move |_, row| put(Heard::Gone(Arc::new(row.clone()))));
}

kept! {
    /// Bags, stacks, wallets; what lies about; vendors.
    Goods(GoodsEvent) {
        /// A bag, the equipment, the lost-and-found and so on; one's own.
        Container: ItemContainer in item_container by owner_key: u128;
        /// A stack in one of them, or in a letter of one's own.
        Item: Item in item by item_id: u64;
        /// Coins: a wallet of one's own, or what else holds them for one.
        Account: LedgerAccount in ledger_account by owner_key: u128;
        /// Where something lies.
        Loot: Loot in loot by loot_id: u64;
        /// What of it one has a right to, and the dice that decided it.
        LootShare: LootShare in loot_share by share_key: u128;
        /// A place where nothing can be gathered for now.
        Spent: GatherSpent in gather_spent by node_key: u128;
        /// A vendor.
        Vendor: Vendor in vendor by vendor_id: u64;
        /// What a vendor buys and sells, and for how much.
        Shelf: VendorShelf in vendor_shelf by shelf_id: u64;
        /// What one has sold and could have back.
        BuyBack: VendorBuyBackOffer in vendor_buy_back_offer by item_id: u64;
    }
    /// The market.
    Market(MarketEvent) {
        /// An auction.
        Auction: Auction in auction by auction_id: u64;
        /// What one has to do with an auction: 1 sells, 2 leads, 3 was outbid.
        Part: AuctionParty in auction_party by party_key: u128;
        /// The best prices of a definition.
        Definition: MarketItem in market_item by market_item_id: u32;
        /// Orders at a price.
        Level: MarketLevel in market_level by level_key: u64;
        /// An order of one's own.
        Order: MarketOrder in market_order by order_id: u64;
        /// What something went for in an hour or a day.
        Price: MarketPrice in market_price by price_key: u128;
    }
    /// A trade between two players.
    Trade(TradeEvent) {
        /// One's own side of a trade that goes on.
        Side: TradeSide in trade_side by character_id: u64;
        /// A stack that either side offers.
        Offer: TradeOffer in trade_offer by offer_key: u128;
    }
    /// Letters.
    Mail(MailEvent) {
        /// A letter to one's character. Its stacks are [`GoodsEvent::Item`].
        Letter: Mail in mail by mail_id: u64;
        /// What it says.
        Text: MailText in mail_text by mail_id: u64;
        /// How many are unread.
        Unread: MailUnread in mail_unread by character_id: u64;
    }
    /// Guilds.
    Guild(GuildEvent) {
        /// A guild.
        Guild: Guild in guild by guild_id: u64;
        /// A member of its roster.
        Member: GuildMember in guild_member by character_id: u64;
        /// A rank.
        Rank: GuildRank in guild_rank by rank_key: u64;
        /// Which guild one is in, one's rights, and the message of the day.
        Membership: GuildMembership in guild_membership by character_id: u64;
        /// A line of a page one asked for.
        Line: GuildPage in guild_page by page_key: u128;
        /// An invitation to one's character.
        Invite: GuildInvite in guild_invite by invite_key: u128;
        /// What one's character has asked.
        Request: GuildRequest in guild_request by request_key: u128;
        /// One's own charter.
        Charter: GuildCharter in guild_charter by character_id: u64;
        /// The tab of the bank one has open: coins, and what one may still take.
        Window: GuildBankWindow in guild_bank_window by character_id: u64;
        /// A stack in that tab.
        Stack: GuildBankView in guild_bank_view by view_key: u128;
    }
    /// The own party or raid.
    Party(PartyEvent) {
        /// The party: who leads, markers, loot, the ready check.
        Party: PartyView in party_view by character_id: u64;
        /// A member.
        Member: PartyMember in party_member by member_key: u128;
        /// An invitation to the player.
        Invitation: PartyInvitation in party_invitation by invitation_id: u64;
    }
    /// Friends, blocks and presence.
    Friends(FriendsEvent) {
        /// A friend, or a request.
        Friend: Friend in friend by friend_id: u64;
        /// Where a friend is.
        Presence: FriendPresence in friend_presence by friend_id: u64;
        /// What looking for somebody found.
        Look: FriendLook in friend_look by account_id: u64;
        /// One's own status.
        Profile: FriendProfile in friend_profile by account_id: u64;
        /// What one has chosen to let others see and do.
        Choice: FriendChoice in friend_choice by choice_key: u128;
        /// A name one has blocked.
        Block: FriendBlockName in friend_block_name by block_id: u64;
    }
    /// Chat. What is said is told once, in the order it was said in its channel
    /// ([`ChatEvent::said`]); that it goes by its age is not told.
    Chat(ChatEvent) {
        /// A message in a channel everybody may read.
        Message: ChatMessage in chat_message by message_id: u64;
        /// A message that came to one's inbox.
        Delivery: ChatDelivery in chat_delivery by delivery_key: u128;
        /// A page of history one asked for.
        Page: ChatPage in chat_page by account_id: u64;
        /// How far one has read a channel.
        Cursor: ChatCursor in chat_cursor by cursor_key: u128;
        /// One's place in a channel that a player has made, invitations too.
        Place: ChatMember in chat_member by member_key: u128;
        /// Who is in a channel, as one asked.
        Roster: ChatRoster in chat_roster by account_id: u64;
        /// That one is muted.
        Muted: ChatMuted in chat_muted by account_id: u64;
        /// How often one may speak.
        Limit: ChatLimit in chat_limit by code: u8;
    }
    /// Leaderboards.
    Boards(BoardsEvent) {
        /// A board and its season.
        Board: Board in board by board_id: u32;
        /// A season that is kept.
        Season: BoardSeason in board_season by tree_id: u64;
        /// A line of a season's top page.
        Top: BoardTop in board_top by owner_key: u128;
        /// An answer to what one asked.
        Answer: BoardAnswer in board_answer by answer_key: u128;
    }
    /// Notices and events of the world.
    Notices(NoticesEvent) {
        /// A notice for everybody.
        Notice: Notice in notice by notice_id: u64;
        /// A notice for the player.
        Personal: NoticePersonal in notice_personal by notice_key: u128;
        /// That one has read a notice for everybody.
        Mark: NoticeMark in notice_mark by mark_key: u128;
        /// An event of the world, its phase and its end.
        WorldEvent: WorldEvent in world_event by event_id: u64;
    }
}
