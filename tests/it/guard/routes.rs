//! Routes: what players and strangers do not reach, in any spelling and by any method.
//!
//! Keeps true: each test compares all rows before and after, so a refusal that still did something
//! is found.

use super::{Door, at_the_door};
use crate::support::forge::owner_claims;
use crate::support::http::{Answer, assert_problem, send, send_bytes, send_raw};
use crate::support::snapshot::all_rows;
use crate::support::{owner_token, player_token};
use haven_engine::MODULE_WASM;
use haven_gateway::tokens::{self, Bearer};
use std::time::Duration;

/// Method, path (`{db}` is the database, `{id}` its identity) and body of the owner's routes.
const OWNERS: [(&str, &str, &str); 16] = [
    ("POST", "/v1/database/{db}/sql", "DELETE FROM account"),
    ("POST", "/v1/database/{db}/sql", "SELECT * FROM account"),
    ("POST", "/v1/database/{db}/call/account_role_set", "[1, 4]"),
    ("POST", "/v1/database/{db}/call/realm_close", "[1]"),
    ("GET", "/v1/database/{db}/logs", ""),
    ("GET", "/v1/database/{db}/schema?version=9", ""),
    ("GET", "/v1/database/{db}", ""),
    ("GET", "/v1/database/{db}/names", ""),
    ("POST", "/v1/database/{db}/names", "stolen"),
    ("PUT", "/v1/database/{db}/names", "[\"stolen\"]"),
    ("POST", "/v1/database", ""),
    ("PUT", "/v1/database/{db}", ""),
    ("DELETE", "/v1/database/{db}", ""),
    ("GET", "/v1/metrics", ""),
    ("GET", "/v1/identity/public-key", ""),
    ("GET", "/v1/identity/{id}/databases", ""),
];

/// Routes of the engine that do not exist for anybody.
const HIDDEN: [(&str, &str); 13] = [
    ("GET", "/internal/heap"),
    ("GET", "/internal/heap/settings"),
    ("POST", "/internal/heap/settings"),
    ("GET", "/internal"),
    ("GET", "/v1/prometheus"),
    ("GET", "/v1/prometheus/sd-config"),
    ("GET", "/v1/energy/{id}"),
    ("POST", "/v1/energy/{id}?balance=1000"),
    ("PUT", "/v1/energy/{id}?balance=1000"),
    ("POST", "/v1/identity"),
    ("POST", "/v1/identity/websocket-token"),
    ("GET", "/metrics"),
    ("GET", "/"),
];

impl Door {
    async fn identity(&self) -> String {
        let url = format!("{}/v1/database/{}/identity", self.uri(), self.database.name);
        let answer = send("GET", &url, None, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text.trim().to_owned()
    }

    fn fill(&self, path: &str, identity: &str) -> String {
        path.replace("{db}", &self.database.name).replace("{id}", identity)
    }

    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.iter().map(|bearer| ("authorization", &**bearer)));
        send_raw(method, &format!("{}{path}", self.uri()), &headers, body.to_owned()).await
    }

    /// All rows but those of connections, which come and go a moment after their sockets.
    async fn lasting_rows(&self) -> Vec<String> {
        let rows = all_rows(&self.database).await.into_iter();
        rows.filter(|row| !row.starts_with("realm_connection ")).collect()
    }

    /// Nothing that was tried has changed anything: the rows are the same, the module answers.
    async fn unchanged_after(&self, attempts: impl AsyncFnOnce(&str)) {
        let identity = self.identity().await;
        let before = self.lasting_rows().await;
        assert!(before.iter().any(|row| row.starts_with("account ")), "{before:?}");
        attempts(&identity).await;
        assert_eq!(self.lasting_rows().await, before);
        assert_eq!(self.identity().await, identity, "the name still means this database");
        self.admits("afterwards", &self.good()).await;
    }
}

