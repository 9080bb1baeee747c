//! Company through the SDK: a guild that talks and saves, a board, a party, friends, a word of
//! staff, and what a reconnect keeps.

use super::{hears, next_of, open, play, watch};
use crate::support::content::{set, srd};
use crate::support::{Database, on_database, owner_token, until};
use haven_client_sdk::rows::{Friend, NoticePersonal};
use haven_client_sdk::{BoardQuestion, BoardsEvent, Event, Events, FriendsEvent, GuildEvent};
use haven_client_sdk::{Haven, HavenError, NoticesEvent, PartyEvent, RealmClient, Topic};
use haven_engine::MODULE_WASM;
use haven_gateway::Gateway;
use haven_rules::chat::ChatKind;
use haven_rules::friends::State;
use haven_rules::parties::ReadyState;
use serde_json::json;

const GUILD: u8 = ChatKind::Guild.code();
const TOPICS: [Topic; 4] = [Topic::Goods, Topic::Guild, Topic::Chat, Topic::Boards];

/// Two players in a guild of the first.
struct Company {
    database: Database,
    gateway: Gateway,
    ann: RealmClient,
    ann_id: u64,
    bob: RealmClient,
    guild_id: u64,
}

impl Company {
    async fn found(database: Database) -> Self {
        let mut pack = srd();
        set(&mut pack, "guild_cost_copper", 1_000);
        set(&mut pack, "guild_tab_cost_copper", 500);
        database.put_in_force(&pack).await;
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        let (_, bob, bob_id) = play(&haven, "Bob").await;
        for realm in [&ann, &bob] {
            watch(realm, &TOPICS).await;
        }
        let command = json!({ "session": 7, "sequence": 1 });
        let args = json!([ann_id, 10_000, "for a test", command]);
        database.owner.call("coins_give", args).await.expect("given");

        let (mut ann_hears, mut bob_hears) = (ann.events(), bob.events());
        ann.guild().found("The Lamplighters").await.expect("founded");
        let guild_id = hears(&mut ann_hears, |event| match event {
            Event::Guild { what: GuildEvent::Membership(change), .. } => {
                change.came().map(|membership| membership.guild_id)
            }
            _ => None,
        })
        .await;
        watch(&ann, &[Topic::GuildRoster(guild_id)]).await;
        ann.guild().invite("Bob").await.expect("invited");
        let invited = hears(&mut bob_hears, |event| match event {
            Event::Guild { what: GuildEvent::Invite(change), .. } => {
                change.came().map(|invite| (invite.guild_id, invite.guild_name.clone()))
            }
            _ => None,
        })
        .await;
        assert_eq!(invited, (guild_id, "The Lamplighters".to_owned()));
        bob.guild().accept_invite(guild_id).await.expect("he joins");
        hears(&mut ann_hears, |event| match event {
            Event::Guild { what: GuildEvent::Member(change), .. } => {
                change.came().filter(|member| member.character_id == bob_id).map(|_| ())
            }
            _ => None,
        })
        .await;
        assert_eq!(ann.guild().members().len(), 2);
        assert!(bob.guild().invites().is_empty());
        Self { database, gateway, ann, ann_id, bob, guild_id }
    }

    async fn bank_copper(&self) -> u64 {
        let rows = self.database.rows("ledger_account").await;
        let is_bank = |row: &&serde_json::Value| row["kind"] == 5;
        let bank = rows.iter().find(is_bank);
        bank.and_then(|row| row["copper"].as_u64()).unwrap_or(0)
    }

    async fn end(self) {
        for player in [self.ann, self.bob] {
            player.disconnect().await;
        }
        self.gateway.stop().await;
    }
}

async fn says(realm: &RealmClient, text: &str) -> Result<(), HavenError> {
    realm.chat().say(GUILD, 0, text, vec![]).await
}

/// What is said next in the guild, and its number.
async fn next_said(events: &mut Events) -> (u64, String) {
    hears(events, |event| match event {
        Event::Chat { what, .. } => {
            let said = what.said().filter(|said| said.is_new)?;
            Some((said.message_id, said.text.to_owned()))
        }
        _ => None,
    })
    .await
}

