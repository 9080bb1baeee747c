//! Where walkers walk: a database that is laid out, surveyed and filled.
//!
//! Keeps true: the land is made before anybody walks on it; both ways have the same land, and find
//! places in it by the same numbers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use haven_gateway::stdb::{Args, Link, LinkConfig};
use haven_gateway::tokens::owner_token;
use haven_rules::world::terrain::{OPEN_SEED, SHIPPED};
use haven_rules::world::{OPEN_WORLD, SURVEY_BLOCKS_MAX};

use super::case::Way;
use crate::bench::server::Target;
use crate::config::WorldSection;
use crate::setup::refused;

/// The database of the module that is compared with.
const BENCH_DATABASE: &str = "haven-bench";
/// How long a call may take; the engine lets a reducer run for about a minute.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the database may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Lifetime of the token a module is published with, seconds.
const PUBLISH_TOKEN_SECONDS: u64 = 600;
/// Walkers made by one call: few enough that the tick runs in between.
const AT_ONCE: u32 = 5_000;
/// The seed of the first walkers; later ones count on.
const FIRST_SEED: u64 = 100;

/// The shipped recipe.
pub(super) fn recipe() -> &'static str {
    SHIPPED[0].1
}

/// A database with land in it.
pub(super) struct Stage {
    pub(super) way: Way,
    pub(super) database: String,
    link: Link,
    blocks: u32,
    /// Walkers that were asked for so far.
    walkers: u32,
}

impl Stage {
    /// Haven's own database, or that of the module beside it, published for this.
    pub(super) async fn open(target: &Target, way: Way, blocks: u32) -> anyhow::Result<Self> {
        let database = match way {
            Way::Segments => target.database.clone(),
            Way::Rewritten => {
                let token = owner_token(&target.keys, &target.issuer, PUBLISH_TOKEN_SECONDS)?;
                let module = haven_engine::BENCH_MODULE_WASM;
                haven_engine::publish(&target.uri, BENCH_DATABASE, &token, module).await?;
                BENCH_DATABASE.to_owned()
            }
        };
        let keys = Arc::clone(&target.keys);
        let config = LinkConfig::owner(&target.uri, &database, keys, &target.issuer);
        let link = Link::open(LinkConfig { call_timeout: CALL_TIMEOUT, ..config });
        if !link.wait_connected(CONNECT_TIMEOUT).await {
            let reason = link.last_failure().unwrap_or_else(|| "no answer".to_owned());
            bail!("the database {database} cannot be reached: {reason}");
        }
        Ok(Self { way, database, link, blocks, walkers: 0 })
    }

    /// Lays the land out, and has everybody walk at that speed.
    pub(super) async fn lay_out(&self, speed_mm_per_s: i32) -> anyhow::Result<()> {
        match self.way {
            Way::Segments => {
                let world = self.world(speed_mm_per_s)?;
                self.call("world_configure", Args::new().with(&world.definition())).await?;
                let land = Args::new().with(&OPEN_WORLD).with(&OPEN_SEED).with(recipe());
                self.call("world_terrain_set", land).await?;
                let vigil = Args::new().with(&OPEN_WORLD).with(&true);
                self.call("world_vigil_set", vigil).await
            }
            Way::Rewritten => {
                let world = Args::new().with(&OPEN_SEED).with(recipe()).with(&self.blocks);
                self.call("world_set", world.with(&speed_mm_per_s)).await
            }
        }
    }

    /// Makes all of the land.
    pub(super) async fn survey(&self) -> anyhow::Result<()> {
        match self.way {
            Way::Segments => self.survey_world().await,
            Way::Rewritten => {
                for row in 0..self.blocks {
                    self.call("world_survey", Args::new().with(&row)).await?;
                }
                Ok(())
            }
        }
    }

    async fn survey_world(&self) -> anyhow::Result<()> {
        let (first, end) = self.edges()?;
        for block_y in first..end {
            let mut block_x = first;
            while block_x < end {
                let blocks_x = u32::try_from(end - block_x)?.min(SURVEY_BLOCKS_MAX);
                let from = Args::new().with(&OPEN_WORLD).with(&block_x).with(&block_y);
                self.call("world_survey", from.with(&blocks_x).with(&1_u32)).await?;
                block_x += i32::try_from(blocks_x)?;
            }
        }
        Ok(())
    }

    /// Lets walkers appear until there are so many, some few less where there is no place for them.
    pub(super) async fn fill(&mut self, walkers: u32) -> anyhow::Result<()> {
        let (first, _) = self.edges()?;
        while self.walkers < walkers {
            let count = (walkers - self.walkers).min(AT_ONCE);
            let seed = FIRST_SEED + u64::from(self.walkers);
            match self.way {
                Way::Segments => {
                    let from = Args::new().with(&OPEN_WORLD).with(&first).with(&first);
                    let args = from.with(&self.blocks).with(&count).with(&seed);
                    self.call("wanderer_spawn", args).await?;
                }
                Way::Rewritten => {
                    let args = Args::new().with(&count).with(&seed);
                    self.call("walkers_spawn", args).await?;
                }
            }
            self.walkers += count;
        }
        Ok(())
    }

    /// Calls a reducer as the owner.
    pub(super) async fn call(&self, reducer: &str, args: Args) -> anyhow::Result<()> {
        self.link.call(reducer, args).await.map_err(|error| refused(reducer, &error))
    }

    /// Ends the connection.
    pub(super) async fn close(self) {
        self.link.close().await;
    }

    /// The first block along either axis, and the one past the last.
    fn edges(&self) -> anyhow::Result<(i32, i32)> {
        let half = i32::try_from(self.blocks / 2).context("a world that wide")?;
        Ok((-half, half))
    }

    fn world(&self, walk_speed_mm_per_s: i32) -> anyhow::Result<WorldSection> {
        let (first, end) = self.edges()?;
        Ok(WorldSection {
            min_block_x: first,
            min_block_y: first,
            max_block_x: end,
            max_block_y: end,
            walk_speed_mm_per_s,
            obstacles: Vec::new(),
            ..WorldSection::default()
        })
    }
}
