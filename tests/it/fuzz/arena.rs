//! A realm that is fuzzed: its players, what is known of it, and how it is mended between batches.
//!
//! Keeps true: after [`Arena::mend`] everybody is admitted, connected and in the world again,
//! whatever the owner was made to do.

use super::arguments::{Call, Make, Module};
use super::line::{Line, Outcome};
use super::pool::Pool;
use crate::support::chance::Chance;
use crate::support::{Database, ISSUER, Stage, owner_token, player_token, sha256, until, world};
use haven_checks::{Snapshot, number as number_of, text};
use haven_gateway::tokens::account_identity;
use haven_rules::errors::code_of;
use haven_rules::world::OPEN_WORLD;
use haven_rules::world::terrain::{OPEN_SEED, SHIPPED};
use serde_json::{Value, json};
use spacetimedb_lib::bsatn;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Accounts that play; more than one, so that they meet. The first is the bystander.
pub(super) const PLAYERS: [&str; 5] = ["Ann", "Bob", "Cid", "Dan", "Eve"];
/// More creatures than that are sent away: they cost time and find nothing more.
const WANDERERS_MAX: usize = 300;

/// Rows of a table whose numbers are tried.
const IDS_MAX: usize = 20;

/// What rows are called by: numbers in columns whose names say so.
fn ids(now: &Snapshot) -> BTreeMap<String, Vec<u64>> {
    let mut ids = BTreeMap::<String, Vec<u64>>::new();
    for table in now.tables() {
        for row in now.rows(table).iter().take(IDS_MAX) {
            let fields = row.as_object().into_iter().flatten();
            for (name, value) in fields.filter(|(name, _)| name.ends_with("_id")) {
                ids.entry(name.clone()).or_default().extend(value.as_u64());
            }
        }
    }
    ids
}

/// An account that plays.
struct Player {
    account_id: u64,
    character_id: u64,
    line: Option<Line>,
}

/// The realm.
pub(super) struct Arena {
    /// Its database.
    pub(super) database: Database,
    /// What it declares.
    pub(super) module: Module,
    players: Vec<Player>,
    owner: Line,
    pool: Pool,
    /// Whether the land may have changed under somebody's feet.
    land_changed: bool,
}

impl Arena {
    /// A realm with players in it.
    pub(super) async fn open(stage: Arc<Stage>) -> Self {
        let database = Database::publish(stage).await;
        database.configure().await;
        let module = Module::read(&database).await;
        let token = owner_token(&database.stage.keys);
        let owner = Line::open(&database.stage.uri, &database.name, &token).await;
        let owner = owner.expect("the owner connects").expect("the owner is let in");
        let mut players = vec![];
        for name in PLAYERS {
            let account_id = database.register(&format!("{name}@example.org").to_lowercase()).await;
            let character_id = database.create(account_id, name).await;
            players.push(Player { account_id, character_id, line: None });
        }
        let pool = Pool::default();
        let mut arena = Self { database, module, players, owner, pool, land_changed: true };
        arena.mend(None).await;
        arena
    }

    /// Sends a random call. Answers whether it was done, or what is wrong.
    ///
    /// # Errors
    /// A sentence that names the reducer and its bytes.
    pub(super) async fn case(&mut self, chance: &mut Chance) -> Result<bool, String> {
        let caller = 1 + chance.below(2 * self.players.len() - 2);
        let call = self.module.call(&self.pool, caller < self.players.len(), chance);
        let is_owner = caller >= self.players.len();
        let line = match self.players.get_mut(caller) {
            Some(player) => player.line.as_mut(),
            None => Some(&mut self.owner),
        };
        let Some(line) = line else { return Ok(false) };
        let outcome = line.call(&call.reducer, &call.args).await;
        let lays_land = ["world_configure", "world_terrain_set"].contains(&call.reducer.as_str());
        self.land_changed |= outcome == Outcome::Done && lays_land;
        let who = if is_owner { "the owner" } else { "a player" };
        judge(&call, &outcome).map(|()| outcome == Outcome::Done).map_err(|wrong| {
            let Call { reducer, args, make } = &call;
            let head: Vec<u8> = args.iter().copied().take(600).collect();
            format!("{who}: {reducer}, {make:?}, {} bytes {head:02x?}: {wrong}", args.len())
        })
    }

