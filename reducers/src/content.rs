//! Content: versions staged, activated at once or at an instant, and taken back.
//!
//! Keeps true: `content_def` holds exactly the active version's entries, and an activation changes
//! only rows that differ, in one transaction. Nothing is staged that has a fault.

mod book;

pub(crate) use book::{book, hold};

use crate::authority::{require_database, require_owner};
use crate::sequences;
use crate::{Refusal, audit, characters, leaderboards, now_micros};
use haven_rules::content::versions::{
    ContentError, StoredEntry, VERSIONS_MAX, activation_at_micros, pack_of, step, validate_title,
};
use haven_rules::sequences::Numbered;
use haven_tables::content::{
    ContentDef, ContentEntry, ContentVersion, content_def, content_entry, content_version,
};
use spacetimedb::{ReducerContext, ScheduleAt, SpacetimeType, Table, reducer, table};
use std::collections::BTreeMap;

/// Waiting to be active.
const STAGED: u8 = 0;
/// In force.
const ACTIVE: u8 = 1;
/// Not in force any more.
const RETIRED: u8 = 2;

/// The timer of [`content_activate_due()`]: one for each version that becomes active by itself.
#[table(name = content_activation_timer, scheduled(content_activate_due))]
pub struct ContentActivationTimer {
    /// The timer's number.
    #[primary_key]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
    /// The version.
    #[unique]
    pub version: u32,
}

/// An entry as it is sent.
#[derive(SpacetimeType)]
pub struct SentEntry {
    /// `race`, `class`, `ability` and so on.
    pub kind: String,
    /// Its key among its kind.
    pub key: String,
    /// The entry, JSON.
    pub body: String,
}

/// Stages a version: it is there, whole and without fault, and not in force. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `content.title_invalid`, `content.entries_invalid`,
/// `content.pack_faulty`, `content.versions_too_many`.
#[reducer]
pub fn content_stage(
    ctx: &ReducerContext,
    title: String,
    entries: Vec<SentEntry>,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    validate_title(&title)?;
    let stored =
        |entry: SentEntry| StoredEntry { kind: entry.kind, key: entry.key, body: entry.body };
    let entries: Vec<_> = entries.into_iter().map(stored).collect();
    pack_of(&entries)?;
    let versions = versions(ctx);
    if versions.len() >= VERSIONS_MAX {
        return Err(ContentError::VersionsTooMany.into());
    }
    // A number that a version still goes back to is not given again, even if that was dropped.
    let last = versions.values().map(|row| row.version.max(row.follows)).max();
    let version = last.unwrap_or(0) + 1;
    audit::record(ctx, 0, 0, "content_staged", &format!("{version} {title}"));
    ctx.db.content_version().insert(ContentVersion {
        version,
        title,
        state: STAGED,
        entries: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        activate_at_micros: 0,
        activated_at_micros: 0,
        follows: 0,
        staged_at: ctx.timestamp,
    });
    for StoredEntry { kind, key, body } in entries {
        let content_entry_id = sequences::next(ctx, Numbered::ContentEntry);
        ctx.db.content_entry().insert(ContentEntry { content_entry_id, version, kind, key, body });
    }
    Ok(())
}

/// Puts a version in force, at once (0) or at an instant. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `content.version_unknown`,
/// `content.version_active`, `content.time_invalid`.
#[reducer]
pub fn content_activate(ctx: &ReducerContext, version: u32, at_micros: i64) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let row = ctx.db.content_version().version().find(version);
    let row = row.ok_or(ContentError::VersionUnknown)?;
    if row.state == ACTIVE {
        return Err(ContentError::VersionActive.into());
    }
    let later = activation_at_micros(now_micros(ctx), at_micros)?;
    ctx.db.content_activation_timer().version().delete(version);
    let Some(at_micros) = later else {
        activate(ctx, row, true);
        return Ok(());
    };
    audit::record(ctx, 0, 0, "content_scheduled", &format!("{version} at {at_micros}"));
    ctx.db.content_activation_timer().insert(ContentActivationTimer {
        scheduled_id: sequences::next(ctx, Numbered::ContentActivationTimer),
        scheduled_at: ScheduleAt::Time(crate::at_micros(at_micros)),
        version,
    });
    let row = ContentVersion { activate_at_micros: at_micros, ..row };
    ctx.db.content_version().version().update(row);
    Ok(())
}

