//! Creation: what a player chooses for a new character, and what follows where nothing is chosen.
//!
//! Keeps true: whatever is made is within the rules of the SRD, so that nothing else has to look
//! again; what was rolled is kept. Leaves out on purpose: names and room (`characters`), and where
//! dice come from.

use super::CharacterError;
use super::spells::{Spell, allowed, beginning};
use crate::combat::dice::Roller;
use crate::combat::scores::{STANDARD, are_standard, cost, roll_scores, with_bonuses};
use crate::combat::sheet::Build;
use crate::content::book::Book;
use crate::content::{Attribute, BackgroundDef, ClassDef, Scores, Skill};

/// How a character gets its scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Method {
    /// 15, 14, 13, 12, 10 and 8, dealt out.
    Standard = 1,
    /// Bought with points.
    Points = 2,
    /// Rolled, four dice each of which the lowest is left out, and dealt out by rank.
    Rolled = 3,
}

impl Method {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Standard, Self::Points, Self::Rolled];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The method with that number; 0 is the standard one.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.code() == code.max(1))
    }

    /// The word that clients use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Points => "points",
            Self::Rolled => "rolled",
        }
    }

    /// The method with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.word() == word)
    }
}

/// What a player chooses. What is left empty follows from the class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Key of its race; content has it.
    pub race: String,
    /// Key of its class; content has it.
    pub class: String,
    /// Key of its background; empty for the first there is.
    pub background: String,
    /// [`Method::code`], or 0.
    pub method: u8,
    /// Scores before the race adds to them, in the order of [`Attribute`]; empty to have them
    /// dealt out.
    pub scores: Vec<i8>,
    /// Words of attributes, that with the highest score first; those that are not there follow as
    /// the class has use for them.
    pub order: Vec<String>,
    /// Words of skills of the class; empty for the first ones.
    pub skills: Vec<String>,
    /// Keys of cantrips and spells; there are more by default where these are fewer than it has.
    pub spells: Vec<String>,
}

impl Plan {
    /// Whether it says no more than race and class.
    pub fn is_plain(&self) -> bool {
        let Self { race: _, class: _, background, method, scores, order, skills, spells } = self;
        *method == 0
            && background.is_empty()
            && scores.is_empty()
            && order.is_empty()
            && skills.is_empty()
            && spells.is_empty()
    }
}

/// What a new character is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Key of its background; empty where content has none.
    pub background: String,
    /// How it got its scores.
    pub method: Method,
    /// With what its race adds.
    pub scores: Scores,
    /// Four dice for each of six scores, in the order they were thrown; empty if none were.
    pub rolls: Vec<u8>,
    /// Those of its background, then those of its class.
    pub skills: Vec<Skill>,
    /// Cantrips and spells, in the order of the class's list.
    pub spells: Vec<Spell>,
}

/// The highest that four dice show without the lowest of them.
const ROLLED_MAX: i8 = 18;

/// Makes a character of level 1 of a plan. Dice are thrown only for scores that are rolled, and
/// nothing that they show is refused: of spells that such scores do not allow the last ones are
/// left out, and refused is what no scores would allow. Otherwise they would be thrown again until
/// they allow it.
///
/// # Errors
/// In this order: `AbilitiesUnsupported` where content has no such race or class,
/// `BackgroundUnknown`, `MethodUnknown`, `OrderInvalid`, `ScoresNotStandard` or `ScoresNotBought`
/// or `ScoresNotChosen`, `SkillsInvalid`, those of [`beginning`].
pub fn make(plan: &Plan, book: &Book, roller: &mut dyn Roller) -> Result<Made, CharacterError> {
    let kind = book.race(&plan.race).zip(book.class(&plan.class));
    let (race, class) = kind.ok_or(CharacterError::AbilitiesUnsupported)?;
    let background = background(&plan.background, book)?;
    let method = Method::from_code(plan.method).ok_or(CharacterError::MethodUnknown)?;
    let points = book.setting("attribute_points");
    let (scores, rolls) = scores(plan, method, class, points, roller)?;
    let scores = with_bonuses(scores, &race.bonuses);
    let skills = skills(&plan.skills, class, background)?;
    let build =
        Build { race: race.key.clone(), class: class.key.clone(), level: 1, scores, outfit: None };
    let spells = if method == Method::Rolled {
        let best = with_bonuses(dealt(Attribute::ALL, [ROLLED_MAX; 6]), &race.bonuses);
        beginning(&Build { scores: best, ..build.clone() }, book, &plan.spells)?;
        beginning(&build, book, &allowed(&build, book, &plan.spells))?
    } else {
        beginning(&build, book, &plan.spells)?
    };
    Ok(Made {
        background: background.map(|background| background.key.clone()).unwrap_or_default(),
        method,
        scores,
        rolls,
        skills,
        spells,
    })
}

