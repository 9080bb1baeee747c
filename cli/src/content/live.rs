//! The content of a running realm: its versions, and what is in force.
//!
//! Keeps true: what is sent is a whole pack without fault; a realm that has versions is never
//! changed unasked.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;
use haven_gateway::stdb::rows::{ContentDef, ContentVersion};
use haven_gateway::stdb::{Args as CallArgs, CallError, Filter, Link};
use haven_rules::content::Pack;
use haven_rules::content::book::Book;
use haven_rules::content::diff::diff;
use haven_rules::content::versions::{
    StoredEntry, VERSIONS_MAX, entries_of, pack_of, validate_title,
};
use spacetimedb_lib::{SpacetimeType, Timestamp};

use super::packs::{self, Named};
use super::touched::{Characters, Whom, whom};
use super::words;
use crate::args::Loader;
use crate::config::Flags;
use crate::owner::Owner;
use crate::setup::refused;
use crate::terminal;

/// `content_version.state` of the one in force.
const ACTIVE: u8 = 1;

/// Which realm's database, and how to reach it.
#[derive(Clone, Debug, Args)]
pub(crate) struct RealmOf {
    /// Host of the realm's database [default: http://127.0.0.1:3000]
    #[arg(long, global = true, value_name = "URI")]
    server: Option<String>,
    /// Name of the realm's database [default: haven]
    #[arg(long, global = true, value_name = "NAME")]
    database: Option<String>,
    /// Data directory whose keys the host trusts [default: .haven]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl RealmOf {
    /// The realm's owner, and a link to its database.
    pub(crate) async fn connect(self, loader: &Loader) -> anyhow::Result<(Owner, Link)> {
        let flags = Flags {
            data_dir: self.data_dir,
            server: self.server,
            database: self.database,
            ..Flags::default()
        };
        let config = loader.load(&flags)?;
        let owner = Owner::open(&config)?;
        let link = owner.connect_patiently(&config.database_uri(), &config.database.name).await?;
        Ok((owner, link))
    }
}

/// An entry as `content_stage` takes it.
#[derive(SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct SentEntry {
    kind: String,
    key: String,
    body: String,
}

/// Puts the pack that comes with Haven in force where nothing ever was: in a new database, or in
/// one of a release without content. Goes on where it was interrupted.
pub(crate) async fn ensure(link: &Link) -> anyhow::Result<()> {
    let known = match link.query::<ContentVersion>(Filter::all()).await {
        // An older module, published on purpose, has no such table.
        Err(CallError::Query(_)) => return Ok(()),
        known => known.map_err(|error| refused("the versions of the content", &error))?,
    };
    let is_settled = known.iter().any(|row| row.activated_at_micros != 0);
    if is_settled || known.len() >= VERSIONS_MAX {
        return Ok(());
    }
    let Named { name, pack } = packs::load(None)?;
    let version = match known.iter().find(|row| row.title == name) {
        Some(staged) => staged.version,
        None => send(link, &name, &entries_of(&pack)).await?,
    };
    put_in_force(link, version, 0).await
}

/// Puts a pack in force in a realm of one's own, whatever is in force there.
pub(crate) async fn replace(link: &Link, title: &str, pack: &Pack) -> anyhow::Result<()> {
    let version = send(link, title, &entries_of(pack)).await?;
    put_in_force(link, version, 0).await
}

/// Brings a pack into the realm.
pub(super) async fn stage(
    realm: RealmOf,
    loader: &Loader,
    named: &Named,
    title: Option<&str>,
) -> anyhow::Result<()> {
    let title = title.unwrap_or(&named.name);
    validate_title(title).map_err(|error| anyhow!("{title:?}: {}", error.text()))?;
    let entries = entries_of(&named.pack);
    pack_of(&entries).map_err(|error| anyhow!("{}: {}", named.name, error.text()))?;
    let (_, link) = realm.connect(loader).await?;
    let changes = diff(&in_force(&link).await?, &named.pack).len();
    let version = send(&link, title, &entries).await?;
    link.close().await;
    terminal::done(&format!(
        "version {version} {title:?} is staged: {} entries; changes to what is in force: {changes}",
        entries.len()
    ));
    terminal::note(&format!("put it in force with: haven content activate {version}"));
    Ok(())
}

/// Shows the versions.
pub(super) async fn list(realm: RealmOf, loader: &Loader) -> anyhow::Result<()> {
    let (_, link) = realm.connect(loader).await?;
    let versions = versions(&link).await?;
    link.close().await;
    let heading = ["version", "title", "state", "entries", "follows", "staged", "in force"];
    let row = |row: &ContentVersion| {
        let staged_at = row.staged_at.to_micros_since_unix_epoch();
        let in_force = match (row.activate_at_micros, row.activated_at_micros) {
            (0, 0) => "–".to_owned(),
            (0, at) => format!("since {}", instant(at)),
            (at, _) => format!("from {}", instant(at)),
        };
        let in_force = if row.state == ACTIVE || row.activate_at_micros != 0 {
            in_force
        } else {
            in_force.replacen("since", "last from", 1)
        };
        vec![
            row.version.to_string(),
            row.title.clone(),
            state(row).to_owned(),
            row.entries.to_string(),
            if row.follows == 0 { "–".to_owned() } else { row.follows.to_string() },
            instant(staged_at),
            in_force,
        ]
    };
    let rows: Vec<_> = versions.iter().map(row).collect();
    anstream::print!("{}", terminal::table(&heading, &rows));
    Ok(())
}

