//! The node: what the engine's router asks for databases, owners and names, composed from the
//! engine's public pieces.
//!
//! Keeps true: one replica per database, under the database's own id; a database is started when it
//! is first asked for and stays; its commit log is watched.
//! Leaves out on purpose: energy (never metered), clusters, and who may call (the guard's).
//! The stock server's `StandaloneEnv` does the same but hides the host controller and the logs,
//! without which a stop cannot wait for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use spacetimedb::Identity;
use spacetimedb::client::ClientActorIndex;
use spacetimedb::db;
use spacetimedb::db::relational_db::RelationalDB;
use spacetimedb::energy::{EnergyBalance, EnergyQuanta, NullEnergyMonitor};
use spacetimedb::host::{
    DiskStorage, HostController, ReducerArgs, ReducerCallError, UpdateDatabaseResult,
};
use spacetimedb::messages::control_db::{Database, Node as NodeRecord, Replica};
use spacetimedb::util::jobs::JobCores;
use spacetimedb_client_api::routes::subscribe::{HasWebSocketOptions, WebSocketOptions};
use spacetimedb_client_api::{
    ControlStateReadAccess, ControlStateWriteAccess, DatabaseDef, Host, NodeDelegate,
};
use spacetimedb_client_api_messages::name::{
    DomainName, InsertDomainResult, RegisterTldResult, SetDomainsResult, Tld,
};
use spacetimedb_datastore::traits::Program;
use spacetimedb_paths::FromPathUnchecked as _;
use spacetimedb_paths::server::{ModuleLogsDir, ReplicaDir, ServerDataDir};
use spacetimedb_paths::standalone::StandaloneDataDirExt as _;

use crate::control::{Control, NameClaim};
use crate::durability::WatchedLogs;
use crate::guard::Logbook;
use crate::reopen::Reopener;
use crate::swaps::Swaps;
use crate::ticket::TicketOffice;

/// How long a publish waits for `client_disconnected` of the clients it sent away.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(2);
/// What a realm's owner calls when its disk is nearly full, or no longer.
const READ_ONLY_REDUCER: &str = "realm_read_only_set";

/// The engine without its door.
pub(crate) struct Node {
    control: Control,
    programs: Arc<DiskStorage>,
    hosts: HostController,
    logs: Arc<WatchedLogs>,
    clients: ClientActorIndex,
    swaps: Arc<Swaps>,
    tickets: Arc<TicketOffice>,
    /// Set once by a stop; no database is started afterwards.
    closing: AtomicBool,
    /// Set while the disk is full, and until its logs are in order again.
    was_full: AtomicBool,
    reopener: Arc<Reopener>,
}

impl Node {
    /// Composes a node over `data_dir`, which exists and is locked by the caller.
    pub(crate) async fn open(
        data_dir: Arc<ServerDataDir>,
        in_memory: bool,
        tickets: Arc<TicketOffice>,
    ) -> anyhow::Result<Self> {
        let control = if in_memory { Control::open(None)? } else { Control::open_in(&data_dir)? };
        let programs = Arc::new(DiskStorage::new(data_dir.program_bytes().0).await?);
        let storage = if in_memory { db::Storage::Memory } else { db::Storage::Disk };
        let logs = Arc::new(WatchedLogs::new(data_dir.clone()));
        // Wasmtime keeps compiled modules below it, and takes no relative path: without them a
        // start takes seconds.
        let folder = std::path::absolute(&data_dir.0)?;
        let hosts = HostController::new(
            Arc::new(ServerDataDir::from_path_unchecked(&folder)),
            db::Config { storage, page_pool_max_size: None },
            programs.clone(),
            Arc::new(NullEnergyMonitor),
            logs.clone(),
            JobCores::default(),
        );
        let clients = ClientActorIndex::new();
        let [closing, was_full] = [false; 2].map(AtomicBool::new);
        let swaps = Arc::new(Swaps::default());
        let reopener = Reopener::new(hosts.clone(), logs.clone(), swaps.clone());
        Ok(Self {
            control,
            programs,
            hosts,
            logs,
            clients,
            swaps,
            tickets,
            closing,
            was_full,
            reopener,
        })
    }

