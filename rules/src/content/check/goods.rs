//! What is checked of items, loot tables, recipes and places where something is gathered.

use crate::combat::dice::Dice;
use crate::content::entry::Kind;
use crate::content::{
    GatherNodeDef, ItemDef, ItemKind, LootEntry, LootTableDef, RecipeDef, Wear, limits,
};

use super::{Check, creatures, people};

pub(super) fn item(check: &mut Check<'_>, item: &ItemDef) {
    check.key(&item.key);
    check.name("name", &item.name);
    check.source(&item.source);
    check.text_if_any(&item.text);
    check.range("price_copper", item.price_copper, &limits::PRICE_COPPER);
    check.range("weight_g", item.weight_g, &limits::WEIGHT_G);
    check.range("stack_max", item.stack_max, &limits::STACK_MAX);
    check.range("durability", item.durability, &limits::DURABILITY);
    check.range("level_min", item.level_min, &limits::LEVEL_MIN);
    check.keys("classes", Kind::Class, &item.classes);
    check.length("passives", item.passives.len(), 0, limits::LIST_MAX, "entries");
    for (index, of) in item.passives.iter().enumerate() {
        people::passive(check, &format!("passives[{index}]"), of);
    }
    if let Some(key) = &item.weapon {
        check.refers("weapon", &[Kind::Weapon], key);
    }
    if let Some(key) = &item.armor {
        check.refers("armor", &[Kind::Armor], key);
    }
    if let Some(key) = &item.ability {
        check.refers("ability", &[Kind::Ability], key);
    }
    of_its_kind(check, item);
    if item.stack_max > 1 && (is_worn(item) || item.unique) {
        check.fail("stack_max", "is more than 1, though it is put on or unique");
    }
    if item.durability > 0 && !is_worn(item) {
        check.fail("durability", "is there, though it is not put on");
    }
    if !item.passives.is_empty() && !is_worn(item) {
        check.fail("passives", "are there, though it is not put on");
    }
}

/// Each kind has what makes it one, and no other has that.
fn of_its_kind(check: &mut Check<'_>, item: &ItemDef) {
    let needs = [
        ("weapon", item.weapon.is_some(), ItemKind::Weapon),
        ("armor", item.armor.is_some(), ItemKind::Armor),
        ("worn", item.worn.is_some(), ItemKind::Trinket),
        ("ability", item.ability.is_some(), ItemKind::Consumable),
        ("slots", item.slots > 0, ItemKind::Container),
    ];
    for (field, is_there, kind) in needs {
        let word = kind.word();
        match (is_there, item.kind == kind) {
            (false, true) => check.fail(field, format!("is missing, though it is a {word}")),
            (true, false) => check.fail(field, format!("is there, though it is no {word}")),
            (true, true) | (false, false) => {}
        }
    }
    if item.kind == ItemKind::Container {
        check.range("slots", item.slots, &limits::CONTAINER_SLOTS);
    }
    let is_else = [Wear::Weapon, Wear::Shield, Wear::Armor, Wear::Bag];
    if item.worn.is_some_and(|worn| is_else.contains(&worn)) {
        check.fail("worn", "is where weapons, armor and containers are put on");
    }
}

fn is_worn(item: &ItemDef) -> bool {
    match item.kind {
        ItemKind::Weapon | ItemKind::Armor | ItemKind::Trinket | ItemKind::Container => true,
        ItemKind::Consumable
        | ItemKind::Material
        | ItemKind::Tool
        | ItemKind::Ammunition
        | ItemKind::Treasure
        | ItemKind::Quest => false,
    }
}

pub(super) fn loot_table(check: &mut Check<'_>, table: &LootTableDef) {
    check.key(&table.key);
    check.list("kinds", &table.kinds);
    check.keys("creatures", Kind::Creature, &table.creatures);
    creatures::challenge(check, "challenge_min", &table.challenge_min);
    creatures::challenge(check, "challenge_max", &table.challenge_max);
    let at = |challenge: &String| limits::CHALLENGES.iter().position(|word| word == challenge);
    if let (Some(min), Some(max)) = (at(&table.challenge_min), at(&table.challenge_max))
        && min > max
    {
        check.fail("challenge_min", "is more than challenge_max");
    }
    match (table.coins, table.coin_copper) {
        (Some(dice), _) => {
            counted(check, "coins", dice);
            check.range("coin_copper", table.coin_copper, &limits::COIN_COPPER);
        }
        (None, 0) => {}
        (None, _) => check.fail("coin_copper", "is there, but no coins"),
    }
    entries(check, &table.entries);
}

fn entries(check: &mut Check<'_>, entries: &[LootEntry]) {
    check.length("entries", entries.len(), 0, limits::LIST_MAX, "entries");
    for (index, entry) in entries.iter().enumerate() {
        let at = |field: &str| format!("entries[{index}].{field}");
        check.refers(&at("item"), &[Kind::Item], &entry.item);
        check.range(&at("percent"), entry.percent, &limits::PERCENT);
        counted(check, &at("count"), entry.count);
    }
}

/// How many of something there are: at least one.
fn counted(check: &mut Check<'_>, path: &str, dice: Dice) {
    if dice.min() < 1 {
        check.fail(path, format!("is {dice}, which can be less than 1"));
    }
    if dice.max() > limits::COUNT_AT_ONCE_MAX {
        check.fail(path, format!("is {dice}, at most {}", limits::COUNT_AT_ONCE_MAX));
    }
}

pub(super) fn recipe(check: &mut Check<'_>, recipe: &RecipeDef) {
    check.key(&recipe.key);
    check.name("name", &recipe.name);
    check.refers("item", &[Kind::Item], &recipe.item);
    check.range("count", recipe.count, &limits::PORTION);
    check.length("materials", recipe.materials.len(), 1, limits::MATERIALS_MAX, "entries");
    for (index, portion) in recipe.materials.iter().enumerate() {
        check.refers(&format!("materials[{index}].item"), &[Kind::Item], &portion.item);
        check.range(&format!("materials[{index}].count"), portion.count, &limits::PORTION);
        let before = recipe.materials.iter().take(index);
        if before.clone().any(|other| other.item == portion.item) {
            check.fail(&format!("materials[{index}].item"), "is there twice");
        }
    }
    worked(check, recipe.tool.as_deref(), recipe.level_min, recipe.work_millis);
}

fn worked(check: &mut Check<'_>, tool: Option<&str>, level_min: u8, work_millis: u32) {
    if let Some(tool) = tool {
        check.refers("tool", &[Kind::Item], tool);
    }
    check.range("level_min", level_min, &limits::LEVEL_MIN);
    check.range("work_millis", work_millis, &limits::WORK_MILLIS);
}

pub(super) fn gather_node(check: &mut Check<'_>, node: &GatherNodeDef) {
    check.key(&node.key);
    check.name("name", &node.name);
    check.range("weight", node.weight, &limits::CAMP_WEIGHT);
    creatures::biomes(check, &node.biomes);
    worked(check, node.tool.as_deref(), node.level_min, node.work_millis);
    check.range("respawn_millis", node.respawn_millis, &limits::RESPAWN_MILLIS);
    entries(check, &node.entries);
    if node.entries.is_empty() {
        check.fail("entries", "are none");
    }
}
