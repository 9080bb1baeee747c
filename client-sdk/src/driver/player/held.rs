//! Commands that are held until their result is certain: done and on disk, or refused.
//!
//! Keeps true: a command goes out again under its own number over each new connection, in the order
//! of the numbers, until the realm has answered it and, where that is asked for, written it; it is
//! let go when its caller has given up.
//! Leaves out on purpose: entering the world, which holds for one connection only and is asked for
//! anew over the next, under a new number.

use super::{Pending, Player, answer};
use crate::commands::UNANSWERED_MAX;
use crate::driver::End;
use crate::error::HavenError;
use crate::link::Call;
use crate::realm::Reply;
use crate::written::Waited;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What the task that waits for a command's disk reports: the command's number, and what came.
pub(in crate::driver) type Report = (u64, Waited);

/// A command, and how far it is.
struct Held {
    call: Call,
    reply: Reply,
    stage: Stage,
}

enum Stage {
    /// To be sent over the next connection.
    Waiting,
    /// Sent; the realm has not answered.
    Sent,
    /// The realm has done it; a task waits until it is written.
    Done(AbortHandle),
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Self::Done(task) = self {
            task.abort();
        }
    }
}

/// The commands of a client.
pub(super) struct HeldCommands {
    by_sequence: BTreeMap<u64, Held>,
    reports: mpsc::UnboundedSender<Report>,
}

impl HeldCommands {
    /// `reports` hears of those that are written; at most [`UNANSWERED_MAX`] at a time.
    pub(super) fn new(reports: mpsc::UnboundedSender<Report>) -> Self {
        Self { by_sequence: BTreeMap::new(), reports }
    }

    /// The connection is lost: whether what was sent has been done is not known.
    pub(super) fn suspend(&mut self) {
        self.let_go();
        self.by_sequence.values_mut().for_each(|held| held.stage = Stage::Waiting);
    }

    /// Forgets those whose callers have given up.
    fn let_go(&mut self) {
        self.by_sequence.retain(|_, held| !held.reply.is_closed());
    }
}

impl Player {
    /// Holds a command and sends it if there is a connection.
    pub(in crate::driver) fn hold(&mut self, sequence: u64, call: Call, reply: Reply) {
        self.held.let_go();
        if self.held.by_sequence.len() >= UNANSWERED_MAX {
            let error = HavenError::Unreachable("too many commands are unanswered".to_owned());
            return answer(Some(reply), Err(error));
        }
        self.held.by_sequence.insert(sequence, Held { call, reply, stage: Stage::Waiting });
        if !self.restoring && !self.is_new() {
            self.send_held();
        }
    }

    /// Sends what waits for a connection.
    pub(super) fn send_held(&mut self) {
        let Some(link) = &self.link else { return };
        self.held.let_go();
        for (sequence, held) in &mut self.held.by_sequence {
            if !matches!(held.stage, Stage::Waiting) {
                continue;
            }
            let reducer = held.call.reducer();
            if link.call(held.call.clone()).is_err() {
                // The connection is about to be found broken.
                return;
            }
            held.stage = Stage::Sent;
            self.shared.traffic.count_call();
            let pending = Pending { sent_at: Instant::now(), reply: None, held: Some(*sequence) };
            self.pending.entry(reducer).or_default().push_back(pending);
        }
    }

    /// The realm has answered a command.
    pub(super) fn held_outcome(&mut self, sequence: u64, result: Result<(), HavenError>) {
        let Some(held) = self.held.by_sequence.get_mut(&sequence) else { return };
        let disk = self.link.as_ref().and_then(|link| link.disk.clone());
        match (result, disk) {
            (Ok(()), Some(disk)) => {
                let reports = self.held.reports.clone();
                let wait = tokio::spawn(async move {
                    let waited = disk.written().await;
                    // Dropped when the client is closed.
                    let _ = reports.send((sequence, waited));
                });
                held.stage = Stage::Done(wait.abort_handle());
            }
            (result, _) => self.release(sequence, result),
        }
    }

    /// The host has answered whether a command is written.
    pub(in crate::driver) fn written(&mut self, (sequence, waited): Report) -> ControlFlow<End> {
        // What a task reported before the connection was lost counts for the one before.
        let is_done = |held: &Held| matches!(held.stage, Stage::Done(_));
        if !self.held.by_sequence.get(&sequence).is_some_and(is_done) {
            return ControlFlow::Continue(());
        }
        match waited {
            Waited::Written => self.release(sequence, Ok(())),
            Waited::Restarted => {
                let reason = "the realm's host was started anew".to_owned();
                return ControlFlow::Break(End::Lost(reason));
            }
        }
        ControlFlow::Continue(())
    }

    fn release(&mut self, sequence: u64, result: Result<(), HavenError>) {
        if let Some(held) = self.held.by_sequence.remove(&sequence) {
            answer(Some(held.reply), result);
        }
    }
}
