//! Channels that players make: roles, and what each may do.

use super::{CHANNEL, REALM, call, inbox, next, unlimited};
use crate::support::client::Client;
use crate::support::content::srd;
use crate::support::snapshot::Story;
use crate::support::{Database, on_database};
use haven_rules::chat::CROWD_LIMIT;
use haven_rules::sequences::Numbered;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Commands of a story count from 1.
fn counted(args: &[Value], sequence: u64) -> Value {
    let mut args = args.to_vec();
    args.push(json!({ "session": 1, "sequence": sequence }));
    Value::Array(args)
}

#[test]
fn channels_are_made_joined_ruled_and_left() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        unlimited(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, cid_id, cid) = database.enter("cid@example.org", "Cid").await;
        let mut story = Story::begin(&database).await;
        let mut sequence = 0;
        let steps: Vec<(&str, &Client, &str, Vec<Value>)> = vec![
            ("ann", &ann, "create", vec![json!("Night Watch"), json!(false)]),
            ("bob", &bob, "create", vec![json!("n1ght  watch"), json!(true)]),
            ("bob", &bob, "create", vec![json!("N1ght Watch"), json!(true)]),
            ("bob", &bob, "join", vec![json!("Night Watch")]),
            ("bob", &bob, "join", vec![json!("Day Watch")]),
            ("bob", &bob, "invite", vec![json!(1), json!("Cid")]),
            ("ann", &ann, "invite", vec![json!(1), json!("Bob")]),
            ("ann", &ann, "invite", vec![json!(1), json!("Bob")]),
            ("ann", &ann, "invite", vec![json!(1), json!("Nobodyhere")]),
            ("bob", &bob, "join", vec![json!("night watch")]),
            ("bob", &bob, "join", vec![json!("night watch")]),
            ("bob", &bob, "invite", vec![json!(1), json!("Cid")]),
            ("ann", &ann, "role_set", vec![json!(1), json!(bob_id), json!(3)]),
            ("ann", &ann, "role_set", vec![json!(1), json!(bob_id), json!(1)]),
            ("ann", &ann, "role_set", vec![json!(1), json!(cid_id), json!(3)]),
            ("ann", &ann, "role_set", vec![json!(1), json!(ann_id), json!(2)]),
            ("bob", &bob, "role_set", vec![json!(1), json!(ann_id), json!(2)]),
            ("bob", &bob, "kick", vec![json!(1), json!(ann_id)]),
            ("bob", &bob, "invite", vec![json!(1), json!("Cid")]),
            ("cid", &cid, "join", vec![json!("Night Watch")]),
            ("ann", &ann, "slow_set", vec![json!(1), json!(3_601)]),
            ("bob", &bob, "slow_set", vec![json!(1), json!(60)]),
            ("ann", &ann, "slow_set", vec![json!(1), json!(60)]),
            ("bob", &bob, "ban", vec![json!(1), json!(cid_id)]),
            ("bob", &bob, "ban", vec![json!(1), json!(cid_id)]),
            ("bob", &bob, "ban", vec![json!(1), json!(bob_id)]),
            ("bob", &bob, "ban", vec![json!(1), json!(7)]),
            ("bob", &bob, "ban", vec![json!(1), json!(ann_id)]),
            ("ann", &ann, "invite", vec![json!(1), json!("Cid")]),
            ("bob", &bob, "unban", vec![json!(1), json!(cid_id)]),
            ("bob", &bob, "unban", vec![json!(1), json!(cid_id)]),
            ("bob", &bob, "kick", vec![json!(1), json!(cid_id)]),
            ("bob", &bob, "delete", vec![json!(1)]),
            ("ann", &ann, "role_set", vec![json!(1), json!(bob_id), json!(4)]),
            ("bob", &bob, "leave", vec![json!(1)]),
            ("bob", &bob, "leave", vec![json!(1)]),
            ("ann", &ann, "leave", vec![json!(1)]),
            ("ann", &ann, "create", vec![json!("ab"), json!(true)]),
            ("ann", &ann, "create", vec![json!("The Blighter"), json!(true)]),
            ("ann", &ann, "create", vec![json!("Day Watch"), json!(true)]),
            ("cid", &cid, "join", vec![json!("Day Watch")]),
            ("ann", &ann, "delete", vec![json!(2)]),
        ];
        for (who, client, step, args) in steps {
            sequence += 1;
            let reducer = format!("chat_channel_{step}");
            story.call(who, client, &reducer, counted(&args, sequence)).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

/// A channel of five: its owner, a moderator, a member, an invited one and an outsider, each with
/// another of its kind to do it to.
struct Cast {
    channel_id: u64,
    people: Vec<(u64, Client)>,
}

const ROLES: [&str; 5] = ["outsider", "invited", "member", "moderator", "owner"];

async fn cast(database: &Database) -> Cast {
    unlimited(database).await;
    let mut people = vec![];
    for name in ["Outa", "Inva", "Mema", "Moda", "Owna", "Invb", "Memb", "Modb"] {
        let (_, id, client) =
            database.enter(&format!("{}@example.org", name.to_lowercase()), name).await;
        people.push((id, client));
    }
    Cast { channel_id: 0, people }
}

/// Makes the channel anew.
async fn make(cast: &mut Cast, name: &str) {
    cast.channel_id += 1;
    let channel = cast.channel_id;
    let owner = &cast.people[4].1;
    let does = |reducer: &'static str, args: Value| async move {
        call(owner, reducer, args).await.expect(reducer);
    };
    does("chat_channel_create", json!([name, false, next()])).await;
    for (index, person) in [1, 2, 3, 5, 6, 7].into_iter().enumerate() {
        let invited = ["Inva", "Mema", "Moda", "Invb", "Memb", "Modb"][index];
        does("chat_channel_invite", json!([channel, invited, next()])).await;
        if ![1, 5].contains(&person) {
            let joins = json!([name, next()]);
            call(&cast.people[person].1, "chat_channel_join", joins).await.expect("joined");
        }
    }
    for person in [3, 7] {
        let args = json!([channel, cast.people[person].0, 3, next()]);
        does("chat_channel_role_set", args).await;
    }
}

