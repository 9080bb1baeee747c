//! The door: how many connections there may be, how fast they are read, and how long they last.
//!
//! The guard says who may do what; the door says how much. It stands before it, where bytes come
//! in, so that a flooder is slowed by his own TCP window and nobody else notices.
//! Keeps true: whatever ends or slows a connection is counted under a code; the limits are those
//! of [`Limits`] and nothing else.

mod budget;
mod census;
mod frames;
mod line;
mod meters;
mod pass;
mod space;
mod valve;

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::durability::WatchedLogs;
use crate::guard::Refusal;
use crate::guard::refusal::Counters;
use crate::limits::Limits;
use census::{Census, Full, LinePlace};
use meters::{Meters, Page};
use pass::Renewals;
use space::{Room, Space};
use valve::{LagClock, Valve};

pub(crate) use crate::places::Place;
pub(crate) use line::Line;
pub(crate) use pass::Pass;

/// What all connections share.
#[derive(Debug, Default)]
pub(crate) struct Door {
    limits: Limits,
    census: Census,
    valve: Valve,
    space: Space,
    meters: Meters,
    renewals: Renewals,
    counters: Counters,
    /// Nobody who plays comes in yet.
    players_wait: AtomicBool,
}

impl Door {
    /// A door with nobody at it.
    pub(crate) fn new(limits: Limits, players_wait: bool) -> Self {
        Self { limits, players_wait: players_wait.into(), ..Self::default() }
    }

    /// Players need not wait any more.
    pub(crate) fn let_players_in(&self) {
        self.players_wait.store(false, Ordering::Relaxed);
    }

    /// The limits.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// One more refusal.
    pub(crate) fn count(&self, refusal: Refusal) {
        self.counters.count(refusal);
    }

    /// Refusals so far, by code.
    pub(crate) fn refusals(&self) -> Vec<(&'static str, u64)> {
        self.counters.read()
    }

    /// Connections there are.
    pub(crate) fn connections(&self) -> u32 {
        self.census.lines()
    }

    /// A place for a connection that was just accepted.
    ///
    /// # Errors
    /// In this order: [`Refusal::ConnectionsFull`], [`Refusal::AddressFull`].
    pub(crate) fn admit(&self, peer: IpAddr) -> Result<LinePlace, Refusal> {
        self.meters.accepted.add(1);
        let (most, most_per_address) =
            (self.limits.connections_max, self.limits.connections_per_address_max);
        self.census.line(peer, most, most_per_address).map_err(|full| match full {
            Full::Everybody => Refusal::ConnectionsFull,
            Full::Address => Refusal::AddressFull,
        })
    }

    /// A place for a player's socket.
    ///
    /// # Errors
    /// In this order: [`Refusal::Starting`], [`Refusal::DiskLow`], [`Refusal::LogBehind`],
    /// [`Refusal::AccountFull`].
    pub(crate) fn seat(&self, account: &str) -> Result<Place<String>, Refusal> {
        if self.players_wait.load(Ordering::Relaxed) {
            return Err(Refusal::Starting);
        }
        if !self.has_room() {
            return Err(Refusal::DiskLow);
        }
        if self.valve.is_closed() {
            return Err(Refusal::LogBehind);
        }
        let place = self.census.socket(account, self.limits.sockets_per_account_max);
        place.ok_or(Refusal::AccountFull)
    }

    /// Whether the disk has plenty of room.
    pub(crate) fn has_room(&self) -> bool {
        self.space.room() == Room::Plenty
    }

    /// A player's socket can be given more time from now on.
    pub(crate) fn remember(&self, account: &str, connection: u128, pass: &Pass) {
        self.renewals.add(account, connection, pass);
    }

    /// Gives a player's socket time until then.
    ///
    /// # Errors
    /// [`Refusal::ConnectionUnknown`].
    pub(crate) fn renew(
        &self,
        account: &str,
        connection: u128,
        until: Instant,
    ) -> Result<(), Refusal> {
        if !self.renewals.extend(account, connection, until) {
            return Err(Refusal::ConnectionUnknown);
        }
        self.meters.renewed.add(1);
        Ok(())
    }