    /// All rows, as of one transaction.
    pub(super) async fn snapshot(&self) -> Snapshot {
        let (stage, name) = (&self.database.stage, &self.database.name);
        let token = owner_token(&stage.keys);
        let taken = Snapshot::of(&self.module.0, &stage.uri, name, &token).await;
        taken.expect("a snapshot")
    }

    /// Whether everybody stands on the land they were placed on.
    pub(super) fn land_is_sound(&self) -> bool {
        !self.land_changed
    }

    /// Brings everybody back. A chance lays another land.
    pub(super) async fn mend(&mut self, chance: Option<&mut Chance>) {
        self.order("realm_read_only_set", json!([false])).await;
        self.order("realm_configure", json!([1, "Haven", true, 100])).await;
        if self.land_changed || chance.is_some() {
            self.lay_land(chance).await;
        }
        let wanderers = self.snapshot().await.rows("wanderer").len();
        if wanderers > WANDERERS_MAX || self.land_changed {
            self.order("wanderer_clear", json!([OPEN_WORLD, 20_000])).await;
        }
        // The owner may have admitted somebody as of a minute ahead: nothing is newer than that.
        self.database.run("UPDATE admission SET issued_at_micros = 0").await;
        for number in 0..self.players.len() {
            self.revive(number).await;
            self.bring_back(number).await;
        }
        self.land_changed = false;
        self.learn().await;
    }

    /// Makes sure that an account may play, and has somebody to play.
    async fn revive(&mut self, number: usize) {
        let Player { account_id, character_id, .. } = self.players[number];
        self.order("account_status_set", json!([account_id, 1])).await;
        self.order("account_role_set", json!([account_id, 1])).await;
        self.database.grant(account_id, "player", 900).await.expect("admitted");
        let restore = json!([account_id, character_id]);
        match self.database.owner.call("character_restore", restore).await {
            Err(why) if why.starts_with("character.too_many:") => {
                let now = self.snapshot().await;
                let deleted = now.column("character_deletion", "character_id");
                let own =
                    now.rows("character").iter().filter(|row| row["account_id"] == account_id);
                let mut own = own.map(|row| number_of(row, "character_id"));
                let living = own.find(|id| !deleted.contains(id));
                self.players[number].character_id = living.expect("too many live");
            }
            Ok(()) | Err(_) => {}
        }
    }

    async fn order(&self, reducer: &str, args: Value) {
        let outcome = self.database.owner.call(reducer, args.clone()).await;
        assert_eq!(outcome, Ok(()), "{reducer}{args}");
    }

    /// The usual world, or one as wide as can be, or one block; flat, or with the shipped land.
    async fn lay_land(&mut self, mut chance: Option<&mut Chance>) {
        self.land_changed = true;
        let mut roll = |sides| chance.as_mut().map_or(0, |chance| chance.below(sides));
        let mut plan = world();
        let edges = ["min_block_x", "min_block_y", "max_block_x", "max_block_y"];
        let blocks = match roll(3) {
            0 => [-4, -4, 4, 4],
            1 => [-32_767, -32_767, 32_767, 32_767],
            _ => [0, 0, 1, 1],
        };
        for (edge, block) in edges.into_iter().zip(blocks) {
            plan[edge] = json!(block);
        }
        if blocks[2] == 1 {
            plan["obstacles"] = json!([]);
        }
        let recipe = if roll(3) == 1 { SHIPPED[0].1 } else { "" };
        // Flat in between: the spawn of the new world need not be free in the old one's land.
        self.order("world_terrain_set", json!([OPEN_WORLD, OPEN_SEED, ""])).await;
        self.order("world_configure", json!([plan])).await;
        self.order("world_terrain_set", json!([OPEN_WORLD, OPEN_SEED, recipe])).await;
    }

