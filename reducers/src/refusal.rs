//! The error of every reducer: one domain's refusal, shown as `code: sentence`.

use haven_rules::accounts::AccountError;
use haven_rules::characters::CharacterError;
use haven_rules::chat::ChatError;
use haven_rules::combat::aim::CombatError;
use haven_rules::commands::CommandError;
use haven_rules::content::versions::ContentError;
use haven_rules::economy::EconomyError;
use haven_rules::economy::market::MarketError;
use haven_rules::friends::FriendError;
use haven_rules::guilds::GuildError;
use haven_rules::instances::InstanceError;
use haven_rules::items::ItemError;
use haven_rules::leaderboards::LeaderboardError;
use haven_rules::mail::MailError;
use haven_rules::motion::MotionError;
use haven_rules::notices::NoticeError;
use haven_rules::npcs::NpcError;
use haven_rules::parties::PartyError;
use haven_rules::realms::RealmError;
use haven_rules::world::WorldError;
use std::fmt;

macro_rules! refusals {
    ($($variant:ident($error:ty)),*) => {
        /// Why a reducer refused its caller. Nothing was changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $(#[doc = concat!("A refusal of [`", stringify!($error), "`].")] $variant($error),)*
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(error) => error.fmt(formatter),)*
                }
            }
        }

        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

refusals!(
    Account(AccountError),
    Realm(RealmError),
    Character(CharacterError),
    World(WorldError),
    Motion(MotionError),
    Combat(CombatError),
    Npc(NpcError),
    Item(ItemError),
    Economy(EconomyError),
    Market(MarketError),
    Mail(MailError),
    Guild(GuildError),
    Party(PartyError),
    Friend(FriendError),
    Chat(ChatError),
    Leaderboard(LeaderboardError),
    Instance(InstanceError),
    Notice(NoticeError),
    Command(CommandError),
    Content(ContentError)
);
