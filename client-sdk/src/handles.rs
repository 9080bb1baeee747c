//! What a player does with goods and in company, one handle for each domain.
//!
//! Keeps true: a call that takes a command's number at the realm is a command here: done once,
//! however often the connection breaks meanwhile, and answered when it is on the realm's disk.
//! Other calls are answered when the realm has run them.
//! Leaves out on purpose: what calls lead to, which is told as events and stands in rows.

/// Declares a handle.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Besides what each call names: the codes of an admission that ended (`realm.…`), of the
        /// connection (`client.…`), and of commands (`command.…`); after `client.timeout` a
        /// command may still be done.
        #[derive(Clone, Copy)]
        pub struct $name<'a> {
            pub(crate) realm: &'a crate::realm::RealmClient,
        }
    };
}

/// Declares what a handle shows of a table: its rows that are known, in the order of their keys.
macro_rules! snapshots {
    ($($(#[$doc:meta])* $name:ident = $table:ident: $row:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self) -> Vec<Arc<$row>> {
                self.realm.kept(|kept| kept.$table.rows().cloned().collect())
            }
        )*
    };
}

mod boards;
mod chat;
mod friends;
mod goods;
mod guild;
mod loot;
mod mail;
mod market;
mod notices;
mod party;
mod trade;
mod vendors;

pub use boards::BoardsHandle;
pub use chat::ChatHandle;
pub use friends::FriendsHandle;
pub use goods::GoodsHandle;
pub use guild::GuildHandle;
pub use loot::LootHandle;
pub use mail::MailHandle;
pub use market::MarketHandle;
pub use notices::NoticesHandle;
pub use party::PartyHandle;
pub use trade::TradeHandle;
pub use vendors::VendorsHandle;