/// Every role does everything to every role that is not its own row; what is allowed is written
/// down as `rules::chat::roles` has it.
#[test]
fn every_role_may_what_the_matrix_says_and_nothing_else() {
    on_database(|database| async move {
        let mut cast = cast(&database).await;
        let letters = |number: u64| {
            let letter = |digit: u64| char::from(b'a' + u8::try_from(digit % 20).expect("small"));
            format!("Channel {}{}x", letter(number / 20), letter(number))
        };
        let mut shown = String::new();
        for action in [
            "speak",
            "history",
            "invite",
            "slow",
            "kick",
            "ban",
            "moderator",
            "owner",
            "leave",
            "delete",
        ] {
            for (role, name_of_role) in ROLES.iter().enumerate().take(5) {
                cast.channel_id = database.last(Numbered::ChatChannel).await;
                let name = letters(cast.channel_id);
                make(&mut cast, &name).await;
                let channel = cast.channel_id;
                let client = &cast.people[role].1;
                let over = |person: usize| cast.people[person].0;
                let mut marks = String::new();
                // The other moderator, member and invited one, in this order: what has put
                // somebody out is not done to it again.
                let on: &[usize] = match action {
                    "kick" | "ban" | "moderator" => &[7, 6, 5],
                    "owner" => &[7],
                    _ => &[0],
                };
                for target in on {
                    let (reducer, args) = match action {
                        "speak" => ("chat_say", json!([CHANNEL, channel, "hm", [], next()])),
                        "history" => ("chat_history", json!([CHANNEL, channel, 0, 1])),
                        "invite" => ("chat_channel_invite", json!([channel, "Outa", next()])),
                        "slow" => ("chat_channel_slow_set", json!([channel, 0, next()])),
                        "kick" => ("chat_channel_kick", json!([channel, over(*target), next()])),
                        "ban" => ("chat_channel_ban", json!([channel, over(*target), next()])),
                        "moderator" => {
                            ("chat_channel_role_set", json!([channel, over(*target), 3, next()]))
                        }
                        "owner" => {
                            ("chat_channel_role_set", json!([channel, over(*target), 4, next()]))
                        }
                        "leave" => ("chat_channel_leave", json!([channel, next()])),
                        _ => ("chat_channel_delete", json!([channel, next()])),
                    };
                    let outcome = call(client, reducer, args).await;
                    let mark = outcome.err().unwrap_or_else(|| "yes".to_owned());
                    let _ = write!(marks, " {}", mark.trim_start_matches("chat."));
                }
                let _ = writeln!(shown, "{action} by {name_of_role}:{marks}");
                call(&cast.people[4].1, "chat_channel_delete", json!([channel, next()])).await.ok();
                for person in &cast.people {
                    call(&person.1, "chat_channel_leave", json!([channel, next()])).await.ok();
                }
            }
        }
        insta::assert_snapshot!(shown);
    });
}

