//! Whom a change of content touches, counted from what the database holds.
//!
//! Keeps true: a number is a count of rows; what no table holds yet has none, rather than 0.
//! Leaves out on purpose: creatures and items, of which there are no rows yet.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use haven_rules::content::diff::Change;
use haven_rules::content::{Kind, Pack};
use serde::Deserialize;

/// How many characters there are of each race and class.
#[derive(Debug, Default)]
pub(super) struct Characters(BTreeMap<(String, String), u64>);

/// What a query answers.
#[derive(Deserialize)]
struct Answer {
    rows: Vec<(String, String)>,
}

impl Characters {
    /// Counts those of a database.
    pub(super) async fn count(uri: &str, database: &str, token: &str) -> anyhow::Result<Self> {
        let url = format!("{uri}/v1/database/{database}/sql");
        let query = "SELECT race, class FROM character";
        let answer = reqwest::Client::new().post(url).bearer_auth(token).body(query).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let answers: Vec<Answer> =
            answer.context("counting characters")?.json().await.context("counting characters")?;
        let mut counts = BTreeMap::new();
        for (race, class) in answers.into_iter().flat_map(|answer| answer.rows) {
            *counts.entry((race, class)).or_default() += 1;
        }
        Ok(Self(counts))
    }

    /// How many a change touches; none where that cannot be told.
    pub(super) fn touched(&self, whom: &Whom) -> Option<u64> {
        (*whom != Whom::Unknown).then(|| self.touched_by_any(std::slice::from_ref(whom)))
    }

    /// How many are touched by one change at least, as far as that can be told.
    pub(super) fn touched_by_any(&self, changes: &[Whom]) -> u64 {
        let is_touched = |race: &str, class: &str| changes.iter().any(|whom| whom.has(race, class));
        let touched = self.0.iter().filter(|((race, class), _)| is_touched(race, class));
        touched.map(|(_, count)| count).sum()
    }
}

/// Which characters a change touches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Everybody,
    /// Those of these races, and those of these classes.
    Of {
        races: BTreeSet<String>,
        classes: BTreeSet<String>,
    },
    /// The database does not hold who has it.
    Unknown,
}

impl Whom {
    fn has(&self, race: &str, class: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::Of { races, classes } => races.contains(race) || classes.contains(class),
            Self::Unknown => false,
        }
    }
}

/// Which characters a change from the old pack to the new one touches.
pub(super) fn whom(change: &Change, old: &Pack, new: &Pack) -> Whom {
    let key = change.key.as_str();
    let (mut races, mut classes) = (BTreeSet::new(), BTreeSet::new());
    match change.kind {
        Kind::Level | Kind::Setting | Kind::Switch => return Whom::Everybody,
        Kind::Background | Kind::Weapon | Kind::Armor | Kind::Item => return Whom::Unknown,
        // They are met, not owned.
        Kind::Creature
        | Kind::Camp
        | Kind::LootTable
        | Kind::Recipe
        | Kind::GatherNode
        | Kind::Vendor
        | Kind::FilterWord
        | Kind::Board => {}
        Kind::Race => {
            races.insert(key.to_owned());
        }
        Kind::Class => {
            classes.insert(key.to_owned());
        }
        Kind::Feature => {
            for pack in [old, new] {
                have_feature(pack, key, &mut races, &mut classes);
            }
        }
        Kind::Ability => {
            for pack in [old, new] {
                let spells = pack.ability.iter().filter(|ability| ability.key == key);
                classes.extend(spells.flat_map(|spell| spell.classes.clone()));
                let is_it = |ability: &Option<String>| ability.as_deref() == Some(key);
                for feature in pack.feature.iter().filter(|feature| is_it(&feature.ability)) {
                    have_feature(pack, &feature.key, &mut races, &mut classes);
                }
            }
        }
    }
    Whom::Of { races, classes }
}

/// Races and classes that have a feature.
fn have_feature(
    pack: &Pack,
    feature: &str,
    races: &mut BTreeSet<String>,
    classes: &mut BTreeSet<String>,
) {
    let has = |features: &[String]| features.iter().any(|key| key == feature);
    let of_races = pack.race.iter().filter(|race| has(&race.features));
    races.extend(of_races.map(|race| race.key.clone()));
    let of_classes =
        pack.class.iter().filter(|class| class.features.iter().any(|at| at.feature == feature));
    classes.extend(of_classes.map(|class| class.key.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::packs::load;
    use haven_rules::content::diff::{What, diff};

    fn characters() -> Characters {
        let counts = [
            (("human", "fighter"), 5),
            (("halfling", "fighter"), 3),
            (("human", "wizard"), 2),
            (("dwarf", "cleric"), 1),
        ];
        let owned = |((race, class), count): ((&str, &str), u64)| {
            ((race.to_owned(), class.to_owned()), count)
        };
        Characters(counts.map(owned).into_iter().collect())
    }

    fn touched(change: impl FnOnce(&mut Pack)) -> Option<u64> {
        let old = load(None).expect("without fault").pack;
        let mut new = old.clone();
        change(&mut new);
        let changes = diff(&old, &new);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_ne!(changes[0].what, What::Added);
        characters().touched(&whom(&changes[0], &old, &new))
    }

    #[test]
    fn a_change_touches_those_who_have_what_changes() {
        let of = |key: &'static str| move |other: &str| other == key;
        let ability = |key: &'static str| {
            move |pack: &mut Pack| {
                let found = pack.ability.iter_mut().find(|ability| of(key)(&ability.key));
                found.expect(key).cast_millis += 1;
            }
        };
        assert_eq!(touched(|pack| pack.setting[0].value += 1), Some(11));
        assert_eq!(touched(|pack| pack.level[5].experience += 1), Some(11));
        assert_eq!(touched(|pack| pack.camp[0].weight += 1), Some(0));
        assert_eq!(touched(|pack| pack.weapon[0].weight_g += 1), None);
        let race = |pack: &mut Pack| {
            let found = pack.race.iter_mut().find(|race| of("human")(&race.key));
            found.expect("human").speed_mm_per_round += 1;
        };
        assert_eq!(touched(race), Some(7));
        let class = |pack: &mut Pack| {
            let found = pack.class.iter_mut().find(|class| of("fighter")(&class.key));
            found.expect("fighter").text.push('!');
        };
        assert_eq!(touched(class), Some(8));
        // A wizards' spell, and what only fighters can do.
        assert_eq!(touched(ability("magic_missile")), Some(2));
        assert_eq!(touched(ability("second_wind")), Some(8));
    }
}
