//! Who asks whom: invitations, requests, bans and charters, and what ends by itself.

use super::{Hall, Hero};
use crate::friends::shown;
use crate::support::content::set;
use crate::support::{on_database, until};
use haven_rules::guilds::log::Line;
use serde_json::{Value, json};

#[test]
fn of_two_guilds_that_invite_somebody_the_first_one_accepted_has_him() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        let elm = hall.found(&bob, "Loud Elm").await;
        ann.does("guild_member_invite", json!(["Cid"])).await;
        bob.does("guild_member_invite", json!(["Cid"])).await;
        assert_eq!(hall.count("guild_invite").await, 2);
        let (one, other) = tokio::join!(
            cid.tries("guild_invite_accept", json!([elm])),
            cid.tries("guild_invite_accept", json!([oak])),
        );
        assert_eq!((one.as_str(), other.as_str()), ("ok", "guild.has_guild"));
        assert_eq!(hall.member(&cid).await["guild_id"], elm);
        assert_eq!(hall.count("guild_invite").await, 0, "the other one is over");
        cid.does("guild_leave", json!([])).await;
        let answer = cid.tries("guild_invite_accept", json!([oak])).await;
        assert_eq!(answer, "guild.invite_unknown");
    });
}

#[test]
fn invitations_that_cannot_be_are_refused() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| set(pack, "guild_members_base", 2)).await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        for (name, code) in [
            ("Nobody", "guild.target_unknown"),
            ("", "guild.target_unknown"),
            ("x".repeat(10_000).as_str(), "guild.target_unknown"),
            ("ann", "guild.has_guild"),
        ] {
            assert_eq!(ann.tries("guild_member_invite", json!([name])).await, code, "{name}");
        }
        for guild_id in [oak, 0, u64::MAX] {
            for reducer in ["guild_invite_accept", "guild_invite_decline"] {
                let answer = bob.tries(reducer, json!([guild_id])).await;
                assert_eq!(answer, "guild.invite_unknown", "{reducer} {guild_id}");
            }
        }
        ann.does("guild_member_invite", json!(["BOB"])).await;
        ann.does("guild_member_invite", json!(["Bob"])).await;
        assert_eq!(hall.count("guild_invite").await, 1, "the same again");
        ann.does("guild_member_invite", json!(["Cid"])).await;
        bob.does("guild_invite_accept", json!([oak])).await;
        assert_eq!(cid.tries("guild_invite_accept", json!([oak])).await, "guild.full");
        cid.does("guild_invite_decline", json!([oak])).await;
        cid.does("guild_request_send", json!([oak, "Let me in"])).await;
        assert_eq!(ann.tries("guild_request_accept", json!([cid.id])).await, "guild.full");
        assert_eq!(ann.tries("guild_invite_revoke", json!([cid.id])).await, "guild.invite_unknown");
        ann.does("guild_member_invite", json!(["Cid"])).await;
        ann.does("guild_invite_revoke", json!([cid.id])).await;
        assert_eq!(hall.count("guild_invite").await, 0);
    });
}

#[test]
fn what_is_asked_is_bounded() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        // Invitations of other guilds, as many as there may be.
        let other = u128::from(bob.id) << 64;
        let columns = "invite_key, guild_key, due_key, viewer, character_id, guild_id, \
                       ends_at_micros, is_silent, guild_name, by_name, name";
        for number in 1..=10_u128 {
            let guild = 1_000 + number;
            let (key, guild_key, due) =
                (other | guild, (guild << 64) | u128::from(bob.id), (1_u128 << 120) + number);
            let zero = "0".repeat(64);
            let values = format!(
                "{key}, {guild_key}, {due}, 0x{zero}, {}, {guild}, 9000000000000000000, {}, \
                 'Elm', 'Eve', 'Bob'",
                bob.id,
                number == 10
            );
            hall.insert("guild_invite", columns, &values).await;
        }
        ann.does("guild_member_invite", json!(["Bob"])).await;
        ann.does("guild_invite_revoke", json!([bob.id])).await;
        hall.sql("UPDATE guild_invite SET is_silent = false WHERE guild_id = 1010").await;
        let answer = ann.tries("guild_member_invite", json!(["Bob"])).await;
        assert_eq!(answer, "guild.invites_too_many");
        let columns = "request_key, guild_key, due_key, viewer, character_id, guild_id, \
                       ends_at_micros, guild_name, name, text";
        for number in 1..=3 {
            let guild = 2_000 + number;
            let values = format!(
                "{}, {}, {}, 0x{}, {}, {guild}, 9000000000000000000, 'Elm', 'Bob', ''",
                other | guild,
                (guild << 64) | u128::from(bob.id),
                (1_u128 << 120) + number,
                "0".repeat(64),
                bob.id,
            );
            hall.insert("guild_request", columns, &values).await;
        }
        let answer = bob.tries("guild_request_send", json!([oak, ""])).await;
        assert_eq!(answer, "guild.requests_too_many");
    });
}