/// What a character is that chose nothing; none where content has no such race or class.
pub fn usual(race: &str, class: &str, book: &Book) -> Option<Made> {
    let plan = Plan { race: race.to_owned(), class: class.to_owned(), ..Plan::default() };
    make(&plan, book, &mut NoDice).ok()
}

/// Standard scores are not rolled.
struct NoDice;

impl Roller for NoDice {
    fn roll(&mut self, _sides: u8) -> u8 {
        1
    }
}

fn background<'a>(
    wanted: &str,
    book: &'a Book,
) -> Result<Option<&'a BackgroundDef>, CharacterError> {
    if wanted.is_empty() {
        return Ok(book.pack().background.first());
    }
    book.background(wanted).map(Some).ok_or(CharacterError::BackgroundUnknown)
}

/// The scores before the race adds to them, and the dice that were thrown for them.
fn scores(
    plan: &Plan,
    method: Method,
    class: &ClassDef,
    points: i64,
    roller: &mut dyn Roller,
) -> Result<(Scores, Vec<u8>), CharacterError> {
    let named = named_scores(&plan.scores);
    if !(plan.order.is_empty() || plan.scores.is_empty()) {
        return Err(CharacterError::OrderInvalid);
    }
    let order = order(&plan.order, class)?;
    match method {
        Method::Standard if plan.scores.is_empty() => Ok((dealt(&order, STANDARD), vec![])),
        Method::Standard => {
            let named = named.filter(are_standard).ok_or(CharacterError::ScoresNotStandard)?;
            Ok((named, vec![]))
        }
        Method::Points => {
            let affordable =
                |scores: &Scores| cost(scores).is_some_and(|it| i64::from(it) <= points);
            let named = named.filter(affordable).ok_or(CharacterError::ScoresNotBought)?;
            Ok((named, vec![]))
        }
        Method::Rolled if !plan.scores.is_empty() => Err(CharacterError::ScoresNotChosen),
        Method::Rolled => {
            let rolled = roll_scores(roller);
            let mut scores = rolled.map(|roll| roll.score);
            scores.sort_unstable_by(|a, b| b.cmp(a));
            let shown = rolled.iter().flat_map(|roll| roll.shown).collect();
            Ok((dealt(&order, scores), shown))
        }
    }
}

/// Six numbers as scores.
fn named_scores(scores: &[i8]) -> Option<Scores> {
    let [strength, dexterity, constitution, intelligence, wisdom, charisma] =
        <[i8; 6]>::try_from(scores).ok()?;
    Some(Scores { strength, dexterity, constitution, intelligence, wisdom, charisma })
}

/// The attribute of a word.
pub fn attribute_of(word: &str) -> Option<Attribute> {
    Attribute::ALL.iter().copied().find(|attribute| attribute.word() == word)
}

/// All attributes: those that are named, those the class lives by, the others.
fn order(named: &[String], class: &ClassDef) -> Result<Vec<Attribute>, CharacterError> {
    let mut order = Vec::new();
    for word in named {
        let attribute = attribute_of(word).filter(|attribute| !order.contains(attribute));
        order.push(attribute.ok_or(CharacterError::OrderInvalid)?);
    }
    for attribute in class.primary.iter().chain(Attribute::ALL) {
        if !order.contains(attribute) {
            order.push(*attribute);
        }
    }
    Ok(order)
}

/// Deals scores out, the first of them to the first attribute.
fn dealt(order: &[Attribute], scores: [i8; 6]) -> Scores {
    let of = |wanted: Attribute| {
        let found = order.iter().zip(scores).find(|(attribute, _)| **attribute == wanted);
        found.map_or(0, |(_, score)| score)
    };
    Scores {
        strength: of(Attribute::Strength),
        dexterity: of(Attribute::Dexterity),
        constitution: of(Attribute::Constitution),
        intelligence: of(Attribute::Intelligence),
        wisdom: of(Attribute::Wisdom),
        charisma: of(Attribute::Charisma),
    }
}

