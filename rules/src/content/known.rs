//! What a game master can turn: the settings and switches the rules know.
//!
//! Keeps true: both lists are in the order of their keys, and hold exactly those that are shipped
//! in `content/srd`. A pack that names another has a fault: nobody would read it.

use std::ops::RangeInclusive;

/// A setting the rules know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSetting {
    /// Its key; the unit is its end.
    pub key: &'static str,
    /// What counts where the content does not say.
    pub value: i64,
    /// What the rules can count with; a pack may narrow it.
    pub range: RangeInclusive<i64>,
}

const fn known(key: &'static str, value: i64, range: RangeInclusive<i64>) -> KnownSetting {
    KnownSetting { key, value, range }
}

/// All settings.
pub const SETTINGS: &[KnownSetting] = &[
    known("attack_millis", 6_000, 500..=60_000),
    known("attribute_points", 27, 0..=100),
    known("bonus_action_millis", 6_000, 0..=60_000),
    known("camp_respawn_percent", 100, 1..=10_000),
    known("carry_g_per_strength", 6_804, 1..=1_000_000),
    known("chat_say_range_mm", 20_000, 1_000..=300_000),
    known("chat_yell_range_mm", 100_000, 1_000..=300_000),
    known("concentration_difficulty_min", 10, 1..=30),
    known("corpse_millis", 120_000, 1_000..=3_600_000),
    known("creature_damage_percent", 100, 0..=1_000),
    known("creature_hit_points_percent", 100, 1..=1_000),
    known("damage_percent", 100, 1..=1_000),
    known("death_durability_percent", 10, 0..=100),
    known("death_save_difficulty", 10, 1..=30),
    known("death_save_millis", 6_000, 500..=60_000),
    known("death_saves_needed", 3, 1..=10),
    known("dice_day_millis", 86_400_000, 1_000..=604_800_000),
    known("duel_millis_max", 300_000, 10_000..=3_600_000),
    known("duel_range_mm", 30_000, 5_000..=300_000),
    known("experience_percent", 100, 0..=10_000),
    known("experience_share_radius_mm", 60_000, 0..=300_000),
    known("global_cooldown_millis", 1_500, 0..=10_000),
    known("guild_cost_copper", 10_000, 0..=1_000_000_000),
    known("guild_inactivity_days", 30, 1..=3_650),
    known("guild_invite_seconds", 259_200, 1..=2_592_000),
    known("guild_level_max", 10, 1..=100),
    known("guild_level_points", 100_000, 1..=1_000_000_000),
    known("guild_members_base", 100, 1..=500),
    known("guild_members_per_level", 50, 0..=500),
    known("guild_points_per_experience_percent", 100, 0..=10_000),
    known("guild_signatures_min", 0, 0..=50),
    known("guild_tab_cost_copper", 50_000, 0..=1_000_000_000),
    known("guild_tabs_base", 2, 0..=6),
    known("guild_tabs_per_level", 1, 0..=6),
    known("healing_percent", 100, 0..=1_000),
    known("help_radius_mm", 15_000, 0..=120_000),
    known("in_combat_millis", 8_000, 0..=600_000),
    known("level_max", 20, 1..=20),
    known("long_rest_millis", 120_000, 0..=86_400_000),
    known("long_rest_wait_millis", 3_600_000, 0..=86_400_000),
    known("loot_coins_percent", 100, 0..=10_000),
    known("loot_millis", 300_000, 1_000..=3_600_000),
    known("loot_roll_millis", 60_000, 1_000..=600_000),
    known("mail_delay_millis", 3_600_000, 0..=604_800_000),
    known("mail_letters_per_hour", 60, 1..=3_600),
    known("mail_postage_attachment_copper", 30, 0..=1_000_000),
    known("mail_postage_copper", 30, 0..=1_000_000),
    known("market_auctions_per_account", 50, 1..=200),
    known("market_bids_per_account", 100, 1..=500),
    known("market_cut_bps", 500, 0..=5_000),
    known("market_deposit_bps", 100, 0..=10_000),
    known("market_orders_per_account", 100, 1..=1_000),
    known("market_raise_bps", 500, 0..=10_000),
    known("player_corpse_millis", 600_000, 1_000..=3_600_000),
    known("pvp_damage_percent", 100, 0..=1_000),
    known("reaction_millis", 6_000, 0..=60_000),
    known("repair_percent", 20, 0..=1_000),
    known("respawn_experience_loss_percent", 0, 0..=100),
    known("respawn_hit_points_percent", 50, 1..=100),
    known("respawn_wait_millis", 10_000, 0..=3_600_000),
    known("round_millis", 6_000, 1_000..=60_000),
    known("safe_radius_mm", 60_000, 0..=1_000_000),
    known("short_rest_millis", 30_000, 0..=3_600_000),
    known("stable_millis", 60_000, 1_000..=3_600_000),
    known("threat_per_damage", 1, 0..=100),
    known("threat_per_healing_percent", 50, 0..=1_000),
    known("trade_range_mm", 10_000, 1_000..=100_000),
    known("trade_tax_bps", 0, 0..=5_000),
    known("vendor_range_mm", 5_000, 1_000..=100_000),
    known("vendor_tax_bps", 500, 0..=5_000),
    known("vendor_tick_millis", 600_000, 1_000..=86_400_000),
];

/// All switches. What the content has no switch for is off.
pub const SWITCHES: &[&str] = &[
    "boss_phases",
    "call_for_help",
    "chat_addresses",
    "concentration",
    "creature_respawn",
    "critical_hits",
    "death_saves",
    "duels",
    "experience",
    "flanking",
    "friendly_fire",
    "opportunity_attacks",
    "pvp",
    "resurrection",
    "safe_settlements",
    "summoning",
];

/// The setting of a key.
pub(super) fn setting(key: &str) -> Option<&'static KnownSetting> {
    let index = SETTINGS.binary_search_by(|setting| setting.key.cmp(key)).ok()?;
    SETTINGS.get(index)
}

/// Whether there is such a switch.
pub(super) fn is_switch(key: &str) -> bool {
    SWITCHES.binary_search(&key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::read_shipped;

    #[test]
    fn what_is_known_is_what_is_shipped() {
        let pack = read_shipped();
        let mut shipped: Vec<_> = pack
            .setting
            .iter()
            .map(|setting| (setting.key.as_str(), setting.value, setting.min..=setting.max))
            .collect();
        shipped.sort_by_key(|(key, _, _)| *key);
        let known = SETTINGS.iter().map(|known| (known.key, known.value, known.range.clone()));
        assert_eq!(known.collect::<Vec<_>>(), shipped);
        let mut switches: Vec<_> = pack.switch.iter().map(|switch| switch.key.as_str()).collect();
        switches.sort_unstable();
        assert_eq!(SWITCHES, switches);
    }
}