/// Tells what a pack would change, and whom that touches.
pub(super) async fn diff_in_force(
    realm: RealmOf,
    loader: &Loader,
    named: &Named,
) -> anyhow::Result<()> {
    let (owner, link) = realm.connect(loader).await?;
    let old = in_force(&link).await?;
    let token = owner.request_token()?;
    let characters = Characters::count(link.uri(), link.database(), &token).await?;
    link.close().await;
    let changes = diff(&old, &named.pack);
    let touched: Vec<Whom> = changes.iter().map(|change| whom(change, &old, &named.pack)).collect();
    let rows: Vec<_> = std::iter::zip(&changes, &touched)
        .map(|(change, whom)| {
            let (done, fields) = words(change);
            let characters = characters.touched(whom).map(|count| count.to_string());
            vec![
                done.to_owned(),
                change.kind.word().to_owned(),
                change.key.clone(),
                characters.unwrap_or_else(|| "–".to_owned()),
                // No table holds any yet.
                "–".to_owned(),
                "–".to_owned(),
                fields,
            ]
        })
        .collect();
    if !rows.is_empty() {
        let heading = ["change", "kind", "key", "characters", "creatures", "items", "fields"];
        anstream::print!("{}", terminal::table(&heading, &rows));
    }
    terminal::done(&format!(
        "{}: entries that differ from what is in force: {}; characters touched: {}",
        named.name,
        changes.len(),
        characters.touched_by_any(&touched)
    ));
    Ok(())
}

/// Puts a version in force, now or later.
pub(super) async fn activate(
    realm: RealmOf,
    loader: &Loader,
    version: u32,
    at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let (_, link) = realm.connect(loader).await?;
    let at_micros = at.map_or(0, Timestamp::to_micros_since_unix_epoch);
    put_in_force(&link, version, at_micros).await?;
    if at.is_some() {
        terminal::done(&format!("version {version} is in force from {} on", instant(at_micros)));
    } else {
        tell_in_force(&link).await?;
    }
    link.close().await;
    Ok(())
}

/// Puts the version in force again that was before.
pub(super) async fn rollback(realm: RealmOf, loader: &Loader) -> anyhow::Result<()> {
    let (_, link) = realm.connect(loader).await?;
    let outcome = link.call("content_rollback", CallArgs::new()).await;
    outcome.map_err(|error| refused("content_rollback", &error))?;
    tell_in_force(&link).await?;
    link.close().await;
    Ok(())
}

/// Forgets a version.
pub(super) async fn forget(realm: RealmOf, loader: &Loader, version: u32) -> anyhow::Result<()> {
    let (_, link) = realm.connect(loader).await?;
    let outcome = link.call("content_drop", CallArgs::new().with(&version)).await;
    outcome.map_err(|error| refused("content_drop", &error))?;
    link.close().await;
    terminal::done(&format!("version {version} is gone"));
    Ok(())
}

/// The versions, by number.
async fn versions(link: &Link) -> anyhow::Result<Vec<ContentVersion>> {
    let rows = link.query(Filter::all()).await;
    let mut rows: Vec<ContentVersion> =
        rows.map_err(|error| refused("the versions of the content", &error))?;
    rows.sort_by_key(|row| row.version);
    Ok(rows)
}

/// What is in force; empty where nothing is. Entries of another release's shape are left out, as
/// the module leaves them out.
async fn in_force(link: &Link) -> anyhow::Result<Pack> {
    let rows = link.query(Filter::all()).await;
    let rows: Vec<ContentDef> = rows.map_err(|error| refused("the content in force", &error))?;
    let stored = |row: ContentDef| StoredEntry { kind: row.kind, key: row.key, body: row.body };
    let (book, unreadable) = Book::of(rows.into_iter().map(stored));
    for def_key in unreadable {
        terminal::note(&format!("{def_key} is of the shape of another release and not in use"));
    }
    Ok(book.pack().clone())
}

/// Stages entries, and answers the version's number.
async fn send(link: &Link, title: &str, entries: &[StoredEntry]) -> anyhow::Result<u32> {
    let sent = |entry: &StoredEntry| SentEntry {
        kind: entry.kind.clone(),
        key: entry.key.clone(),
        body: entry.body.clone(),
    };
    let sent: Vec<_> = entries.iter().map(sent).collect();
    let outcome = link.call("content_stage", CallArgs::new().with(title).with(&sent)).await;
    outcome.map_err(|error| refused("content_stage", &error))?;
    let staged = versions(link).await?;
    let staged = staged.iter().rev().find(|row| row.title == title && row.state == 0);
    Ok(staged.context("the staged version was dropped at once")?.version)
}

async fn put_in_force(link: &Link, version: u32, at_micros: i64) -> anyhow::Result<()> {
    let args = CallArgs::new().with(&version).with(&at_micros);
    let outcome = link.call("content_activate", args).await;
    outcome.map_err(|error| refused("content_activate", &error))
}

async fn tell_in_force(link: &Link) -> anyhow::Result<()> {
    let versions = versions(link).await?;
    let active = versions.iter().find(|row| row.state == ACTIVE);
    let active = active.context("no version is in force")?;
    let ContentVersion { version, title, entries, .. } = active;
    terminal::done(&format!("version {version} {title:?} is in force: {entries} entries"));
    Ok(())
}

fn state(row: &ContentVersion) -> &'static str {
    match (row.state, row.activate_at_micros) {
        (ACTIVE, _) => "in force",
        (_, at) if at != 0 => "scheduled",
        (0, _) => "staged",
        (_, _) => "was in force",
    }
}

/// An instant to the second.
fn instant(micros: i64) -> String {
    let whole = micros.div_euclid(1_000_000).saturating_mul(1_000_000);
    let text = Timestamp::from_micros_since_unix_epoch(whole).to_rfc3339();
    text.map_or_else(|_| format!("{micros} µs"), |text| text.replace("+00:00", "Z"))
}
