//! Random calls and messages on the real engine, through the guard, as players and as the owner.
//!
//! Keeps true: each run says its seed; `HAVEN_FUZZ_SEED` and `HAVEN_FUZZ_CASES` repeat it or make
//! it longer. Cases depend on rows that timers write, so a seed leads to the same calls, and nearly
//! always to the same state.
//! Leaves out on purpose: HTTP of the gateway (`http_contract`), and tokens (`guard`).

mod arena;
mod arguments;
mod fights;
mod line;
mod messages;
mod pool;

use crate::support::chance::Run;
use crate::support::http::send;
use crate::support::{Database, on_limited_stage, owner_token};
use arena::Arena;
use haven_engine::Limits;
use serde_json::Value;

/// Calls of the usual run: about 20 s.
const CALLS: u64 = 8_000;
/// Calls between two looks at what holds.
const CALLS_PER_BATCH: u64 = 400;
/// Commands of fights of the usual run: about 30 s.
const FIGHTS: u64 = 20_000;
/// Messages of the usual run: some seconds.
const MESSAGES: u64 = 1_000;

/// Nobody is slowed or ended for what he sends: here it is to reach the engine.
fn limits() -> Limits {
    Limits {
        inbound_bytes_per_s: 1_000_000_000,
        inbound_burst_bytes: 1_000_000_000,
        message_bytes_max: 32 << 20,
        ..Limits::default()
    }
}

/// Whether code of the module has panicked lately, by its log.
///
/// # Errors
/// The lines that say so.
async fn no_panic(database: &Database) -> Result<(), String> {
    let (uri, name) = (&database.stage.uri, &database.name);
    let lines = 4 * CALLS_PER_BATCH;
    let url = format!("{uri}/v1/database/{name}/logs?num_lines={lines}");
    let answer = send("GET", &url, Some(&owner_token(&database.stage.keys)), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let panics = answer.text.lines().filter(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        line["level"].as_str().is_some_and(|level| level.eq_ignore_ascii_case("panic"))
    });
    let panics: Vec<&str> = panics.collect();
    if panics.is_empty() { Ok(()) } else { Err(format!("the module panicked: {panics:?}")) }
}

/// What must hold after a batch.
async fn look(arena: &mut Arena) -> Result<(), String> {
    no_panic(&arena.database).await?;
    let now = arena.snapshot().await;
    let mut broken = haven_checks::check(&now);
    if arena.land_is_sound() {
        broken.extend(haven_checks::check_ground(&now));
    }
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
}

#[test]
fn random_arguments_are_refused_in_our_words_and_break_no_rule() {
    let run = Run::new("random calls", CALLS);
    on_limited_stage(limits(), |stage| async move {
        let mut arena = Arena::open(stage).await;
        let mut done = 0;
        for case in 0..run.cases {
            let mut chance = run.case(case);
            match arena.case(&mut chance).await {
                Ok(is_done) => done += u64::from(is_done),
                Err(wrong) => run.fail(case, &wrong),
            }
            if case % CALLS_PER_BATCH != CALLS_PER_BATCH - 1 && case + 1 != run.cases {
                continue;
            }
            if let Err(wrong) = look(&mut arena).await {
                run.fail(case, &wrong);
            }
            let relays = chance.one_in(3);
            arena.mend(relays.then_some(&mut chance)).await;
            // Whatever was done to the land, everybody stands on it again.
            let played = arena.bystander_plays().await;
            if let Err(wrong) = played.and(look(&mut arena).await) {
                run.fail(case, &format!("after mending: {wrong}"));
            }
        }
        arena.close().await;
        run.assert_share(done, "calls were done");
    });
}

#[test]
fn random_messages_are_answered_or_end_their_connection_and_show_nothing_private() {
    let run = Run::new("random messages", MESSAGES);
    on_limited_stage(limits(), |stage| async move {
        let mut arena = Arena::open(stage).await;
        messages::run(&run, &mut arena).await;
        if let Err(wrong) = look(&mut arena).await {
            run.fail(run.cases, &wrong);
        }
        arena.close().await;
    });
}

#[test]
fn random_fights_break_no_rule() {
    let run = Run::new("random fights", FIGHTS);
    on_limited_stage(limits(), |stage| async move {
        let database = Database::publish(stage).await;
        fights::play(&run, database).await;
    });
}
