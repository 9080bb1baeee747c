//! Reading the configuration: defaults, then the file, then the environment, then flags.
//!
//! Keeps true: nothing unknown is ignored: an unknown key or a bad value is an error that names the
//! key and the file or variable it stands in. The environment is passed in, so tests need none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};
use haven_gateway::GatewayError;
use haven_rules::realms::{RealmError, validate_realm};
use haven_rules::world::WorldError;

use super::{Config, ConfigError, DEFAULT_FILE, LogSaid, recipe_text, uri_of};

const PREFIX: &str = "HAVEN_";
const SEPARATOR: &str = "__";
const HTTP_EXPECTED: &str = "an address starts with http:// or https://";
/// Keys of the gateway that follow from other sections and are not configured twice.
pub(super) const DERIVED: [(&str, &str); 3] = [
    ("gateway.listen", "set server.listen instead"),
    ("gateway.home_uri", "set database.uri instead"),
    ("gateway.home_database", "set database.name instead"),
];

/// What a subcommand's flags say over the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) stdb_listen: Option<SocketAddr>,
    pub(crate) in_memory: bool,
    pub(crate) server: Option<String>,
    pub(crate) database: Option<String>,
}

/// The variables `HAVEN_SECTION__KEY`; others are none of ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(Vec<(String, String, String)>);

impl Environment {
    /// Of the process.
    pub(crate) fn of_process() -> Self {
        Self::of(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Of these names and values.
    pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?;
            key.contains(SEPARATOR)
                .then(|| (key.replace(SEPARATOR, ".").to_lowercase(), name.clone(), value))
        });
        Self(ours.collect())
    }

    /// A configuration with what the variables say over it. A value is read like one in the file;
    /// what cannot be is taken as text.
    fn over(&self, figment: Figment) -> Figment {
        self.0.iter().fold(figment, |figment, (key, _, text)| {
            let Ok(value) = text.parse::<Value>();
            figment.merge((key.as_str(), value))
        })
    }

    /// The variable that says this key, or a part of it, or what it is a part of.
    pub(crate) fn variable_of(&self, key: &str) -> Option<String> {
        let part_of = |whole: &str, part: &str| {
            whole.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let found = self.0.iter().find(|(ours, _, _)| part_of(key, ours) || part_of(ours, key));
        found.map(|(_, name, _)| name.clone())
    }
}

/// Loads the configuration for a subcommand. A named file must exist; the default one may not.
pub(crate) fn load(
    file: Option<&Path>,
    env: &Environment,
    flags: &Flags,
) -> Result<Config, ConfigError> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            String::new()
        }
        Err(error) => return Err(ConfigError::of_file(path, &format!("cannot be read: {error}"))),
    };
    parse(&text, path, env, flags)
}

/// Makes a configuration of a file's text, an environment and flags.
pub(crate) fn parse(
    text: &str,
    path: &Path,
    env: &Environment,
    flags: &Flags,
) -> Result<Config, ConfigError> {
    let from_file = Figment::from(Toml::string(text));
    if let Err(error) = from_file.extract::<Dict>() {
        return Err(ConfigError::of_file(path, &error.kind.to_string()));
    }
    let figment = env.over(from_file);
    for (key, advice) in DERIVED {
        if figment.contains(key) {
            return Err(ConfigError::of_key(key, advice, path, env));
        }
    }
    let mut config: Config =
        figment.extract().map_err(|error| ConfigError::of_figment(&error, &figment, path, env))?;
    config.log_said = LogSaid {
        format: figment.contains("gateway.log_format"),
        filter: figment.contains("gateway.log_filter"),
    };
    apply(&mut config, flags, !figment.contains("gateway.keys_dir"));
    check(&config).map_err(|(key, problem)| ConfigError::of_key(&key, &problem, path, env))?;
    Ok(config)
}

fn apply(config: &mut Config, flags: &Flags, default_keys_dir: bool) {
    let server = &mut config.server;
    server.data_dir = flags.data_dir.clone().unwrap_or_else(|| server.data_dir.clone());
    server.listen = flags.listen.unwrap_or(server.listen);
    server.stdb_listen = flags.stdb_listen.unwrap_or(server.stdb_listen);
    server.in_memory |= flags.in_memory;
    if let Some(name) = &flags.database {
        config.database.name.clone_from(name);
    }
    if let Some(uri) = &flags.server {
        config.database.uri = Some(uri.trim_end_matches('/').to_owned());
    }
    if default_keys_dir {
        config.gateway.keys_dir = config.server.data_dir.join("keys");
    }
    config.gateway.listen = config.server.listen;
    config.gateway.home_database = config.database.name.clone();
    config.gateway.home_uri = config.database_uri();
}

