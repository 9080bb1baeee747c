//! Guilds, parties and blocks: who hears whom.

use super::{
    CHANNEL, GUILD, OFFICER, PARTY, RAID, REALM, SAY, WHISPER, YELL, call, inbox, next, say,
    unlimited,
};
use crate::support::client::Client;
use crate::support::content::{set, srd};
use crate::support::{Database, on_database};
use haven_rules::friends::What;
use serde_json::{Value, json};

struct Hero {
    account_id: u64,
    id: u64,
    client: Client,
}

async fn hero(database: &Database, name: &str) -> Hero {
    let (account_id, id, client) =
        database.enter(&format!("{}@example.org", name.to_lowercase()), name).await;
    Hero { account_id, id, client }
}

/// Ann leads a guild and a party with Bob, and has a channel with him; Cid has nothing of that.
async fn company(database: &Database) -> [Hero; 3] {
    let mut pack = srd();
    set(&mut pack, "guild_cost_copper", 0);
    database.put_in_force(&pack).await;
    unlimited(database).await;
    let (ann, bob) = (hero(database, "Ann").await, hero(database, "Bob").await);
    let cid = hero(database, "Cid").await;
    let does = async |hero: &Hero, reducer: &str, args: Value| {
        call(&hero.client, reducer, args).await.expect(reducer);
    };
    does(&ann, "guild_found", json!(["Quiet Oak", next()])).await;
    does(&ann, "guild_member_invite", json!(["Bob"])).await;
    let guild = database.rows("guild_member").await[0]["guild_id"].clone();
    does(&bob, "guild_invite_accept", json!([guild])).await;
    does(&ann, "party_invite", json!(["Bob"])).await;
    let invitation = database.rows("party_invitation").await[0].clone();
    does(&bob, "party_answer", json!([invitation["invitation_id"], true])).await;
    does(&ann, "chat_channel_create", json!(["Night Watch", true, next()])).await;
    does(&bob, "chat_channel_join", json!(["Night Watch", next()])).await;
    [ann, bob, cid]
}

#[test]
fn guilds_and_parties_hear_their_own_and_nobody_else_does() {
    on_database(|database| async move {
        let [ann, bob, cid] = company(&database).await;
        for (kind, text) in [(GUILD, "to the guild"), (OFFICER, "to officers"), (PARTY, "to us")] {
            say(&ann.client, kind, text).await.expect(text);
        }
        assert_eq!(say(&ann.client, RAID, "x").await.expect_err("none"), "chat.not_participant");
        let refused = say(&bob.client, OFFICER, "x").await;
        assert_eq!(refused.expect_err("no officer"), "chat.not_allowed");
        say(&bob.client, GUILD, "a member's").await.expect("a member speaks");
        assert_eq!(
            inbox(&database, ann.account_id).await,
            ["to the guild", "to officers", "to us", "a member's"],
        );
        let bobs = inbox(&database, bob.account_id).await;
        assert_eq!(bobs, ["to the guild", "to us", "a member's"]);
        assert!(inbox(&database, cid.account_id).await.is_empty());
        for kind in [GUILD, OFFICER, PARTY, RAID] {
            let refused = call(&cid.client, "chat_history", json!([kind, 0, 0, 9])).await;
            assert_eq!(refused.expect_err("a stranger"), "chat.not_participant", "{kind}");
        }
        let refused = call(&bob.client, "chat_history", json!([OFFICER, 0, 0, 9])).await;
        assert_eq!(refused.expect_err("no officer"), "chat.not_allowed");
        // Who is put out reads no more of it.
        call(&ann.client, "guild_member_kick", json!([bob.id])).await.expect("put out");
        for (reducer, args) in [
            ("chat_say", json!([GUILD, 0, "x", [], next()])),
            ("chat_history", json!([GUILD, 0, 0, 9])),
            ("chat_read", json!([GUILD, 0, 1])),
        ] {
            let refused = call(&bob.client, reducer, args).await.expect_err(reducer);
            assert_eq!(refused, "chat.not_participant", "{reducer}");
        }
        let refused = call(&bob.client, "chat_edit", json!([4, "x", next()])).await;
        assert_eq!(refused.expect_err("he is out"), "chat.message_unknown");
        assert!(database.rows("chat_message").await.is_empty(), "none of it is read by all");
    });
}

