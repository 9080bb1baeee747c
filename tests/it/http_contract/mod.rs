//! The HTTP contract, walked call by call over a real gateway before a real database.
//!
//! Keeps true: every route of the contract stands in [`ROUTES`], and the gateway's own description
//! has no other.
//! Leaves out on purpose: a database that is away, which is a test of its own.

mod accounts;
mod characters;
mod commands;
mod discovery;
mod fuzz;
mod gateways;
mod limits;
mod mirrors;
mod realms;
mod requests;
mod sessions;
mod tokens;

use crate::support::http::{Answer, send};
use crate::support::{Database, PATIENCE, gateway, on_database, until};
use haven_gateway::{Gateway, GatewayConfig};
use serde_json::{Value, json};

/// A password that may be chosen.
const PASSWORD: &str = "correct horse";

/// A route of the contract.
#[derive(Clone, Copy, Debug)]
struct Route {
    /// The method.
    method: &'static str,
    /// The path, as the description writes it.
    path: &'static str,
    /// Whether it wants an access token.
    bearer: bool,
    /// Whether it reads a body.
    body: bool,
}

const fn route(method: &'static str, path: &'static str, bearer: bool, body: bool) -> Route {
    Route { method, path, bearer, body }
}

/// Every route.
const ROUTES: [Route; 19] = [
    route("POST", "/v1/auth/register", false, true),
    route("POST", "/v1/auth/login", false, true),
    route("POST", "/v1/auth/refresh", false, true),
    route("POST", "/v1/auth/logout", true, false),
    route("POST", "/v1/auth/password", true, true),
    route("GET", "/v1/realms", false, false),
    route("POST", "/v1/realms/{realm_id}/enter", true, false),
    route("GET", "/v1/characters", true, false),
    route("POST", "/v1/characters", true, true),
    route("GET", "/v1/characters/{id}", true, false),
    route("DELETE", "/v1/characters/{id}", true, false),
    route("POST", "/v1/characters/{id}/restore", true, false),
    route("GET", "/v1/characters/{id}/export", true, false),
    route("GET", "/healthz", false, false),
    route("GET", "/readyz", false, false),
    route("GET", "/metrics", false, false),
    route("GET", "/.well-known/openid-configuration", false, false),
    route("GET", "/.well-known/jwks.json", false, false),
    route("GET", "/v1/openapi.json", false, false),
];

impl Route {
    /// The path with numbers in it.
    fn address(&self) -> String {
        self.path.replace("{realm_id}", "1").replace("{id}", "1")
    }
}

/// A gateway before a configured database with one realm in its list.
struct Front {
    /// The home database and the first realm's.
    database: Database,
    /// The gateway.
    gateway: Gateway,
}

/// An account's session.
#[derive(Clone, Debug)]
struct Session {
    /// The account.
    account_id: u64,
    /// Its access token.
    access: String,
    /// Its refresh token.
    refresh: String,
}

/// Runs a test on a gateway with a database of its own.
fn on_front(test: impl AsyncFnOnce(&Front)) {
    on_front_with(|_| (), test);
}

/// Runs a test on a gateway with another configuration.
fn on_front_with(change: impl FnOnce(&mut GatewayConfig), test: impl AsyncFnOnce(&Front)) {
    on_database(|database| async move {
        let front = Front::open(database, change).await;
        test(&front).await;
        front.gateway.stop().await;
    });
}

/// Hashes as cheap as they may be: their cost is not what is tested.
fn cheap(config: &mut GatewayConfig) {
    config.argon2.memory_kib = 8_192;
    config.argon2.iterations = 1;
}

impl Front {
    /// Lists the database as realm 1 and starts a gateway before it.
    async fn open(database: Database, change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let (uri, name) = (&database.stage.uri, &database.name);
        let listed = json!([1, "Haven", uri, name, 100]);
        database.owner.call("realm_upsert", listed).await.expect("listed");
        let gateway = gateway(&database.stage, name, |config| {
            cheap(config);
            change(config);
        })
        .await;
        assert!(gateway.wait_ready(PATIENCE).await, "the gateway is ready");
        let front = Self { database, gateway };
        front.realm_with_status(1, "open").await;
        front
    }

    /// An address of the gateway.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.uri())
    }

    /// Asks.
    async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        send("GET", &self.url(path), token, None).await
    }

    /// Posts JSON.
    async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        send("POST", &self.url(path), token, Some(body)).await
    }

    /// Posts nothing.
    async fn order(&self, path: &str, token: &str) -> Answer {
        send("POST", &self.url(path), Some(token), None).await
    }

    /// Deletes.
    async fn delete(&self, path: &str, token: &str) -> Answer {
        send("DELETE", &self.url(path), Some(token), None).await
    }

    /// A new account with its first session.
    async fn register(&self, email: &str) -> Session {
        let body = json!({ "email": email, "password": PASSWORD });
        Session::read(&self.post("/v1/auth/register", None, &body).await, 201)
    }

    /// One more session.
    async fn login(&self, email: &str) -> Session {
        Session::read(&self.try_login(email, PASSWORD).await, 200)
    }

    /// Tries to log in.
    async fn try_login(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.post("/v1/auth/login", None, &body).await
    }

    /// Exchanges a refresh token.
    async fn refresh(&self, token: &str) -> Answer {
        self.post("/v1/auth/refresh", None, &json!({ "refresh_token": token })).await
    }

    /// A new character's number.
    async fn create(&self, session: &Session, realm_id: u16, name: &str) -> u64 {
        let body = json!({
            "realm_id": realm_id, "name": name, "race": "human", "class": "fighter",
        });
        let answer = self.post("/v1/characters", Some(&session.access), &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json["character_id"].as_u64().expect("a number")
    }

    /// Calls a reducer as the owner of the home database.
    async fn owner(&self, reducer: &str, args: Value) {
        self.database.owner.call(reducer, args).await.expect(reducer);
    }

    /// Waits until the list shows that status, and answers the realm's entry.
    async fn realm_with_status(&self, realm_id: u16, status: &str) -> Value {
        until(&format!("realm {realm_id} is {status}"), || async {
            let list = self.get("/v1/realms", None).await;
            let realms = list.json["realms"].as_array().expect("realms").clone();
            realms.into_iter().find(|r| r["realm_id"] == realm_id && r["status"] == status)
        })
        .await
    }
}

impl Session {
    /// Reads the answer of a registration, a login or a refresh, which is the same for all three.
    #[track_caller]
    fn read(answer: &Answer, status: u16) -> Self {
        let members = ["account_id", "access_token", "refresh_token", "token_type", "expires_in"];
        assert_shape(answer, status, &members);
        assert_eq!(answer.json["token_type"], "Bearer");
        assert_eq!(answer.header("cache-control"), "no-store", "tokens are kept by nobody");
        let text = |name: &str| answer.json[name].as_str().expect("text").to_owned();
        Self {
            account_id: answer.json["account_id"].as_u64().expect("a number"),
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }
}

/// A success with exactly these members.
#[track_caller]
fn assert_shape(answer: &Answer, status: u16, members: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(!answer.header("x-request-id").is_empty());
    assert_members(&answer.json, members);
}

/// An object with exactly these members.
#[track_caller]
fn assert_members(object: &Value, members: &[&str]) {
    let mut found: Vec<&str> =
        object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = members.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// A success without a body.
#[track_caller]
fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert!(!answer.header("x-request-id").is_empty());
}
