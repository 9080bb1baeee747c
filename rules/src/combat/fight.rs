//! A fight told from beginning to end with fixed dice: two characters and an ogre, three rounds.

use super::check::{Attack, Cover, Edges, Hit, Modifier, Save, Throw, attack, save};
use super::concentration::Concentration;
use super::conditions::{Bout, Conditions, attack_edges};
use super::damage::{DamageTypes, Defenses, Incoming, mitigate, roll_hit, share};
use super::dice::{Dice, Fixed, roll};
use super::experience::{of_challenge, shares};
use super::health::{Blow, Fate, Health};
use super::initiative::{Place, order, roll_initiative};
use super::threat::Threat;
use crate::content::{Attribute, Condition, DamageType, OnSave};

const FIGHTER: u64 = 1;
const CLERIC: u64 = 2;
const OGRE: u64 = 3;

/// Who fights, and what happened, one line each.
struct Fight {
    fighter: Health,
    cleric: Health,
    ogre: Health,
    ogre_is: Conditions,
    blessing: Concentration,
    threat: Threat,
    told: Vec<String>,
}

/// What somebody does within a round.
type Act<'a> = &'a dyn Fn(&mut Fight, &mut Fixed<'_>);
/// Plays a round with exactly these dice, and gives what is told of it.
type Round<'a> = dyn Fn(&mut Fight, &[u8], Act<'_>) -> Vec<String> + 'a;

/// What one strike is like.
struct Strike<'a> {
    name: &'static str,
    modifiers: &'a [Modifier<'a>],
    edges: Edges,
    armor_class: i32,
    dice: &'static str,
    damage: DamageType,
}

/// Strikes, and gives what arrives and whether the hit was critical.
fn strike(of: &Strike<'_>, told: &mut Vec<String>, dice: &mut Fixed<'_>) -> Option<Blow> {
    let throw = Throw { edges: of.edges, is_lucky: false, modifiers: of.modifiers };
    let (armor_class, cover, is_critical) = (of.armor_class, Cover::None, false);
    let made = attack(&Attack { throw, armor_class, cover, critical_from: 20, is_critical }, dice);
    told.push(format!("{}: {made}", of.name));
    let is_critical = match made.hit {
        Hit::Miss => return None,
        Hit::Hit => false,
        Hit::Critical => true,
    };
    let rolled = roll_hit(of.dice.parse().expect("dice"), is_critical, 0, dice);
    let incoming = Incoming {
        rolled: rolled.total,
        damage: of.damage,
        share: share(false, OnSave::Nothing, false),
        reduction: 0,
    };
    let taken = mitigate(&incoming, &Defenses::default());
    told.push(format!("{}: {rolled}, {taken}", of.name));
    Some(Blow { amount: taken.amount, is_critical, is_sparing: false })
}

impl Fight {
    fn new() -> Self {
        Self {
            fighter: Health::new(28),
            cleric: Health::new(21),
            ogre: Health::new(59),
            ogre_is: Conditions::NONE,
            blessing: Concentration::default(),
            threat: Threat::default(),
            told: vec![],
        }
    }

    /// The fighter strikes at the ogre, blessed or not.
    fn fighter_strikes(&mut self, dice: &mut Fixed<'_>) {
        let all = [Modifier::flat("strength", 5), Modifier::plus("bless", Dice::new(1, 4))];
        let modifiers = if self.blessing.on.is_some() { &all[..] } else { &all[..1] };
        let bout = Bout { target: self.ogre_is, distance_mm: 1_500, ..Bout::default() };
        let of = Strike {
            name: "fighter",
            modifiers,
            edges: attack_edges(&bout),
            armor_class: 11,
            dice: "2d6+3",
            damage: DamageType::Slashing,
        };
        if let Some(blow) = strike(&of, &mut self.told, dice) {
            let hurt = self.ogre.hurt(&blow, Fate::Falls);
            self.threat.hurt(FIGHTER, hurt.lost.cast_unsigned());
        }
    }

    /// The ogre strikes at whom it is drawn to.
    fn ogre_strikes(&mut self, dice: &mut Fixed<'_>) {
        let is_at_cleric = self.threat.target(None, |_| true) == Some(CLERIC);
        let modifiers = [Modifier::flat("strength", 6)];
        let bout = Bout { attacker: self.ogre_is, distance_mm: 1_500, ..Bout::default() };
        let of = Strike {
            name: "ogre",
            modifiers: &modifiers,
            edges: attack_edges(&bout),
            armor_class: 18,
            dice: "2d8+4",
            damage: DamageType::Bludgeoning,
        };
        let Some(blow) = strike(&of, &mut self.told, dice) else { return };
        if is_at_cleric {
            self.cleric.hurt(&blow, Fate::Dies);
            let held = self.blessing.hurt(blow.amount, Throw::default(), dice);
            self.told.push(held.map_or("nothing to hold".to_owned(), |held| held.to_string()));
        } else {
            self.fighter.hurt(&blow, Fate::Dies);
        }
    }