/// Values that each are of their type and yet cannot be: the key, and why.
fn check(config: &Config) -> Result<(), (String, String)> {
    if !(1..=65_536).contains(&config.server.module_logs_mib) {
        return Err(("server.module_logs_mib".to_owned(), "is 1 to 65536".to_owned()));
    }
    if !matches!(config.server.checkpoint_transactions, 0 | 1_000..=1_000_000) {
        let problem = "is 0 or 1000 to 1000000".to_owned();
        return Err(("server.checkpoint_transactions".to_owned(), problem));
    }
    check_realm(config)?;
    config.world.validate().map_err(|error| {
        let key = match error {
            WorldError::BoundsInvalid => "world.max_block_x",
            WorldError::SpeedInvalid => "world.run_speed_mm_per_s",
            WorldError::SpawnInvalid => "world.spawn_x_mm",
            WorldError::ObstaclesTooMany | WorldError::ObstacleInvalid => "world.obstacles",
            WorldError::RecipeInvalid => "world.terrain",
            WorldError::Unknown | WorldError::SurveyInvalid => "world",
        };
        (key.to_owned(), error.text().to_owned())
    })?;
    recipe_text(&config.world.terrain).map_err(|problem| ("world.terrain".to_owned(), problem))?;
    for (name, section) in &config.instances {
        section
            .definition(name)
            .map_err(|problem| (format!("instances.{name}.terrain"), problem))?;
    }
    if config.guard.jwks_uri.as_ref().is_some_and(|uri| !is_http(uri)) {
        return Err(("guard.jwks_uri".to_owned(), HTTP_EXPECTED.to_owned()));
    }
    let limits = config.guard.limits.check();
    limits.map_err(|(key, problem)| (format!("guard.limits.{key}"), problem))?;
    config.gateway.validate().map_err(|error| match error {
        GatewayError::Config { field: "home_uri", reason } => ("database.uri".to_owned(), reason),
        GatewayError::Config { field, reason } => (format!("gateway.{field}"), reason),
        other => ("gateway".to_owned(), other.to_string()),
    })
}

fn check_realm(config: &Config) -> Result<(), (String, String)> {
    let realm = &config.realm;
    let uri = realm.uri.clone().unwrap_or_else(|| uri_of(config.server.stdb_listen));
    let database = &config.database.name;
    validate_realm(realm.id, &realm.name, &uri, database, realm.capacity).map_err(|error| {
        let key = match error {
            RealmError::IdInvalid => "realm.id",
            RealmError::NameInvalid => "realm.name",
            RealmError::UriInvalid => "realm.uri",
            RealmError::DatabaseInvalid => "database.name",
            RealmError::CapacityInvalid => "realm.capacity",
            _ => "realm",
        };
        (key.to_owned(), error.text().to_owned())
    })
}