#[test]
fn what_is_asked_ends_by_itself() {
    on_database(|database| async move {
        // Full, so that trying changes nothing as long as it is open.
        let hall = Hall::open(database, |pack| {
            set(pack, "guild_invite_seconds", 5);
            set(pack, "guild_members_base", 1);
        })
        .await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        ann.does("guild_member_invite", json!(["Bob"])).await;
        cid.does("guild_request_send", json!([oak, "Please"])).await;
        let invite = async || bob.tries("guild_invite_accept", json!([oak])).await;
        let request = async || ann.tries("guild_request_accept", json!([cid.id])).await;
        assert_eq!(invite().await, "guild.full");
        assert_eq!(request().await, "guild.full");
        until("neither can be answered any more", || async {
            let over = (invite().await == "guild.invite_unknown")
                && (request().await == "guild.request_unknown");
            over.then_some(())
        })
        .await;
        until("both are gone", || async {
            (hall.count("guild_invite").await + hall.count("guild_request").await == 0)
                .then_some(())
        })
        .await;
    });
}

#[test]
fn who_may_answer_a_request_is_told_of_it_once() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid, zoe] = hall.heroes(["Ann", "Bob", "Cid", "Zoe"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        for hero in [&bob, &cid] {
            hall.join(&ann, hero).await;
        }
        ann.does("guild_leader_add", json!([bob.id])).await;
        bob.does("block_add", json!(["Zoe"])).await;
        ann.does("character_leave", json!([])).await;
        let notices = async || {
            let viewers = hall.database.rows("account_viewer").await;
            let told = hall.database.rows("notice_personal").await.into_iter().map(|row| {
                let viewer = viewers.iter().find(|viewer| viewer["viewer"] == row["viewer"]);
                let account_id = viewer.expect("admitted")["account_id"].as_u64();
                (account_id.expect("a number"), row["title"].clone())
            });
            let mut told: Vec<_> = told.collect();
            told.sort_by_key(|(account_id, _)| *account_id);
            told
        };
        let title = json!("Zoe asks to join Quiet Oak");
        for _ in 0..2 {
            zoe.does("guild_request_send", json!([oak, "Please"])).await;
            zoe.does("guild_request_send", json!([oak, "Pretty please"])).await;
            let told = notices().await;
            assert_eq!(told, [(ann.account_id, title.clone())], "away, and not twice");
            zoe.does("guild_request_cancel", json!([oak])).await;
        }
        // Who may not answer is told nothing, until he may.
        ann.does("character_enter", json!([ann.id])).await;
        ann.does("guild_leader_add", json!([cid.id])).await;
        zoe.does("guild_request_send", json!([oak, "Please"])).await;
        let expected = [ann.account_id, cid.account_id].map(|id| (id, title.clone()));
        assert_eq!(notices().await, expected);
        // What was read is told anew.
        let rows = hall.database.rows("notice_personal").await;
        let own = rows.iter().filter_map(|row| row["notice_id"].as_u64()).min();
        ann.does("notice_read", json!([own])).await;
        zoe.does("guild_request_cancel", json!([oak])).await;
        zoe.does("guild_request_send", json!([oak, "Please"])).await;
        assert_eq!(notices().await.len(), 3);
    });
}

