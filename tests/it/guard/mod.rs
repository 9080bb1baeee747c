//! The guard as the network sees it, before the real engine: tokens, routes, sockets and
//! limits.
//!
//! Keeps true: every test first sees a good token let in, so a refusal is about what it changes.
//! Leaves out on purpose: what the module refuses once a caller is in.

mod limits;
mod routes;
mod sockets;
mod tokens;

use crate::support::client::Client;
use crate::support::forge::{Forge, changed, player_claims};
use crate::support::http::{Answer, assert_problem, send_raw};
use crate::support::{Database, on_database};
use serde_json::Value;

/// A database, an account that is admitted to it, and the keys to forge tokens with.
struct Door {
    database: Database,
    forge: Forge,
    account_id: u64,
}

/// Runs a test before a guarded database of its own.
fn at_the_door(test: impl AsyncFnOnce(&Door)) {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        database.grant(account_id, "player", 900).await.expect("admitted");
        let forge = Forge::new(&database.stage.keys);
        let door = Door { database, forge, account_id };
        door.admits("the unchanged token", &door.good()).await;
        test(&door).await;
    });
}

impl Door {
    fn uri(&self) -> &str {
        &self.database.stage.uri
    }

    fn subscribe_path(&self) -> String {
        format!("/v1/database/{}/subscribe", self.database.name)
    }

    /// The claims of the account, with a change.
    fn claims(&self, change: &Value) -> Value {
        changed(&player_claims(&self.database.name, self.account_id), change)
    }

    /// A token of the account, with a change in its claims.
    fn token(&self, change: &Value) -> String {
        self.forge.sign(&self.forge.header(), &self.claims(change))
    }

    fn good(&self) -> String {
        self.token(&serde_json::json!({}))
    }

    /// Asks for a WebSocket with these headers and that query, and takes what comes.
    async fn upgrade(&self, headers: &[(&str, &str)], query: &str) -> Answer {
        let mut all = vec![
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "v1.json.spacetimedb"),
        ];
        all.extend_from_slice(headers);
        let url = format!("{}{}{query}", self.uri(), self.subscribe_path());
        send_raw("GET", &url, &all, "").await
    }

    /// Asks for a WebSocket with that token.
    async fn knock(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.upgrade(&[("authorization", &bearer)], "").await
    }

    async fn refuses(&self, case: &str, token: &str, code: &str) {
        assert_problem(&self.knock(token).await, 401, code, case);
    }

    /// The token opens a socket, by the same request that others are refused with.
    async fn admits(&self, case: &str, token: &str) {
        assert_eq!(self.knock(token).await.status, 101, "{case}");
        let client = Client::connect(self.uri(), &self.database.name, token).await.expect(case);
        client.close().await;
    }
}