#[test]
fn nobody_and_no_player_reaches_the_owners_routes() {
    at_the_door(async |door| {
        door.unchanged_after(async |identity| {
            for (method, path, body) in OWNERS {
                for path in [door.fill(path, identity), by_identity(path, identity)] {
                    let case = format!("{method} {path}");
                    let nobody = door.ask(method, &path, None, body).await;
                    assert_problem(&nobody, 401, "guard.token_missing", &case);
                    for role in haven_rules::accounts::Role::ALL {
                        let (keys, database) = (&door.database.stage.keys, &door.database.name);
                        let token = player_token(keys, database, door.account_id, role.name());
                        let player = door.ask(method, &path, Some(&token), body).await;
                        assert_problem(&player, 403, "guard.route_forbidden", &case);
                        let separator = if path.contains('?') { '&' } else { '?' };
                        let path = format!("{path}{separator}token={token}");
                        let player = door.ask(method, &path, None, body).await;
                        assert_problem(&player, 403, "guard.route_forbidden", &case);
                    }
                }
            }
        })
        .await;
    });
}

/// The path with the database's identity in place of its name.
fn by_identity(path: &str, identity: &str) -> String {
    path.replace("{db}", identity).replace("{id}", identity)
}

#[test]
fn nobody_and_no_player_publishes_a_module() {
    at_the_door(async |door| {
        door.unchanged_after(async |_| {
            let (new, own) = ("/v1/database/new-one", door.fill("/v1/database/{db}", ""));
            let (good, bytes) = (door.good(), MODULE_WASM.len());
            for (path, name) in [(new, "new-one"), (&own, &door.database.name)] {
                // The head alone: who is refused is refused before the module has arrived.
                let line = format!("PUT {path}");
                let nobody = format!("Content-Length: {bytes}\r\n\r\n");
                let answer = send_bytes(door.uri(), &line, &nobody).await;
                assert_problem(&answer, 401, "guard.token_missing", &line);
                let player = format!("Authorization: Bearer {good}\r\n{nobody}");
                let answer = send_bytes(door.uri(), &line, &player).await;
                assert_problem(&answer, 403, "guard.route_forbidden", &line);
                // And all of it, as the owner does.
                let published = haven_engine::publish(door.uri(), name, &good, MODULE_WASM).await;
                published.expect_err("a player publishes nothing");
            }
            let answer = send("GET", &format!("{}{new}/identity", door.uri()), None, None).await;
            assert_eq!(answer.status, 404, "there is no new database: {answer:?}");
        })
        .await;
    });
}

#[test]
fn the_owner_publishes_asks_and_calls() {
    at_the_door(async |door| {
        let token = owner_token(&door.database.stage.keys);
        let (uri, name) = (door.uri(), &door.database.name);
        let again = haven_engine::publish(uri, name, &token, MODULE_WASM).await;
        assert!(!again.expect("the module is accepted").created);
        let identity = door.identity().await;
        for database in [name, &identity] {
            for (method, path, body) in [
                ("POST", "sql", "SELECT * FROM account"),
                ("POST", "call/realm_configure", "[1, \"Haven\", true, 50]"),
                ("GET", "logs", ""),
                ("GET", "schema?version=9", ""),
            ] {
                let path = format!("/v1/database/{database}/{path}");
                let answer = door.ask(method, &path, Some(&token), body).await;
                assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
                assert!(answer.header("spacetime-identity-token").is_empty(), "{path}");
            }
        }
        assert_eq!(door.database.rows("realm_config").await[0]["capacity"], 50);
    });
}

#[test]
fn the_inside_of_the_engine_exists_for_nobody() {
    at_the_door(async |door| {
        door.unchanged_after(async |identity| {
            let (player, owner) =
                (door.good(), door.forge.sign(&door.forge.header(), &owner_claims()));
            for (method, path) in HIDDEN {
                let path = door.fill(path, identity);
                for token in [None, Some(player.as_str()), Some(owner.as_str())] {
                    let answer = door.ask(method, &path, token, "").await;
                    let case = format!("{method} {path}");
                    assert_problem(&answer, 404, "guard.route_unknown", &case);
                }
            }
        })
        .await;
    });
}