    /// Prometheus text of everything that is counted here.
    pub(crate) fn metrics(&self) -> String {
        let (meters, mut page) = (&self.meters, Page::default());
        let refusals = self.refusals();
        let name = ("haven_guard_refusals_total", "code");
        page.numbers(name, "counter", "Requests and connections refused, by code.", &refusals);
        let connections = [
            ("all", u64::from(self.census.lines())),
            ("player_sockets", u64::from(self.census.sockets())),
        ];
        let name = ("haven_guard_connections", "kind");
        page.numbers(name, "gauge", "Connections at the guard.", &connections);
        let counters = [
            ("haven_guard_accepted_total", "Connections accepted.", &meters.accepted),
            ("haven_guard_inbound_bytes_total", "Bytes received.", &meters.inbound_bytes),
            ("haven_guard_outbound_bytes_total", "Bytes sent.", &meters.outbound_bytes),
            ("haven_guard_slowed_total", "Reads put off for the byte budget.", &meters.slowed),
            ("haven_guard_renewed_total", "Sockets extended by a new token.", &meters.renewed),
        ];
        for (name, help, counter) in counters {
            page.number(name, "counter", help, counter.read());
        }
        let help = "Acknowledged transactions that are not on disk yet.";
        page.number("haven_engine_log_backlog_transactions", "gauge", help, self.valve.backlog());
        let lag = u64::try_from(self.valve.lag().as_millis()).unwrap_or(u64::MAX);
        let help = "Age of the oldest of them, milliseconds.";
        page.number("haven_engine_log_lag_millis", "gauge", help, lag);
        let help = "1 while newcomers must wait for the log.";
        let closed = u64::from(self.valve.is_closed());
        page.number("haven_guard_newcomers_wait", "gauge", help, closed);
        let help = "1 while players are not read from, for the log.";
        page.number("haven_guard_players_held", "gauge", help, self.valve.is_held().into());
        let help = "How often players were not read from, for the log.";
        let held = self.valve.held_total();
        page.number("haven_guard_players_held_total", "counter", help, held);
        let help = "Free bytes of the disk with the data; 0 where nobody looks.";
        page.number("haven_engine_disk_free_bytes", "gauge", help, self.space.free_bytes());
        let help = "0 plenty, 1 not for newcomers, 2 realms are read-only.";
        page.number("haven_engine_disk_room", "gauge", help, self.space.room() as u64);
        page.text()
    }

    /// Looks at the disk below `folder` and tells `announce` whether realms are read-only: at the
    /// first look and whenever it changes, until the result is dropped.
    pub(crate) fn watch_space<F>(
        self: &Arc<Self>,
        folder: PathBuf,
        announce: impl Fn(bool) -> F + Send + 'static,
    ) -> DropGuard
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let (door, stopped) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            let mut looks = tokio::time::interval(space::LOOK_EVERY);
            let (mut told, mut again_at) = (None, Instant::now());
            let mut telling: Option<(bool, JoinHandle<bool>)> = None;
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    _ = looks.tick() => {}
                }
                let is_out = door.space.look(&folder, &door.limits) == Room::Out;
                if let Some((what, task)) = telling.take_if(|(_, task)| task.is_finished()) {
                    // What panics in the engine, on a full disk, ends that task and not this one.
                    if task.await.unwrap_or(false) {
                        told = Some(what);
                    } else {
                        again_at = Instant::now() + space::TELL_AGAIN_AFTER;
                    }
                }
                if told != Some(is_out) && telling.is_none() && Instant::now() >= again_at {
                    telling = Some((is_out, tokio::spawn(announce(is_out))));
                }
            }
        });
        stop.drop_guard()
    }

    /// Looks at the logs until the result is dropped.
    pub(crate) fn watch(self: &Arc<Self>, logs: Arc<WatchedLogs>) -> DropGuard {
        let stop = CancellationToken::new();
        let (door, stopped) = (self.clone(), stop.clone());
        tokio::spawn(async move {
            let mut clocks = std::collections::BTreeMap::<u64, LagClock>::new();
            let mut looks = tokio::time::interval(valve::LOOK_EVERY);
            looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !stopped.is_cancelled() {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    _ = looks.tick() => {}
                }
                let (now, progress) = (Instant::now(), logs.progress());
                clocks.retain(|id, _| progress.iter().any(|(open, ..)| open == id));
                let behind = |(_, given, written): &(u64, u64, u64)| given.saturating_sub(*written);
                let backlog = progress.iter().map(behind).sum();
                let lags = progress.into_iter().map(|(id, handed_over, written)| {
                    clocks.entry(id).or_default().look(now, handed_over, written)
                });
                let lag = lags.max().unwrap_or_default();
                door.valve.decide(lag, backlog, &door.limits);
            }
        });
        stop.drop_guard()
    }
}