#[test]
fn a_guild_is_founded_joined_talked_in_and_saved_for() {
    on_database(|database| async move {
        let company = Company::found(database).await;
        let Company { ann, bob, ann_id, .. } = &company;
        let mut heard = bob.events();
        let lines: Vec<String> = (1..=8).map(|number| format!("Line {number}")).collect();
        for line in &lines {
            says(ann, line).await.expect("said");
        }
        let mut last = 0;
        for line in &lines {
            let (message_id, text) = next_said(&mut heard).await;
            assert_eq!(&text, line, "in their order, none left out, none twice");
            assert!(message_id > last);
            last = message_id;
        }

        ann.guild().buy_tab().await.expect("bought");
        ann.guild().open_tab(0).await.expect("opened");
        ann.guild().put_coins(300).await.expect("saved");
        until("she sees the coins", || async {
            let windows = ann.guild().bank_windows();
            windows.iter().any(|window| window.copper == 300).then_some(())
        })
        .await;

        let boards = ann.boards().boards();
        let wealth = boards.iter().find(|board| board.key == "wealth").expect("a board");
        watch(ann, &[Topic::BoardTop(wealth.tree_id)]).await;
        until("she is on the page", || async {
            ann.boards().top().iter().any(|line| line.holder_id == *ann_id).then_some(())
        })
        .await;
        let mut answers = ann.events();
        ann.boards().ask("wealth", 0, BoardQuestion::Rank, 7).await.expect("asked");
        let rank = hears(&mut answers, |event| match event {
            Event::Boards { what: BoardsEvent::Answer(change), .. } => {
                change.is().filter(|answer| answer.request == 7).map(|answer| answer.rank)
            }
            _ => None,
        })
        .await;
        assert_eq!(rank, 1, "nobody has more");

        for (refused, code) in [
            (bob.guild().disband().await, "guild.leaders_only"),
            (bob.guild().kick(*ann_id).await, "guild.right_missing"),
            (bob.party().leave().await, "party.none"),
            (bob.friends().request("Nobody").await, "friend.player_unknown"),
            (bob.chat().leave_channel(9).await, "chat.channel_unknown"),
            (bob.boards().join("wealth").await, "leaderboard.join_unneeded"),
            (bob.notices().mark_read(9).await, "notice.unknown"),
        ] {
            assert_eq!(refused.expect_err(code).code(), code);
        }
        company.end().await;
    });
}

#[test]
fn a_reconnect_keeps_what_is_watched_and_does_a_held_command_once() {
    on_database(|database| async move {
        let company = Company::found(database).await;
        let Company { ann, bob, guild_id, .. } = &company;
        let mut heard = bob.events();
        says(ann, "Before").await.expect("said");
        let before = next_said(&mut heard).await;
        assert_eq!(before.1, "Before");
        let wallet = ann.goods().wallet_copper().expect("known");

        // A custom section changes the module's hash, and nothing else; all connections end.
        let mut changed = MODULE_WASM.to_vec();
        changed.extend([0, 5, 4, b'n', b'o', b't', b'e']);
        let token = owner_token(company.gateway.keys());
        let Database { stage, name, .. } = &company.database;
        let mut ann_hears = ann.events();
        haven_engine::publish(&stage.uri, name, &token, &changed).await.expect("published");
        // Whether it is sent before the connection breaks, meanwhile or after.
        ann.guild().put_coins(100).await.expect("done once");
        assert_eq!(company.bank_copper().await, 100);
        for events in [&mut ann_hears, &mut heard] {
            next_of(events, |event| matches!(event, Event::Reconnected { .. })).await;
        }
        until("her purse follows", || async {
            (ann.goods().wallet_copper() == Some(wallet - 100)).then_some(())
        })
        .await;
        assert_eq!(ann.guild().members().len(), 2);
        assert_eq!(bob.guild().memberships().first().map(|row| row.guild_id), Some(*guild_id));
        says(ann, "After").await.expect("said");
        let after = next_said(&mut heard).await;
        assert_eq!(after.1, "After", "what was told before is not told again");
        assert!(after.0 > before.0);
        company.end().await;
    });
}

