//! Notices and world events: personal, realm-wide, scheduled.

use crate::support::snapshot::Story;
use crate::support::{Database, now_micros, on_database, until};
use haven_rules::notices::schedule::Schedule;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

fn phases(seconds: &[u32]) -> Value {
    let named = seconds.iter().enumerate();
    named
        .map(|(index, seconds)| json!({ "seconds": seconds, "name": format!("Part {index}") }))
        .collect()
}

#[test]
fn notices_are_published_sent_read_and_taken_back() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let account_id = database.register("gm@example.org").await;
        let master = database.admit(account_id, "game_master").await;
        let long = "x".repeat(1_001);
        let mut story = Story::begin(&database).await;
        for (who, client, reducer, args) in [
            ("ann", &ann, "notice_publish", json!([1, "Hello", "", 600])),
            ("ann", &ann, "notice_send", json!(["Bob", 4, "Hello", "", 600])),
            ("ann", &ann, "notice_schedule", json!([1, "x", "", 60, 0, "@daily", "UTC", 0])),
            ("ann", &ann, "notice_cancel", json!([1])),
            ("ann", &ann, "world_event_begin", json!(["x", "", phases(&[1]), 0, "", ""])),
            ("ann", &ann, "world_event_end", json!([1])),
            ("master", &master, "notice_publish", json!([1, "A feast", "at\nnoon", 600])),
            ("master", &master, "notice_publish", json!([0, "A feast", "", 600])),
            ("master", &master, "notice_publish", json!([6, "A feast", "", 600])),
            ("master", &master, "notice_publish", json!([1, " ", "", 600])),
            ("master", &master, "notice_publish", json!([1, "A feast", long, 600])),
            ("master", &master, "notice_publish", json!([1, "A\nfeast", "", 600])),
            ("master", &master, "notice_publish", json!([1, "A feast", "", 9])),
            ("master", &master, "notice_publish", json!([1, "A feast", "", 2_592_001])),
            ("master", &master, "notice_send", json!(["Bob", 4, "A word", "in private", 600])),
            ("master", &master, "notice_send", json!(["Nobodyhere", 4, "A word", "", 600])),
            ("bob", &bob, "notice_read", json!([1])),
            ("bob", &bob, "notice_read", json!([1])),
            ("bob", &bob, "notice_read", json!([2])),
            ("bob", &bob, "notice_read", json!([2])),
            ("ann, of bob's", &ann, "notice_read", json!([2])),
            ("ann", &ann, "notice_read", json!([99])),
            ("master", &master, "notice_cancel", json!([2])),
            ("master", &master, "notice_cancel", json!([1])),
            ("master", &master, "notice_cancel", json!([1])),
        ] {
            story.call(who, client, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn plans_and_events_that_cannot_be_are_refused() {
    on_database(|database| async move {
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let ahead = now_micros() + DAY;
        let past = now_micros() - SECOND;
        for (at, pattern, zone, end) in [
            (ahead, "", "", 0),
            (0, "0 4 * * MON", "Europe/Berlin", 0),
            (0, "", "", 0),
            (past, "", "", 0),
            (ahead + 366 * DAY, "", "", 0),
            (ahead, "0 4 * * *", "UTC", 0),
            (ahead, "", "", ahead - 1),
            (0, "0 4 * *", "UTC", 0),
            (0, "0 4 * * *", "Mars", 0),
            (0, "0 0 30 2 *", "UTC", 0),
        ] {
            let args = json!([2, "Down soon", "", 600, at, pattern, zone, end]);
            story.call("owner", owner, "notice_schedule", args).await;
        }
        for (title, parts, at, pattern, zone) in [
            ("Siege", phases(&[3_600, 1_800]), 0, "", ""),
            ("Fair", phases(&[3_600]), ahead, "", ""),
            ("Market", phases(&[3_600]), 0, "0 4 * * SAT", "America/New_York"),
            ("", phases(&[1]), 0, "", ""),
            ("Siege", phases(&[]), 0, "", ""),
            ("Siege", phases(&[0]), 0, "", ""),
            ("Siege", phases(&[604_801]), 0, "", ""),
            ("Siege", phases(&[1; 11]), 0, "", ""),
            ("Siege", phases(&[1]), past, "", ""),
            ("Siege", phases(&[1]), 0, "x", "UTC"),
            ("Siege", phases(&[1]), 0, "0 4 * * *", "Mars"),
        ] {
            let args = json!([title, "", parts, at, pattern, zone]);
            story.call("owner", owner, "world_event_begin", args).await;
        }
        story.call("owner", owner, "notice_cancel", json!([1])).await;
        story.call("owner", owner, "world_event_end", json!([3])).await;
        story.call("owner", owner, "world_event_end", json!([3])).await;
        insta::assert_snapshot!(story.end());
        for number in 0..60 {
            let args = json!([1, format!("News {number}"), "", 600]);
            let done = owner.call("notice_publish", args).await;
            assert_eq!(done.is_ok(), number < 50, "{number}: {done:?}");
            if let Err(refused) = done {
                assert!(refused.starts_with("notice.too_many:"), "{refused}");
            }
        }
    });
}

/// Lets a plan look as if it had been due then.
async fn set_due(database: &Database, plan_id: u64, due_at_micros: i64) {
    let due_key = (u128::try_from(due_at_micros).expect("after 1970") << 64) | u128::from(plan_id);
    let change = format!("due_at_micros = {due_at_micros}, due_key = {due_key}");
    database.run(&format!("UPDATE notice_plan SET {change} WHERE plan_id = {plan_id}")).await;
}

/// Whatever time nothing ran for, changes of the clock among it: a plan is done once, for the last
/// time that has come, and waits for the next.
#[test]
fn what_was_due_while_nothing_ran_is_published_once_for_its_last_time() {
    on_database(|database| async move {
        let zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
        let patterns = ["0 4 * * *", "30 2 * * *", "*/15 * * * *", "0 0 1 * *", "30 1 * * SUN"];
        // A minute, a day, and back behind the changes of this autumn and this spring.
        let downtimes = [60 * SECOND, DAY, 60 * DAY, 300 * DAY];
        let mut expected = vec![];
        for (zone, pattern) in
            zones.iter().flat_map(|zone| patterns.map(|pattern| (*zone, pattern)))
        {
            let downtime = downtimes[expected.len() % downtimes.len()];
            let title = format!("{pattern} {zone}");
            let args = json!([1, title, "", 600, 0, pattern, zone, 0]);
            database.owner.call("notice_schedule", args).await.expect("planned");
            let plans = database.rows("notice_plan").await;
            let plan = plans.iter().find(|row| row["title"] == title).expect("a plan");
            let schedule = Schedule::new(pattern, zone).expect("a schedule");
            // The time it was waited for when everything stopped.
            let missed = schedule.next_after_micros(now_micros() - downtime).expect("a time");
            let plan_id = plan["plan_id"].as_u64().expect("a number");
            if missed < now_micros() {
                set_due(&database, plan_id, missed).await;
                expected.push((title, schedule, Some(missed)));
            } else {
                expected.push((title, schedule, None));
            }
        }
        let count = expected.iter().filter(|(_, _, missed)| missed.is_some()).count();
        assert!(count > 10, "{count} were missed");
        until("all that was missed is published", || async {
            (database.rows("notice").await.len() >= count).then_some(())
        })
        .await;
        let ticks = now_micros();
        until("the timer has run again, more than once", || async {
            (now_micros() - ticks > 3 * SECOND / 2).then_some(())
        })
        .await;
        let notices = database.rows("notice").await;
        let plans = database.rows("notice_plan").await;
        for (title, schedule, missed) in &expected {
            let of_it: Vec<_> = notices.iter().filter(|row| row["title"] == **title).collect();
            let plan = plans.iter().find(|row| row["title"] == **title).expect("it goes on");
            let Some(missed) = missed else {
                assert!(of_it.is_empty(), "{title}: {of_it:?}");
                continue;
            };
            assert_eq!(of_it.len(), 1, "{title}: once, however many were missed: {of_it:?}");
            let instant = |row: &Value, column: &str| row[column].as_i64().expect("an instant");
            let (due, published) =
                (instant(of_it[0], "due_at_micros"), instant(of_it[0], "published_at_micros"));
            assert_eq!(schedule.last_up_to_micros(published), Some(due), "{title}");
            assert!(due >= *missed && due <= published, "{title}");
            assert_eq!(plan["times"], 1, "{title}");
            let next = instant(plan, "due_at_micros");
            assert_eq!(schedule.next_after_micros(published), Ok(next), "{title}");
        }
    });
}

#[test]
fn what_is_planned_for_one_time_comes_at_it_and_is_done() {
    on_database(|database| async move {
        let at = now_micros() + SECOND;
        let args = json!([2, "Down soon", "", 600, at, "", "", 0]);
        database.owner.call("notice_schedule", args).await.expect("planned");
        let rows = until("it is published", || async {
            let rows = database.rows("notice").await;
            (!rows.is_empty()).then_some(rows)
        })
        .await;
        let published = rows[0]["published_at_micros"].as_i64().expect("an instant");
        assert_eq!(rows[0]["due_at_micros"], at);
        assert!((at..at + 2 * SECOND).contains(&published), "{} late", published - at);
        assert!(database.rows("notice_plan").await.is_empty(), "it does not come again");
    });
}

/// Fifty notices are shown, and two plans come due in one run of the timer.
#[test]
fn plans_that_are_due_together_do_not_take_each_others_place() {
    on_database(|database| async move {
        for number in 0..50 {
            let args = json!([1, format!("News {number}"), "", 600]);
            database.owner.call("notice_publish", args).await.expect("published");
        }
        let at = now_micros() + 2 * SECOND;
        // They expire before all others.
        for title in ["One", "Two", "Three"] {
            let args = json!([2, title, "", 60, at, "", "", 0]);
            database.owner.call("notice_schedule", args).await.expect("planned");
        }
        until("they are published", || async {
            database.rows("notice_plan").await.is_empty().then_some(())
        })
        .await;
        let rows = database.rows("notice").await;
        let titles: Vec<_> = rows.iter().filter_map(|row| row["title"].as_str()).collect();
        assert_eq!(titles.len(), 50);
        for title in ["One", "Two", "Three", "News 3", "News 49"] {
            assert!(titles.contains(&title), "{title}: {titles:?}");
        }
        for title in ["News 0", "News 1", "News 2"] {
            assert!(!titles.contains(&title), "{title}: it would have expired first");
        }
    });
}

#[test]
fn notices_expire_with_their_marks() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        database.owner.call("notice_publish", json!([1, "News", "", 600])).await.expect("1");
        let word = json!(["Ann", 4, "A word", "", 600]);
        database.owner.call("notice_send", word).await.expect("2");
        for notice in [1, 2] {
            ann.call("notice_read", json!([notice])).await.expect("read");
        }
        database.run("UPDATE notice SET expiry_key = 18446744073709551617").await;
        database.run("UPDATE notice_personal SET expiry_key = 18446744073709551618").await;
        until("all of it is gone", || async {
            let mut left = 0;
            for table in ["notice", "notice_personal", "notice_mark", "notice_gone"] {
                left += database.rows(table).await.len();
            }
            (left == 0).then_some(())
        })
        .await;
    });
}

