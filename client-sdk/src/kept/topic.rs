//! What a game can ask for, and which rows that is.

use haven_rules::economy::market::def_hash;

/// Something to hear of. Personal rows are those of the player's account; the realm shows nobody
/// else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// One's own bags, stacks, coins, shares of loot, and what one could buy back.
    Goods,
    /// What lies, grows and is sold in the blocks around the character, wherever it goes.
    Around,
    /// The shelves of a vendor, by its number.
    Vendor(u64),
    /// One's own trade.
    Trade,
    /// One's own letters. What is in them is in [`Self::Goods`].
    Mail,
    /// One's own auctions, bids and orders.
    Market,
    /// The market of a definition: auctions, orders, prices. See [`Self::wares`].
    Wares(u32),
    /// The best prices of a sixteenth of all definitions, 0 to 15.
    MarketShelf(u32),
    /// Friends, requests, blocks and choices.
    Friends,
    /// One's own party, and invitations to one.
    Party,
    /// One's own membership, what one asked for or is asked, the tab that is open.
    Guild,
    /// A guild, its roster and its ranks, by its number; anybody's.
    GuildRoster(u64),
    /// One's own inbox, cursors, places in channels, pages one asked for.
    Chat,
    /// A channel everybody may read, by its key (`haven_rules::chat::channel_key`).
    Channel(u64),
    /// All boards and seasons, and answers to one's own questions.
    Boards,
    /// The top page of a season, by its `tree_id`.
    BoardTop(u64),
    /// Notices and events of the world.
    Notices,
}

impl Topic {
    /// The market of a definition, by its key.
    pub fn wares(def: &str) -> Self {
        Self::Wares(def_hash(def))
    }

    /// The same text for all clients: the realm evaluates each distinct query once.
    pub(crate) fn queries(self) -> Vec<String> {
        let all =
            |tables: &[&str]| tables.iter().map(|table| format!("SELECT * FROM {table}")).collect();
        match self {
            Self::Goods => all(&[
                "item_container",
                "item",
                "ledger_account",
                "loot_share",
                "vendor_buy_back_offer",
            ]),
            // Block by block: `around`.
            Self::Around => vec![],
            Self::Vendor(vendor_id) => keyed(&["vendor_shelf"], "vendor_id", vendor_id),
            Self::Trade => all(&["trade_side", "trade_offer"]),
            Self::Mail => all(&["mail", "mail_text", "mail_unread"]),
            Self::Market => all(&["auction_party", "market_order"]),
            Self::Wares(hash) => {
                let tables = ["auction", "market_item", "market_level", "market_price"];
                keyed(&tables, "def_hash", hash.into())
            }
            Self::MarketShelf(shelf) => keyed(&["market_item"], "shelf", shelf.into()),
            Self::Friends => all(&[
                "friend",
                "friend_presence",
                "friend_look",
                "friend_profile",
                "friend_choice",
                "friend_block_name",
            ]),
            Self::Party => all(&["party_view", "party_member", "party_invitation"]),
            Self::Guild => all(&[
                "guild_membership",
                "guild_page",
                "guild_invite",
                "guild_request",
                "guild_charter",
                "guild_bank_window",
                "guild_bank_view",
            ]),
            Self::GuildRoster(guild_id) => {
                keyed(&["guild", "guild_member", "guild_rank"], "guild_id", guild_id)
            }
            Self::Chat => all(&[
                "chat_delivery",
                "chat_page",
                "chat_cursor",
                "chat_member",
                "chat_roster",
                "chat_muted",
                "chat_limit",
            ]),
            Self::Channel(channel_key) => keyed(&["chat_message"], "channel_key", channel_key),
            Self::Boards => all(&["board", "board_season", "board_answer"]),
            Self::BoardTop(tree_id) => keyed(&["board_top"], "tree_id", tree_id),
            Self::Notices => {
                let mut queries = keyed(&["notice", "world_event"], "audience", 0);
                queries.extend::<Vec<_>>(all(&["notice_personal", "notice_mark"]));
                queries
            }
        }
    }
}

/// What is to be heard of in a block.
pub(crate) fn around(chunk: u64) -> Vec<String> {
    keyed(&["loot", "gather_spent", "vendor"], "chunk_index", chunk)
}

fn keyed(tables: &[&str], column: &str, value: u64) -> Vec<String> {
    let query = |table| format!("SELECT * FROM {table} WHERE {column} = {value}");
    tables.iter().map(query).collect()
}
