//! A guild's bank: tabs of stacks, and coins.
//!
//! Keeps true: what moves something is a command (`crate::handles`).

use super::GuildHandle;
use crate::error::HavenError;
use crate::kept::rows::{GuildBankView, GuildBankWindow};
use crate::link::Call;
use std::sync::Arc;

impl GuildHandle<'_> {
    /// Opens a tab of the guild's bank, in the place of the one that the player has open.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.tab_unknown`,
    /// `guild.tab_forbidden`, `guild.viewers_too_many`.
    pub async fn open_tab(&self, tab: u8) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildBankOpen { tab }).await
    }

    /// Closes the tab that the player has open, if any.
    ///
    /// # Errors
    /// `guild.not_in_world`.
    pub async fn close_tab(&self) -> Result<(), HavenError> {
        self.realm.ask(Call::GuildBankClose).await
    }

    /// Puts some or all of a stack of the player's bag into a tab: into that slot, or, where `slot`
    /// is 65535, wherever there is room.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.tab_unknown`,
    /// `guild.tab_forbidden`, `item.unknown`, those of moving it (`item.…`).
    pub async fn put_item(
        &self,
        item_id: u64,
        count: u32,
        tab: u8,
        slot: u16,
    ) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::GuildBankPut { item_id, count, tab, slot, command })
            .await
    }

    /// Takes some or all of a stack out of the bank into the player's bag: into that slot, or,
    /// where `slot` is 65535, wherever there is room.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `item.unknown`, `guild.tab_forbidden`,
    /// `guild.items_spent`, those of moving it (`item.…`).
    pub async fn take_item(&self, item_id: u64, count: u32, slot: u16) -> Result<(), HavenError> {
        self.realm.command(|command| Call::GuildBankTake { item_id, count, slot, command }).await
    }

    /// Moves some or all of a stack within the bank. Out of one tab into another it counts as taken
    /// from the first.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.tab_unknown`,
    /// `guild.tab_forbidden`, `item.unknown`, `guild.items_spent`, those of moving it (`item.…`).
    pub async fn move_item(
        &self,
        item_id: u64,
        count: u32,
        tab: u8,
        slot: u16,
    ) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::GuildBankMove { item_id, count, tab, slot, command })
            .await
    }

    /// Puts coins of the player's into the bank. Every member may.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, those of the coins (`economy.…`).
    pub async fn put_coins(&self, copper: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::GuildCoinsPut { copper, command }).await
    }

    /// Takes coins out of the bank, as much as the player's rank may in a day.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.copper_spent`, those of the
    /// coins (`economy.…`).
    pub async fn take_coins(&self, copper: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::GuildCoinsTake { copper, command }).await
    }

    /// Buys the next tab with the player's own coins: the first costs `guild_tab_cost_copper`, the
    /// second twice that, and so on.
    ///
    /// # Errors
    /// `guild.not_in_world`, `guild.none`, `guild.too_fast`, `guild.right_missing`,
    /// `guild.tabs_too_many`, those of the coins (`economy.…`).
    pub async fn buy_tab(&self) -> Result<(), HavenError> {
        self.realm.command(|command| Call::GuildTabBuy { command }).await
    }

    snapshots! {
        /// The tab one has open: its coins, and what one may still take.
        bank_windows = guild_bank_window: GuildBankWindow;
        /// The stacks in that tab.
        bank_stacks = guild_bank_view: GuildBankView;
    }
}
