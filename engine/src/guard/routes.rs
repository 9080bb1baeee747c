//! The routes that exist, who may use them, and how a request to one is written anew.
//!
//! Keeps true: a path is taken apart once, compared with this list, and put together again from
//! its parts; what is not listed does not exist. So no spelling of a path (percent signs, dots,
//! doubled or trailing slashes, capitals) reaches the engine as another one than was checked.
//! A player's subscription is always light: he is never sent other players' reducer arguments.
//! Leaves out on purpose: `/internal`, the engine's metrics and energy; and the routes that hand
//! out the engine's own tokens (`POST /v1/identity`, `/v1/identity/websocket-token`), which open
//! nothing.

use axum07::http::Method;
use url::form_urlencoded;

use super::refusal::Refusal;

/// Bytes of a module that may be published.
const PUBLISH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of any other body.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const SEGMENTS_MAX: usize = 6;
const SEGMENT_BYTES_MAX: usize = 128;
const QUERY_PAIRS_MAX: usize = 16;
const CONNECTION_ID: &str = "connection_id";

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Even without a token.
    Anyone,
    /// Whoever is admitted to the realm, and the owner.
    Player,
    /// The owner alone.
    Owner,
}

/// A route that exists, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) access: Access,
    /// The database that is named in the path, by name or identity.
    pub(crate) database: Option<&'a str>,
    pub(crate) body_bytes_max: usize,
    kind: Kind,
    segments: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Subscribe,
    Renew,
    Metrics,
    Written,
    Other,
}

/// What a request means beyond being passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The connection is a socket on that database.
    Opens(String),
    /// A socket may stay longer; the engine is not asked.
    Renews,
    /// The guard's own numbers; the engine is not asked.
    Counts,
    /// It is not passed on: the guard answers it when that database is written.
    Waits(String),
    /// Nothing.
    None,
}

/// Finds the route of a request, or [`Refusal::RouteUnknown`].
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Result<Route<'a>, Refusal> {
    use Access::{Anyone, Owner, Player};

    let segments = split(path)?;
    let (access, database, body_bytes_max) = match (method.as_str(), segments.as_slice()) {
        ("GET", ["v1", "ping"]) => (Player, None, 0),
        // `renew` and `written` are our own: a later token for a socket that is open, and the wait
        // until what was acknowledged is on disk.
        ("GET", ["v1", "database", db, "subscribe" | "written"])
        | ("POST", ["v1", "database", db, "renew"]) => (Player, Some(*db), 0),
        // SpacetimeDB's own command line asks this without its token before `sql` and `call`.
        // It tells no more than every welcome message on a WebSocket does.
        ("GET", ["v1", "database", db, "identity"]) => (Anyone, Some(*db), 0),
        ("POST", ["v1", "database"]) => (Owner, None, PUBLISH_BYTES_MAX),
        ("PUT", ["v1", "database", db]) => (Owner, Some(*db), PUBLISH_BYTES_MAX),
        (
            "GET",
            ["v1", "database", db, "names" | "schema" | "logs"]
            | ["v1", "database", db, "unstable", "timestamp"],
        )
        | ("GET" | "DELETE", ["v1", "database", db])
        | ("POST", ["v1", "database", db, "call", _] | ["v1", "database", db, "names" | "sql"])
        | ("PUT", ["v1", "database", db, "names"]) => (Owner, Some(*db), BODY_BYTES_MAX),
        (
            "GET",
            // `metrics` is our own: what the door counts.
            ["v1", "metrics"]
            | ["v1", "identity", "public-key"]
            | ["v1", "identity", _, "verify" | "databases"],
        ) => (Owner, None, 0),
        _ => return Err(Refusal::RouteUnknown),
    };
    let kind = match (method.as_str(), segments.as_slice()) {
        (_, [.., "subscribe"]) => Kind::Subscribe,
        (_, [.., "renew"]) => Kind::Renew,
        (_, ["v1", "metrics"]) => Kind::Metrics,
        (_, [.., "written"]) => Kind::Written,
        _ => Kind::Other,
    };
    Ok(Route { access, database, body_bytes_max, kind, segments })
}

fn split(path: &str) -> Result<Vec<&str>, Refusal> {
    let path = path.strip_prefix('/').ok_or(Refusal::RouteUnknown)?;
    let segments: Vec<&str> = path.split('/').take(SEGMENTS_MAX + 1).collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let good = |segment: &&str| {
        !segment.is_empty() && segment.len() <= SEGMENT_BYTES_MAX && segment.bytes().all(plain)
    };
    if segments.len() > SEGMENTS_MAX || !segments.iter().all(good) {
        return Err(Refusal::RouteUnknown);
    }
    Ok(segments)
}

