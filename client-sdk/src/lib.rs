//! What a game client uses to play in a Haven realm: log in, enter, walk, and watch who is near.
//!
//! [`Haven`] is a gateway, [`Session`] a login that keeps itself fresh, [`RealmClient`] a
//! connection to a realm that follows its player, predicts positions, and reconnects by itself.
//! Keeps true:
//! - positions are predicted by the very functions the realm decides with (`haven_rules::motion`),
//!   on the very ground (`haven_rules::world::terrain`, made here from the realm's recipe);
//! - the own character shows its newest input until the realm's row counts it or the realm has
//!   refused it; nobody is drawn jumping over a delay, and 150 ms after news of somebody came it is
//!   drawn where the realm has it, to the millimetre;
//! - the player is followed wherever its own row is: blocks around it are watched before those
//!   behind it are dropped, into instances and back;
//! - whoever moves between watched blocks is never reported as gone;
//! - what is decided in fights is told once, in order, with every die, to who watches them;
//! - of goods, letters, guilds, parties, friends, chat, boards and notices a game hears what it
//!   asks for by [`Topic`], row by row and typed; what is said is told once, in its order;
//! - a command, such as making a character, is done at most once, however often connections break
//!   meanwhile; what it was reported as done survives the host's end, however sudden;
//! - an account's token never leaves the session but to its gateway.
//!
//! Leaves out on purpose: drawing, input devices, storing secrets, and effects on anybody's pace,
//! which the realm tells no client: a prediction under one is corrected when the row comes.
//!
//! ```no_run
//! # async fn play() -> Result<(), haven_client_sdk::HavenError> {
//! use haven_client_sdk::{Event, Haven};
//!
//! let session = Haven::new("http://127.0.0.1:8080")?.login("ada@example.org", "password").await?;
//! let character = &session.characters().await?[0];
//! let realm = session.enter(character.realm_id).await?;
//! let mut events = realm.events();
//! realm.enter_world(character.character_id).await?;
//! realm.walk(1, 0).await?;
//! while let Some(event) = events.next_event().await {
//!     if let Event::Entered { seen, .. } = event {
//!         let position = realm.position_of(seen.entity_id, std::time::Instant::now());
//!         // Draw seen.name at position …
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! In company, with a handle for each domain (docs/SDK.md):
//!
//! ```no_run
//! # use haven_client_sdk::{HavenError, RealmClient};
//! # async fn company(realm: RealmClient) -> Result<(), HavenError> {
//! use haven_client_sdk::{Event, GuildEvent, Topic};
//!
//! let mut events = realm.events();
//! realm.watch(Topic::Guild).await?;
//! realm.watch(Topic::Chat).await?;
//! realm.guild().found("The Lamplighters").await?;
//! while let Some(event) = events.next_event().await {
//!     match event {
//!         Event::Guild { what: GuildEvent::Invite(change), .. } => {
//!             if let Some(invite) = change.came() {
//!                 println!("{} invites to {}", invite.by_name, invite.guild_name);
//!             }
//!         }
//!         Event::Chat { what, .. } => {
//!             if let Some(said) = what.said() {
//!                 println!("{}: {}", said.sender_name, said.text);
//!             }
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod clock;
mod commands;
mod driver;
mod error;
mod event;
mod fade;
mod fights;
mod handles;
mod haven;
mod http;
mod kept;
mod land;
mod link;
mod own;
mod realm;
mod regions;
mod retry;
mod ring;
mod scene;
mod session;
mod shared;
mod tokens;
mod wire;
mod world;
mod written;

/// The realm's public tables and player reducers as `spacetimedb-codegen` writes them: exactly what
/// `haven_engine::generate_player_bindings` answers for them. Never edited by hand.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
#[allow(rustdoc::broken_intra_doc_links, reason = "generated")]
#[rustfmt::skip]
pub mod module_bindings;

pub use error::HavenError;
pub use event::{Event, Events, Seen};
pub use fights::{BodyView, CastView, DecisionLine, DecisionView};
pub use handles::{
    BoardsHandle, ChatHandle, FriendsHandle, GoodsHandle, GuildHandle, LootHandle, MailHandle,
    MarketHandle, NoticesHandle, PartyHandle, TradeHandle, VendorsHandle,
};
pub use haven::Haven;
pub use haven_rules::motion::{Segment, SegmentEnd};
pub use haven_rules::world::terrain::{Biome, Block, Feature, FeatureKind};
pub use haven_rules::world::{Area, GroundClass};
pub use kept::{
    BoardsEvent, Change, ChatEvent, FriendsEvent, GoodsEvent, GuildEvent, MailEvent, MarketEvent,
    NoticesEvent, PartyEvent, Said, Topic, TradeEvent, rows,
};
pub use module_bindings::{
    AbilityAim, AimDirection, AimPoint, BoardQuestion, ChatLink, GuildEmblem, GuildGrant,
    MailAttachment,
};
pub use realm::RealmClient;
pub use regions::{InstanceView, LandmarkView, RegionView};
pub use retry::RetryPolicy;
pub use session::Session;
pub use shared::Traffic;
pub use wire::{Admission, Character, Realm};
pub use world::World;