/// Puts a version in force whose instant has come. It may have been dropped or activated since.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn content_activate_due(
    ctx: &ReducerContext,
    timer: ContentActivationTimer,
) -> Result<(), Refusal> {
    require_database(ctx)?;
    let row = ctx.db.content_version().version().find(timer.version);
    if let Some(row) = row.filter(|row| row.state != ACTIVE) {
        activate(ctx, row, true);
    }
    Ok(())
}

/// Puts the version in force again that was before the active one. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `content.nothing_before`.
#[reducer]
pub fn content_rollback(ctx: &ReducerContext) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let versions = versions(ctx);
    let active = versions.values().find(|row| row.state == ACTIVE);
    let before = active.map_or(0, |row| row.follows);
    let row = ctx.db.content_version().version().find(before);
    let row = row.ok_or(ContentError::NothingBefore)?;
    ctx.db.content_activation_timer().version().delete(before);
    activate(ctx, row, false);
    Ok(())
}

/// Forgets a version that is not in force. Owner only.
///
/// # Errors
/// In this order: `account.permission_denied`, `content.version_unknown`,
/// `content.version_active`.
#[reducer]
pub fn content_drop(ctx: &ReducerContext, version: u32) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let row = ctx.db.content_version().version().find(version);
    let row = row.ok_or(ContentError::VersionUnknown)?;
    if row.state == ACTIVE {
        return Err(ContentError::VersionActive.into());
    }
    audit::record(ctx, 0, 0, "content_dropped", &format!("{version} {}", row.title));
    ctx.db.content_activation_timer().version().delete(version);
    ctx.db.content_entry().by_version().delete(version);
    ctx.db.content_version().version().delete(version);
    Ok(())
}

/// Changes the rows that differ. A way back does not note what it came from, or two versions would
/// follow each other.
fn activate(ctx: &ReducerContext, row: ContentVersion, is_forwards: bool) {
    let (version, now) = (row.version, now_micros(ctx));
    // Before any row changes: whoever asks for the book here is given that of the version before.
    leaderboards::content_changes(ctx);
    let entries: Vec<_> = ctx
        .db
        .content_entry()
        .by_version()
        .filter(version)
        .map(|entry| StoredEntry { kind: entry.kind, key: entry.key, body: entry.body })
        .collect();
    let known = active(ctx);
    let step = step(&known, &entries);
    let changed = step.removed.len() + step.written.len();
    for def_key in step.removed {
        ctx.db.content_def().def_key().delete(def_key);
    }
    for entry in step.written {
        let def_key = entry.def_key();
        let StoredEntry { kind, key, body } = entry;
        let is_known = known.contains_key(&def_key);
        let row = ContentDef { def_key, kind, key, body };
        if is_known {
            ctx.db.content_def().def_key().update(row);
        } else {
            ctx.db.content_def().insert(row);
        }
    }
    let before = versions(ctx).into_values().find(|row| row.state == ACTIVE);
    let follows = match (&before, is_forwards) {
        (Some(before), true) => before.version,
        (_, _) => row.follows,
    };
    if let Some(before) = before {
        let state = RETIRED;
        ctx.db.content_version().version().update(ContentVersion { state, ..before });
    }
    audit::record(ctx, 0, 0, "content_activated", &format!("{version} {}: {changed}", row.title));
    ctx.db.content_version().version().update(ContentVersion {
        state: ACTIVE,
        activate_at_micros: 0,
        activated_at_micros: now,
        follows,
        ..row
    });
    // Read now, so that no fight has to wait for it, whether or not anybody is in the world.
    book(ctx);
    characters::sheets_changed(ctx);
    leaderboards::content_changed(ctx);
}

/// The rows in force, by their key.
fn active(ctx: &ReducerContext) -> BTreeMap<String, String> {
    #[expect(clippy::disallowed_methods, reason = "bounded by a version's 8192 entries")]
    let rows = ctx.db.content_def().iter();
    rows.map(|row| (row.def_key, row.body)).collect()
}

/// The versions there are.
fn versions(ctx: &ReducerContext) -> BTreeMap<u32, ContentVersion> {
    #[expect(clippy::disallowed_methods, reason = "bounded by VERSIONS_MAX")]
    let rows = ctx.db.content_version().iter();
    rows.map(|row| (row.version, row)).collect()
}