#[test]
fn a_databases_identity_is_all_that_anybody_may_ask() {
    at_the_door(async |door| {
        let identity = door.identity().await;
        assert_eq!(identity.len(), 64);
        assert!(identity.bytes().all(|byte| byte.is_ascii_hexdigit()), "{identity}");
        let url = format!("{}/v1/database/{}/identity", door.uri(), door.database.name);
        let answer = send("GET", &url, None, None).await;
        assert!(answer.header("spacetime-identity-token").is_empty(), "no ticket for nobody");
        assert!(!answer.header("x-request-id").is_empty());
        let unknown = format!("{}/v1/database/nowhere/identity", door.uri());
        assert_eq!(send("GET", &unknown, None, None).await.status, 404);
    });
}

/// Spellings of paths that servers and proxies have been known to take for others.
const TRICKS: [&str; 27] = [
    "//v1/database/{db}/sql",
    "/v1//database/{db}/sql",
    "/v1/database/{db}//sql",
    "/v1/database/{db}/sql/",
    "/v1/database/{db}/sql//",
    "/v1/database/{db}/%73ql",
    "/v1/database/{db}%2Fsql",
    "/v1/database/{db}%2fsql",
    "/v1/database%2F{db}%2Fsql",
    "/v1/database/{db}/subscribe/../sql",
    "/v1/database/{db}/subscribe/%2e%2e/sql",
    "/v1/database/{db}/subscribe/%2E%2E/sql",
    "/v1/database/{db}/subscribe/..%2fsql",
    "/v1/database/{db}/subscribe%2f..%2fsql",
    "/v1/database/{db}/./sql",
    "/v1/database/{db}/%2e/sql",
    "/v1/ping/../database/{db}/sql",
    "/v1/ping/%2e%2e/database/{db}/sql",
    "/V1/database/{db}/sql",
    "/v1/DATABASE/{db}/sql",
    "/v1/database/{db}/SQL",
    "/v1/database/{db}/sql;x=1",
    "/v1/database/{db}/sql%00",
    "/v1/database/{db}/sql%20",
    "/v1/database/{db}/sql\\",
    "\\v1\\database\\{db}\\sql",
    "/v1/ping/../../internal/heap",
];

#[test]
fn no_other_spelling_of_a_path_reaches_the_engine() {
    at_the_door(async |door| {
        door.unchanged_after(async |identity| {
            let (player, owner) = (door.good(), owner_token(&door.database.stage.keys));
            let statement = "SELECT * FROM realm_owner";
            let rest = |token: &str| {
                let length = statement.len();
                let bearer = format!("Authorization: Bearer {token}\r\n");
                format!("{bearer}Content-Length: {length}\r\n\r\n{statement}")
            };
            let plain = door.fill("POST /v1/database/{db}/sql", identity);
            let answer = send_bytes(door.uri(), &plain, &rest(&owner)).await;
            assert_eq!(answer.status, 200, "the plain spelling works: {answer:?}");
            let refused = send_bytes(door.uri(), &plain, &rest(&player)).await;
            assert_problem(&refused, 403, "guard.route_forbidden", "the plain spelling");
            for trick in TRICKS {
                let path = door.fill(trick, identity);
                for token in [&player, &owner] {
                    let answer =
                        send_bytes(door.uri(), &format!("POST {path}"), &rest(token)).await;
                    if answer.text.is_empty() {
                        assert_eq!(answer.status, 400, "{path} is no path at all: {answer:?}");
                    } else {
                        assert_problem(&answer, 404, "guard.route_unknown", &path);
                    }
                }
            }
        })
        .await;
    });
}