fn is_http(uri: &str) -> bool {
    uri.starts_with("http://") || uri.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "some/spacetime.toml";

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let owned = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let env = Environment::of(owned);
        parse(text, Path::new(FILE), &env, &Flags::default()).map_err(|error| error.to_string())
    }

    /// Every part must stand in the one line the refusal is.
    fn refused(text: &str, variables: &[(&str, &str)], parts: &[&str]) {
        let message = read(text, variables).expect_err("refused");
        assert_eq!(message.lines().count(), 1, "{message}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }

    #[test]
    fn nothing_at_all_is_a_configuration() {
        let config = read("", &[]).expect("valid");
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.gateway.keys_dir, Path::new(".haven/keys"));
        assert_eq!(config.gateway.home_uri, "http://127.0.0.1:3000");
        assert_eq!(config.gateway.home_database, "haven");
    }

    #[test]
    fn the_file_at_the_root_says_the_defaults() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spacetime.toml");
        let text = std::fs::read_to_string(file).expect("the file is there");
        let (shipped, default) = (read(&text, &[]), read("", &[]));
        assert_eq!(format!("{shipped:#?}"), format!("{default:#?}"));
    }

    #[test]
    fn unknown_keys_are_named_with_their_file_or_variable() {
        refused("[server]\nlistn = 1", &[], &[FILE, "server.listn", "unknown key", "stdb_listen"]);
        refused("[sever]\nlisten = 1", &[], &[FILE, "sever", "unknown key"]);
        refused("[gateway]\nnope = 1", &[], &[FILE, "gateway.nope", "unknown key"]);
        refused("[gateway.argon2]\nnope = 1", &[], &[FILE, "gateway.argon2.nope", "unknown key"]);
        refused("", &[("HAVEN_REALM__NAM", "x")], &["HAVEN_REALM__NAM", "realm.nam", "unknown"]);
        refused("", &[("HAVEN_NOPE__NAME", "x")], &["HAVEN_NOPE__NAME", "nope", "unknown"]);
    }

    #[test]
    fn bad_values_are_named_with_their_file_or_variable() {
        refused("[server]\nlisten = 'here'", &[], &[FILE, "server.listen", "here"]);
        refused("[server]\nin_memory = 3", &[], &[FILE, "server.in_memory", "3"]);
        refused("[server]\nmodule_logs_mib = 0", &[], &[FILE, "module_logs_mib", "1 to 65536"]);
        refused("[server]\ncheckpoint_transactions = 999", &[], &[FILE, "0 or 1000 to 1000000"]);
        refused("[realm]\nid = 70000", &[], &[FILE, "realm.id", "70000"]);
        refused("[realm]\nid = 0", &[], &[FILE, "realm.id", "1 to 65535"]);
        refused("[realm]\ncapacity = 0", &[], &[FILE, "realm.capacity"]);
        refused("[database]\nname = 'Big House'", &[], &[FILE, "database.name"]);
        refused("[database]\nuri = 'here'", &[], &[FILE, "database.uri", "http://"]);
        refused("[world]\nmax_block_x = -99", &[], &[FILE, "world.max_block_x"]);
        refused("[world]\nspawn_x_mm = 999000000", &[], &[FILE, "world.spawn_x_mm"]);
        refused("[world]\nterrain = 'no/such.toml'", &[], &[FILE, "world.terrain", "hollow"]);
        refused("[instances.x]\nterrain = 'no'", &[], &[FILE, "instances.x.terrain", "open"]);
        let limit = "[guard.limits]\nconnections_max = 0";
        refused(limit, &[], &[FILE, "guard.limits.connections_max", "1 to 1000000"]);
        refused("[instances.x]\nnope = 1", &[], &[FILE, "instances.x.nope", "unknown key"]);
        refused(
            "[world]\nobstacles = [{ cell_x = 1 }]",
            &[],
            &[FILE, "world.obstacles", "missing"],
        );
        refused("", &[("HAVEN_REALM__ID", "x")], &["HAVEN_REALM__ID", "realm.id", "x"]);
        refused("", &[("HAVEN_WORLD__RUN_SPEED_MM_PER_S", "1")], &["HAVEN_WORLD__RUN_SPEED"]);
    }

    #[test]
    fn what_is_not_toml_is_one_line_with_its_place() {
        refused("[server\nlisten = 1", &[], &[FILE, "line 1"]);
    }

    #[test]
    fn derived_keys_say_what_to_set_instead() {
        refused("[gateway]\nlisten = '127.0.0.1:1'", &[], &["gateway.listen", "server.listen"]);
        let variable = ("HAVEN_GATEWAY__HOME_URI", "http://x");
        refused("", &[variable], &["HAVEN_GATEWAY__HOME_URI", "database.uri"]);
    }

    #[test]
    fn the_environment_stands_over_the_file_and_flags_over_both() {
        let text = "[server]\nlisten = '127.0.0.1:1'\ndata_dir = 'file'\n[realm]\nname = 'File'";
        let env = Environment::of([
            ("HAVEN_SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
            ("HAVEN_SERVER__DATA_DIR".to_owned(), "env".to_owned()),
            ("HAVEN_GATEWAY__ARGON2__MEMORY_KIB".to_owned(), "8192".to_owned()),
            ("HAVEN_GATEWAY__CORS_ORIGINS".to_owned(), "[\"https://a.example\"]".to_owned()),
            ("HAVEN_UNRELATED".to_owned(), "ignored".to_owned()),
        ]);
        let flags = Flags { data_dir: Some("flag".into()), ..Flags::default() };
        let config = parse(text, Path::new(FILE), &env, &flags).expect("valid");
        assert_eq!(config.server.listen.port(), 2);
        assert_eq!(config.server.data_dir, Path::new("flag"));
        assert_eq!(config.gateway.keys_dir, Path::new("flag/keys"));
        assert_eq!(config.gateway.argon2.memory_kib, 8_192);
        assert_eq!(config.gateway.cors_origins, ["https://a.example"]);
        assert_eq!(config.realm.name, "File");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let missing = Path::new("no/such/file.toml");
        let loaded = load(Some(missing), &Environment::default(), &Flags::default());
        let message = loaded.expect_err("refused").to_string();
        assert!(message.starts_with("no/such/file.toml: cannot be read"), "{message}");
    }
}
