//! What lies on the ground: who may take it, and rolls for it.
//!
//! Keeps true: what moves something is a command (`crate::handles`).

use crate::error::HavenError;
use crate::kept::rows::{GatherSpent, Loot, LootShare};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// Loot. [`Topic::Around`](crate::Topic::Around) tells where some lies,
    /// [`Topic::Goods`](crate::Topic::Goods) what of it one has a right to.
    LootHandle
}

impl LootHandle<'_> {
    /// Takes a stack of a loot into the player's bag, or, with 0 for the stack, its coins, which
    /// are split among those who have a share and are near. No further than 5 m from it.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.loot_unknown`, `item.too_far`, `item.not_turn`,
    /// `item.unknown` where there is no such stack or there are no coins, `item.withheld`,
    /// `item.frozen`, `item.unique_taken`, `item.no_room`.
    pub async fn take(&self, loot_id: u64, item_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::LootTake { loot_id, item_id, command }).await
    }

    /// Takes the coins of a loot and whatever else of it the player may have and has room for. What
    /// it may not stays.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.loot_unknown`, `item.too_far`, `item.not_turn`.
    pub async fn take_all(&self, loot_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::LootTakeAll { loot_id, command }).await
    }

    /// Says how much the player wants something that is rolled for: 0 pass, 1 greed, 2 need. Once;
    /// it is decided when all have chosen who are in the world, or after 60 s.
    ///
    /// # Errors
    /// `item.choice_invalid`, `item.not_in_world`, `item.not_awake`, `item.loot_unknown`,
    /// `item.not_rolled`, `item.chosen_already`, `item.need_unfit` where it is put on, and not by
    /// the player's character.
    pub async fn roll(&self, loot_id: u64, item_id: u64, choice: u8) -> Result<(), HavenError> {
        self.realm.command(|command| Call::LootRoll { loot_id, item_id, choice, command }).await
    }

    /// Gives a stack that is rare to somebody who has a share: into its bag, or by mail where it is
    /// not in the world or has no room. For the master of the loot, from wherever it is.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.loot_unknown`, `item.not_master`,
    /// `item.unknown`, `item.holder_unknown`.
    pub async fn assign(
        &self,
        loot_id: u64,
        item_id: u64,
        character_id: u64,
    ) -> Result<(), HavenError> {
        self.realm
            .command(|command| Call::LootAssign { loot_id, item_id, character_id, command })
            .await
    }

    snapshots! {
        /// Where something lies around.
        lying = loot: Loot;
        /// What one has a right to.
        shares = loot_share: LootShare;
        /// Places around where nothing can be gathered for now.
        spent = gather_spent: GatherSpent;
    }
}
