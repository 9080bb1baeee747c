//! What is checked of weapons, armor, settings, switches and words.

use crate::content::{
    ArmorDef, ArmorKind, FilterWordDef, KEY_CHARS_MAX, SettingDef, SwitchDef, WeaponDef,
    WeaponProperty, known, limits,
};

use super::{Check, abilities};

pub(super) fn weapon(check: &mut Check<'_>, weapon: &WeaponDef) {
    check.key(&weapon.key);
    check.name("name", &weapon.name);
    check.source(&weapon.source);
    check.list("properties", &weapon.properties);
    let has = |property| weapon.properties.contains(&property);
    // A net hurts nobody.
    if weapon.dice.max() < 0 {
        check.fail("dice", format!("is {}, less than 0", weapon.dice));
    }
    match (has(WeaponProperty::Versatile), weapon.dice_two_handed) {
        (true, Some(dice)) => abilities::dice(check, "dice_two_handed", dice),
        (true, None) => check.fail("dice_two_handed", "is missing, though it is versatile"),
        (false, Some(_)) => check.fail("dice_two_handed", "is there, though it is not versatile"),
        (false, None) => {}
    }
    check.range("range_mm", weapon.range_mm, &limits::ATTACK_RANGE_MM);
    check.range("long_range_mm", weapon.long_range_mm, &limits::LONG_RANGE_MM);
    let flies = has(WeaponProperty::Thrown) || has(WeaponProperty::Ammunition);
    if flies && weapon.long_range_mm < weapon.range_mm {
        check.fail("long_range_mm", "is less than the normal range");
    } else if !flies && weapon.long_range_mm != 0 {
        check.fail("long_range_mm", "is there, though it is neither shot nor thrown");
    }
    check.range("price_copper", weapon.price_copper, &limits::PRICE_COPPER);
    check.range("weight_g", weapon.weight_g, &limits::WEIGHT_G);
}

pub(super) fn armor(check: &mut Check<'_>, armor: &ArmorDef) {
    check.key(&armor.key);
    check.name("name", &armor.name);
    check.source(&armor.source);
    check.range("armor_class", armor.armor_class, &limits::ARMOR_BRINGS);
    check.range("dexterity_max", armor.dexterity_max, &limits::DEXTERITY_MAX);
    check.range("strength_min", armor.strength_min, &limits::STRENGTH_MIN);
    match armor.kind {
        ArmorKind::Light | ArmorKind::Medium | ArmorKind::Heavy if armor.armor_class < 10 => {
            check.fail("armor_class", format!("is {}, at least 10", armor.armor_class));
        }
        ArmorKind::Light | ArmorKind::Medium | ArmorKind::Heavy | ArmorKind::Shield => {}
    }
    check.range("price_copper", armor.price_copper, &limits::PRICE_COPPER);
    check.range("weight_g", armor.weight_g, &limits::WEIGHT_G);
}

pub(super) fn setting(check: &mut Check<'_>, setting: &SettingDef) {
    let SettingDef { key, text, value, min, max } = setting;
    check.key(key);
    check.text(text);
    if min > max {
        check.fail("min", format!("is {min}, more than max, {max}"));
    } else {
        check.range("value", *value, &(*min..=*max));
    }
    match known::setting(key) {
        Some(known) => {
            check.range("min", *min, &known.range);
            check.range("max", *max, &known.range);
        }
        None => check.fail("key", format!("is {}, no setting of the rules", shown(key))),
    }
}

pub(super) fn switch(check: &mut Check<'_>, switch: &SwitchDef) {
    check.key(&switch.key);
    check.text(&switch.text);
    if !known::is_switch(&switch.key) {
        check.fail("key", format!("is {}, no switch of the rules", shown(&switch.key)));
    }
}

pub(super) fn filter_word(check: &mut Check<'_>, word: &FilterWordDef) {
    check.key(&word.key);
    check.words("word", &word.word, limits::FILTER_WORD_CHARS_MIN, limits::FILTER_WORD_CHARS_MAX);
}

/// As much of a key as a fault repeats.
fn shown(key: &str) -> String {
    format!("{:?}", key.chars().take(KEY_CHARS_MAX).collect::<String>())
}