#[test]
fn a_roster_tells_of_those_alone_who_show_that_they_are_there() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, _, cid) = database.enter("cid@example.org", "Cid").await;
        call(&ann, "chat_channel_create", json!(["Night Watch", true, next()]))
            .await
            .expect("made");
        call(&bob, "chat_channel_join", json!(["Night Watch", next()])).await.expect("joined");
        call(&ann, "chat_channel_invite", json!([1, "Cid", next()])).await.expect("invited");
        // For everybody; the invited one is not told of all the same.
        for client in [&bob, &cid] {
            client.call("privacy_set", json!([1, 0])).await.expect("chosen");
        }
        let present = async || {
            call(&ann, "chat_channel_roster", json!([1])).await.expect("read");
            let roster = database.rows("chat_roster").await[0]["names"].clone();
            // Each is character, role, whether it is there, name.
            let names = roster.as_array().expect("names").iter();
            let names = names.filter(|row| row[2] == true).map(|row| row[3].to_string());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        };
        assert_eq!(present().await, ["\"Ann\"", "\"Bob\""]);
        for (reducer, args) in [
            ("presence_set", json!([4])),
            ("presence_set", json!([1])),
            ("privacy_set", json!([1, 1])),
        ] {
            bob.call(reducer, args.clone()).await.expect(reducer);
            let is_seen = args == json!([1]);
            assert_eq!(present().await.len(), 1 + usize::from(is_seen), "{reducer}{args}");
        }
    });
}

#[test]
fn channels_are_bounded_and_slow_where_the_owner_says_so() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_account, _, bob) = database.enter("bob@example.org", "Bob").await;
        for name in ["One here", "Two here", "Three here"] {
            let made = call(&ann, "chat_channel_create", json!([name, true, next()])).await;
            made.expect("made");
        }
        let made = call(&ann, "chat_channel_create", json!(["Four here", true, next()])).await;
        assert_eq!(made.expect_err("a fourth"), "chat.channels_owned");
        // Nor is she handed one; but she inherits it.
        call(&bob, "chat_channel_create", json!(["Four here", true, next()])).await.expect("made");
        call(&ann, "chat_channel_join", json!(["Four here", next()])).await.expect("joined");
        let handed = call(&bob, "chat_channel_role_set", json!([4, ann_id, 4, next()])).await;
        assert_eq!(handed.expect_err("a fourth"), "chat.channels_owned");
        call(&bob, "chat_channel_leave", json!([4, next()])).await.expect("left");
        let rows = database.rows("chat_member").await;
        let owned = rows.iter().filter(|row| row["character_id"] == ann_id && row["role"] == 4);
        assert_eq!(owned.count(), 4, "{rows:?}");
        call(&ann, "chat_channel_delete", json!([4, next()])).await.expect("deleted");
        call(&bob, "chat_channel_join", json!(["one HERE", next()])).await.expect("joined");
        let slow = json!([1, 3_600, next()]);
        call(&ann, "chat_channel_slow_set", slow).await.expect("slow");
        let speak = |text: &'static str| json!([CHANNEL, 1, text, [], next()]);
        call(&bob, "chat_say", speak("first")).await.expect("said");
        let refused = call(&bob, "chat_say", speak("second")).await;
        assert_eq!(refused.expect_err("too soon"), "chat.slow_mode");
        for text in ["mine", "mine too"] {
            call(&ann, "chat_say", speak(text)).await.expect("the owner does not wait");
        }
        assert_eq!(inbox(&database, bob_account).await, ["first", "mine", "mine too"]);
        call(&bob, "chat_channel_roster", json!([1])).await.expect("read");
        let roster = &database.rows("chat_roster").await[0];
        let names = roster["names"].as_array().expect("names");
        assert_eq!(names.len(), 2, "{roster}");
        let refused = call(&bob, "chat_channel_roster", json!([2])).await;
        assert_eq!(refused.expect_err("not in it"), "chat.channel_unknown");
        // Ten places of a character.
        let mut count = 1;
        for (index, person) in ["Cid", "Dag", "Eve", "Fay"].into_iter().enumerate() {
            let (_, _, other) =
                database.enter(&format!("{}@example.org", person.to_lowercase()), person).await;
            for number in 0..3 {
                let name = format!("Room {index} {number}");
                let made = call(&other, "chat_channel_create", json!([name, true, next()])).await;
                made.expect("made");
                let joined = call(&bob, "chat_channel_join", json!([name, next()])).await;
                count += 1;
                if count <= 10 {
                    joined.expect("room");
                } else {
                    assert_eq!(joined.expect_err("no room"), "chat.channels_too_many");
                }
            }
        }
        let channels = database.rows("chat_channel").await;
        database
            .run(&format!("UPDATE chat_channel SET members = 500 WHERE channel_id = {}", 2))
            .await;
        let (_, _, gus) = database.enter("gus@example.org", "Gus").await;
        let joined = call(&gus, "chat_channel_join", json!(["Two here", next()])).await;
        assert_eq!(joined.expect_err("full"), "chat.channel_full");
        assert!(channels.len() >= 3 && ann_id > 0);
    });
}