/// Waits until somebody is a member of the listener's party.
async fn hears_member(events: &mut Events, character_id: u64) {
    hears(events, |event| match event {
        Event::Party { what: PartyEvent::Member(change), .. } => {
            change.came().filter(|member| member.character_id == character_id).map(|_| ())
        }
        _ => None,
    })
    .await;
}

/// Waits until the listener's ready check stands so.
async fn hears_check(events: &mut Events, state: ReadyState) {
    hears(events, |event| match event {
        Event::Party { what: PartyEvent::Party(change), .. } => {
            change.is().filter(|party| party.ready_state == state as u8).map(|_| ())
        }
        _ => None,
    })
    .await;
}

/// Waits until there is a friend or a request in that state.
async fn hears_friend(events: &mut Events, state: State) -> Friend {
    hears(events, |event| match event {
        Event::Friends { what: FriendsEvent::Friend(change), .. } => {
            change.is().filter(|friend| friend.state == state as u8).cloned()
        }
        _ => None,
    })
    .await
}

/// Waits for what is told to the listener alone, read by then or not.
async fn hears_notice(events: &mut Events, is_read: bool) -> NoticePersonal {
    hears(events, |event| match event {
        Event::Notices { what: NoticesEvent::Personal(change), .. } => {
            change.is().filter(|notice| notice.is_read == is_read).cloned()
        }
        _ => None,
    })
    .await
}

#[test]
fn a_party_a_friendship_and_a_word_of_staff_are_heard() {
    on_database(|database| async move {
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        let (_, bob, bob_id) = play(&haven, "Bob").await;
        for realm in [&ann, &bob] {
            watch(realm, &[Topic::Party, Topic::Friends, Topic::Notices]).await;
        }
        let (mut ann_hears, mut bob_hears) = (ann.events(), bob.events());

        ann.party().invite("Bob").await.expect("invited");
        let (invitation_id, by) = hears(&mut bob_hears, |event| match event {
            Event::Party { what: PartyEvent::Invitation(change), .. } => {
                let invitation = change.came().filter(|row| row.from_id == ann_id)?;
                Some((invitation.invitation_id, invitation.name.clone()))
            }
            _ => None,
        })
        .await;
        assert_eq!(by, "Ann");
        bob.party().answer(invitation_id, true).await.expect("he joins");
        hears_member(&mut ann_hears, bob_id).await;
        hears_member(&mut bob_hears, ann_id).await;
        ann.party().begin_ready_check().await.expect("asked");
        hears_check(&mut bob_hears, ReadyState::Going).await;
        bob.party().answer_ready_check(true).await.expect("answered");
        for events in [&mut ann_hears, &mut bob_hears] {
            hears_check(events, ReadyState::AllReady).await;
        }

        bob.friends().request("Ann").await.expect("asked");
        let request = hears_friend(&mut ann_hears, State::Asks).await;
        assert_eq!(request.name, "Bob");
        hears_friend(&mut bob_hears, State::Asked).await;
        ann.friends().answer(request.friend_id, true).await.expect("answered");
        for events in [&mut ann_hears, &mut bob_hears] {
            hears_friend(events, State::Friends).await;
        }

        let word = json!(["Bob", 4, "A word", "in private", 600]);
        database.owner.call("notice_send", word).await.expect("sent");
        let notice = hears_notice(&mut bob_hears, false).await;
        assert_eq!((&*notice.title, &*notice.body), ("A word", "in private"));
        bob.notices().mark_read(notice.notice_id).await.expect("read");
        hears_notice(&mut bob_hears, true).await;
        assert!(ann.notices().personal().is_empty(), "it is for nobody else");
        for player in [ann, bob] {
            player.disconnect().await;
        }
        gateway.stop().await;
    });
}
