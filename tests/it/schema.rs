//! The schema as a snapshot: a released table keeps its columns, and this is where one sees it.

#[test]
fn the_schema_is_what_was_released() {
    let schema = haven_engine::module_schema(haven_engine::MODULE_WASM).expect("a schema");
    insta::assert_snapshot!(schema);
}

#[test]
fn only_what_clients_subscribe_to_is_public() {
    let schema = haven_engine::module_schema(haven_engine::MODULE_WASM).expect("a schema");
    let public: Vec<&str> = schema.lines().filter(|line| line.contains("public")).collect();
    let wanted = [
        "character_progress",
        "character_resources",
        "character_sheet",
        "character_use",
        "combat_cast",
        "combat_duel",
        "combat_effect",
        "combat_event",
        "combat_rest",
        "combatant",
        "content_def",
        "dice_day",
        "entity",
        "instance_pass",
        "landmark",
        "motion",
        "obstacle",
        "realm_notice",
        "region",
        "terrain_block",
        "world_config",
        "world_terrain",
    ];
    let found: Vec<&str> = public
        .iter()
        .map(|line| line.trim_start_matches("table ").trim_end_matches(" (public)"))
        .collect();
    assert_eq!(found, wanted);
}