/// A request's query, read once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parameters {
    /// The token, for callers that cannot set headers.
    pub(crate) token: Option<String>,
    others: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query; [`Refusal::QueryMalformed`] when it is too long or a key stands twice.
    pub(crate) fn read(query: &str) -> Result<Self, Refusal> {
        let mut parameters = Self::default();
        let mut keys: Vec<String> = Vec::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if keys.len() == QUERY_PAIRS_MAX || keys.contains(&key) {
                return Err(Refusal::QueryMalformed);
            }
            keys.push(key.clone());
            if key == "token" {
                parameters.token = Some(value);
            } else {
                parameters.others.push((key, value));
            }
        }
        Ok(parameters)
    }

    /// The connection that is named: 1 to 32 hex digits, not 0; [`Refusal::QueryMalformed`] when
    /// it is something else.
    pub(crate) fn connection_id(&self) -> Result<Option<u128>, Refusal> {
        let named = self.others.iter().find(|(key, _)| key == CONNECTION_ID);
        let Some((_, text)) = named else {
            return Ok(None);
        };
        let digits = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|number| digits && *number != 0);
        number.map(Some).ok_or(Refusal::QueryMalformed)
    }
}

impl Route<'_> {
    /// What the request does to its database's sockets when it succeeds, or instead of it.
    pub(crate) fn effect(&self) -> Effect {
        match (self.kind, self.database) {
            (Kind::Subscribe, Some(database)) => Effect::Opens(database.to_owned()),
            (Kind::Renew, _) => Effect::Renews,
            (Kind::Metrics, _) => Effect::Counts,
            (Kind::Written, Some(database)) => Effect::Waits(database.to_owned()),
            _ => Effect::None,
        }
    }

    /// The path and query the engine gets: this route's parts, and of the query what the route
    /// knows. Never a token; `light=true` on a player's subscription; a socket's id in any case.
    pub(crate) fn rewrite(
        &self,
        parameters: &Parameters,
        connection: u128,
        is_owner: bool,
    ) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let subscribe = self.kind == Kind::Subscribe;
        for (key, value) in &parameters.others {
            let known = !subscribe || key == "compression";
            if known || (is_owner && key == "light") {
                query.append_pair(key, value);
            }
        }
        if subscribe {
            query.append_pair(CONNECTION_ID, &format!("{connection:032x}"));
        }
        if subscribe && !is_owner {
            query.append_pair("light", "true");
        }
        let query = query.finish();
        let path = self.segments.join("/");
        if query.is_empty() { format!("/{path}") } else { format!("/{path}?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &str, expected: Option<Access>) {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let method: Method = method.parse().expect("a method");
        assert_eq!(find(&method, path).ok().map(|route| route.access), expected, "{request}");
    }

    #[test]
    fn players_reach_the_subscription_the_barrier_and_the_ping() {
        check("GET /v1/database/haven/written", Some(Access::Player));
        check("POST /v1/database/haven/written", None);
        check("GET /v1/written", None);
        check("GET /v1/database/haven/subscribe", Some(Access::Player));
        check("GET /v1/ping", Some(Access::Player));
    }

    #[test]
    fn a_name_is_looked_up_without_a_token() {
        check("GET /v1/database/haven/identity", Some(Access::Anyone));
    }

    #[test]
    fn tools_of_the_owner_have_their_routes() {
        for request in [
            "POST /v1/database",
            "PUT /v1/database/haven",
            "GET /v1/database/haven",
            "DELETE /v1/database/haven",
            "GET /v1/database/haven/names",
            "POST /v1/database/haven/names",
            "PUT /v1/database/haven/names",
            "POST /v1/database/haven/call/account_register",
            "GET /v1/database/haven/schema",
            "GET /v1/database/haven/logs",
            "POST /v1/database/haven/sql",
            "GET /v1/database/haven/unstable/timestamp",
            "GET /v1/identity/public-key",
            "GET /v1/identity/c200/databases",
        ] {
            check(request, Some(Access::Owner));
        }
    }

    #[test]
    fn the_engines_inside_does_not_exist() {
        for request in [
            "GET /internal/heap",
            "POST /internal/heap/settings",
            "GET /v1/prometheus",
            "GET /v1/prometheus/sd-config",
            "GET /v1/energy/c200",
            "POST /v1/energy/c200",
            "POST /v1/identity",
            "POST /v1/identity/websocket-token",
            "DELETE /v1/database/haven/names",
            "DELETE /v1/database/haven/logs",
            "GET /",
            "GET /v1",
            "GET /v2/ping",
        ] {
            check(request, None);
        }
    }

    #[test]
    fn other_spellings_of_a_path_do_not_exist() {
        for request in [
            "GET /v1/database/haven/subscribe/",
            "GET //v1/database/haven/subscribe",
            "GET /v1//database/haven/subscribe",
            "GET /v1/database//subscribe",
            "GET /v1/database/haven/./subscribe",
            "GET /v1/database/haven/../haven/subscribe",
            "GET /v1/database/..%2f..%2finternal/subscribe",
            "GET /v1/database/haven/%73ubscribe",
            "GET /v1/database/haven%2Fsql/subscribe",
            "GET /V1/database/haven/subscribe",
            "GET /v1/Database/haven/subscribe",
            "GET /v1/database/haven/SUBSCRIBE",
            "GET /v1/database/haven/subscribe;x",
            "GET /v1/database/haven/subscribe%00",
            "GET /v1/ping/",
            "GET /v1/ping/../../internal/heap",
            "GET v1/ping",
            "GET *",
            "OPTIONS /v1/ping",
            "HEAD /v1/ping",
            "HEAD /v1/database/haven/subscribe",
            "POST /v1/database/haven/subscribe",
            "CONNECT /v1/ping",
            "TRACE /v1/ping",
            "get /v1/ping",
        ] {
            check(request, None);
        }
        let long = format!("GET /v1/database/{}/subscribe", "a".repeat(SEGMENT_BYTES_MAX + 1));
        check(&long, None);
    }

    #[track_caller]
    fn check_rewrite(query: &str, is_owner: bool, expected: &str) {
        let route = find(&Method::GET, "/v1/database/haven/subscribe").expect("it exists");
        let parameters = Parameters::read(query).expect("a query");
        let wanted = format!("/v1/database/haven/subscribe{expected}");
        let connection = parameters.connection_id().expect("a number").unwrap_or(0xc);
        let written = route.rewrite(&parameters, connection, is_owner);
        let id = "connection_id=000000000000000000000000000000";
        assert_eq!(written.replace(id, "id="), wanted, "{query}");
    }

    #[test]
    fn a_players_subscription_is_light_whatever_he_says() {
        check_rewrite("", false, "?id=0c&light=true");
        check_rewrite("light=false", false, "?id=0c&light=true");
        let smuggled = "l%69ght=false&compression=None";
        check_rewrite(smuggled, false, "?compression=None&id=0c&light=true");
        check_rewrite("connection_id=ab&evil=1", false, "?id=ab&light=true");
        check_rewrite("light=false", true, "?light=false&id=0c");
    }

    #[test]
    fn a_token_in_the_query_does_not_reach_the_engine() {
        check_rewrite("token=x.y.z", false, "?id=0c&light=true");
        check_rewrite("token=x.y.z", true, "?id=0c");
        check_rewrite("%74oken=x.y.z", true, "?id=0c");
        assert_eq!(Parameters::read("token=x").map(|p| p.token), Ok(Some("x".to_owned())));
    }

    #[test]
    fn a_connection_is_a_number_that_is_not_zero() {
        let check = |text: &str, expected| {
            let parameters = Parameters::read(&format!("connection_id={text}")).expect("a query");
            assert_eq!(parameters.connection_id(), expected, "{text}");
        };
        check("1", Ok(Some(1)));
        check(&"f".repeat(32), Ok(Some(u128::MAX)));
        for text in ["", "0", "+1", "-1", "0x1", "g", &"0".repeat(32), &"1".repeat(33)] {
            check(text, Err(Refusal::QueryMalformed));
        }
        assert_eq!(Parameters::default().connection_id(), Ok(None));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        for query in ["light=true&light=false", "token=a&token=b", "a=1&%61=2"] {
            assert_eq!(Parameters::read(query), Err(Refusal::QueryMalformed), "{query}");
        }
        let many: Vec<String> = (0..=QUERY_PAIRS_MAX).map(|n| format!("k{n}=1")).collect();
        assert_eq!(Parameters::read(&many.join("&")), Err(Refusal::QueryMalformed));
    }

    #[test]
    fn only_publishing_takes_a_large_body() {
        let publish = find(&Method::PUT, "/v1/database/haven").expect("it exists");
        assert_eq!(publish.body_bytes_max, PUBLISH_BYTES_MAX);
        let sql = find(&Method::POST, "/v1/database/haven/sql").expect("it exists");
        assert_eq!(sql.body_bytes_max, BODY_BYTES_MAX);
        let subscribe = find(&Method::GET, "/v1/database/haven/subscribe").expect("it exists");
        assert_eq!(subscribe.body_bytes_max, 0);
    }
}
