//! An evening in a guild: Ada founds one, Bo is invited and joins, they talk, save coins in the
//! bank, and look who has the fullest purse.
//!
//! `HAVEN_OWNER_TOKEN=$(haven token) cargo run --release --example guild_evening [GATEWAY]` while
//! `haven up` runs. The gateway is the argument, else `HAVEN_GATEWAY`, else
//! `http://127.0.0.1:8080`. A new character has not the coins that founding costs (100 gold) nor
//! those of a tab of the bank (500 gold); so the realm's owner gives them, as staff would reward
//! the winner of a contest: `coins_give` with a reason, which the realm's audit keeps. Without the
//! token Ada must have them. Fails if something is not heard of.
#![expect(clippy::print_stdout, reason = "an example prints")]

use haven_client_sdk::{
    BoardQuestion, BoardsEvent, Event, Events, GuildEvent, Haven, HavenError, RealmClient, Session,
    Topic,
};
use haven_rules::chat::ChatKind;
use std::error::Error;
use std::time::Duration;
use tokio::time::timeout;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What the owner gives, copper: the guild, the first tab, and something to save.
const PRIZE_COPPER: u64 = 70_000;
/// What Ada puts into the bank, copper.
const SAVED_COPPER: u64 = 2_500;
/// How long anything may take to be heard of.
const PATIENCE: Duration = Duration::from_secs(15);

struct Player {
    session: Session,
    realm: RealmClient,
    events: Events,
    id: u64,
    realm_id: u16,
    name: String,
}

impl Player {
    /// Registers an account, makes a character, brings it into the world, and asks to hear of its
    /// company.
    async fn new(haven: &Haven, name: &str) -> Outcome<Self> {
        let tail = letters();
        let session = haven.register(&format!("{tail}@example.org"), "a good password").await?;
        let name = format!("{name}{tail}");
        let character = session.create_character(None, &name, "human", "rogue").await?;
        let (id, realm_id) = (character.character_id, character.realm_id);
        let realm = session.enter(realm_id).await?;
        realm.enter_world(id).await?;
        for topic in [Topic::Goods, Topic::Guild, Topic::Chat, Topic::Boards] {
            realm.watch(topic).await?;
        }
        let events = realm.events();
        println!("{name} is in the world.");
        Ok(Self { session, realm, events, id, realm_id, name })
    }

    /// Waits until something is heard of.
    async fn hears<T>(&mut self, what: &str, is_it: impl Fn(&Event) -> Option<T>) -> Outcome<T> {
        let search = async {
            loop {
                let event = self.events.next_event().await.ok_or("the connection is closed")?;
                if let Some(found) = is_it(&event) {
                    return Ok::<_, Box<dyn Error>>(found);
                }
            }
        };
        let missed = |_| format!("{} did not hear of {what}", self.name);
        timeout(PATIENCE, search).await.map_err(missed)?
    }

    async fn says(&self, text: &str) -> Result<(), HavenError> {
        self.realm.chat().say(ChatKind::Guild.code(), 0, text, vec![]).await
    }

    /// Hears what the other says, and prints it.
    async fn listens(&mut self, other: u64) -> Outcome {
        let line = self.hears("what was said", |event| match event {
            Event::Chat { what, .. } => {
                let said = what.said().filter(|said| said.is_new && said.sender_id == other)?;
                Some(format!("{}: {}", said.sender_name, said.text))
            }
            _ => None,
        });
        println!("[guild] {}", line.await?);
        Ok(())
    }

    fn purse(&self) -> u64 {
        self.realm.goods().wallet_copper().unwrap_or(0)
    }
}

/// Letters by chance, so that names are new.
fn letters() -> String {
    (0..8).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect()
}