#[test]
fn whoever_is_muted_writes_nothing_and_of_a_shadow_nobody_hears() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, zoe] = hall.heroes(["Ann", "Bob", "Zoe"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        let owner = &hall.database.owner;
        for name in ["Ann", "Bob"] {
            let args = json!([name, 3_600, false, "for a test"]);
            owner.call("chat_mute", args).await.expect("muted");
        }
        for (hero, reducer, args) in [
            (&ann, "guild_message_set", json!(["Hello"])),
            (&ann, "guild_note_set", json!([ann.id, "Hello"])),
            (&ann, "guild_officer_note_set", json!([ann.id, "Hello"])),
            (&bob, "guild_request_send", json!([oak, "Hello"])),
        ] {
            assert_eq!(hero.tries(reducer, args).await, "chat.muted", "{reducer}");
        }
        // Taking away says nothing, nor does asking without words.
        ann.does("guild_message_set", json!([""])).await;
        bob.does("guild_request_send", json!([oak, ""])).await;
        ann.does("guild_request_refuse", json!([bob.id])).await;
        let told = hall.count("notice_personal").await;

        let args = json!(["Zoe", 3_600, true, "for a test"]);
        owner.call("chat_mute", args).await.expect("muted as a shadow");
        zoe.does("guild_request_send", json!([oak, "Hello"])).await;
        assert_eq!(hall.count("guild_request").await, 1, "the shadow sees its own");
        assert_eq!(hall.count("notice_personal").await, told, "nobody is told");
        ann.does("guild_list_show", json!([3, 0])).await;
        assert_eq!(hall.count("guild_page").await, 0, "nor is it listed");
        let answer = ann.tries("guild_request_accept", json!([zoe.id])).await;
        assert_eq!(answer, "guild.request_unknown");
        owner.call("chat_unmute", json!(["Zoe"])).await.expect("heard again");
        ann.does("guild_request_accept", json!([zoe.id])).await;
    });
}

#[test]
fn whoever_is_muted_gives_no_names_and_a_shadow_speaks_to_itself() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, zoe] = hall.heroes(["Ann", "Bob", "Zoe"]).await;
        hall.found(&ann, "Quiet Oak").await;
        hall.join(&ann, &bob).await;
        let owner = &hall.database.owner;
        let mute = |name: &str, is_shadow: bool| json!([name, 3_600, is_shadow, "for a test"]);
        let grant = json!({
            "rights": 1, "tab_rights": 0, "items_per_day": [0, 0, 0, 0, 0, 0], "copper_per_day": 0,
        });
        for (is_shadow, code) in [(false, "chat.muted"), (true, "chat.word_refused")] {
            for name in ["Ann", "Zoe"] {
                owner.call("chat_mute", mute(name, is_shadow)).await.expect("muted");
            }
            for (hero, reducer, args) in [
                (&ann, "guild_rank_add", json!(["Loud", 1])),
                (&ann, "guild_rank_change", json!([4, "Loud", grant])),
                (&zoe, "guild_charter_open", json!(["Loud Elm"])),
                (&zoe, "guild_found", json!(["Loud Elm", zoe.next()])),
            ] {
                assert_eq!(hero.tries(reducer, args).await, code, "{reducer}");
            }
        }
        // What a rank may do is no word.
        let ranks = hall.database.rows("guild_rank").await;
        let lowest = ranks.iter().find(|row| row["rank"] == 4).expect("the lowest");
        ann.does("guild_rank_change", json!([4, lowest["name"], grant])).await;

        // Ann is a shadow now: she sees what she writes, and nobody else does.
        ann.does("guild_message_set", json!(["Hello"])).await;
        ann.does("guild_note_set", json!([bob.id, "Hello"])).await;
        ann.does("guild_officer_note_set", json!([bob.id, "Hello"])).await;
        assert_eq!(hall.count("guild_message").await + hall.count("guild_note").await, 0);
        let shown = hall.database.rows("guild_membership").await;
        let message = |hero: &Hero| {
            let row = shown.iter().find(|row| row["character_id"] == hero.id);
            row.expect("a member")["message"].clone()
        };
        assert_eq!((message(&ann), message(&bob)), (json!("Hello"), json!("")));
        let log = hall.database.rows("guild_log").await;
        assert!(!log.iter().any(|row| row["line"] == Line::Message as u8), "{log:?}");
    });
}