#[test]
fn who_is_deleted_is_made_no_owner() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_account, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, cid_id, cid) = database.enter("cid@example.org", "Cid").await;
        call(&ann, "chat_channel_create", json!(["Night Watch", true, next()]))
            .await
            .expect("made");
        for client in [&bob, &cid] {
            call(client, "chat_channel_join", json!(["Night Watch", next()]))
                .await
                .expect("joined");
        }
        // He would come first.
        call(&ann, "chat_channel_role_set", json!([1, bob_id, 3, next()])).await.expect("set");
        bob.call("character_leave", json!([])).await.expect("left");
        let args = json!([bob_account, bob_id]);
        database.owner.call("character_delete", args).await.expect("deleted");
        let handed = call(&ann, "chat_channel_role_set", json!([1, bob_id, 4, next()])).await;
        assert_eq!(handed.expect_err("deleted"), "chat.member_unknown");
        call(&ann, "chat_channel_leave", json!([1, next()])).await.expect("left");
        let rows = database.rows("chat_member").await;
        let owners = rows.iter().filter(|row| row["role"] == 4);
        let owners: Vec<_> = owners.map(|row| row["character_id"].clone()).collect();
        assert_eq!(owners, [json!(cid_id)], "{rows:?}");
        assert_eq!(rows.len(), 2, "he is a member still, if he is restored");
        // Where nobody else is left it goes.
        call(&cid, "chat_channel_leave", json!([1, next()])).await.expect("left");
        for table in ["chat_channel", "chat_member"] {
            assert!(database.rows(table).await.is_empty(), "{table}");
        }
    });
}

#[test]
fn what_many_hear_has_a_limit_of_the_realms_and_what_few_hear_has_none() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        call(&ann, "chat_channel_create", json!(["Town square", true, next()]))
            .await
            .expect("made");
        let mut others = vec![];
        let names = "Bob Cid Dag Eve Fay Gus Hal Ida Jon Kim Lea Max Nat Oda Pip Rex Sam Tor Una";
        for name in names.split(' ') {
            let email = format!("{}@example.org", name.to_lowercase());
            let (account_id, _, other) = database.enter(&email, name).await;
            let joined = call(&other, "chat_channel_join", json!(["Town square", next()])).await;
            joined.expect("joined");
            others.push((account_id, other));
        }
        let once_an_hour = json!([CROWD_LIMIT, 1, 3_600_000]);
        database.owner.call("chat_limit_set", once_an_hour).await.expect("set");
        let speak = |text: &'static str| json!([CHANNEL, 1, text, [], next()]);
        call(&ann, "chat_say", speak("first")).await.expect("said to twenty");
        // Whoever speaks: it is the realm's.
        for client in [&ann, &others[0].1] {
            let refused = call(client, "chat_say", speak("second")).await;
            assert_eq!(refused.expect_err("to twenty"), "chat.busy");
        }
        assert_eq!(database.rows("chat_log").await.len(), 1, "a refusal leaves nothing");
        // A shadow is answered like anybody.
        database.owner.call("chat_mute", json!(["Ann", 60, true, "spam"])).await.expect("muted");
        let refused = call(&ann, "chat_say", speak("second")).await;
        assert_eq!(refused.expect_err("to twenty"), "chat.busy");
        database.owner.call("chat_unmute", json!(["Ann"])).await.expect("heard again");
        // One less is no crowd, and what everybody may read is one row.
        let (gone, last) = others.pop().expect("the last");
        call(&last, "chat_channel_leave", json!([1, next()])).await.expect("left");
        call(&ann, "chat_say", speak("third")).await.expect("said to nineteen");
        call(&ann, "chat_say", json!([REALM, 0, "fourth", [], next()])).await.expect("said to all");
        assert_eq!(inbox(&database, others[0].0).await, ["first", "third"]);
        assert_eq!(inbox(&database, gone).await, ["first"]);
    });
}
