//! Goods and coins of many who deal with one another, honestly and not, while their server is
//! killed again and again.
//!
//! Keeps true: what a dealer tries follows from the run's seed, his number and what the market
//! looked like; at least half of what is sent is repeated or not his to ask. After each kill every
//! coin and every item is recounted, and what was told as written has its receipt; in the end the
//! realm's own auditor recounts all of it, too.

mod acts;
mod dealer;
mod view;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use haven_checks::{Snapshot, number};
use haven_gateway::stdb::{Args, Link, LinkConfig};
use haven_rules::commands::{WINDOW, slot_of};
use haven_rules::keys::joint_key;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::sync::watch;

use self::dealer::{Dealer, Told};
use self::view::View;
use super::site::{Reach, Site, ensure_sound};
use super::{Extent, Findings, in_time, spread};
use crate::config::DatabaseSection;
use crate::content;

/// Commands that are answered before a run ends.
const COMMANDS: u64 = 100_000;
/// The same of a short run.
const COMMANDS_SHORT: u64 = 2_000;
/// How many deal.
const DEALERS: u32 = 50;
/// The same of a short run.
const DEALERS_SHORT: u32 = 10;
/// How often the server is killed.
const KILLS: u32 = 20;
/// The same of a short run.
const KILLS_SHORT: u32 = 3;
/// How long a server runs before it is killed again, milliseconds.
const ALIVE_MILLIS: std::ops::Range<u64> = 300..3_000;
/// How often dealers look at what there is.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What each begins with, copper.
const COPPER: u64 = 1_000_000;
/// How many of each good each begins with.
const GOODS_COUNT: u32 = 10;
/// How long letters with goods or coins are on their way: they arrive while all deal.
const MAIL_DELAY_MILLIS: i64 = 1_000;
/// How long the auditor may take to count everything: it reads 4,000 rows a second.
const AUDIT_TIMEOUT: Duration = Duration::from_mins(3);
/// How often it is looked whether it has.
const AUDIT_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let short = extent.is_short;
    let (commands, count, kills) = if short {
        (COMMANDS_SHORT, DEALERS_SHORT, KILLS_SHORT)
    } else {
        (COMMANDS, DEALERS, KILLS)
    };
    let mut site = Site::open(&[]).await?;
    let mut dealers = vec![];
    for number in 0..count {
        dealers.push(Dealer::register(&site.reach, extent.seed, number).await?);
    }
    endow(&site.reach, &dealers).await?;
    let (mut ready, mut done, mut durable) = (vec![], 0, 0);
    while u32::try_from(ready.len())? < kills || done < commands {
        let view = View::of(&site.reach.snapshot().await?);
        let (answered, told, back) = round(&mut site, dealers, view, &mut chance).await?;
        dealers = back;
        done += answered;
        durable += told.len();
        ready.push(site.start().await?);
        let now = site.reach.snapshot().await?;
        let after = format!("after kill {}", ready.len());
        ensure_sound(&now).with_context(|| after.clone())?;
        ensure_receipts(&now, &told).with_context(|| after)?;
    }
    let refused = dealers.iter().map(|dealer| dealer.refused).sum::<u64>();
    let now = site.reach.snapshot().await?;
    ensure_sound(&now)?;
    let (causes, items) = (now.rows("ledger_cause").len(), now.rows("item").len());
    let audited = audit(&site.reach).await?;
    site.stop().await?;
    in_time(&ready, extent)?;
    Ok(format!(
        "{done} commands of {count} dealers answered, {refused} of them refused; {} kills; \
         {durable} told as written, all there; {causes} causes, {items} stacks: every coin and \
         item accounted for; {audited}; ready {}",
        ready.len(),
        spread(&mut ready)
    ))
}

/// Lets all deal until the server is killed; how many commands were answered, and which were told
/// as written.
async fn round(
    site: &mut Site,
    dealers: Vec<Dealer>,
    view: View,
    chance: &mut StdRng,
) -> anyhow::Result<(u64, Vec<Told>, Vec<Dealer>)> {
    let view = Arc::new(std::sync::RwLock::new(Arc::new(view)));
    let (end, ends) = watch::channel(false);
    let tasks: Vec<_> = dealers
        .into_iter()
        .map(|dealer| {
            let (reach, view, ends) = (site.reach.clone(), view.clone(), ends.clone());
            tokio::spawn(async move { dealer.deal(&reach, &view, ends).await })
        })
        .collect();
    let alive = Duration::from_millis(chance.random_range(ALIVE_MILLIS));
    let until = tokio::time::Instant::now() + alive;
    while tokio::time::Instant::now() < until {
        tokio::time::sleep(LOOK_EVERY.min(alive)).await;
        let seen = View::of(&site.reach.snapshot().await?);
        *view.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(seen);
    }
    site.kill().await?;
    end.send_replace(true);
    let (mut answered, mut told, mut back) = (0, vec![], vec![]);
    for task in tasks {
        let (dealer, count, durable) = task.await??;
        answered += count;
        told.extend(durable);
        back.push(dealer);
    }
    Ok((answered, told, back))
}