#[test]
fn whoever_is_banned_is_sent_away_with_all_his_characters_and_cannot_come_back() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [leader, officer, veteran, member, _]) = hall.ladder().await;
        let twin = hall.database.create(member.account_id, "Dorothy").await;
        for (name, code) in [
            ("Nobody", "guild.target_unknown"),
            ("Bob", "guild.target_self"),
            ("Ann", "guild.rank_too_high"),
        ] {
            assert_eq!(officer.tries("guild_member_ban", json!([name])).await, code, "{name}");
        }
        // By the name of a character that is no member.
        officer.does("guild_member_ban", json!(["Dorothy"])).await;
        officer.does("guild_member_ban", json!(["Dora"])).await;
        assert!(hall.member(&member).await.is_null());
        assert_eq!(hall.guild(oak).await["members"], 4);
        for name in ["Dora", "Dorothy"] {
            let answer = officer.tries("guild_member_invite", json!([name])).await;
            assert_eq!(answer, "guild.banned", "{name}");
        }
        let answer = member.tries("guild_request_send", json!([oak, "Sorry"])).await;
        assert_eq!(answer, "guild.banned");
        // A character of a banned account that ranks above protects the whole account.
        leader.does("guild_leader_add", json!([veteran.id])).await;
        let alt = hall.database.create(veteran.account_id, "Cidney").await;
        assert!(alt > 0);
        let answer = officer.tries("guild_member_ban", json!(["Cidney"])).await;
        assert_eq!(answer, "guild.rank_too_high");
        assert_eq!(officer.tries("guild_member_unban", json!([1])).await, "guild.ban_unknown");
        officer.does("guild_member_unban", json!([twin])).await;
        member.does("guild_request_send", json!([oak, "Thanks"])).await;
        officer.does("guild_request_accept", json!([member.id])).await;
        assert_eq!(hall.member(&member).await["guild_id"], oak);
        let columns = "ban_key, guild_id, at_micros, character_id, name, by_name";
        for account in 0..100_u128 {
            let key = (u128::from(oak) << 64) | (1_000_000 + account);
            let values = format!("{key}, {oak}, 0, {}, 'X', 'Y'", 500 + account);
            hall.insert("guild_ban", columns, &values).await;
        }
        let answer = officer.tries("guild_member_ban", json!(["Dora"])).await;
        assert_eq!(answer, "guild.bans_too_many");
    });
}

#[test]
fn a_charter_needs_signatures_of_different_accounts() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| set(pack, "guild_signatures_min", 2)).await;
        let [ann, bob, cid, eve] = hall.heroes(["Ann", "Bob", "Cid", "Eve"]).await;
        let found = |name: &str| json!([name, ann.next()]);
        let answer = ann.tries("guild_found", found("Quiet Oak")).await;
        assert_eq!(answer, "guild.signatures_missing");
        assert_eq!(ann.tries("guild_charter_withdraw", json!([])).await, "guild.charter_unknown");
        assert_eq!(bob.tries("guild_charter_sign", json!(["Ann"])).await, "guild.charter_unknown");
        ann.does("guild_charter_open", json!(["Quiet Oak"])).await;
        assert_eq!(ann.tries("guild_charter_sign", json!(["Ann"])).await, "guild.target_self");
        bob.does("guild_charter_sign", json!(["Ann"])).await;
        bob.does("guild_charter_sign", json!(["Ann"])).await;
        let answer = ann.tries("guild_found", found("Quiet Oak")).await;
        assert_eq!(answer, "guild.signatures_missing", "one signed twice");
        cid.does("guild_charter_sign", json!(["Ann"])).await;
        assert_eq!(eve.tries("guild_charter_sign", json!(["Ann"])).await, "guild.charter_full");
        let answer = ann.tries("guild_found", found("Other Oak")).await;
        assert_eq!(answer, "guild.signatures_missing", "of another name");
        let charters = hall.database.rows("guild_charter").await;
        assert_eq!(charters[0]["signatures"], 2);
        ann.does("guild_found", found("quiet-oak")).await;
        let members = hall.database.rows("guild_member").await;
        assert_eq!(members.len(), 3, "who signed is a member");
        assert_eq!(hall.count("guild_charter").await + hall.count("guild_signature").await, 0);
        // A charter that is opened anew is empty, and one that is withdrawn is gone.
        eve.does("guild_charter_open", json!(["Loud Elm"])).await;
        eve.does("guild_charter_open", json!(["Loud Ash"])).await;
        assert_eq!(hall.count("guild_charter").await, 1);
        let answer = bob.tries("guild_charter_sign", json!(["Eve"])).await;
        assert_eq!(answer, "guild.has_guild");
        eve.does("guild_charter_withdraw", json!([])).await;
        assert_eq!(hall.count("guild_charter").await, 0);
    });
}

