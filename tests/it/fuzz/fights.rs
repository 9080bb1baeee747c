//! Fights at random: players and creatures do whatever they can, as fast as they can.
//!
//! Keeps true: each command is a player's own call through the guard; content lets fights go fast
//! and everything be tried often.

use crate::support::Database;
use crate::support::chance::{Chance, Run};
use crate::support::client::Client;
use crate::support::content::{set, srd, switch};
use futures::future::join_all;
use haven_checks::{Snapshot, check, number};
use haven_rules::content::Pack;
use haven_rules::errors::code_of;
use serde_json::{Value, json};

/// Commands between two looks at what holds.
pub(super) const COMMANDS_PER_BATCH: u64 = 600;
/// Who fights: race and class.
const HEROES: [(&str, &str, &str); 6] = [
    ("Ada", "human", "fighter"),
    ("Bor", "dwarf", "cleric"),
    ("Cyn", "elf", "wizard"),
    ("Dov", "halfling", "rogue"),
    ("Eyu", "human", "druid"),
    ("Fio", "elf", "barbarian"),
];
/// Who is fought.
const CREATURES: [&str; 4] = ["goblin", "wolf", "skeleton", "acolyte"];
/// Creatures that there are at most.
const CREATURES_MAX: usize = 12;
/// What each of them is worth: challenge 1/4.
const WORTH: u64 = 50;
/// What everybody can do.
const BASIC: [&str; 8] =
    ["attack", "dash", "disengage", "dodge", "help", "shove", "knock_down", "grapple"];
/// A place beside the spawn.
const FIELD: (i32, i32) = (34_500, 32_500);

/// A realm full of fights.
pub(super) struct Fights {
    pub(super) database: Database,
    heroes: Vec<(u64, Client)>,
    abilities: Vec<String>,
    bodies: Vec<u64>,
    spawned: u64,
}

/// Content in which everything is quick.
fn quick() -> Pack {
    let mut pack = srd();
    for (key, value) in [
        ("attack_millis", 500),
        ("bonus_action_millis", 0),
        ("reaction_millis", 0),
        ("global_cooldown_millis", 0),
        ("death_save_millis", 500),
        ("corpse_millis", 1_000),
        ("stable_millis", 1_000),
        ("respawn_wait_millis", 0),
        ("short_rest_millis", 0),
        ("long_rest_millis", 0),
        ("long_rest_wait_millis", 0),
        ("in_combat_millis", 0),
        ("safe_radius_mm", 0),
        ("dice_day_millis", 2_000),
    ] {
        set(&mut pack, key, value);
    }
    switch(&mut pack, "pvp", true);
    for ability in &mut pack.ability {
        ability.cast_millis = ability.cast_millis.min(100);
        ability.cooldown_millis = 0;
    }
    pack
}

impl Fights {
    pub(super) async fn open(database: Database) -> Self {
        database.configure().await;
        let pack = quick();
        database.put_in_force(&pack).await;
        let mut heroes = vec![];
        for (name, race, class) in HEROES {
            let hero = database.hero(name, race, class).await;
            let args = json!([hero.0, 6_500]);
            database.owner.call("character_experience_give", args).await.expect("given");
            heroes.push(hero);
        }
        let abilities = pack.ability.iter().map(|ability| ability.key.clone()).collect();
        let mut fights = Self { database, heroes, abilities, bodies: vec![], spawned: 0 };
        fights.mend().await;
        fights
    }

    /// Brings creatures until there are enough.
    pub(super) async fn mend(&mut self) {
        let rows = self.database.rows("creature").await;
        if rows.len() < CREATURES_MAX / 2 {
            for key in CREATURES {
                self.spawned += 2;
                self.database.creatures(key, FIELD, 2, 1).await;
            }
        }
        let rows = self.database.rows("combatant").await;
        self.bodies = rows.iter().map(|row| number(row, "entity_id")).collect();
    }

    /// Every hero does something at once; how much of it was done.
    ///
    /// # Errors
    /// A refusal that is none of ours.
    pub(super) async fn round(&self, chance: &mut Chance) -> Result<u64, String> {
        let commands: Vec<(&Client, (&str, Value))> =
            self.heroes.iter().map(|(own, client)| (client, self.command(*own, chance))).collect();
        let asked = commands.iter().map(|(client, (reducer, args))| async move {
            let outcome = client.call(reducer, args.clone()).await;
            match outcome {
                Ok(()) => Ok(1),
                Err(reason) if code_of(&reason).is_some() => Ok(0),
                Err(reason) => Err(format!("{reducer} {args}: {reason}")),
            }
        });
        join_all(asked).await.into_iter().sum()
    }

