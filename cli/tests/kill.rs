//! `haven up` killed without warning: what was reported as done is there, and what was under way is
//! done once.
//!
//! Every process is ended by its own id, in a directory that is removed.

mod up;

use haven_client_sdk::{Haven, HavenError, RealmClient, Session};
use haven_rules::parties::READY_SECONDS;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use up::{Up, port_of};

/// Ends it as a power cut would, and starts it again where it was.
async fn kill_and_start(up: Up, dir: &Path) -> Up {
    let (listen, stdb_listen) = (port_of(&up.gateway), port_of(&up.database));
    let dir = dir.to_owned();
    let again = tokio::task::spawn_blocking(move || {
        up.kill();
        Up::start(&dir, &listen, &stdb_listen)
    });
    again.await.expect("it starts again")
}

/// What the owner reads.
async fn rows(up: &Up, dir: &Path, query: &str) -> Vec<Value> {
    let token = std::fs::read_to_string(dir.join("data/owner.token")).expect("the owner's token");
    let url = format!("{}/v1/database/haven/sql", up.database);
    let request = reqwest::Client::new().post(url).bearer_auth(token.trim());
    let answer = request.body(query.to_owned()).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    answer[0]["rows"].as_array().expect("rows").clone()
}

async fn register(up: &Up, name: &str) -> Session {
    let haven = Haven::new(&up.gateway).expect("a gateway");
    // A start compiles the module, which takes a while where much else is going on.
    let haven = haven.command_patience(Duration::from_mins(5));
    let email = format!("{}@example.org", name.to_lowercase());
    haven.register(&email, "correct horse").await.expect("registered")
}

async fn create(session: &Session, name: &str) -> Result<u64, HavenError> {
    let made = session.create_character(None, name, "human", "rogue").await?;
    Ok(made.character_id)
}

async fn enter(session: &Session, character_id: u64) -> RealmClient {
    let realm = session.enter(1).await.expect("let in");
    realm.enter_world(character_id).await.expect("in the world");
    realm
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_as_done_survives_a_kill_that_follows_at_once() {
    let dir = TempDir::new().expect("a directory");
    let any = "127.0.0.1:0";
    let mut up = Up::start(dir.path(), any, any);
    let mut sessions = vec![];
    for (round, name) in ["Anna", "Berta", "Cora"].into_iter().enumerate() {
        let session = register(&up, name).await;
        create(&session, name).await.expect("made and written");
        up = kill_and_start(up, dir.path()).await;
        sessions.push(session);
        let found = rows(&up, dir.path(), "SELECT name FROM character").await;
        assert_eq!(found.len(), 1 + round, "{found:?}");
        for session in &sessions {
            // Whoever knows the account still is who he was: what came before was written too.
            assert_eq!(session.characters().await.expect("the session is there").len(), 1);
        }
    }
    let character_id = sessions[0].characters().await.expect("known")[0].character_id;
    let realm = enter(&sessions[0], character_id).await;
    realm.open_instance("hollow").await.expect("open and written");
    up = kill_and_start(up, dir.path()).await;
    assert_eq!(rows(&up, dir.path(), "SELECT * FROM instance").await.len(), 1);
    realm.disconnect().await;
    assert_eq!(up.terminate().0, Some(0));
}

/// A player with a character in the world.
async fn play(up: &Up, name: &'static str) -> (Session, RealmClient) {
    let session = register(up, name).await;
    let first = create(&session, &format!("{name}a")).await.expect("made and written");
    let realm = enter(&session, first).await;
    (session, realm)
}

/// Makes seven characters one after the other, counting them, and opens an instance meanwhile.
async fn command(
    name: &str,
    session: Session,
    realm: RealmClient,
    made: Arc<AtomicUsize>,
) -> Result<(), HavenError> {
    let creations = async {
        for letter in 'b'..='h' {
            create(&session, &format!("{name}{letter}")).await?;
            made.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let (created, opened) = tokio::join!(creations, realm.open_instance("hollow"));
    created.and(opened)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_under_way_at_a_kill_are_repeated_and_done_exactly_once() {
    const NAMES: [&str; 4] = ["Dora", "Emma", "Frida", "Greta"];
    let dir = TempDir::new().expect("a directory");
    let mut up = Up::start(dir.path(), "127.0.0.1:0", "127.0.0.1:0");
    let mut players = vec![];
    for name in NAMES {
        players.push((name, play(&up, name).await));
    }
    let made = Arc::new(AtomicUsize::new(0));
    let commands = players.iter().map(|(name, (session, realm))| {
        tokio::spawn(command(name, session.clone(), realm.clone(), Arc::clone(&made)))
    });
    let commands: Vec<_> = commands.collect();
    // Of 28 characters. The first kill meets the opening of the instances as well, which is
    // acknowledged by then and not yet written.
    for (already, wait_millis) in [(0, 100), (5, 60), (14, 300)] {
        while made.load(Ordering::Relaxed) < already {
            assert!(commands.iter().any(|task| !task.is_finished()), "they have given up");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(wait_millis)).await;
        up = kill_and_start(up, dir.path()).await;
    }
    for command in commands {
        command.await.expect("no panic").expect("all were done");
    }
    // Once more, so that only what is on disk counts.
    up = kill_and_start(up, dir.path()).await;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(&up, dir.path(), "SELECT name FROM character").await {
        *found.entry(row[0].as_str().expect("a name").to_owned()).or_default() += 1;
    }
    assert_eq!(found.len(), NAMES.len() * 8, "{found:?}");
    assert!(found.values().all(|count| *count == 1), "{found:?}");
    let opened = rows(&up, dir.path(), "SELECT account_id FROM instance").await;
    let mut openers: Vec<_> = opened.iter().filter_map(|row| row[0].as_u64()).collect();
    openers.sort_unstable();
    let accounts = players.iter().map(|(_, (session, _))| session.account_id());
    assert_eq!(openers, accounts.collect::<Vec<_>>(), "one instance each");
    assert_eq!(up.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_is_still_asked_whether_it_is_ready_after_a_kill() {
    const PARTY: &str = "SELECT party_id, leader_id, ready_state FROM party";
    let dir = TempDir::new().expect("a directory");
    let mut up = Up::start(dir.path(), "127.0.0.1:0", "127.0.0.1:0");
    let (session, hanna) = play(&up, "Hanna").await;
    let (_, irma) = play(&up, "Irma").await;
    hanna.party().invite("Irmaa").await.expect("invited");
    let invited = rows(&up, dir.path(), "SELECT invitation_id FROM party_invitation").await;
    let invitation_id = invited[0][0].as_u64().expect("a number");
    irma.party().answer(invitation_id, true).await.expect("she joins");
    let began = Instant::now();
    hanna.party().begin_ready_check().await.expect("asked");
    // What came before a command that was reported as done is on disk as well.
    create(&session, "Hannab").await.expect("made and written");
    let mut before = rows(&up, dir.path(), PARTY).await;
    assert_eq!(before[0][2], 1, "they are asked: {before:?}");

    up = kill_and_start(up, dir.path()).await;
    let mut after = rows(&up, dir.path(), PARTY).await;
    if began.elapsed() >= Duration::from_secs(READY_SECONDS.into()) {
        // It took longer than there is to answer.
        for party in [&mut before, &mut after] {
            party[0][2] = Value::Null;
        }
    }
    assert_eq!(after, before);
    assert_eq!(rows(&up, dir.path(), "SELECT character_id FROM party_seat").await.len(), 2);
    for player in [hanna, irma] {
        player.disconnect().await;
    }
    assert_eq!(up.terminate().0, Some(0));
}
