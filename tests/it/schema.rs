//! The schema as a snapshot: a released table keeps its columns, and this is where one sees it.

#[test]
fn the_schema_is_what_was_released() {
    let schema = haven_engine::module_schema(haven_engine::MODULE_WASM).expect("a schema");
    insta::assert_snapshot!(schema);
}

/// What clients may subscribe to.
const PUBLIC: [&str; 78] = [
    "auction",
    "auction_party",
    "board",
    "board_answer",
    "board_season",
    "board_top",
    "character_progress",
    "character_resources",
    "character_sheet",
    "character_use",
    "chat_cursor",
    "chat_delivery",
    "chat_limit",
    "chat_member",
    "chat_message",
    "chat_muted",
    "chat_page",
    "chat_roster",
    "combat_cast",
    "combat_duel",
    "combat_effect",
    "combat_event",
    "combat_rest",
    "combatant",
    "content_def",
    "dice_day",
    "economy_health",
    "entity",
    "friend",
    "friend_block_name",
    "friend_choice",
    "friend_look",
    "friend_presence",
    "friend_profile",
    "gather_spent",
    "guild",
    "guild_bank_view",
    "guild_bank_window",
    "guild_charter",
    "guild_invite",
    "guild_member",
    "guild_membership",
    "guild_page",
    "guild_rank",
    "guild_request",
    "instance_pass",
    "item",
    "item_container",
    "landmark",
    "ledger_account",
    "loot",
    "loot_share",
    "mail",
    "mail_text",
    "mail_unread",
    "market_item",
    "market_level",
    "market_order",
    "market_price",
    "motion",
    "notice",
    "notice_mark",
    "notice_personal",
    "obstacle",
    "party_invitation",
    "party_member",
    "party_view",
    "realm_notice",
    "region",
    "terrain_block",
    "trade_offer",
    "trade_side",
    "vendor",
    "vendor_buy_back_offer",
    "vendor_shelf",
    "world_config",
    "world_event",
    "world_terrain",
];

#[test]
fn only_what_clients_subscribe_to_is_public() {
    let schema = haven_engine::module_schema(haven_engine::MODULE_WASM).expect("a schema");
    let public: Vec<&str> = schema.lines().filter(|line| line.contains("public")).collect();
    let found: Vec<&str> = public
        .iter()
        .map(|line| line.trim_start_matches("table ").trim_end_matches(" (public)"))
        .collect();
    assert_eq!(found, PUBLIC);
}
