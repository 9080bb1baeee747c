//! Guilds, parties and blocks: who hears whom.

use super::{
    CHANNEL, GUILD, OFFICER, PARTY, RAID, REALM, SAY, WHISPER, YELL, call, inbox, next, say,
    unlimited,
};
use crate::support::client::Client;
use crate::support::content::{set, srd};
use crate::support::{Database, on_database};
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
        let others = members.iter().filter(|row| row["channel_id"] == 2).count();
        assert_eq!(others, 1, "no invitation: {members:?}");
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