#[test]
fn an_event_goes_through_its_phases_and_ends() {
    on_database(|database| async move {
        let args = json!(["Siege", "To the walls", phases(&[1, 1]), 0, "", ""]);
        database.owner.call("world_event_begin", args).await.expect("begun");
        let row = &database.rows("world_event").await[0];
        let instant = |row: &Value, column: &str| row[column].as_i64().expect("an instant");
        assert_eq!((row["phase"].as_u64(), row["phase_name"].as_str()), (Some(1), Some("Part 0")));
        let began = instant(row, "began_at_micros");
        assert_eq!(instant(row, "ends_at_micros"), began + SECOND);
        let row = until("the second phase", || async {
            let rows = database.rows("world_event").await;
            rows.into_iter().find(|row| row["phase"] == 2)
        })
        .await;
        assert_eq!(instant(&row, "began_at_micros"), began + SECOND, "by the clock, not the timer");
        assert_eq!(instant(&row, "ends_at_micros"), began + 2 * SECOND);
        until("the event is over", || async {
            let left = database.rows("world_event_plan").await.len();
            (left == 0 && database.rows("world_event").await.is_empty()).then_some(())
        })
        .await;
        let args = json!(["Market", "", phases(&[60]), 0, "* * * * *", "UTC"]);
        database.owner.call("world_event_begin", args).await.expect("begun");
        let row = &database.rows("world_event").await[0];
        assert_eq!(row["phase"], 0, "it is waited for");
        let plan = &database.rows("world_event_plan").await[0];
        let begins = instant(plan, "begins_at_micros");
        assert_eq!(instant(row, "ends_at_micros"), begins);
    });
}