    /// The folder with all files.
    #[cfg(test)]
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.hosts.data_dir.0
    }

    /// The commit logs of the databases that run.
    pub(crate) fn logs(&self) -> &Arc<WatchedLogs> {
        &self.logs
    }

    /// A database, and where its files are.
    pub(crate) fn files_of(&self, id: u64) -> Option<(Database, ReplicaDir)> {
        let database = self.control.database(id).ok().flatten()?;
        Some((database, self.hosts.data_dir.replica(id)))
    }

    /// By which sockets open, and end when their database is replaced.
    pub(crate) fn swaps(&self) -> &Arc<Swaps> {
        &self.swaps
    }

    /// Starts every database, so that timers run and dangling clients leave without waiting for a
    /// first caller. One that cannot be started is logged and left out; the others still run.
    pub(crate) async fn launch_all(&self) -> anyhow::Result<()> {
        for database in self.control.databases()? {
            let identity = database.database_identity;
            if let Err(error) = self.launch(database).await {
                tracing::error!(database = %identity, "database not started: {error:#}");
            }
        }
        Ok(())
    }

    /// Starts every database; the first that cannot be started is the answer.
    pub(crate) async fn launch_each(&self) -> anyhow::Result<()> {
        for database in self.control.databases()? {
            let label = self.control.label(&database.database_identity);
            self.launch(database).await.with_context(|| format!("database {label}"))?;
        }
        Ok(())
    }

    /// Ends every database that runs; nothing is committed afterwards.
    pub(crate) async fn exit_all(&self) -> anyhow::Result<()> {
        self.closing.store(true, Ordering::SeqCst);
        for database in self.control.databases()? {
            self.hosts.exit_module_host(database.id).await?;
        }
        Ok(())
    }

    /// Clients whose `client_disconnected` has not run yet, over all running databases.
    pub(crate) async fn connected_clients(&self) -> anyhow::Result<usize> {
        let mut connected = 0;
        for database in self.control.databases()? {
            let id = database.id;
            if self.hosts.has_module_host(id).await {
                connected += self.hosts.using_database(database, id, count_clients).await??;
            }
        }
        Ok(connected)
    }

    /// Has every realm refuse or take players' calls; whether all were told. A database without
    /// that reducer is none.
    pub(crate) async fn set_read_only(&self, read_only: bool) -> bool {
        let Ok(databases) = self.control.databases() else { return false };
        if read_only {
            self.was_full.store(true, Ordering::SeqCst);
        } else if self.was_full.load(Ordering::SeqCst) {
            if !self.reopener.end_disordered(&databases).await {
                return false;
            }
            self.was_full.store(false, Ordering::SeqCst);
        }
        let mut all_told = true;
        for database in databases {
            let (owner, identity) = (database.owner_identity, database.database_identity);
            // One that the engine has dropped, because its disk was full, is opened again.
            let id = database.id;
            let told = match self.launch(database).await {
                Ok(()) => self.call_read_only(id, owner, read_only).await,
                Err(error) => Err(error),
            };
            match told {
                Ok(()) => {
                    tracing::warn!(database = %identity, read_only, "the disk's room changed");
                }
                Err(error) => {
                    tracing::debug!(database = %identity, "not told: {error:#}");
                    all_told = false;
                }
            }
        }
        all_told
    }

    async fn call_read_only(&self, id: u64, owner: Identity, on: bool) -> anyhow::Result<()> {
        let module = self.hosts.get_module_host(id).await?;
        let args = ReducerArgs::Json(format!("[{on}]").into());
        let called = module.call_reducer(owner, None, None, None, None, READ_ONLY_REDUCER, args);
        match called.await {
            Ok(done) => done.outcome.into_result(),
            Err(ReducerCallError::NoSuchReducer) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The database's sockets have been ended; the old module must still see them go.
    async fn wait_for_disconnects(&self, database: &Database) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PUBLISH_PATIENCE;
        let id = database.id;
        while self.hosts.has_module_host(id).await {
            let clients = self.hosts.using_database(database.clone(), id, count_clients).await??;
            if clients == 0 || tokio::time::Instant::now() >= deadline {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    async fn launch(&self, database: Database) -> anyhow::Result<()> {
        ensure!(!self.closing.load(Ordering::SeqCst), "the engine is stopping");
        let id = database.id;
        if self.reopener.is_dropped(id).await {
            let label = self.control.label(&database.database_identity);
            return self.reopener.reopen(database, label).await;
        }
        self.hosts.get_or_launch_module_host(database, id).await?;
        Ok(())
    }

    async fn create(&self, mut database: Database, program: Program) -> anyhow::Result<()> {
        let bytes = program.bytes.clone();
        // A trial in memory: a module that cannot be initialised leaves no database behind.
        self.hosts.check_module_validity(database.clone(), program).await?;
        self.programs.put(&bytes).await?;
        database.id = self.control.insert(&database)?;
        self.launch(database).await
    }

    fn owned_by(database: &Database, caller: &Identity) -> anyhow::Result<()> {
        ensure!(
            database.owner_identity == *caller,
            "Permission denied: `{caller}` does not own database `{}`",
            database.database_identity.to_abbreviated_hex()
        );
        Ok(())
    }
}

fn count_clients(database: &RelationalDB) -> anyhow::Result<usize> {
    use spacetimedb_datastore::execution_context::Workload;
    use spacetimedb_datastore::system_tables::ST_CLIENT_ID;

    database.with_read_only(Workload::Internal, |tx| Ok(database.iter(tx, ST_CLIENT_ID)?.count()))
}

fn replica_of(database_id: u64) -> Replica {
    Replica { id: database_id, database_id, node_id: 0, leader: true }
}

#[async_trait]
impl Logbook for Node {
    fn identity(&self, database: &str) -> Option<Identity> {
        let by_name = self.control.lookup(database).ok().flatten();
        by_name.or_else(|| Identity::from_hex(database).ok())
    }

    async fn written(&self, database: &str) -> Option<bool> {
        let identity = self.identity(database)?;
        let database = self.control.database_of(&identity).ok().flatten()?;
        Some(self.logs.wait_written_of(database.id).await)
    }

    fn reopened(&self) -> u32 {
        self.logs.reopened()
    }
}

#[async_trait]
impl NodeDelegate for Node {
    type JwtAuthProviderT = TicketOffice;

    fn gather_metrics(&self) -> Vec<prometheus013::proto::MetricFamily> {
        Vec::new()
    }

    fn client_actor_index(&self) -> &ClientActorIndex {
        &self.clients
    }

    fn jwt_auth_provider(&self) -> &TicketOffice {
        &self.tickets
    }

    async fn leader(&self, database_id: u64) -> anyhow::Result<Option<Host>> {
        let Some(database) = self.control.database(database_id)? else {
            return Ok(None);
        };
        self.launch(database).await.context("the database could not be started")?;
        Ok(Some(Host::new(database_id, self.hosts.clone())))
    }

    fn module_logs_dir(&self, replica_id: u64) -> ModuleLogsDir {
        self.hosts.data_dir.replica(replica_id).module_logs()
    }
}

impl HasWebSocketOptions for Node {
    fn websocket_options(&self) -> WebSocketOptions {
        WebSocketOptions::default()
    }
}

impl ControlStateReadAccess for Node {
    fn get_node_id(&self) -> Option<u64> {
        Some(0)
    }

    fn get_node_by_id(&self, node_id: u64) -> anyhow::Result<Option<NodeRecord>> {
        let only = NodeRecord { id: 0, unschedulable: false, advertise_addr: None };
        Ok((node_id == 0).then_some(only))
    }

    fn get_nodes(&self) -> anyhow::Result<Vec<NodeRecord>> {
        Ok(self.get_node_by_id(0)?.into_iter().collect())
    }

    fn get_database_by_id(&self, id: u64) -> anyhow::Result<Option<Database>> {
        self.control.database(id)
    }

    fn get_database_by_identity(&self, identity: &Identity) -> anyhow::Result<Option<Database>> {
        self.control.database_of(identity)
    }

    fn get_databases(&self) -> anyhow::Result<Vec<Database>> {
        self.control.databases()
    }

    fn get_replica_by_id(&self, id: u64) -> anyhow::Result<Option<Replica>> {
        Ok(self.control.database(id)?.map(|database| replica_of(database.id)))
    }

    fn get_replicas(&self) -> anyhow::Result<Vec<Replica>> {
        let databases = self.control.databases()?;
        Ok(databases.into_iter().map(|database| replica_of(database.id)).collect())
    }

    fn get_leader_replica_by_database(&self, database_id: u64) -> Option<Replica> {
        self.get_replica_by_id(database_id).ok().flatten()
    }

    fn get_energy_balance(&self, _identity: &Identity) -> anyhow::Result<Option<EnergyBalance>> {
        Ok(None)
    }

    fn lookup_identity(&self, domain: &str) -> anyhow::Result<Option<Identity>> {
        self.control.lookup(domain)
    }

    fn reverse_lookup(&self, database_identity: &Identity) -> anyhow::Result<Vec<DomainName>> {
        let names = self.control.names_of(database_identity);
        names.into_iter().map(|name| Ok(name.parse::<DomainName>()?)).collect()
    }
}

#[async_trait]
impl ControlStateWriteAccess for Node {
    async fn publish_database(
        &self,
        publisher: &Identity,
        spec: DatabaseDef,
    ) -> anyhow::Result<Option<UpdateDatabaseResult>> {
        let Some(database) = self.control.database_of(&spec.database_identity)? else {
            let program = Program::from_bytes(&spec.program_bytes[..]);
            let database = Database {
                id: 0,
                database_identity: spec.database_identity,
                owner_identity: *publisher,
                host_type: spec.host_type,
                initial_program: program.hash,
            };
            self.create(database, program).await?;
            return Ok(None);
        };
        Self::owned_by(&database, publisher)?;
        let id = database.id;
        if self.reopener.is_dropped(id).await {
            self.launch(database.clone()).await?;
        }
        let program = Program::from_bytes(&spec.program_bytes[..]);
        // The same again, as at each start, sends nobody away and loads nothing anew.
        let running = self.hosts.get_module_host(id).await;
        if running.is_ok_and(|running| running.info().module_hash == program.hash) {
            return Ok(Some(UpdateDatabaseResult::NoUpdateNeeded));
        }
        // A trial in memory, while players play: what it compiles is found again by the update, and
        // a module that does not even start is refused before anybody is sent away for it.
        self.hosts.check_module_validity(database.clone(), program).await?;
        let _closed = self.swaps.close(database.database_identity).await;
        self.wait_for_disconnects(&database).await?;
        let bytes = spec.program_bytes.into();
        let update = self.hosts.update_module_host(database, spec.host_type, id, bytes).await?;
        Ok(Some(update))
    }

    async fn delete_database(
        &self,
        caller: &Identity,
        database_identity: &Identity,
    ) -> anyhow::Result<()> {
        let Some(database) = self.control.database_of(database_identity)? else {
            return Ok(());
        };
        Self::owned_by(&database, caller)?;
        let _closed = self.swaps.close(*database_identity).await;
        self.control.remove(database.id)?;
        // The files stay, as on the stock server: a deletion by mistake can still be undone.
        self.hosts.exit_module_host(database.id).await
    }

    async fn add_energy(&self, _: &Identity, _: EnergyQuanta) -> anyhow::Result<()> {
        Ok(())
    }

    async fn withdraw_energy(&self, _: &Identity, _: EnergyQuanta) -> anyhow::Result<()> {
        Ok(())
    }

    async fn register_tld(&self, owner: &Identity, tld: Tld) -> anyhow::Result<RegisterTldResult> {
        Ok(match self.control.claim(tld.as_str(), owner)? {
            NameClaim::Registered => RegisterTldResult::Success { domain: tld },
            NameClaim::AlreadyOwned => RegisterTldResult::AlreadyRegistered { domain: tld },
            NameClaim::Foreign => RegisterTldResult::Unauthorized { domain: tld },
        })
    }

    async fn create_dns_record(
        &self,
        owner: &Identity,
        domain: &DomainName,
        database_identity: &Identity,
    ) -> anyhow::Result<InsertDomainResult> {
        let domain = domain.clone();
        ensure!(
            self.control.lookup(domain.as_str())?.is_none(),
            "record with the name {domain} already exists"
        );
        if self.control.claim(domain.as_str(), owner)? == NameClaim::Foreign {
            return Ok(InsertDomainResult::PermissionDenied { domain });
        }
        self.control.point(domain.as_str(), database_identity)?;
        let database_identity = *database_identity;
        Ok(InsertDomainResult::Success { domain, database_identity })
    }

    async fn replace_dns_records(
        &self,
        database_identity: &Identity,
        owner: &Identity,
        domain_names: &[DomainName],
    ) -> anyhow::Result<SetDomainsResult> {
        let names: Vec<String> = domain_names.iter().map(|name| name.as_str().to_owned()).collect();
        if self.control.replace_names(database_identity, owner, &names)? {
            return Ok(SetDomainsResult::Success);
        }
        let domains = domain_names.into();
        Ok(SetDomainsResult::PermissionDeniedOnAny { domains })
    }
}
