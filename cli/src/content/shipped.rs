//! The pack that comes with Haven, compiled in: what a new realm begins with.
//!
//! Keeps true: these are the files of `content/srd`, all of them.

macro_rules! files {
    ($($name:literal,)*) => {
        &[$((
            concat!("content/srd/", $name),
            include_str!(concat!("../../../content/srd/", $name)),
        ),)*]
    };
}
/// Each file's name and text.
pub(super) const FILES: &[(&str, &str)] = files![
    "abilities_basic.toml",
    "abilities_creatures.toml",
    "abilities_creatures_2.toml",
    "abilities_creatures_3.toml",
    "abilities_features.toml",
    "abilities_items.toml",
    "armor.toml",
    "backgrounds.toml",
    "boards.toml",
    "camps.toml",
    "camps_2.toml",
    "camps_3.toml",
    "camps_4.toml",
    "classes.toml",
    "creatures_0_1.toml",
    "creatures_0_1_half.toml",
    "creatures_0_1_one.toml",
    "creatures_0_1_quarter.toml",
    "creatures_2_5.toml",
    "creatures_2_5_five.toml",
    "creatures_2_5_four.toml",
    "creatures_2_5_three.toml",
    "creatures_2_5_two.toml",
    "creatures_6_20.toml",
    "creatures_6_20_eight.toml",
    "creatures_6_20_fifteen.toml",
    "creatures_6_20_ten.toml",
    "creatures_6_20_twelve.toml",
    "features.toml",
    "filter_words.toml",
    "gather_nodes.toml",
    "items_armor.toml",
    "items_consumables.toml",
    "items_goods.toml",
    "items_materials.toml",
    "items_trinkets.toml",
    "items_weapons.toml",
    "levels.toml",
    "loot_tables.toml",
    "races.toml",
    "recipes.toml",
    "settings.toml",
    "spells_0.toml",
    "spells_1.toml",
    "spells_2.toml",
    "spells_3.toml",
    "spells_4.toml",
    "spells_5.toml",
    "spells_6.toml",
    "spells_7.toml",
    "spells_8.toml",
    "spells_9.toml",
    "switches.toml",
    "vendors.toml",
    "weapons.toml",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_files_are_those_of_the_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let entries = std::fs::read_dir(root.join("content/srd")).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .map(|name| format!("content/srd/{name}"))
            .collect();
        names.sort_unstable();
        let listed: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, names);
    }
}