#[test]
fn who_has_blocked_the_sender_since_keeps_the_old_words() {
    on_database(|database| async move {
        let [ann, bob, _] = company(&database).await;
        for (kind, channel) in [(GUILD, 0), (PARTY, 0), (CHANNEL, 1)] {
            let args = json!([kind, channel, "before", [], next()]);
            call(&ann.client, "chat_say", args).await.expect("said");
        }
        // The other one's copy is 4, her own 5.
        let args = json!(["Bob", "before", [], next()]);
        call(&ann.client, "chat_whisper", args).await.expect("whispered");
        let keep_out = json!([What::Whispers as u8, 2]);
        call(&bob.client, "privacy_set", keep_out).await.expect("chosen");
        call(&ann.client, "chat_edit", json!([5, "after", next()])).await.expect("changed");
        assert_eq!(inbox(&database, bob.account_id).await, ["before"; 4], "whispers are for none");
        call(&ann.client, "chat_edit", json!([1, "between", next()])).await.expect("changed");
        let bobs = inbox(&database, bob.account_id).await;
        assert_eq!(bobs, ["between", "before", "before", "before"]);
        call(&bob.client, "block_add", json!(["Ann"])).await.expect("blocked");
        for message in [1, 2, 3] {
            let args = json!([message, "after", next()]);
            call(&ann.client, "chat_edit", args).await.expect("she sees no difference");
        }
        assert_eq!(inbox(&database, bob.account_id).await, bobs);
        assert_eq!(inbox(&database, ann.account_id).await, ["after"; 4]);
    });
}

/// Whoever is kept out is answered as if it had invited; who is invited so meets nothing of it.
#[test]
fn an_invitation_that_is_not_seen_is_one_for_its_sender_alone() {
    on_database(|database| async move {
        let [ann, bob, cid] = company(&database).await;
        call(&bob.client, "block_add", json!(["Ann"])).await.expect("blocked");
        for (name, is_open) in [("Other Watch", false), ("Third Watch", true)] {
            let made = json!([name, is_open, next()]);
            call(&ann.client, "chat_channel_create", made).await.expect("made");
        }
        for channel in [2, 3] {
            for name in ["Bob", "Cid"] {
                let invites = json!([channel, name, next()]);
                call(&ann.client, "chat_channel_invite", invites).await.expect("invited");
                let again = json!([channel, name, next()]);
                let refused = call(&ann.client, "chat_channel_invite", again).await;
                assert_eq!(refused.expect_err("again"), "chat.already_member", "{name}");
            }
        }
        call(&ann.client, "chat_channel_roster", json!([2])).await.expect("read");
        let roster = database.rows("chat_roster").await[0]["names"].clone();
        let names = roster.as_array().expect("names");
        // Each is character, role, whether it is there, name.
        let mut listed: Vec<(&str, u64)> = names
            .iter()
            .map(|row| (row[3].as_str().expect("a name"), row[1].as_u64().expect("a role")))
            .collect();
        listed.sort_unstable();
        assert_eq!(listed, [("Ann", 4), ("Bob", 1), ("Cid", 1)]);
        // For Bob it is as if nobody had invited him.
        for (reducer, args) in [
            ("chat_channel_join", json!(["Other Watch", next()])),
            ("chat_channel_leave", json!([2, next()])),
            ("chat_channel_roster", json!([2])),
            ("chat_channel_leave", json!([3, next()])),
        ] {
            let refused = call(&bob.client, reducer, args).await.expect_err(reducer);
            assert_eq!(refused, "chat.channel_unknown", "{reducer}");
        }
        let joins = json!(["Third Watch", next()]);
        call(&bob.client, "chat_channel_join", joins).await.expect("it is open");
        call(&cid.client, "chat_channel_join", json!(["Other Watch", next()]))
            .await
            .expect("joined");
        let rows = database.rows("chat_member").await;
        let bobs: Vec<_> = rows.iter().filter(|row| row["character_id"] == bob.id).collect();
        let seen = bobs.iter().filter(|row| row["role"] != 0).count();
        assert_eq!((bobs.len(), seen), (3, 2), "{bobs:?}");
        let counts = database.rows("chat_channel").await;
        let is_sound = |row: &Value| row["channel_id"] == 1 || row["members"] == 3;
        assert!(counts.iter().all(is_sound), "{counts:?}");
    });
}

