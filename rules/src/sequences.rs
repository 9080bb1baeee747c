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
            ChatMessage = 38, chat_log.message_id;
            ChatChannel = 39, chat_channel.channel_id;
            ChatReport = 40, chat_reported.report_id;
            GuildLog = 41, guild_log.log_id;
            Item = 42, item.item_id;
            ItemContainer = 43, item_container.container_id;
            Mail = 44, mail.mail_id;
            Notice = 45, notice.notice_id;
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

/// Bits of a number below those of the realm that gave it, in ids that are unique across realms.
const OWN_BITS: u32 = 48;

/// A number without that of the realm that gave it.
pub const fn own_part(number: u64) -> u64 {
    number & ((1 << OWN_BITS) - 1)
}

/// A realm's number and one of its own: an id that is unique across realms.
pub const fn across_realms(realm_id: u16, number: u64) -> u64 {
    (realm_id as u64) << OWN_BITS | own_part(number)
}

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

    #[test]
    fn an_id_is_the_realms_number_above_its_own() {
        assert_eq!(across_realms(513, 7), 0x0201_0000_0000_0007);
        assert_eq!(own_part(across_realms(u16::MAX, 7)), 7);
        assert_eq!(across_realms(0, u64::MAX), (1 << 48) - 1);
    }
}