#[test]
fn a_stranger_sees_nothing_of_what_is_for_somebody_else() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        let personal = ["SELECT * FROM notice_personal", "SELECT * FROM notice_mark"];
        ann.subscribe(&personal).await;
        bob.subscribe(&personal).await;
        let word = json!(["Ann", 4, "marzipan", "in private", 600]);
        database.owner.call("notice_send", word).await.expect("1");
        database.owner.call("notice_publish", json!([1, "For all", "", 600])).await.expect("2");
        for notice in [1, 2] {
            ann.call("notice_read", json!([notice])).await.expect("read");
        }
        database.run("UPDATE notice_personal SET expiry_key = 18446744073709551617").await;
        until("it is gone", || async {
            database.rows("notice_personal").await.is_empty().then_some(())
        })
        .await;
        bob.subscribe(&["SELECT * FROM notice WHERE audience = 0"]).await;
        database.owner.call("notice_publish", json!([1, "the end", "", 600])).await.expect("3");
        until("what is for all came", || async {
            let came = Value::Array(bob.messages()).to_string().contains("the end");
            came.then_some(())
        })
        .await;
        let seen = Value::Array(bob.messages()).to_string();
        assert!(!seen.contains("marzipan") && !seen.contains("mark_key"), "{seen}");
        assert!(Value::Array(ann.messages()).to_string().contains("marzipan"));
        for (number, table) in ["notice_plan", "world_event_plan", "notice_gone"].iter().enumerate()
        {
            bob.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": 900 + number, "query_id": { "id": 900 + number },
            }}));
        }
        until("private tables are refused", || async {
            let messages = bob.messages();
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            (messages.iter().filter(refused).count() == 3).then_some(())
        })
        .await;
    });
}
