//! Sequences: what rows are numbered for themselves, in the order of their codes.

/// Hands all kinds of numbered rows to a macro: the code of each, its table, and the column that
/// has the number.
#[macro_export]
macro_rules! for_each_numbered {
    ($then:ident) => {
        $then! {
            Account = 1, account.account_id;
            AccountSession = 2, account_session.session_id;
            AuditEntry = 3, audit_entry.audit_id;
            CharacterSpell = 4, character_spell.character_spell_id;
            CharacterUse = 5, character_use.character_use_id;
            CombatEffect = 6, combat_effect.effect_id;
            CombatDeed = 7, combat_deed.deed_id;
            CombatDue = 8, combat_due.due_id;
            CombatCooldown = 9, combat_cooldown.cooldown_id;
            CombatThreat = 10, combat_threat.threat_id;
            CommandSession = 11, command_session.command_session_id;
            ContentEntry = 12, content_entry.content_entry_id;
            LedgerAccount = 13, ledger_account.ledger_account_id;
            LedgerCause = 14, ledger_cause.cause_id;
            EconomyImbalance = 15, economy_imbalance.imbalance_id;
            Auction = 16, auction.auction_id;
            MarketItem = 17, market_item.market_item_id;
            MarketOrder = 18, market_order.order_id;
            Trade = 19, trade.trade_id;
            Vendor = 20, vendor.vendor_id;
            VendorShelf = 21, vendor_shelf.shelf_id;
            Friend = 22, friend.friend_id;
            FriendBlockName = 23, friend_block_name.block_id;
            Guild = 24, guild.guild_id;
            InstancePass = 25, instance_pass.pass_id;
            Loot = 26, loot.loot_id;
            Board = 27, board.board_id;
            BoardSeason = 28, board_season.tree_id;
            MotionEffect = 29, motion_effect.effect_id;
            Camp = 30, camp.camp_id;
            Party = 31, party.party_id;
            PartyInvitation = 32, party_invitation.invitation_id;
            Obstacle = 33, obstacle.obstacle_id;
            Landmark = 34, landmark.landmark_id;
            CampFillTimer = 35, camp_fill_timer.scheduled_id;
            TradeTimer = 36, trade_timer.scheduled_id;
            ContentActivationTimer = 37, content_activation_timer.scheduled_id;
        }
    };
}

macro_rules! define {
    ($($kind:ident = $code:literal, $table:ident.$column:ident;)*) => {
        /// A kind of rows that have numbers of their own. The codes are stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Numbered {
            $(
                #[doc = concat!("Rows of `", stringify!($table), "`.")]
                $kind = $code,
            )*
        }

        impl Numbered {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its table, and the column that has the number.
            pub const fn place(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$kind => (stringify!($table), stringify!($column)),)*
                }
            }
        }
    };
}

for_each_numbered!(define);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_each_other_and_places_differ() {
        for (index, kind) in Numbered::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, index + 1, "{kind:?}");
            let others = Numbered::ALL.iter().filter(|other| *other != kind);
            assert!(others.clone().all(|other| other.place().0 != kind.place().0), "{kind:?}");
        }
        assert_eq!(Numbered::MarketOrder.place(), ("market_order", "order_id"));
    }
}