#[test]
fn whole_addresses_and_stars_are_no_way_around() {
    at_the_door(async |door| {
        door.unchanged_after(async |identity| {
            let player = door.good();
            let rest = format!("Authorization: Bearer {player}\r\nContent-Length: 0\r\n\r\n");
            for line in [
                "POST http://other/v1/database/{db}/sql",
                "GET http://localhost/internal/heap",
                "GET http://localhost/v1/metrics",
                "OPTIONS *",
                "GET *",
                "CONNECT localhost:80",
            ] {
                let answer = send_bytes(door.uri(), &door.fill(line, identity), &rest).await;
                assert!((400..500).contains(&answer.status), "{line}: {answer:?}");
            }
        })
        .await;
    });
}

#[test]
fn no_method_opens_what_another_does_not() {
    const METHODS: [&str; 11] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get",
        "FOO",
    ];
    at_the_door(async |door| {
        door.unchanged_after(async |identity| {
            let player = door.good();
            let rest = format!("Authorization: Bearer {player}\r\nContent-Length: 0\r\n\r\n");
            for path in [
                "/v1/database",
                "/v1/database/{db}",
                "/v1/database/{db}/sql",
                "/v1/database/{db}/call/character_leave",
                "/v1/database/{db}/logs",
                "/v1/database/{db}/schema",
                "/v1/database/{db}/names",
                "/v1/metrics",
                "/internal/heap",
            ] {
                for method in METHODS {
                    let line = format!("{method} {}", door.fill(path, identity));
                    let answer = send_bytes(door.uri(), &line, &rest).await;
                    assert!(matches!(answer.status, 403 | 404), "{line}: {answer:?}");
                }
            }
        })
        .await;
    });
}

#[test]
fn a_players_token_is_for_the_name_of_its_database() {
    at_the_door(async |door| {
        let identity = door.identity().await;
        for database in [identity.as_str(), &identity.to_uppercase(), "nowhere", "Test-1"] {
            let path = format!("/v1/database/{database}/subscribe");
            let answer = door.ask("GET", &path, Some(&door.good()), "").await;
            assert_problem(&answer, 401, "guard.token_audience", database);
        }
    });
}

#[test]
fn a_player_may_ping_and_a_stranger_may_not() {
    at_the_door(async |door| {
        let good = door.good();
        assert_eq!(door.ask("GET", "/v1/ping", Some(&good), "").await.status, 200);
        let nobody = door.ask("GET", "/v1/ping", None, "").await;
        assert_problem(&nobody, 401, "guard.token_missing", "nobody");
        let bearer = Bearer { account_id: door.account_id, session_id: 1, role: "player" };
        let lifetime = Duration::from_mins(1);
        let keys = &door.database.stage.keys;
        let access = tokens::access_token(keys, crate::support::ISSUER, bearer, lifetime);
        let refused = door.ask("GET", "/v1/ping", Some(&access.expect("a token")), "").await;
        assert_problem(&refused, 401, "guard.token_audience", "an access token");
    });
}

#[test]
fn bodies_over_their_bound_are_refused_before_they_are_read() {
    at_the_door(async |door| {
        door.unchanged_after(async |_| {
            let owner = owner_token(&door.database.stage.keys);
            let line = format!("POST /v1/database/{}/sql", door.database.name);
            for (length, refused) in [(1 << 20, false), ((1 << 20) + 1, true), (1 << 40, true)] {
                let head = format!("Authorization: Bearer {owner}\r\nContent-Length: {length}");
                // Who is let in is waited for: the body that was announced must come.
                let body = if refused { String::new() } else { " ".repeat(length) };
                let answer = send_bytes(door.uri(), &line, &format!("{head}\r\n\r\n{body}")).await;
                if refused {
                    assert_problem(&answer, 413, "guard.body_too_large", &length.to_string());
                } else {
                    assert_ne!(answer.status, 413, "{length}: {}", answer.text);
                }
            }
        })
        .await;
    });
}