    /// Connects an account and brings its character into the world. Where the land
    /// has changed, it leaves first: whoever enters stands where one can stand.
    async fn bring_back(&mut self, number: usize) {
        let Player { account_id, character_id, .. } = self.players[number];
        let enter = bsatn::to_vec(&character_id).expect("a number");
        for attempt in 0..3 {
            if let Some(line) = self.players[number].line.take_if(|_| attempt > 0) {
                line.close().await;
            }
            if self.players[number].line.is_none() {
                let stage = &self.database.stage;
                let token = player_token(&stage.keys, &self.database.name, account_id, "player");
                let line = Line::open(&stage.uri, &self.database.name, &token).await;
                self.players[number].line = line.expect("a connection");
            }
            let Some(line) = &mut self.players[number].line else { continue };
            if self.land_changed {
                line.call("character_leave", &[]).await;
            }
            let entered = line.call("character_enter", &enter).await;
            if entered == Outcome::Done {
                return;
            }
            assert!(attempt < 2, "{entered:?}");
            if matches!(&entered, Outcome::Refused(why) if why.starts_with("character.other")) {
                line.call("character_leave", &[]).await;
            }
        }
        panic!("account {account_id} is shown out again and again");
    }

    /// Learns what means something now.
    async fn learn(&mut self) {
        let now = self.snapshot().await;
        let numbers = |table: &str, column: &str| -> Vec<u64> { now.column(table, column) };
        let words = |table: &str, column: &str| -> Vec<String> {
            now.rows(table).iter().map(|row| text(row, column).to_owned()).collect()
        };
        let identity =
            |player: &Player| account_identity(ISSUER, player.account_id).to_byte_array();
        let mut entities = numbers("entity", "entity_id");
        entities.truncate(40);
        self.pool = Pool {
            accounts: numbers("account", "account_id"),
            sessions: [
                numbers("account_session", "session_id"),
                numbers("admission", "session_id"),
            ]
            .concat(),
            characters: numbers("character", "character_id"),
            entities,
            worlds: numbers("world_config", "world"),
            emails: words("account", "email"),
            tokens: [words("refresh_token", "token_sha256"), vec![sha256("")]].concat(),
            identities: self.players.iter().map(identity).collect(),
            bounds: now.bounds(OPEN_WORLD),
            ids: ids(&now),
        };
    }

    /// The bystander sets two courses within a tick, and the tick takes up the second.
    ///
    /// # Errors
    /// What kept the bystander waiting.
    pub(super) async fn bystander_plays(&mut self) -> Result<(), String> {
        let Player { character_id, line: Some(line), .. } = &mut self.players[0] else {
            return Err("the bystander is not connected".to_owned());
        };
        for dx in [1_i16, -1, 0] {
            let args = [&dx.to_le_bytes()[..], &0_i16.to_le_bytes(), &[0]].concat();
            let outcome = line.call("course_set", &args).await;
            if outcome != Outcome::Done {
                return Err(format!("the bystander's course: {outcome:?}"));
            }
        }
        let character_id = *character_id;
        until("the tick takes up the bystander's course", || async {
            let courses = self.database.rows("motion_course").await;
            let own = courses.into_iter().find(|row| row["entity_id"] == character_id)?;
            (own["pending_kind"] == 0).then_some(())
        })
        .await;
        Ok(())
    }

    /// Ends every connection.
    pub(super) async fn close(self) {
        for line in self.players.into_iter().filter_map(|player| player.line) {
            line.close().await;
        }
        self.owner.close().await;
    }
}

/// Whether a call ended as calls may end.
fn judge(call: &Call, outcome: &Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Refused(why) if code_of(why).is_some() => Ok(()),
        Outcome::Refused(why) if why.starts_with("can't directly call special") => Ok(()),
        Outcome::Refused(why)
            if call.make != Make::Sound && why.starts_with("invalid arguments for reducer") =>
        {
            Ok(())
        }
        Outcome::Refused(why) => Err(format!("refused with words that are not ours: {why}")),
        Outcome::Closed => Err("the connection ended".to_owned()),
        Outcome::Broken(what) => Err(what.clone()),
    }
}