/// Has the owner give somebody coins.
async fn reward(player: &mut Player, token: &str) -> Outcome {
    let admission = player.session.admission(player.realm_id).await?;
    let path = format!("/v1/database/{}/call/coins_give", admission.database);
    let (id, session) = (player.id, rand::random_range(1..=u64::MAX / 2));
    let command = format!("{{\"session\":{session},\"sequence\":1}}");
    let body = format!("[{id},{PRIZE_COPPER},\"First prize of the singing contest\",{command}]");
    let call = reqwest::Client::new().post(format!("{}{path}", admission.uri)).bearer_auth(token);
    let answer = call.header("content-type", "application/json").body(body).send().await?;
    let (status, said) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        return Err(format!("{status}: {said}").into());
    }
    let began = std::time::Instant::now();
    while player.purse() < PRIZE_COPPER {
        if began.elapsed() > PATIENCE {
            return Err("the prize did not arrive".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{} wins {PRIZE_COPPER} copper in a contest.", player.name);
    Ok(())
}

/// Ada founds a guild and Bo joins it.
async fn found(ada: &mut Player, bo: &mut Player) -> Outcome {
    let name = format!("Lamplighters {}", letters());
    ada.realm.guild().found(&name).await?;
    let guild_id = ada.hears("her guild", |event| match event {
        Event::Guild { what: GuildEvent::Membership(change), .. } => {
            change.is().map(|membership| membership.guild_id)
        }
        _ => None,
    });
    let guild_id = guild_id.await?;
    println!("{} founds the guild {name}.", ada.name);
    ada.realm.watch(Topic::GuildRoster(guild_id)).await?;
    ada.realm.guild().invite(&bo.name).await?;
    let by = bo.hears("the invitation", |event| match event {
        Event::Guild { what: GuildEvent::Invite(change), .. } => {
            change.came().map(|invite| invite.by_name.clone())
        }
        _ => None,
    });
    let by = by.await?;
    println!("{} is invited by {by}.", bo.name);
    bo.realm.guild().accept_invite(guild_id).await?;
    let bo_id = bo.id;
    let joined = ada.hears("the new member", |event| match event {
        Event::Guild { what: GuildEvent::Member(change), .. } => {
            change.came().filter(|member| member.character_id == bo_id).map(|_| ())
        }
        _ => None,
    });
    joined.await?;
    println!("{} joins: {} members.", bo.name, ada.realm.guild().members().len());
    Ok(())
}

/// They talk.
async fn talk(ada: &mut Player, bo: &mut Player) -> Outcome {
    let (ada_id, bo_id) = (ada.id, bo.id);
    ada.says("Welcome! The lamps are lit.").await?;
    bo.listens(ada_id).await?;
    bo.says("Thank you. What do we save for?").await?;
    ada.listens(bo_id).await?;
    ada.says("A chest first, then a roof.").await?;
    bo.listens(ada_id).await
}

/// Ada buys a tab of the bank and puts coins into it; Bo sees them.
async fn save(ada: &mut Player, bo: &mut Player) -> Outcome {
    ada.realm.guild().buy_tab().await?;
    ada.realm.guild().open_tab(0).await?;
    ada.realm.guild().put_coins(SAVED_COPPER).await?;
    let saved = ada.hears("the coins", |event| match event {
        Event::Guild { what: GuildEvent::Window(change), .. } => {
            change.is().map(|window| window.copper).filter(|copper| *copper == SAVED_COPPER)
        }
        _ => None,
    });
    println!("The guild's bank has a tab, and {} copper.", saved.await?);
    let refused = bo.realm.guild().take_coins(1).await;
    let code = refused.err().ok_or("a new member takes coins")?;
    println!("{} may not take any yet: {}.", bo.name, code.code());
    Ok(())
}

/// Who has the fullest purse: it counts when somebody comes or goes.
async fn compare(ada: &mut Player) -> Outcome {
    ada.realm.leave().await?;
    ada.realm.enter_world(ada.id).await?;
    ada.realm.boards().ask("wealth", 0, BoardQuestion::Around, 1).await?;
    let lines = ada.hears("the board", |event| match event {
        Event::Boards { what: BoardsEvent::Answer(change), .. } => {
            let answer = change.is().filter(|answer| answer.request == 1)?;
            Some((answer.rank, answer.total, answer.lines.clone()))
        }
        _ => None,
    });
    let (rank, total, lines) = lines.await?;
    println!("{} is number {rank} of {total} on the board of full purses:", ada.name);
    for line in lines.iter().take(5) {
        println!("  {:>4}  {:<20} {} copper", line.rank, line.name, line.score);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let address = std::env::args().nth(1).or_else(|| std::env::var("HAVEN_GATEWAY").ok());
    let haven = Haven::new(address.as_deref().unwrap_or("http://127.0.0.1:8080"))?;
    let mut ada = Player::new(&haven, "Ada").await?;
    let mut bo = Player::new(&haven, "Bo").await?;
    if let Ok(token) = std::env::var("HAVEN_OWNER_TOKEN") {
        reward(&mut ada, token.trim()).await?;
    }
    found(&mut ada, &mut bo).await?;
    talk(&mut ada, &mut bo).await?;
    save(&mut ada, &mut bo).await?;
    compare(&mut ada).await?;
    for player in [ada, bo] {
        timeout(Duration::from_secs(5), player.realm.disconnect()).await?;
        player.session.logout().await?;
    }
    println!("A good evening.");
    Ok(())
}
