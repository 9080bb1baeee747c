//! A character walks 2 km straight, around what is in the way, and tells what it passes.
//!
//! `cargo run --release --example walk_far [GATEWAY]` while `haven up` runs. The gateway is the
//! argument, else `HAVEN_GATEWAY`, else `http://127.0.0.1:8080`. The way leads toward the middle.
#![expect(clippy::print_stdout, reason = "an example prints")]

use haven_client_sdk::{Event, Events, GroundClass, Haven, HavenError, RealmClient};
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A tenth of the way: land within five blocks of a character is surveyed ahead of need.
const PIECE_MM: i32 = 200_000;
/// How far to the side of the line a piece may end, millimetres, nearest first.
const ASIDE_MM: [i32; 7] = [0, 8_000, -8_000, 32_000, -32_000, 128_000, -128_000];

struct Walk {
    realm: RealmClient,
    events: Events,
    id: u64,
}

impl Walk {
    fn place(&self) -> Outcome<(i32, i32)> {
        Ok(self.realm.position_of(self.id, Instant::now()).ok_or("not there")?)
    }

    /// Sends the character to where a piece of the way ends, as near to the line as one gets.
    async fn aim(&self, x_mm: i32, line_y_mm: i32) -> Outcome {
        for goal in ASIDE_MM.map(|aside_mm| (x_mm, line_y_mm.saturating_add(aside_mm))) {
            if matches!(self.realm.ground_at(goal.0, goal.1), None | Some(GroundClass::Blocked)) {
                continue;
            }
            match self.realm.go_to(goal.0, goal.1).await {
                Ok(()) => return Ok(()),
                Err(HavenError::Refused { code, .. }) if code.starts_with("motion.") => {
                    println!("    {code} at {} m, {} m", goal.0 / 1_000, goal.1 / 1_000);
                    sleep(Duration::from_millis(500)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err("no way leads on".into())
    }

    /// Waits until the character stands, telling of the regions it enters.
    async fn arrive(&mut self) -> Outcome {
        let began = Instant::now();
        while began.elapsed() < Duration::from_mins(5) {
            let next = timeout(Duration::from_millis(500), self.events.next_event()).await;
            if let Ok(Some(Event::RegionEntered { name, .. })) = next {
                println!("  enters {name:?}");
            }
            let has_set_out = began.elapsed() > Duration::from_secs(1);
            if has_set_out && self.realm.me().is_some_and(|me| me.segment.stands()) {
                return Ok(());
            }
        }
        Err("the character does not arrive".into())
    }

    fn tell(&self) -> Outcome {
        let (x, y) = self.place()?;
        println!("{:5} m, {:5} m: {:?}", x / 1_000, y / 1_000, self.realm.biome_at(x, y));
        println!("    watches {} blocks", self.realm.blocks_watched());
        for region in self.realm.regions() {
            println!("    knows {:?} with {} players", region.name, region.players);
        }
        for mark in self.realm.landmarks() {
            let metres = f64::from(mark.pos_x_mm - x).hypot(f64::from(mark.pos_y_mm - y)) / 1e3;
            println!("    {} is {metres:.0} m away", mark.name);
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let address = std::env::args().nth(1).or_else(|| std::env::var("HAVEN_GATEWAY").ok());
    let haven = Haven::new(address.as_deref().unwrap_or("http://127.0.0.1:8080"))?;
    let tail: String = (0..8).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect();
    let session = haven.register(&format!("{tail}@example.org"), "a good password").await?;
    let made = session.create_character(None, &format!("Walker{tail}"), "elf", "ranger").await?;
    let realm = session.enter(made.realm_id).await?;
    let mut walk = Walk { events: realm.events(), realm, id: made.character_id };
    walk.realm.enter_world(walk.id).await?;
    let ((from_x, line_y), bounds) = (walk.place()?, walk.realm.world().ok_or("lost")?.bounds);
    let east = if from_x < i32::midpoint(bounds.min_x_mm, bounds.max_x_mm) { 1 } else { -1 };
    walk.realm.run(i16::try_from(east)?, 0).await?;
    for piece in 1..=10 {
        walk.aim(from_x + east * piece * PIECE_MM, line_y).await?;
        walk.arrive().await?;
        walk.tell()?;
    }
    walk.realm.disconnect().await;
    Ok(session.logout().await?)
}