    /// The cleric's flame: a dexterity save or damage.
    fn cleric_burns(&mut self, dice: &mut Fixed<'_>) {
        let fails = self.ogre_is.fails_save(Attribute::Dexterity);
        let throw = Throw { modifiers: &[Modifier::flat("dexterity", -1)], ..Throw::default() };
        let of = Save {
            attribute: Attribute::Dexterity,
            throw,
            difficulty: 13,
            cover: Cover::None,
            fails,
        };
        let saved = save(&of, dice);
        self.told.push(format!("flame: {saved}"));
        let rolled = roll(Dice::new(1, 8), dice).total;
        let incoming = Incoming {
            rolled,
            damage: DamageType::Radiant,
            share: share(saved.is_success, OnSave::Nothing, false),
            reduction: 0,
        };
        let radiant = DamageTypes::NONE.with(DamageType::Radiant);
        let weak = Defenses { vulnerabilities: radiant, ..Defenses::default() };
        let taken = mitigate(&incoming, &weak);
        self.told.push(format!("flame: {taken}"));
        let blow = Blow { amount: taken.amount, is_critical: false, is_sparing: false };
        let hurt = self.ogre.hurt(&blow, Fate::Falls);
        self.threat.hurt(CLERIC, hurt.lost.cast_unsigned());
    }

    fn state(&self) -> String {
        format!("{}; {}; {}", self.fighter, self.cleric, self.ogre)
    }
}

#[test]
fn they_roll_for_initiative() {
    let mut dice = Fixed::new(&[8, 14, 15]);
    let mut places = [(FIGHTER, 2), (CLERIC, 1), (OGRE, -1)].map(|(entity_id, dexterity)| {
        let modifiers = [Modifier::flat("dexterity", dexterity)];
        let throw = Throw { modifiers: &modifiers, ..Throw::default() };
        let initiative = roll_initiative(&throw, &mut dice).total;
        Place { initiative, dexterity: 10, entity_id }
    });
    order(&mut places);
    assert_eq!(places.map(|place| place.entity_id), [CLERIC, OGRE, FIGHTER]);
}

#[test]
fn a_fight_goes_as_its_dice_say() {
    let mut fight = Fight::new();
    let round = |fight: &mut Fight, numbers: &[u8], act: Act<'_>| {
        let mut dice = Fixed::new(numbers);
        act(fight, &mut dice);
        assert!(dice.is_used_up(), "other dice than {numbers:?} after {:?}", fight.told);
        std::mem::take(&mut fight.told)
    };

    // The cleric blesses, the fighter hits for 5 + 4 + 3, the ogre strikes the fighter.
    fight.blessing.begin(77);
    let told = round(&mut fight, &[9, 3, 5, 4, 13, 8, 6], &|fight, dice| {
        fight.fighter_strikes(dice);
        fight.ogre_strikes(dice);
    });
    let expected = [
        "fighter: 9 + 5 + 3 = 17 against 11: hit",
        "fighter: 5 + 4 + 3 = 12, 12 slashing",
        "ogre: 13 + 6 = 19 against 18: hit",
        "ogre: 8 + 6 + 4 = 18, 18 bludgeoning",
    ];
    assert_eq!(told, expected);
    assert_eq!(fight.state(), "10 of 28; 21 of 21; 47 of 59");

    // The ogre is restrained: a critical hit with advantage. The flame draws it to the cleric, who
    // loses the blessing in spite of its disadvantage.
    fight.ogre_is = Conditions::of(&[Condition::Restrained]);
    let numbers = [7, 20, 1, 6, 5, 4, 2, 11, 8, 16, 12, 4, 5, 9];
    let told = round(&mut fight, &numbers, &|fight, dice| {
        fight.fighter_strikes(dice);
        fight.cleric_burns(dice);
        fight.threat.taunt(CLERIC, 1);
        fight.ogre_strikes(dice);
    });
    let expected = [
        "fighter: (7, 20) 20 + 5 + 1 = 26 against 11: critical hit",
        "fighter: 6 + 5 + 4 + 2 + 3 = 20, 20 slashing",
        "flame: 11 - 1 = 10 against 13: failure",
        "flame: 8 radiant, 16 doubled",
        "ogre: (16, 12) 12 + 6 = 18 against 18: hit",
        "ogre: 4 + 5 + 4 = 13, 13 bludgeoning",
        "9 against 10: failure",
    ];
    assert_eq!(told, expected);
    assert_eq!((fight.blessing.on, fight.state().as_str()), (None, "10 of 28; 8 of 21; 11 of 59"));

    ends(&mut fight, &round);
}

/// The ogre fells the cleric, who rolls for its life; the fighter ends it, unblessed.
fn ends(fight: &mut Fight, round: &Round<'_>) {
    let numbers = [19, 17, 6, 3, 12, 5, 3, 18, 4, 6, 6];
    let told = round(fight, &numbers, &|fight, dice| {
        fight.ogre_strikes(dice);
        fight.cleric.death_save(&Throw::default(), dice);
        fight.fighter_strikes(dice);
        fight.fighter_strikes(dice);
    });
    let expected = [
        "ogre: (19, 17) 17 + 6 = 23 against 18: hit",
        "ogre: 6 + 3 + 4 = 13, 13 bludgeoning",
        "nothing to hold",
        "fighter: (5, 3) 5 + 5 = 10 against 11: miss",
        "fighter: (18, 4) 18 + 5 = 23 against 11: hit",
        "fighter: 6 + 6 + 3 = 15, 15 slashing",
    ];
    assert_eq!(told, expected);
    assert_eq!(fight.state(), "10 of 28; dying, 1 made, 0 missed; dead");

    assert_eq!(fight.threat.loot_rights(), [FIGHTER, CLERIC]);
    let done: Vec<u64> = fight.threat.entries().iter().map(|entry| entry.contribution).collect();
    assert_eq!(done, [43, 16]);
    assert_eq!(shares(of_challenge("2").unwrap_or(0), &done), [328, 122]);
}
