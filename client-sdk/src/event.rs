//! What happens around a player, as it becomes known here.

use crate::error::HavenError;
use crate::fights::DecisionView;
use crate::kept::{
    BoardsEvent, ChatEvent, FriendsEvent, GoodsEvent, GuildEvent, MailEvent, MarketEvent,
    NoticesEvent, PartyEvent, TradeEvent,
};
use haven_rules::motion::Segment;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::broadcast;

/// How many events are kept for a listener that is behind.
pub(crate) const EVENTS_KEPT: usize = 4_096;

/// Something that stands in the world, as last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Unique across realms; a character's is the character's id.
    pub entity_id: u64,
    /// What it is: 1 character (`haven_rules::world::EntityKind`).
    pub kind: u8,
    /// The name to show.
    pub name: Arc<str>,
    /// The block it is in (`haven_rules::world::chunk_parts`).
    pub chunk_index: u64,
    /// Where it was and where it is heading; instants are the realm's.
    pub segment: Segment,
    /// Counts the courses applied to it.
    pub course_number: u32,
}

/// An event. `at` is when it became known here, after its rows were applied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Somebody came into view.
    Entered {
        /// Who, and where.
        seen: Seen,
        /// When it became known.
        at: Instant,
    },
    /// Somebody changed course or crossed a block border; the own character included.
    Moved {
        /// Who, and where to.
        seen: Seen,
        /// Whether it took up a new course; false when it merely goes on.
        course_changed: bool,
        /// Whether it is in another block than before.
        block_crossed: bool,
        /// When it became known.
        at: Instant,
    },
    /// Somebody left the world or went out of view.
    Left {
        /// Who, as last seen.
        seen: Seen,
        /// When it became certain: 100 ms after it was last seen.
        at: Instant,
    },
    /// Something was decided in a fight in view, by anybody; only while fights are watched.
    Decided {
        /// Who, what, to whom, and every die.
        decision: Arc<DecisionView>,
        /// When it became known.
        at: Instant,
    },
    /// Bags, stacks, coins, loot or vendors changed; while `Topic::Goods`, `Around` or `Vendor` is
    /// watched.
    Goods {
        /// Which row, and how.
        what: GoodsEvent,
        /// When it became known.
        at: Instant,
    },
    /// The market changed; `Topic::Market`, `Wares`, `MarketShelf`.
    Market {
        /// Which row, and how.
        what: MarketEvent,
        /// When it became known.
        at: Instant,
    },
    /// The own trade changed; `Topic::Trade`.
    Trade {
        /// Which row, and how.
        what: TradeEvent,
        /// When it became known.
        at: Instant,
    },
    /// The own letters changed; `Topic::Mail`.
    Mail {
        /// Which row, and how.
        what: MailEvent,
        /// When it became known.
        at: Instant,
    },
    /// The own guild or a roster changed; `Topic::Guild`, `GuildRoster`.
    Guild {
        /// Which row, and how.
        what: GuildEvent,
        /// When it became known.
        at: Instant,
    },
    /// The own party changed; `Topic::Party`.
    Party {
        /// Which row, and how.
        what: PartyEvent,
        /// When it became known.
        at: Instant,
    },
    /// Friends, blocks or choices changed; `Topic::Friends`.
    Friends {
        /// Which row, and how.
        what: FriendsEvent,
        /// When it became known.
        at: Instant,
    },
    /// Something was said, or changed about chat; `Topic::Chat`, `Channel`.
    Chat {
        /// Which row, and how.
        what: ChatEvent,
        /// When it became known.
        at: Instant,
    },
    /// Boards changed; `Topic::Boards`, `BoardTop`.
    Boards {
        /// Which row, and how.
        what: BoardsEvent,
        /// When it became known.
        at: Instant,
    },
    /// Notices or events of the world changed; `Topic::Notices`.
    Notices {
        /// Which row, and how.
        what: NoticesEvent,
        /// When it became known.
        at: Instant,
    },
    /// The own character is in another world than before, and everything around it is in view:
    /// it was let into an instance, or is back.
    WorldChanged {
        /// The world's number; 0 is the open world.
        world: u32,
        /// When everything around was in view.
        at: Instant,
    },
    /// The own character is in another region than before, or in its first one. Told as soon as
    /// the region's name is known, and not again for somebody who walks to and fro across its
    /// border.
    RegionEntered {
        /// World, region x and region y (`haven_rules::world::region_parts`).
        region_index: u64,
        /// Its name; empty where the world is flat.
        name: Arc<str>,
        /// When it became known.
        at: Instant,
    },
    /// The realm took the own character out of the world.
    OutOfWorld {
        /// When it became known.
        at: Instant,
    },
    /// Another connection of the account plays now. The client is closed; no event follows.
    TakenOver {
        /// When it became known.
        at: Instant,
    },
    /// The connection was lost; it is being restored.
    Disconnected {
        /// Why, for people.
        reason: String,
        /// When it became known.
        at: Instant,
    },
    /// The connection is restored, and so is the character if one was in the world.
    Reconnected {
        /// When everything was back.
        at: Instant,
    },
    /// The realm refused something nobody waited for.
    Refused {
        /// The stable code.
        code: String,
        /// A sentence for people.
        message: String,
        /// When the refusal arrived.
        at: Instant,
    },
    /// The client is closed because it cannot go on. No event follows.
    Closed {
        /// Why.
        error: HavenError,
        /// When.
        at: Instant,
    },
    /// The listener was too slow and missed that many events; `nearby` has how things are.
    Missed {
        /// How many.
        count: u64,
    },
}

/// A listener. It hears what happens from its creation on, 4,096 events of backlog at most.
pub struct Events {
    receiver: Option<broadcast::Receiver<Event>>,
}

impl Events {
    pub(crate) fn new(receiver: Option<broadcast::Receiver<Event>>) -> Self {
        Self { receiver }
    }

    /// The next event; none when the client is closed and all have been heard. May be cancelled.
    pub async fn next_event(&mut self) -> Option<Event> {
        match self.receiver.as_mut()?.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Event::Missed { count }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
