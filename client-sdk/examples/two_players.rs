//! Two players meet: each sees the other enter, walk, turn, cross a block border and leave.
//!
//! `cargo run --release --example two_players [GATEWAY]` while `haven up` runs. The gateway is the
//! argument, else `HAVEN_GATEWAY`, else `http://127.0.0.1:8080`. Fails if something is not seen.
#![expect(clippy::print_stdout, reason = "an example prints")]

use haven_client_sdk::{Event, Events, Haven, RealmClient, SegmentEnd, Session};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// East, north, west, south, and between them.
const WAYS: [(i16, i16); 8] =
    [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)];

struct Player {
    session: Session,
    realm: RealmClient,
    events: Events,
    id: u64,
    name: String,
    began: Instant,
}

impl Player {
    /// Registers an account, makes a character and connects to the realm it lives in.
    async fn new(haven: &Haven, name: &str, began: Instant) -> Outcome<Self> {
        let tail: String = (0..8).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect();
        let session = haven.register(&format!("{tail}@example.org"), "a good password").await?;
        let name = format!("{name}{tail}");
        let character = session.create_character(None, &name, "elf", "ranger").await?;
        let realm = session.enter(character.realm_id).await?;
        let events = realm.events();
        Ok(Self { session, realm, events, id: character.character_id, name, began })
    }

    fn says(&self, what: &str) {
        println!("{:6.2} s  {} {what}", self.began.elapsed().as_secs_f64(), self.name);
    }

    /// Waits until the other does something.
    async fn sees(&mut self, other: &Self, what: &str) -> Outcome {
        let is_it = |event: &Event| match (what, event) {
            ("enter", Event::Entered { seen, .. })
            | ("leave", Event::Left { seen, .. })
            | ("walk" | "turn" | "stop", Event::Moved { seen, course_changed: true, .. })
            | ("cross a block border", Event::Moved { seen, block_crossed: true, .. }) => {
                seen.entity_id == other.id
            }
            _ => false,
        };
        let until_then = async {
            while !is_it(&self.events.next_event().await.ok_or("the connection is closed")?) {}
            Ok::<_, Box<dyn Error>>(())
        };
        let missed = |_| format!("{} did not see {} {what}", self.name, other.name);
        timeout(Duration::from_secs(15), until_then).await.map_err(missed)??;
        let metres =
            |(x, y)| format!(" at {:.1} m, {:.1} m", f64::from(x) / 1e3, f64::from(y) / 1e3);
        let place = self.realm.position_of(other.id, Instant::now()).map_or(String::new(), metres);
        self.says(&format!("sees {} {what}{place}", other.name));
        Ok(())
    }

    /// The way over the nearest block border that is not blocked.
    fn way_out(&self) -> Option<(i16, i16)> {
        let ends = |way: (i16, i16)| {
            let segment = self.realm.foresee(way.0, way.1, true)?;
            (segment.end == SegmentEnd::Border).then_some((segment.ends_at_micros, way))
        };
        WAYS.into_iter().filter_map(ends).min().map(|(_, way)| way)
    }
}

/// One walks, turns and crosses a border; the other watches.
async fn walk(walker: &Player, watcher: &mut Player) -> Outcome {
    let (dx, dy) = walker.way_out().ok_or("no way leads out of the block")?;
    walker.realm.walk(-dy, dx).await?;
    watcher.sees(walker, "walk").await?;
    sleep(Duration::from_millis(700)).await;
    let (dx, dy) = walker.way_out().ok_or("no way leads out of the block")?;
    walker.realm.run(dx, dy).await?;
    watcher.sees(walker, "turn").await?;
    watcher.sees(walker, "cross a block border").await?;
    walker.realm.stop().await?;
    watcher.sees(walker, "stop").await
}

#[tokio::main]
async fn main() -> Outcome {
    let address = std::env::args().nth(1).or_else(|| std::env::var("HAVEN_GATEWAY").ok());
    let haven = Haven::new(address.as_deref().unwrap_or("http://127.0.0.1:8080"))?;
    let began = Instant::now();
    let mut ada = Player::new(&haven, "Ada", began).await?;
    let mut bo = Player::new(&haven, "Bo", began).await?;
    ada.realm.enter_world(ada.id).await?;
    ada.says("is in the world");
    bo.realm.enter_world(bo.id).await?;
    bo.sees(&ada, "enter").await?;
    ada.sees(&bo, "enter").await?;
    walk(&ada, &mut bo).await?;
    walk(&bo, &mut ada).await?;
    ada.realm.leave().await?;
    bo.sees(&ada, "leave").await?;
    ada.realm.enter_world(ada.id).await?;
    bo.sees(&ada, "enter").await?;
    bo.realm.disconnect().await;
    ada.sees(&bo, "leave").await?;
    ada.realm.disconnect().await;
    bo.session.logout().await?;
    ada.session.logout().await?;
    println!("Both saw all of it.");
    Ok(())
}
