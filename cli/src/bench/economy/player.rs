//! Who deals: a player with a socket of its own and a character in the world, whose calls are
//! numbered commands.
//!
//! Keeps true: numbers of a player rise, and at most half of what the database remembers of a
//! session is under way, as long as callers keep that few calls open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use haven_gateway::stdb::{Args, Link, LinkConfig};
use spacetimedb_lib::SpacetimeType;

use crate::bench::crowd::cast::Actor;
use crate::bench::server::Target;
use crate::setup::refused;

/// How long the database may take to accept a connection, and to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// The session that all commands are numbered in.
pub(super) const SESSION: u64 = 1;

/// The number of a command.
#[derive(Clone, Copy, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub(super) struct CommandId {
    pub(super) session: u64,
    pub(super) sequence: u64,
}

/// Commands of one session, in order.
#[derive(Debug, Default)]
pub(super) struct Commands(AtomicU64);

impl Commands {
    /// The next one.
    pub(super) fn next(&self) -> CommandId {
        let sequence = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        CommandId { session: SESSION, sequence }
    }
}

/// Somebody who deals.
pub(super) struct Player {
    pub(super) link: Link,
    pub(super) character_id: u64,
    commands: Commands,
}

impl Player {
    /// Connects and comes into the world.
    pub(super) async fn enter(target: &Target, actor: &Actor) -> anyhow::Result<Self> {
        let token = actor.token.clone();
        let source = Arc::new(move || Ok(token.clone()));
        let config = LinkConfig::new(&target.uri, &target.database, source);
        let link = Link::open(LinkConfig { call_timeout: CALL_TIMEOUT, ..config });
        ensure!(link.wait_connected(CONNECT_TIMEOUT).await, "a player cannot connect");
        let character_id = actor.character_id;
        let player = Self { link, character_id, commands: Commands::default() };
        player.call("character_enter", Args::new().with(&character_id)).await?;
        Ok(player)
    }

    /// The number of the next command.
    pub(super) fn command(&self) -> CommandId {
        self.commands.next()
    }

    /// Makes a call.
    pub(super) async fn call(&self, reducer: &str, args: Args) -> anyhow::Result<()> {
        call(&self.link, reducer, args).await
    }
}

/// Makes a call by a link.
pub(super) async fn call(link: &Link, reducer: &str, args: Args) -> anyhow::Result<()> {
    link.call(reducer, args).await.map_err(|error| refused(reducer, &error))
}
