//! The audit trail: what is recorded, how long it is kept.
//!
//! Keeps true: an action is one of a fixed list, and its detail is short and printable.

/// Longest detail in characters; what is longer is cut.
pub const DETAIL_CHARS_MAX: usize = 200;
/// How long entries are kept, days.
pub const RETENTION_DAYS: u32 = 90;

/// What is recorded.
pub const ACTIONS: &[&str] = &[
    "account_registered",
    "login",
    "login_refused",
    "logout",
    "password_changed",
    "refresh_reused",
    "role_set",
    "status_set",
    "realm_added",
    "realm_changed",
    "realm_closed",
    "realm_opened",
    "realm_configured",
    "world_configured",
    "content_staged",
    "content_scheduled",
    "content_activated",
    "content_dropped",
    "character_teleported",
    "motion_effect_applied",
    "motion_effect_cleared",
    "character_renamed",
    "character_appearance_set",
    "character_experience_given",
    "item_given",
    "item_restored",
    "economy_audited",
    "coins_given",
    "coins_taken",
    "goods_frozen",
    "goods_thawed",
    "cause_reversed",
    "vendor_placed",
    "vendor_removed",
    "board_season_closed",
    "mail_sent",
    "guild_renamed",
    "guild_leader_appointed",
    "chat_muted",
    "chat_shadow_muted",
    "chat_unmuted",
    "chat_message_removed",
    "chat_report_closed",
    "chat_limit_set",
    "notice_published",
    "notice_sent",
    "notice_scheduled",
    "notice_cancelled",
    "world_event_begun",
    "world_event_ended",
];

/// The detail as it is stored: without control characters, cut to its bound.
pub fn tidy_detail(detail: &str) -> String {
    detail.chars().filter(|letter| !letter.is_control()).take(DETAIL_CHARS_MAX).collect()
}

/// Entries up to this instant may go, microseconds since 1970.
pub fn swept_up_to_micros(now_micros: i64) -> i64 {
    now_micros.saturating_sub(i64::from(RETENTION_DAYS) * 86_400_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_short_and_printable() {
        assert_eq!(tidy_detail("role 1 -> 4\n"), "role 1 -> 4");
        assert_eq!(tidy_detail(&"ä".repeat(1000)).chars().count(), DETAIL_CHARS_MAX);
    }

    #[test]
    fn entries_are_kept_for_their_retention() {
        let day = 86_400_000_000;
        assert_eq!(swept_up_to_micros(100 * day), 10 * day);
        assert_eq!(swept_up_to_micros(i64::MIN), i64::MIN);
    }
}