/// What it is good at: what its background brings, and what it chose of its class's.
fn skills(
    chosen: &[String],
    class: &ClassDef,
    background: Option<&BackgroundDef>,
) -> Result<Vec<Skill>, CharacterError> {
    let mut skills = background.map(|background| background.skills.clone()).unwrap_or_default();
    let count = usize::from(class.skills_count);
    let of_class: Vec<Skill> = if chosen.is_empty() {
        // What the background brings already would be chosen for nothing.
        let (known, new): (Vec<_>, Vec<_>) =
            class.skills.iter().copied().partition(|skill| skills.contains(skill));
        new.into_iter().chain(known).take(count).collect()
    } else if chosen.len() > class.skills.len() {
        return Err(CharacterError::SkillsInvalid);
    } else {
        let find = |word: &String| class.skills.iter().copied().find(|it| it.word() == word);
        let found: Option<Vec<Skill>> = chosen.iter().map(find).collect();
        let found = found.filter(|found| found.len() == count && are_distinct(found));
        found.ok_or(CharacterError::SkillsInvalid)?
    };
    for skill in of_class {
        if !skills.contains(&skill) {
            skills.push(skill);
        }
    }
    Ok(skills)
}

/// Whether nothing is there twice.
pub(super) fn are_distinct<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().all(|(at, one)| list.iter().take(at).all(|other| other != one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::casting::highest_spell_level;
    use crate::combat::dice::Fixed;
    use crate::content::tests::shipped_book;
    use proptest::prelude::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    fn plan(race: &str, class: &str) -> Plan {
        Plan { race: race.to_owned(), class: class.to_owned(), ..Plan::default() }
    }

    fn all(scores: Scores) -> [i8; 6] {
        let mut all = [0; 6];
        for (score, attribute) in all.iter_mut().zip(Attribute::ALL) {
            *score = scores.get(*attribute);
        }
        all
    }

    fn made(plan: &Plan, numbers: &[u8]) -> Result<Made, CharacterError> {
        let mut dice = Fixed::new(numbers);
        let made = make(plan, shipped_book(), &mut dice);
        assert!(made.is_err() || dice.is_used_up(), "{plan:?} throws other dice");
        made
    }

    #[test]
    fn who_chooses_nothing_is_what_its_class_has_use_for() {
        let fighter = made(&plan("human", "fighter"), &[]).expect("made");
        assert_eq!(all(fighter.scores), [16, 15, 14, 13, 11, 9]);
        assert_eq!((fighter.background.as_str(), fighter.method), ("acolyte", Method::Standard));
        let skills = [Skill::Insight, Skill::Religion, Skill::Acrobatics, Skill::AnimalHandling];
        assert_eq!(fighter.skills, skills);
        assert_eq!((fighter.rolls, fighter.spells), (vec![], vec![]));
        let wizard = made(&plan("elf", "wizard"), &[]).expect("made");
        assert_eq!(all(wizard.scores), [13, 14, 14, 16, 10, 8]);
        assert_eq!(usual("elf", "wizard", shipped_book()), Some(wizard));
        assert_eq!(usual("elf", "wizard", &Book::default()), None);
    }

    #[test]
    fn every_race_and_class_can_be_made() {
        let (book, pack) = (shipped_book(), shipped_book().pack());
        for (race, class) in pack.race.iter().flat_map(|r| pack.class.iter().map(move |c| (r, c))) {
            let made = usual(&race.key, &class.key, book).expect("made");
            let count = usize::from(class.skills_count) + 2;
            assert_eq!(made.skills.len(), count, "{} {}", race.key, class.key);
            let casts = highest_spell_level(class.casting, 1) > 0;
            assert_eq!(made.spells.is_empty(), !casts, "{}", class.key);
        }
    }

    #[test]
    fn scores_are_dealt_bought_or_rolled() {
        let rolled = |numbers: &[u8]| {
            let order = words(&["charisma", "strength"]);
            let method = Method::Rolled.code();
            made(&Plan { method, order, ..plan("orc", "rogue") }, numbers).map(|made| made.scores)
        };
        let numbers = [[6, 6, 6, 1], [1, 1, 1, 1], [2, 2, 2, 2], [5, 5, 5, 5], [4; 4], [3; 4]];
        let got = rolled(&numbers.concat()).map(all);
        // Highest first: charisma, strength, then dexterity as a rogue has it; an orc's own added.
        assert_eq!(got, Ok([17, 12, 10, 6, 3, 18]));
        let points = |scores: [i8; 6]| {
            let (method, scores) = (Method::Points.code(), scores.to_vec());
            let made = made(&Plan { method, scores, ..plan("human", "rogue") }, &[]);
            made.map(|made| all(made.scores))
        };
        assert_eq!(points([15, 15, 15, 8, 8, 8]), Ok([16, 16, 16, 9, 9, 9]));
        assert_eq!(points([15, 15, 15, 9, 8, 8]), Err(CharacterError::ScoresNotBought));
        let standard = Plan { scores: vec![8, 10, 12, 13, 14, 15], ..plan("human", "rogue") };
        let got = made(&standard, &[]).map(|made| all(made.scores));
        assert_eq!(got, Ok([9, 11, 13, 14, 15, 16]));
    }

    #[test]
    fn dice_that_were_rolled_are_kept() {
        let numbers: Vec<u8> = (0..24).map(|at| at % 6 + 1).collect();
        let rolled = Plan { method: Method::Rolled.code(), ..plan("human", "monk") };
        let made = made(&rolled, &numbers).expect("made");
        assert_eq!((made.rolls, made.method), (numbers, Method::Rolled));
    }

    #[test]
    fn what_dice_show_is_not_refused_and_no_reason_to_throw_again() {
        let list = shipped_book().pack().ability.iter();
        let of_cleric = |level: u8| {
            move |ability: &&crate::content::AbilityDef| {
                let is_spell = ability.kind == crate::content::AbilityKind::Spell;
                is_spell
                    && ability.level == level
                    && ability.classes.iter().any(|it| it == "cleric")
            }
        };
        let keys = |level: u8| -> Vec<String> {
            list.clone().filter(of_cleric(level)).map(|ability| ability.key.clone()).collect()
        };
        let chosen: Vec<String> = keys(1).into_iter().take(5).collect();
        assert_eq!(chosen.len(), 5);
        let rolled = |spells: &[String], number: u8| {
            let (method, spells) = (Method::Rolled.code(), spells.to_vec());
            let made = made(&Plan { method, spells, ..plan("human", "cleric") }, &[number; 24]);
            made.map(|made| {
                let of_first = |spell: &Spell| chosen.iter().position(|key| *key == spell.ability);
                made.spells.iter().filter_map(of_first).collect::<Vec<usize>>()
            })
        };
        // A wisdom of 18 and one more: four and one. One of 4: one at least.
        assert_eq!(rolled(&chosen, 6), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(rolled(&chosen, 1), Ok(vec![0]));
        for number in [1, 6] {
            let too_high = [&chosen[..1], &keys(2)[..1]].concat();
            assert_eq!(rolled(&too_high, number), Err(CharacterError::SpellTooHigh));
            let twice = [&chosen[..1], &chosen[..1]].concat();
            assert_eq!(rolled(&twice, number), Err(CharacterError::SpellTwice));
            let many: Vec<String> = keys(1).into_iter().take(6).collect();
            assert_eq!(rolled(&many, number), Err(CharacterError::SpellsTooMany));
        }
    }

    #[test]
    fn what_cannot_be_chosen_is_refused() {
        use CharacterError as E;
        type Case = (&'static dyn Fn(&mut Plan), CharacterError);
        let with = |change: &dyn Fn(&mut Plan)| {
            let mut plan = plan("human", "bard");
            change(&mut plan);
            made(&plan, &[]).map(|_| ())
        };
        let cases: &[Case] = &[
            (&|plan| "king".clone_into(&mut plan.class), E::AbilitiesUnsupported),
            (&|plan| "goat".clone_into(&mut plan.race), E::AbilitiesUnsupported),
            (&|plan| "noble".clone_into(&mut plan.background), E::BackgroundUnknown),
            (&|plan| plan.method = 4, E::MethodUnknown),
            (&|plan| plan.order = words(&["luck"]), E::OrderInvalid),
            (&|plan| plan.order = words(&["wisdom", "wisdom"]), E::OrderInvalid),
            (&|plan| plan.scores = vec![15, 14, 13, 12, 10], E::ScoresNotStandard),
            (&|plan| plan.scores = vec![15, 14, 13, 12, 10, 9], E::ScoresNotStandard),
            (&|plan| plan.method = 2, E::ScoresNotBought),
            (&|plan| (plan.method, plan.scores) = (2, vec![8; 7]), E::ScoresNotBought),
            (&|plan| (plan.method, plan.scores) = (2, vec![16, 8, 8, 8, 8, 8]), E::ScoresNotBought),
            (&|plan| (plan.method, plan.scores) = (3, vec![18; 6]), E::ScoresNotChosen),
            (&|plan| plan.skills = words(&["arcana"]), E::SkillsInvalid),
            (&|plan| plan.skills = words(&["arcana", "arcana", "nature"]), E::SkillsInvalid),
            (&|plan| plan.skills = words(&["arcana", "nature", "baking"]), E::SkillsInvalid),
            (&|plan| plan.spells = words(&["fire_ball_of_tea"]), E::SpellUnknown),
        ];
        for (at, (change, expected)) in cases.iter().enumerate() {
            assert_eq!(with(change), Err(*expected), "case {at}");
        }
        let both = |plan: &mut Plan| {
            (plan.scores, plan.order) = (STANDARD.to_vec(), words(&["wisdom"]));
        };
        assert_eq!(with(&both), Err(E::OrderInvalid));
        assert_eq!(with(&|_| ()), Ok(()));
    }

    #[test]
    fn a_plan_is_plain_until_something_is_chosen() {
        assert!(plan("human", "bard").is_plain());
        let changes: [&dyn Fn(&mut Plan); 6] = [
            &|plan| plan.method = 1,
            &|plan| plan.background.push('x'),
            &|plan| plan.scores.push(8),
            &|plan| plan.order.push(String::new()),
            &|plan| plan.skills.push(String::new()),
            &|plan| plan.spells.push(String::new()),
        ];
        for change in changes {
            let mut plan = plan("human", "bard");
            change(&mut plan);
            assert!(!plan.is_plain(), "{plan:?}");
        }
    }

    #[test]
    fn methods_come_back_from_codes_and_words() {
        for method in Method::ALL {
            assert_eq!(Method::from_code(method.code()), Some(*method));
            assert_eq!(Method::from_word(method.word()), Some(*method));
        }
        assert_eq!(Method::from_code(0), Some(Method::Standard));
        assert_eq!((Method::from_code(4), Method::from_word("luck")), (None, None));
    }

    proptest! {
        #[test]
        fn what_is_made_is_within_the_rules(
            at in any::<prop::sample::Index>(),
            method in 0_u8..5,
            scores in prop_oneof![
                Just(vec![]),
                prop::collection::vec(7_i8..17, 0..8),
                Just(vec![15, 14, 13, 12, 10, 8]).prop_shuffle(),
            ],
            order in prop::sample::subsequence(Attribute::ALL.to_vec(), 0..=6).prop_shuffle(),
            numbers in prop::collection::vec(1_u8..=6, 24),
        ) {
            let (book, pack) = (shipped_book(), shipped_book().pack());
            let kinds: Vec<_> =
                pack.race.iter().flat_map(|r| pack.class.iter().map(move |c| (r, c))).collect();
            let (race, class) = kinds[at.index(kinds.len())];
            let order: Vec<_> = order.iter().map(|it| it.word().to_owned()).collect();
            let plan = Plan { method, scores, order, ..plan(&race.key, &class.key) };
            if let Ok(made) = make(&plan, book, &mut Fixed::new(&numbers)) {
                for attribute in Attribute::ALL {
                    prop_assert!((3..=20).contains(&made.scores.get(*attribute)));
                }
                let expected = if made.method == Method::Rolled { 24 } else { 0 };
                prop_assert_eq!(made.rolls.len(), expected);
                prop_assert!(are_distinct(&made.skills));
                for attribute in plan.order.iter().zip(plan.order.iter().skip(1)) {
                    let base = |word: &String| {
                        let attribute = attribute_of(word).expect("an attribute");
                        made.scores.get(attribute) - race.bonuses.get(attribute)
                    };
                    prop_assert!(base(attribute.0) >= base(attribute.1));
                }
            }
        }
    }
}
