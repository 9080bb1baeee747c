//! Goods and company: topics to hear of, and a handle for each domain.
//!
//! Keeps true: a topic is watched until it is wanted no more, over every connection.

use super::RealmClient;
use crate::driver::Command;
use crate::error::HavenError;
use crate::handles::{
    BoardsHandle, ChatHandle, FriendsHandle, GoodsHandle, GuildHandle, LootHandle, MailHandle,
    MarketHandle, NoticesHandle, PartyHandle, TradeHandle, VendorsHandle,
};
use crate::kept::{Kept, Topic};
use tokio::sync::oneshot;

impl RealmClient {
    /// From now on hears of a topic, and is answered when what there is of it is here: the rows are
    /// told as `Goods`, `Guild`, `Chat` and so on, and stand in the handles' lists. Survives
    /// reconnects. Twice changes nothing; 64 topics at most.
    ///
    /// # Errors
    /// `client.closed`, `client.timeout`, `client.unreachable` for the 65th.
    pub async fn watch(&self, topic: Topic) -> Result<(), HavenError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Watch { topic, reply }).await;
        sent.map_err(|_| HavenError::Closed)?;
        self.answer(answer).await
    }

    /// Hears of a topic no more: its rows are told as gone, unless another topic brings them.
    ///
    /// # Errors
    /// `client.closed`.
    pub async fn unwatch(&self, topic: Topic) -> Result<(), HavenError> {
        let sent = self.commands.send(Command::Unwatch(topic)).await;
        sent.map_err(|_| HavenError::Closed)
    }

    /// Bags, equipment, coins, gathering and crafting.
    pub fn goods(&self) -> GoodsHandle<'_> {
        GoodsHandle { realm: self }
    }

    /// What lies on the ground.
    pub fn loot(&self) -> LootHandle<'_> {
        LootHandle { realm: self }
    }

    /// Vendors.
    pub fn vendors(&self) -> VendorsHandle<'_> {
        VendorsHandle { realm: self }
    }

    /// Auctions and orders.
    pub fn market(&self) -> MarketHandle<'_> {
        MarketHandle { realm: self }
    }

    /// Trade with a player who is near.
    pub fn trade(&self) -> TradeHandle<'_> {
        TradeHandle { realm: self }
    }

    /// Letters.
    pub fn mail(&self) -> MailHandle<'_> {
        MailHandle { realm: self }
    }

    /// Guilds.
    pub fn guild(&self) -> GuildHandle<'_> {
        GuildHandle { realm: self }
    }

    /// Parties and raids.
    pub fn party(&self) -> PartyHandle<'_> {
        PartyHandle { realm: self }
    }

    /// Friends, blocks and presence.
    pub fn friends(&self) -> FriendsHandle<'_> {
        FriendsHandle { realm: self }
    }

    /// Chat.
    pub fn chat(&self) -> ChatHandle<'_> {
        ChatHandle { realm: self }
    }

    /// Leaderboards.
    pub fn boards(&self) -> BoardsHandle<'_> {
        BoardsHandle { realm: self }
    }

    /// Notices and events of the world.
    pub fn notices(&self) -> NoticesHandle<'_> {
        NoticesHandle { realm: self }
    }

    pub(crate) fn kept<T>(&self, read: impl FnOnce(&Kept) -> T) -> T {
        read(&self.shared.lock().kept)
    }
}
