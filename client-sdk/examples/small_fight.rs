//! Two players fight side by side: they meet, go for the creatures around, and every decision of
//! the fight is told as a sentence, with its dice.
//!
//! `cargo run --release --example small_fight [GATEWAY]` while `haven up` runs. The gateway is the
//! argument, else `HAVEN_GATEWAY`, else `http://127.0.0.1:8080`. With the owner's token in
//! `HAVEN_OWNER_TOKEN` (`haven token`) it brings goblins; without, they look for creatures nearby,
//! and where there are none they fight a duel with each other. Fails if nothing is decided.
#![expect(clippy::print_stdout, reason = "an example prints")]

use haven_client_sdk::{
    BodyView, DecisionView, Event, Events, Haven, HavenError, RealmClient, Session,
};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::time::{timeout, timeout_at};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How long the fight may last.
const FIGHT: Duration = Duration::from_secs(90);
/// How often each of them thinks of what to do.
const THINK: Duration = Duration::from_millis(500);
/// How long they look for creatures.
const LOOK: Duration = Duration::from_secs(5);
/// How many goblins the owner brings.
const GOBLINS: u32 = 3;

struct Player {
    session: Session,
    realm: RealmClient,
    events: Events,
    id: u64,
    realm_id: u16,
    name: String,
}

impl Player {
    /// Registers an account, makes a character and brings it into the world.
    async fn new(haven: &Haven, name: &str, class: &str) -> Outcome<Self> {
        let tail: String = (0..8).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect();
        let session = haven.register(&format!("{tail}@example.org"), "a good password").await?;
        let name = format!("{name}{tail}");
        let character = session.create_character(None, &name, "human", class).await?;
        let (id, realm_id) = (character.character_id, character.realm_id);
        let realm = session.enter(realm_id).await?;
        let events = realm.events();
        realm.watch_fights().await?;
        realm.enter_world(id).await?;
        println!("{name} the {class} is in the world.");
        Ok(Self { session, realm, events, id, realm_id, name })
    }

    fn place(&self, entity_id: u64) -> Option<(i32, i32)> {
        self.realm.position_of(entity_id, Instant::now())
    }

    /// How far away somebody is, the square of it.
    fn distance(&self, entity_id: u64) -> Option<i64> {
        let ((x, y), (to_x, to_y)) = (self.place(self.id)?, self.place(entity_id)?);
        let square = |a: i32, b: i32| (i64::from(a) - i64::from(b)).pow(2);
        Some(square(x, to_x) + square(y, to_y))
    }

    /// The nearest creature that can still fight.
    fn foe(&self) -> Option<u64> {
        let foes =
            self.realm.bodies().into_iter().filter(|body| !body.is_player && body.is_awake());
        let near = foes.filter_map(|body| Some((self.distance(body.entity_id)?, body.entity_id)));
        near.min().map(|(_, entity_id)| entity_id)
    }

    fn body(&self) -> Option<BodyView> {
        self.realm.body_of(self.id)
    }

