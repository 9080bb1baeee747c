//! What a player chooses for a new character.
//!
//! Keeps true: sizes are bounded here, and words made into what the realm reads; whether a choice
//! may be made the realm alone decides, because the content is there.

use garde::Validate;
use haven_rules::characters::{CharacterError, creation::Method};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{problem::Problem, stdb::reducers::CharacterPlan};

/// Longest key or word that is looked at, bytes.
const WORD_BYTES_MAX: usize = 64;
/// Longest name that is looked at, bytes; the rules say what a name is.
const NAME_BYTES_MAX: usize = 256;
/// Most skills that are looked at: there are 18.
const SKILLS_MAX: usize = 18;
/// Most spells that are looked at.
const SPELLS_MAX: usize = haven_rules::characters::spells::CHOSEN_MAX;
/// Attributes there are.
const ATTRIBUTES: usize = 6;

/// The body of a creation. What is left out follows from the class.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CharacterCreation {
    /// The realm to live in; the first of the list unless given.
    #[garde(skip)]
    pub(super) realm_id: Option<u16>,
    /// Its name.
    #[garde(length(bytes, max = NAME_BYTES_MAX))]
    #[schema(example = "Brannoc")]
    pub(super) name: String,
    /// Its race.
    #[garde(length(bytes, max = WORD_BYTES_MAX))]
    #[schema(example = "human")]
    race: String,
    /// Its class. Several are refused with `character.multiclass_unsupported`.
    #[garde(length(bytes, max = WORD_BYTES_MAX))]
    #[schema(example = "fighter")]
    class: String,
    /// Its background.
    #[garde(inner(length(bytes, max = WORD_BYTES_MAX)))]
    #[schema(example = "acolyte")]
    background: Option<String>,
    /// How it gets its scores; the standard ones, dealt out as the class has use for them, unless
    /// given.
    #[garde(dive)]
    abilities: Option<AbilityChoice>,
    /// Skills of its class, as many as it chooses.
    #[garde(inner(length(max = SKILLS_MAX), inner(length(bytes, max = WORD_BYTES_MAX))))]
    skills: Option<Vec<String>>,
    /// Cantrips and spells of its class; the first ones of its list fill up what is left.
    #[garde(inner(length(max = SPELLS_MAX), inner(length(bytes, max = WORD_BYTES_MAX))))]
    spells: Option<Vec<String>>,
}

/// How a new character gets its scores.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AbilityChoice {
    /// `standard` (15, 14, 13, 12, 10 and 8), `points`, or `rolled`: four dice each, the lowest
    /// left out, by the realm. `standard` unless given.
    #[garde(inner(length(bytes, max = WORD_BYTES_MAX)))]
    #[schema(example = "points")]
    method: Option<String>,
    /// Before the race adds to it; all six of them or none.
    #[garde(skip)]
    strength: Option<i8>,
    /// Before the race adds to it.
    #[garde(skip)]
    dexterity: Option<i8>,
    /// Before the race adds to it.
    #[garde(skip)]
    constitution: Option<i8>,
    /// Before the race adds to it.
    #[garde(skip)]
    intelligence: Option<i8>,
    /// Before the race adds to it.
    #[garde(skip)]
    wisdom: Option<i8>,
    /// Before the race adds to it.
    #[garde(skip)]
    charisma: Option<i8>,
    /// In place of scores: which attributes get the highest ones, the first the highest.
    #[garde(inner(length(max = ATTRIBUTES), inner(length(bytes, max = WORD_BYTES_MAX))))]
    order: Option<Vec<String>>,
}

impl CharacterCreation {
    /// As the realm reads it.
    ///
    /// Refused with `character.method_unknown`.
    pub(super) fn plan(self) -> Result<CharacterPlan, Problem> {
        let Self { realm_id: _, name, race, class, background, abilities, skills, spells } = self;
        let (method, scores, order) = match abilities {
            None => (0, vec![], vec![]),
            Some(choice) => choice.parts()?,
        };
        Ok(CharacterPlan {
            name,
            race,
            class,
            background: background.unwrap_or_default(),
            method,
            scores,
            order,
            skills: skills.unwrap_or_default(),
            spells: spells.unwrap_or_default(),
        })
    }
}

impl AbilityChoice {
    /// The method's number, the scores that were given, and the order.
    fn parts(self) -> Result<(u8, Vec<i8>, Vec<String>), Problem> {
        let word = self.method.as_deref().unwrap_or(Method::Standard.word());
        let method = Method::from_word(word).ok_or(CharacterError::MethodUnknown)?;
        let scores = [
            self.strength,
            self.dexterity,
            self.constitution,
            self.intelligence,
            self.wisdom,
            self.charisma,
        ];
        // Five are as wrong as seven: the realm refuses what are not six.
        let scores = scores.into_iter().flatten().collect();
        Ok((method.code(), scores, self.order.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn creation(change: &Value) -> CharacterCreation {
        let mut body = json!({ "name": "Aldric", "race": "human", "class": "fighter" });
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        serde_json::from_value(body).expect("a creation")
    }

    #[test]
    fn choices_become_what_the_realm_reads() {
        let plan = |change: Value| creation(&change).plan().expect("a plan");
        let plain = plan(json!({}));
        assert_eq!((plain.method, plain.scores.len(), plain.background.as_str()), (0, 0, ""));
        let six = json!({ "strength": 8, "dexterity": 15, "constitution": 14,
            "intelligence": 10, "wisdom": 13, "charisma": 12 });
        let standard = plan(json!({ "abilities": six }));
        assert_eq!((standard.method, standard.scores), (1, vec![8, 15, 14, 10, 13, 12]));
        let rolled = plan(json!({ "abilities": { "method": "rolled", "order": ["wisdom"] } }));
        assert_eq!((rolled.method, rolled.order), (3, vec!["wisdom".to_owned()]));
        let some = plan(json!({ "background": "scribe", "skills": ["arcana"], "spells": ["x"],
            "abilities": { "method": "points", "wisdom": 8 } }));
        assert_eq!((some.method, some.scores, some.background.as_str()), (2, vec![8], "scribe"));
        assert_eq!((some.skills.len(), some.spells.len()), (1, 1));
        let luck = creation(&json!({ "abilities": { "method": "luck" } })).plan();
        let code = luck.err().map(|problem| problem.code());
        assert_eq!(code, Some("character.method_unknown"));
    }

    #[test]
    fn sizes_are_bounded() {
        let word = "x".repeat(WORD_BYTES_MAX + 1);
        for change in [
            json!({ "background": word }),
            json!({ "skills": vec!["arcana"; SKILLS_MAX + 1] }),
            json!({ "skills": [word] }),
            json!({ "spells": vec!["light"; SPELLS_MAX + 1] }),
            json!({ "spells": [word] }),
            json!({ "abilities": { "method": word } }),
            json!({ "abilities": { "order": vec!["wisdom"; ATTRIBUTES + 1] } }),
            json!({ "abilities": { "order": [word] } }),
        ] {
            assert!(creation(&change).validate().is_err(), "{change}");
        }
        let most = json!({ "spells": vec!["light"; SPELLS_MAX], "skills": ["arcana"] });
        assert!(creation(&most).validate().is_ok());
    }
}
