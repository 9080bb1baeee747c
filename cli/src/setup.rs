//! Making a database what the configuration says: published, upgraded, configured, listed.
//!
//! Keeps true: every step can be repeated; after the last one the database is ready to play in.

use anyhow::Context;
use haven_engine::PublishOutcome;
use haven_gateway::stdb::{Args, CallError, Link, reducers};
use haven_rules::world::{OPEN_WORLD, block_of_mm};

use crate::config::{Config, recipe_text};
use crate::content;
use crate::owner::Owner;

/// How far around the spawn land is made before anybody enters, blocks.
const SURVEYED_BLOCKS: i32 = 6;

/// A database and what realm it is to be.
#[derive(Clone, Debug)]
pub(crate) struct RealmPlan {
    /// Where this process reaches the host.
    pub(crate) server: String,
    /// Where players reach the host.
    pub(crate) public_uri: String,
    pub(crate) database: String,
    pub(crate) realm_id: u16,
    pub(crate) name: String,
    pub(crate) capacity: u32,
    pub(crate) is_home: bool,
}

impl RealmPlan {
    /// The home database, as configured, at a host.
    pub(crate) fn home(config: &Config, server: &str) -> Self {
        Self {
            server: server.to_owned(),
            public_uri: config.realm.uri.clone().unwrap_or_else(|| server.to_owned()),
            database: config.database.name.clone(),
            realm_id: config.realm.id,
            name: config.realm.name.clone(),
            capacity: config.realm.capacity,
            is_home: true,
        }
    }
}

/// Publishes a module and lets it bring timers and the like up to date.
pub(crate) async fn publish(
    owner: &Owner,
    server: &str,
    database: &str,
    wasm: &[u8],
) -> anyhow::Result<(PublishOutcome, Link)> {
    let token = owner.request_token()?;
    let outcome = haven_engine::publish(server, database, &token, wasm).await?;
    let link = owner.connect(server, database).await?;
    reducers::realm_upgrade(&link).await.map_err(|error| refused("realm_upgrade", &error))?;
    Ok((outcome, link))
}

/// Tells a database which realm it is, what its world looks like, and what is in it.
pub(crate) async fn configure(
    link: &Link,
    plan: &RealmPlan,
    config: &Config,
) -> anyhow::Result<()> {
    reducers::realm_configure(link, plan.realm_id, &plan.name, plan.is_home, plan.capacity)
        .await
        .map_err(|error| refused("realm_configure", &error))?;
    // The module has no chance of its own.
    let unforeseen = rand::random::<[u8; 32]>().to_vec();
    link.call("dice_stir", Args::new().with(&unforeseen))
        .await
        .map_err(|error| refused("dice_stir", &error))?;
    let definition = Args::new().with(&config.world.definition());
    link.call("world_configure", definition)
        .await
        .map_err(|error| refused("world_configure", &error))?;
    let recipe = recipe_text(&config.world.terrain).map_err(anyhow::Error::msg)?;
    let has_land = !recipe.is_empty();
    let land = Args::new().with(&OPEN_WORLD).with(&config.world.seed).with(&recipe);
    link.call("world_terrain_set", land)
        .await
        .map_err(|error| refused("world_terrain_set", &error))?;
    if has_land {
        survey_spawn(link, config).await?;
    }
    for (name, section) in &config.instances {
        let definition = section.definition(name).map_err(anyhow::Error::msg)?;
        link.call("instance_define", Args::new().with(&definition))
            .await
            .map_err(|error| refused("instance_define", &error))?;
    }
    content::ensure(link).await
}

/// Makes the land around the spawn, so that the first player finds paths at once.
async fn survey_spawn(link: &Link, config: &Config) -> anyhow::Result<()> {
    let world = &config.world;
    let first_x = (block_of_mm(world.spawn_x_mm) - SURVEYED_BLOCKS).max(world.min_block_x);
    let first_y = (block_of_mm(world.spawn_y_mm) - SURVEYED_BLOCKS).max(world.min_block_y);
    let last_x = (block_of_mm(world.spawn_x_mm) + SURVEYED_BLOCKS).min(world.max_block_x - 1);
    let last_y = (block_of_mm(world.spawn_y_mm) + SURVEYED_BLOCKS).min(world.max_block_y - 1);
    for block_y in first_y..=last_y {
        let (blocks_x, blocks_y) = (u32::try_from(last_x - first_x + 1)?, 1_u32);
        let row = Args::new().with(&OPEN_WORLD).with(&first_x).with(&block_y);
        link.call("world_survey", row.with(&blocks_x).with(&blocks_y))
            .await
            .map_err(|error| refused("world_survey", &error))?;
    }
    Ok(())
}

/// Puts a realm into the list of the home database.
pub(crate) async fn list(home: &Link, plan: &RealmPlan) -> anyhow::Result<()> {
    let RealmPlan { realm_id, name, public_uri, database, capacity, .. } = plan;
    reducers::realm_upsert(home, *realm_id, name, public_uri, database, *capacity)
        .await
        .map_err(|error| refused("realm_upsert", &error))
}

/// All of it for the home database.
pub(crate) async fn prepare_home(
    owner: &Owner,
    config: &Config,
    server: &str,
    wasm: &[u8],
) -> anyhow::Result<(RealmPlan, PublishOutcome)> {
    let plan = RealmPlan::home(config, server);
    let (outcome, link) = publish(owner, server, &plan.database, wasm).await?;
    configure(&link, &plan, config).await?;
    list(&link, &plan).await.context("the realm list")?;
    link.close().await;
    Ok((plan, outcome))
}

/// A reducer's refusal as a failure that names the reducer.
pub(crate) fn refused(reducer: &str, error: &CallError) -> anyhow::Error {
    anyhow::anyhow!("{reducer}: {error}")
}