#[test]
fn a_block_takes_the_blocked_ones_invitation_out_of_sight() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        let elm = hall.found(&bob, "Loud Elm").await;
        for hero in [&ann, &bob] {
            hero.does("guild_member_invite", json!(["Cid"])).await;
        }
        cid.does("block_add", json!(["Ann"])).await;
        let rows = hall.database.rows("guild_invite").await;
        let silent = |guild_id: u64| {
            let row = rows.iter().find(|row| row["guild_id"] == guild_id).expect("it is there");
            row["is_silent"].clone()
        };
        assert_eq!((silent(oak), silent(elm)), (json!(true), json!(false)));
        for reducer in ["guild_invite_accept", "guild_invite_decline"] {
            assert_eq!(cid.tries(reducer, json!([oak])).await, "guild.invite_unknown");
        }
        // The one who is blocked sees no change.
        ann.does("guild_list_show", json!([4, 0])).await;
        assert_eq!(hall.count("guild_page").await, 1);
        cid.does("guild_invite_accept", json!([elm])).await;
    });
}

#[test]
fn who_is_blocked_reaches_nobody_and_cannot_tell() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| set(pack, "guild_signatures_min", 2)).await;
        let [ann, bob, cid, eve] = hall.heroes(["Ann", "Bob", "Cid", "Eve"]).await;
        ann.does("guild_charter_open", json!(["Quiet Oak"])).await;
        for hero in [&bob, &eve] {
            hero.does("guild_charter_sign", json!(["Ann"])).await;
        }
        ann.does("guild_found", json!(["Quiet Oak", ann.next()])).await;
        let oak = hall.member(&ann).await["guild_id"].clone();
        cid.does("block_add", json!(["Ann"])).await;
        cid.player.subscribe(&["SELECT * FROM guild_invite"]).await;
        for _ in 0..2 {
            ann.does("guild_member_invite", json!(["Cid"])).await;
        }
        assert_eq!(hall.count("guild_invite").await, 1, "it counts for the guild");
        ann.does("guild_list_show", json!([4, 0])).await;
        assert_eq!(hall.count("guild_page").await, 1, "and is listed like any other");
        for reducer in ["guild_invite_accept", "guild_invite_decline"] {
            assert_eq!(cid.tries(reducer, json!([oak])).await, "guild.invite_unknown");
        }
        assert!(!format!("{:?}", cid.player.messages()).contains("Quiet Oak"));
        // By somebody else of the guild it is shown.
        ann.does("guild_leader_add", json!([bob.id])).await;
        bob.does("guild_member_invite", json!(["Cid"])).await;
        // The blocked one cannot take that away by inviting once more.
        ann.does("guild_member_invite", json!(["Cid"])).await;
        let invites = hall.database.rows("guild_invite").await;
        assert_eq!((invites.len(), &invites[0]["by_name"]), (1, &json!("Bob")));
        cid.does("guild_invite_accept", json!([oak])).await;
        // Signatures of whom the founder has blocked count for nothing, silently.
        eve.does("guild_leave", json!([])).await;
        eve.does("guild_charter_open", json!(["Loud Elm"])).await;
        eve.does("block_add", json!(["Cid"])).await;
        cid.does("guild_leave", json!([])).await;
        for _ in 0..2 {
            cid.does("guild_charter_sign", json!(["Eve"])).await;
        }
        let charters = hall.database.rows("guild_charter").await;
        assert_eq!((charters.len(), &charters[0]["signatures"]), (1, &json!(0)));
        // Not even when others have filled it: who has signed has signed.
        let [dan, fay, gil] = hall.heroes(["Dan", "Fay", "Gil"]).await;
        for hero in [&dan, &fay] {
            hero.does("guild_charter_sign", json!(["Eve"])).await;
        }
        assert_eq!(gil.tries("guild_charter_sign", json!(["Eve"])).await, "guild.charter_full");
        cid.does("guild_charter_sign", json!(["Eve"])).await;
        eve.does("guild_found", json!(["Loud Elm", eve.next()])).await;
        assert_eq!(hall.member(&cid).await, Value::Null, "it counts for nothing");
    });
}