/// A connection of the owner's.
async fn owner(reach: &Reach) -> anyhow::Result<Link> {
    let token = reach.owner_token()?;
    let database = DatabaseSection::default().name;
    let source = Arc::new(move || Ok(token.clone()));
    let link = Link::open(LinkConfig::new(&reach.uri, &database, source));
    ensure!(link.wait_connected(Duration::from_secs(10)).await, "the owner cannot connect");
    Ok(link)
}

/// Lets the realm's auditor come to the end of a pass; fails when it does not, or when something
/// does not add up. What it counted.
async fn audit(reach: &Reach) -> anyhow::Result<String> {
    let link = owner(reach).await?;
    let passes = |now: &Snapshot| now.column("economy_health", "pass").first().copied();
    let before = passes(&reach.snapshot().await?).unwrap_or_default();
    let until = tokio::time::Instant::now() + AUDIT_TIMEOUT;
    link.call("economy_audit_begin", Args::new()).await?;
    let now = loop {
        let now = reach.snapshot().await?;
        if passes(&now).is_some_and(|pass| pass > before) {
            break now;
        }
        ensure!(tokio::time::Instant::now() < until, "the auditor does not come to an end");
        tokio::time::sleep(AUDIT_EVERY).await;
    };
    link.close().await;
    let health = now.rows("economy_health").first().context("the auditor found nothing out")?;
    let (imbalances, cause_id) = (number(health, "imbalances"), number(health, "first_cause_id"));
    ensure!(imbalances == 0, "the auditor found {imbalances} imbalances since cause {cause_id}");
    let [accounts, entries, stacks] =
        ["accounts", "entries", "stacks"].map(|column| number(health, column));
    Ok(format!(
        "the auditor found no imbalance in {accounts} accounts, {entries} entries and {stacks} stacks"
    ))
}

/// Gives everybody what there is to deal with; it is on disk then, as all that was done before.
async fn endow(reach: &Reach, dealers: &[Dealer]) -> anyhow::Result<()> {
    let link = owner(reach).await?;
    let mut pack = content::shipped()?;
    for setting in pack.setting.iter_mut().filter(|setting| setting.key == "mail_delay_millis") {
        setting.value = MAIL_DELAY_MILLIS;
    }
    content::replace(&link, "For torture", &pack).await?;
    let defs = acts::goods(&reach.snapshot().await?)?;
    for (index, dealer) in dealers.iter().enumerate() {
        let args = acts::gift(&dealer.name, &defs, GOODS_COUNT, COPPER);
        let args = args.with(&1_u64).with(&(u64::try_from(index)? + 1));
        link.call("mail_send_by_staff", args).await?;
    }
    for dealer in dealers {
        let link = dealer.connect(reach).await?;
        let args = Args::new().with(&u64::MAX).with(&1_u64);
        link.call("mail_take_all", args).await?;
        link.close().await;
    }
    link.durably(async { Ok(()) }).await?;
    link.close().await;
    Ok(())
}

/// Whether every command that was told as written is remembered: it, or a later one in its place.
fn ensure_receipts(now: &Snapshot, told: &[Told]) -> anyhow::Result<()> {
    for Told { account_id, session, sequence } in told {
        let key = joint_key(*account_id, *session).to_string();
        let sessions = now.rows("command_session").iter();
        let is_own =
            |row: &&serde_json::Value| row["session_key"].to_string().trim_matches('"') == key;
        let row = sessions
            .rev()
            .find(is_own)
            .with_context(|| format!("{account_id} has no session {session}"))?;
        let receipt_key = number(row, "command_session_id") * WINDOW + slot_of(*sequence);
        let kept = now.rows("command_receipt").iter();
        let kept = kept.filter(|row| number(row, "receipt_key") == receipt_key);
        let kept = kept.map(|row| number(row, "sequence")).max().unwrap_or(0);
        ensure!(
            kept >= *sequence,
            "command {sequence} of account {account_id} was told as written and is not there"
        );
    }
    Ok(())
}