#[test]
fn what_a_shadow_changes_it_alone_sees_changed() {
    on_database(|database| async move {
        let [ann, bob, _] = company(&database).await;
        say(&ann.client, GUILD, "before").await.expect("1");
        say(&ann.client, REALM, "before").await.expect("2");
        let args = json!(["Bob", "before", [], next()]);
        call(&ann.client, "chat_whisper", args).await.expect("3 and 4");
        let mute = json!(["Ann", 3_600, true, "spam"]);
        database.owner.call("chat_mute", mute).await.expect("muted");
        say(&ann.client, PARTY, "before").await.expect("5");
        for message in [1, 2, 4, 5] {
            let args = json!([message, "after", next()]);
            call(&ann.client, "chat_edit", args).await.expect("she sees no difference");
        }
        assert_eq!(inbox(&database, ann.account_id).await, ["after"; 3]);
        assert_eq!(inbox(&database, bob.account_id).await, ["before"; 2]);
        let shared = database.rows("chat_message").await;
        let said: Vec<_> = shared.iter().map(|row| row["text"].clone()).collect();
        assert_eq!(said, ["before"]);
        call(&bob.client, "chat_history", json!([GUILD, 0, 0, 9])).await.expect("a page");
        let pages = database.rows("chat_page").await;
        assert!(!Value::Array(pages).to_string().contains("after"), "nor in histories");
    });
}

/// Every way to reach somebody through chat, where that one has blocked the sender: the sender sees
/// no difference, and nothing comes.
#[test]
fn nothing_of_who_is_blocked_comes_by_any_way() {
    on_database(|database| async move {
        let [ann, bob, _] = company(&database).await;
        let whispered = json!(["Bob", "before", [], next()]);
        call(&ann.client, "chat_whisper", whispered).await.expect("whispered");
        assert_eq!(inbox(&database, bob.account_id).await, ["before"]);
        call(&bob.client, "block_add", json!(["Ann"])).await.expect("blocked");
        for (reducer, args) in [
            ("chat_whisper", json!(["Bob", "after", [], next()])),
            ("chat_say", json!([SAY, 0, "after", [], next()])),
            ("chat_say", json!([YELL, 0, "after", [], next()])),
            ("chat_say", json!([GUILD, 0, "after", [], next()])),
            ("chat_say", json!([PARTY, 0, "after", [], next()])),
            ("chat_say", json!([CHANNEL, 1, "after", [], next()])),
            // The message that had come before is changed for its sender alone.
            ("chat_edit", json!([2, "after", next()])),
        ] {
            call(&ann.client, reducer, args).await.expect("it sees no difference");
        }
        let made = json!(["Other Watch", false, next()]);
        call(&ann.client, "chat_channel_create", made).await.expect("made");
        let invites = json!([2, "Bob", next()]);
        call(&ann.client, "chat_channel_invite", invites).await.expect("nor here");
        assert_eq!(inbox(&database, bob.account_id).await, ["before"]);
        assert_eq!(inbox(&database, ann.account_id).await.len(), 7);
        let members = database.rows("chat_member").await;
        let bobs: Vec<_> = members.iter().filter(|row| row["character_id"] == bob.id).collect();
        let shown = bobs.iter().filter(|row| row["viewer"] == bobs[0]["viewer"]).count();
        assert_eq!((bobs.len(), shown), (2, 1), "the invitation is for none to see: {members:?}");
        for (kind, channel) in [(WHISPER, 0), (GUILD, 0), (PARTY, 0), (CHANNEL, 1), (REALM, 0)] {
            let page = json!([kind, channel, 0, 50]);
            call(&bob.client, "chat_history", page).await.expect("a page");
            let pages = database.rows("chat_page").await;
            let own = pages.iter().find(|row| row["account_id"] == bob.account_id);
            let lines = own.expect("a page")["lines"].as_array().expect("lines").clone();
            assert!(lines.is_empty(), "{kind}: {lines:?}");
        }
        bob.client.call("character_leave", json!([])).await.expect("left");
        let again = json!(["Bob", "while away", [], next()]);
        call(&ann.client, "chat_whisper", again).await.expect("nor now");
        bob.client.call("character_enter", json!([bob.id])).await.expect("entered");
        let cursors = database.rows("chat_cursor").await;
        let own: Vec<_> = cursors.iter().filter(|row| row["character_id"] == bob.id).collect();
        assert!(own.is_empty(), "nothing is unread: {own:?}");
    });
}
