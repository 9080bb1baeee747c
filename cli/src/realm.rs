//! `haven realm`: the realm list in the home database, and the databases behind it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use haven_gateway::stdb::rows::Realm;
use haven_gateway::stdb::{Filter, Link, reducers};

use crate::args::Loader;
use crate::config::{Config, Flags};
use crate::owner::Owner;
use crate::setup::{self, RealmPlan, refused};
use crate::terminal;

/// List, add, close and open realms
#[derive(Debug, Args)]
pub(crate) struct RealmArgs {
    #[command(flatten)]
    home: HomeArgs,
    #[command(subcommand)]
    command: RealmCommand,
}

/// How to reach the home database.
#[derive(Clone, Debug, Args)]
pub(crate) struct HomeArgs {
    /// Host of the home database [default: http://127.0.0.1:3000]
    #[arg(long, global = true, value_name = "URI")]
    server: Option<String>,
    /// Name of the home database [default: haven]
    #[arg(long, global = true, value_name = "NAME")]
    home: Option<String>,
    /// Data directory whose keys the host trusts [default: .haven]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl HomeArgs {
    /// The configuration with these flags, the owner, and a link to the home database.
    pub(crate) async fn connect(self, loader: &Loader) -> anyhow::Result<(Config, Owner, Link)> {
        let config = loader.load(&Flags {
            data_dir: self.data_dir,
            server: self.server,
            database: self.home,
            ..Flags::default()
        })?;
        let owner = Owner::open(&config)?;
        let link = owner.connect(&config.database_uri(), &config.database.name).await?;
        Ok((config, owner, link))
    }
}

#[derive(Debug, Subcommand)]
enum RealmCommand {
    /// Show the realm list
    List,
    /// Make a database a realm: publish the module to it, configure it, list it
    ///
    /// Its world is the one of the [world] section. Repeating it changes name, address and
    /// capacity.
    Add {
        /// The realm's number, 1 to 65535; never reuse one
        realm_id: u16,
        /// The name players see
        name: String,
        /// Host of its database, as players reach it
        #[arg(long, value_name = "URI")]
        uri: String,
        /// Name of its database
        #[arg(long, value_name = "NAME")]
        database: String,
        /// Characters in its world at once
        #[arg(long, value_name = "N", default_value_t = 2_000)]
        capacity: u32,
        /// Host of its database, as this machine reaches it [default: the same]
        #[arg(long, value_name = "URI")]
        via: Option<String>,
    },
    /// Let nobody in any more; who is inside stays
    Close {
        /// The realm's number
        realm_id: u16,
    },
    /// Let players in again
    Open {
        /// The realm's number
        realm_id: u16,
    },
}

/// Runs the subcommand.
pub(crate) async fn run(args: RealmArgs, loader: &Loader) -> anyhow::Result<()> {
    let (config, owner, home) = args.home.connect(loader).await?;
    match args.command {
        RealmCommand::List => list(&home).await?,
        RealmCommand::Add { realm_id, name, uri, database, capacity, via } => {
            let public_uri = uri.trim_end_matches('/').to_owned();
            let server = via.unwrap_or_else(|| public_uri.clone());
            let is_home = database == config.database.name && server == config.database_uri();
            let plan =
                RealmPlan { server, public_uri, database, realm_id, name, capacity, is_home };
            add(&owner, &config, &home, &plan).await?;
        }
        RealmCommand::Close { realm_id } => {
            reducers::realm_close(&home, realm_id)
                .await
                .map_err(|error| refused("realm_close", &error))?;
            terminal::done(&format!("realm {realm_id} is closed"));
        }
        RealmCommand::Open { realm_id } => {
            reducers::realm_open(&home, realm_id)
                .await
                .map_err(|error| refused("realm_open", &error))?;
            terminal::done(&format!("realm {realm_id} is open"));
        }
    }
    home.close().await;
    Ok(())
}

async fn list(home: &Link) -> anyhow::Result<()> {
    let mut realms: Vec<Realm> =
        home.query(Filter::all()).await.map_err(|error| refused("the realm list", &error))?;
    realms.sort_by_key(|realm| realm.realm_id);
    let heading = ["realm", "name", "state", "players", "capacity", "database", "uri"];
    let row = |realm: &Realm| {
        vec![
            realm.realm_id.to_string(),
            realm.name.clone(),
            if realm.closed { "closed" } else { "open" }.to_owned(),
            realm.population.to_string(),
            realm.capacity.to_string(),
            realm.database.clone(),
            realm.uri.clone(),
        ]
    };
    let rows: Vec<_> = realms.iter().map(row).collect();
    anstream::print!("{}", terminal::table(&heading, &rows));
    Ok(())
}

async fn add(owner: &Owner, config: &Config, home: &Link, plan: &RealmPlan) -> anyhow::Result<()> {
    let spinner = terminal::spinner(format!("publishing {}", plan.database));
    let wasm = haven_engine::MODULE_WASM;
    let (_, link) = setup::publish(owner, &plan.server, &plan.database, wasm).await?;
    setup::configure(&link, plan, config).await?;
    setup::list(home, plan).await?;
    link.close().await;
    spinner.finish_and_clear();
    let RealmPlan { realm_id, name, database, public_uri, .. } = plan;
    terminal::done(&format!("realm {realm_id} {name:?} is {database} at {public_uri}"));
    Ok(())
}
