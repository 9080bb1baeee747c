//! Bags, equipment, coins, gathering and crafting.
//!
//! Keeps true: what moves something is a command (`crate::handles`).

use crate::error::HavenError;
use crate::kept::rows::{Item, ItemContainer, LedgerAccount};
use crate::link::Call;
use crate::module_bindings::AbilityAim;
use haven_rules::economy::PurseKind;
use std::sync::Arc;

handle! {
    /// One's own goods. [`Topic::Goods`](crate::Topic::Goods) keeps them known here.
    GoodsHandle
}

impl GoodsHandle<'_> {
    /// Moves some or all of a stack of the player's bag to another slot of it: into a free one,
    /// onto a stack of its kind, or, all of it, into the place of another stack, which goes to
    /// where it lay.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.unknown`, `item.frozen`, `item.locked`, `item.count_invalid`,
    /// `item.slot_invalid`, `item.slot_taken`, those of the other stack (`item.frozen`,
    /// `item.locked`).
    pub async fn move_item(&self, item_id: u64, count: u32, slot: u16) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemMove { item_id, count, slot, command }).await
    }

    /// Puts on a stack of the bag, into a slot of the equipment: 0 to 3 weapons, 4 shield, 5 armor,
    /// 6 head, 7 neck, 8 cloak, 9 hands, 10 waist, 11 feet, 12 and 13 rings, 14 to 17 containers;
    /// or 65535 for the first that fits. What was there goes to where it lay.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.unknown`, `item.frozen`, `item.locked`,
    /// `item.definition_unknown`, `item.not_wearable`, `item.level_too_low`, `item.class_unfit`,
    /// `item.in_fight`, `item.broken`, `item.slot_unfit`, those of what is there (`item.frozen`,
    /// `item.locked`), `item.hands_full`, `item.bag_in_use`.
    pub async fn equip(&self, item_id: u64, slot: u16) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemEquip { item_id, slot, command }).await
    }

    /// Puts off what the player's character has put on, into its bag.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.unknown`, `item.frozen`, `item.locked`,
    /// `item.in_fight`, `item.no_room`, `item.bag_in_use`.
    pub async fn unequip(&self, item_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemUnequip { item_id, command }).await
    }

    /// Uses one of a stack of the player's bag: it is used up, and its ability begins as if the
    /// character knew it; a spell takes no slot. What comes of it stands in `combat_event`.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.unknown`, `item.frozen`, `item.locked`,
    /// `item.definition_unknown`, `item.not_usable`, `item.level_too_low`, `item.class_unfit`, then
    /// those of the ability (`combat.…`).
    pub async fn use_item(&self, item_id: u64, aim: AbilityAim) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemUse { item_id, aim, command }).await
    }

    /// Repairs something of the player's, for `repair_percent` of that part of its price which is
    /// worn off.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.unknown`, `item.frozen`, `item.locked`,
    /// `item.definition_unknown`, `item.not_worn`, those of paying (`economy.frozen`,
    /// `economy.coins_missing`).
    pub async fn repair(&self, item_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemRepair { item_id, command }).await
    }

    /// Destroys some or all of a stack of the player's bag. Staff can restore it for 30 days, at
    /// most the last 200 stacks of an account.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.unknown`, `item.frozen`, `item.locked`, `item.count_invalid`.
    pub async fn destroy(&self, item_id: u64, count: u32) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemDestroy { item_id, count, command }).await
    }

    /// Gathers at a place, by its block and its number in it (`haven_rules::items::nodes::place`),
    /// no further than 3 m from it. What is found goes into the bag; what has no room there, or
    /// cannot be had twice, stays behind. The place is empty then, whatever was found.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.not_ready`, `item.node_unknown`,
    /// `item.too_far`, `item.node_empty`, `item.level_too_low`, `item.tool_missing`, `item.no_room`
    /// where no slot of the bag is free.
    pub async fn gather(&self, chunk_index: u64, number: u8) -> Result<(), HavenError> {
        self.realm.command(|command| Call::ItemGather { chunk_index, number, command }).await
    }

    /// Makes something by a recipe of what is in the player's bag.
    ///
    /// # Errors
    /// `item.not_in_world`, `item.not_awake`, `item.not_ready`, `item.recipe_unknown`,
    /// `item.level_too_low`, `item.tool_missing`, `item.material_missing`, `item.unique_taken`,
    /// `item.no_room`.
    pub async fn craft(&self, recipe: &str) -> Result<(), HavenError> {
        let recipe = recipe.to_owned();
        self.realm.command(|command| Call::ItemCraft { recipe, command }).await
    }

    /// Takes a stack from the account's lost-and-found into the bag of the player's character, or,
    /// with 0 for the stack, all coins. What was bound to a character that is gone is bound to this
    /// one.
    ///
    /// # Errors
    /// `item.not_in_world`; of coins `economy.amount_invalid` where there are none,
    /// `economy.frozen`, `economy.too_rich`; of a stack `item.unknown`, `item.frozen`,
    /// `item.bound`, `item.unique_taken`, `item.no_room`.
    pub async fn claim_lost(&self, item_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::LostItemClaim { item_id, command }).await
    }

    /// Moves what is the account's from the lost-and-found to the bags and the wallet of the
    /// player's character, as much as there is room for, at most `CLAIM_STACKS_MAX` stacks a call.
    /// What cannot be moved is passed over. What was bound to a character that is gone is bound to
    /// this one.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.nothing_lost`, `item.no_room` and others of items and coins if
    /// nothing could be moved.
    pub async fn claim_all_lost(&self) -> Result<(), HavenError> {
        self.realm.command(|command| Call::LostClaim { command }).await
    }

    /// How much the character in the world has in its wallet, copper; none before it is known.
    pub fn wallet_copper(&self) -> Option<u64> {
        let me = self.realm.me()?.entity_id;
        let accounts = self.accounts();
        let is_wallet = |account: &&Arc<LedgerAccount>| {
            account.owner_id == me && account.kind == PurseKind::Wallet as u8
        };
        accounts.iter().find(is_wallet).map(|account| account.copper)
    }

    snapshots! {
        /// One's own bag, equipment, lost-and-found and so on.
        containers = item_container: ItemContainer;
        /// The stacks in them and in letters.
        items = item: Item;
        /// Coins: the wallets of own characters, and what else holds some.
        accounts = ledger_account: LedgerAccount;
    }
}