    fn command(&self, own: u64, chance: &mut Chance) -> (&'static str, Value) {
        match chance.below(30) {
            0 => ("rest_begin", json!([chance.one_in(2)])),
            1 => ("rest_end", json!([])),
            2 => ("duel_offer", json!([self.body(own, chance)])),
            3 => ("duel_answer", json!([self.body(own, chance), chance.one_in(2)])),
            4 => ("duel_end", json!([])),
            5 | 6 => ("death_return", json!([])),
            7 => ("cast_cancel", json!([])),
            8 => {
                let way = |chance: &mut Chance| chance.between(-3, 3);
                ("course_set", json!([way(chance), way(chance), chance.one_in(2)]))
            }
            9 => ("course_to", json!([FIELD.0, FIELD.1])),
            10 => {
                let some = |chance: &mut Chance| chance.pick(&self.abilities).clone();
                ("spell_prepare", json!([[some(chance), some(chance)]]))
            }
            number => {
                let ability = if number < 20 {
                    (*chance.pick(&BASIC)).to_owned()
                } else {
                    chance.pick(&self.abilities).clone()
                };
                let slot = if chance.one_in(3) { chance.between(0, 10) } else { 0 };
                ("ability_use", json!([ability, self.aim(own, chance), slot]))
            }
        }
    }

    fn body(&self, own: u64, chance: &mut Chance) -> u64 {
        match chance.below(12) {
            0 => own,
            1 => chance.bits(),
            _ => *chance.pick(&self.bodies),
        }
    }

    fn aim(&self, own: u64, chance: &mut Chance) -> Value {
        let near =
            |middle: i32, chance: &mut Chance| i64::from(middle) + chance.between(-9_000, 9_000);
        match chance.below(8) {
            0 => json!({ "Oneself": [] }),
            1 => {
                let (x_mm, y_mm) = (near(FIELD.0, chance), near(FIELD.1, chance));
                json!({ "Point": { "x_mm": x_mm, "y_mm": y_mm } })
            }
            2 => {
                let (dx, dy) = (chance.between(-9, 9), chance.between(-9, 9));
                json!({ "Direction": { "dx": dx, "dy": dy } })
            }
            _ => json!({ "Entity": self.body(own, chance) }),
        }
    }

    /// What must hold after a batch.
    ///
    /// # Errors
    /// What does not.
    pub(super) async fn look(&self, module: &haven_checks::Declarations) -> Result<(), String> {
        super::no_panic(&self.database).await?;
        let (stage, name) = (&self.database.stage, &self.database.name);
        let token = crate::support::owner_token(&stage.keys);
        let now = Snapshot::of(module, &stage.uri, name, &token).await;
        let now = now.map_err(|error| error.to_string())?;
        let mut broken: Vec<String> = check(&now).iter().map(ToString::to_string).collect();
        let given: u64 = now.column("character_progress", "experience").into_iter().sum();
        let given = given - 6_500 * u64::try_from(HEROES.len()).unwrap_or(0);
        let alive = now.rows("combatant").iter();
        let alive = alive.filter(|row| row["is_player"] == false && number(row, "vital") == 0);
        let alive = u64::try_from(alive.count()).unwrap_or(0);
        let dead = self.spawned.saturating_sub(alive);
        if given > dead * WORTH {
            broken.push(format!("{given} experience for {dead} creatures of {WORTH}"));
        }
        if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
    }
}

/// Plays a run.
pub(super) async fn play(run: &Run, database: Database) {
    let (stage, name) = (database.stage.clone(), database.name.clone());
    let token = crate::support::owner_token(&stage.keys);
    let module = haven_checks::Declarations::read(&stage.uri, &name, &token).await;
    let module = module.expect("the module declares itself");
    let mut fights = Fights::open(database).await;
    let at_once = u64::try_from(HEROES.len()).unwrap_or(1);
    let (mut done, mut asked) = (0, 0);
    while asked < run.cases {
        let mut chance = run.case(asked);
        match fights.round(&mut chance).await {
            Ok(more) => done += more,
            Err(wrong) => run.fail(asked, &wrong),
        }
        asked += at_once;
        if asked % COMMANDS_PER_BATCH < at_once {
            fights.mend().await;
            if let Err(wrong) = fights.look(&module).await {
                run.fail(asked, &wrong);
            }
        }
    }
    if let Err(wrong) = fights.look(&module).await {
        run.fail(asked, &wrong);
    }
    run.assert_share(done, "commands were done");
}