/// Whatever is shown of a character by its name: to friends, its party and guilds.
#[test]
fn a_name_that_staff_takes_away_is_shown_no_more() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid, dan] = hall.heroes(["Ann", "Bob", "Cid", "Dan"]).await;
        let database = &hall.database;
        let tie = async |account_id: u64, name: &str| {
            let rows = shown(database, "friend", account_id).await;
            let row = rows.iter().find(|row| row["name"] == name);
            row.unwrap_or_else(|| panic!("{name} in {rows:?}"))["friend_id"].clone()
        };
        // A friend, one who asks her, and one whom she asks.
        bob.does("friend_request", json!(["Ann"])).await;
        let asks = tie(ann.account_id, "Bob").await;
        ann.does("friend_answer", json!([asks, true])).await;
        cid.does("friend_request", json!(["Ann"])).await;
        ann.does("friend_request", json!(["Dan"])).await;
        ann.does("party_invite", json!(["Bob"])).await;
        let invitations = shown(database, "party_invitation", bob.account_id).await;
        bob.does("party_answer", json!([invitations[0]["invitation_id"], true])).await;
        // She invites for her guild, and writes; he is invited, and asks another one.
        hall.found(&ann, "Quiet Oak").await;
        ann.does("guild_message_set", json!(["Raid at eight."])).await;
        ann.does("guild_member_invite", json!(["Cid"])).await;
        let elm = hall.found(&dan, "Loud Elm").await;
        cid.does("guild_request_send", json!([elm, "Please"])).await;
        let rows_with = async |name: &str| {
            let mut tables = vec![];
            for table in [
                "character",
                "entity",
                "friend",
                "friend_presence",
                "guild_invite",
                "guild_member",
                "guild_membership",
                "guild_message",
                "guild_request",
                "party_member",
            ] {
                for row in database.rows(table).await {
                    let mut fields = row.as_object().expect("a row").values();
                    if fields.any(|value| value == name) {
                        tables.push(table);
                    }
                }
            }
            tables
        };
        let shown_before = [rows_with("Ann").await, rows_with("Cid").await];
        for (hero, name) in [(&ann, "Annabel"), (&cid, "Cidric")] {
            let args = json!([hero.id, name]);
            database.owner.call("character_rename", args).await.expect("renamed");
        }
        assert!(rows_with("Ann").await.is_empty() && rows_with("Cid").await.is_empty());
        assert_eq!([rows_with("Annabel").await, rows_with("Cidric").await], shown_before);
        let [of_ann, of_cid] = shown_before;
        let count = |tables: &[&str], table: &str| tables.iter().filter(|of| **of == table).count();
        // What Bob, Cid and Dan have of her, and what she has of Cid.
        assert_eq!((count(&of_ann, "friend"), count(&of_cid, "friend")), (3, 1));
        assert_eq!(count(&of_ann, "friend_presence"), 1);
        assert_eq!(count(&of_ann, "party_member"), 2, "of both members");
        assert_eq!((count(&of_ann, "guild_invite"), count(&of_cid, "guild_invite")), (1, 1));
        assert_eq!(count(&of_cid, "guild_request"), 1);
    });
}