    /// Strikes, or goes nearer to strike later.
    async fn act(&self, foe: u64) -> Outcome {
        match self.realm.attack(foe).await {
            Ok(()) => Ok(()),
            Err(HavenError::Refused { code, .. }) => match code.as_str() {
                "combat.out_of_range" | "combat.no_sight" => self.approach(foe).await,
                // Not ready yet, or somebody was faster.
                code if code.starts_with("combat.") => Ok(()),
                _ => Err(code.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn approach(&self, foe: u64) -> Outcome {
        match self.realm.follow(foe).await {
            Ok(()) => Ok(()),
            // Too far, or gone.
            Err(HavenError::Refused { code, .. }) if code.starts_with("motion.") => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What somebody in view is called.
    fn name_of(&self, entity_id: u64) -> String {
        let seen = self.realm.seen(entity_id).or_else(|| self.realm.me());
        let name =
            seen.filter(|seen| seen.entity_id == entity_id).map(|seen| seen.name.to_string());
        name.unwrap_or_else(|| "somebody".to_owned())
    }

    /// What was decided, as sentences.
    fn tell(&self, decision: &DecisionView) {
        let actor = self.name_of(decision.actor_id);
        let ability = decision.ability.replace('_', " ");
        if decision.lines.is_empty() {
            println!("  {actor}: {ability}, and it reaches nobody");
        }
        for line in &decision.lines {
            let target = match line.target_id {
                target_id if target_id == decision.actor_id => String::new(),
                target_id => format!(" at {}", self.name_of(target_id)),
            };
            println!("  {actor}: {ability}{target}: {line}");
        }
    }
}

/// Whatever was decided until an instant is told; how much that was.
async fn listen(watcher: &mut Player, until: Instant) -> Outcome<u32> {
    let mut decided = 0;
    loop {
        match timeout_at(until.into(), watcher.events.next_event()).await {
            Ok(Some(Event::Decided { decision, .. })) => {
                watcher.tell(&decision);
                decided += 1;
            }
            Ok(Some(_)) => {}
            Ok(None) => return Err("the connection is closed".into()),
            Err(_) => return Ok(decided),
        }
    }
}

/// Has the owner bring goblins to where a player stands.
async fn bring_goblins(player: &Player, token: &str) -> Outcome {
    let (x, y) = player.place(player.id).ok_or("not in the world")?;
    let admission = player.session.admission(player.realm_id).await?;
    let path = format!("/v1/database/{}/call/creature_spawn", admission.database);
    let body = format!("[0,\"goblin\",{},{y},{GOBLINS},1]", x + 6_000);
    let client = reqwest::Client::new();
    let call = client.post(format!("{}{path}", admission.uri)).bearer_auth(token);
    let answer = call.header("content-type", "application/json").body(body).send().await?;
    let (status, said) = (answer.status(), answer.text().await?);
    if status.is_success() { Ok(()) } else { Err(format!("{status}: {said}").into()) }
}

/// Creatures in view, if there are any soon.
async fn find_foe(player: &mut Player) -> Outcome<Option<u64>> {
    let until = Instant::now() + LOOK;
    while Instant::now() < until {
        if let Some(foe) = player.foe() {
            return Ok(Some(foe));
        }
        listen(player, Instant::now() + THINK).await?;
    }
    Ok(None)
}

/// Both strike at what is nearest to them until nothing or none of them can fight.
async fn fight_creatures(ada: &mut Player, bo: &Player) -> Outcome<u32> {
    let (mut decided, over) = (0, Instant::now() + FIGHT);
    while Instant::now() < over {
        let mut is_over = true;
        for player in [&*ada, bo] {
            let can_act = player.body().is_some_and(|body| body.is_awake());
            if let Some(foe) = player.foe().filter(|_| can_act) {
                player.act(foe).await?;
                is_over = false;
            }
        }
        decided += listen(ada, Instant::now() + THINK).await?;
        if is_over {
            break;
        }
    }
    Ok(decided)
}

/// Ada and Bo try each other until one falls.
async fn fight_duel(ada: &mut Player, bo: &Player) -> Outcome<u32> {
    ada.realm.offer_duel(bo.id).await?;
    bo.realm.answer_duel(ada.id, true).await?;
    let (mut decided, over) = (0, Instant::now() + FIGHT);
    let stands = |player: &Player| player.body().is_some_and(|body| body.is_awake());
    while Instant::now() < over && stands(ada) && stands(bo) {
        ada.act(bo.id).await?;
        bo.act(ada.id).await?;
        decided += listen(ada, Instant::now() + THINK).await?;
    }
    Ok(decided)
}

#[tokio::main]
async fn main() -> Outcome {
    let address = std::env::args().nth(1).or_else(|| std::env::var("HAVEN_GATEWAY").ok());
    let haven = Haven::new(address.as_deref().unwrap_or("http://127.0.0.1:8080"))?;
    let mut ada = Player::new(&haven, "Ada", "fighter").await?;
    let bo = Player::new(&haven, "Bo", "cleric").await?;
    if let Ok(token) = std::env::var("HAVEN_OWNER_TOKEN") {
        bring_goblins(&ada, token.trim()).await?;
    }
    let decided = if find_foe(&mut ada).await?.is_some() {
        fight_creatures(&mut ada, &bo).await?
    } else {
        println!("Nobody is here to fight, so they try each other.");
        fight_duel(&mut ada, &bo).await?
    };
    for player in [&ada, &bo] {
        let body = player.body().ok_or("not in view")?;
        let state = ["stands", "is dying", "lies stable", "is dead"];
        let state = state.get(usize::from(body.vital)).unwrap_or(&"is somewhere");
        println!(
            "{} {state}: {} of {} hit points",
            player.name, body.hit_points, body.hit_points_max
        );
    }
    for player in [ada, bo] {
        timeout(Duration::from_secs(5), player.realm.disconnect()).await?;
        player.session.logout().await?;
    }
    if decided == 0 { Err("nothing was decided".into()) } else { Ok(()) }
}
