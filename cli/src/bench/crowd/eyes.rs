//! What a sampled client sees: every row read, every input of the others timed.
//!
//! Keeps true: each input of a client in sight that was sent in the window is counted once: when
//! the first row comes that shows it or a later one, or as still on its way when all is over. So a
//! server that loses inputs or falls behind cannot look better than it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use haven_client_sdk::module_bindings::Motion;
use spacetimedb_client_api_messages::websocket::{
    BsatnFormat, CompressableQueryUpdate, DatabaseUpdate, QueryUpdate, ServerMessage, UpdateStatus,
};
use spacetimedb_lib::bsatn;

use super::inputs::Inputs;
use super::messages::{COURSES, course_of};
use crate::bots::latency::Latencies;

/// From when to when inputs and bytes are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Instant,
    pub(super) until: Instant,
}

impl Window {
    /// Whether an instant lies in it.
    pub(super) fn contains(&self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }
}

/// What is known of another client.
#[derive(Clone, Copy, Debug)]
struct Track {
    client: u32,
    /// The last input whose row has come.
    seen: u32,
    /// Inputs that no course was made of, because a later one overtook them.
    overtaken: u32,
}

/// Watches the others.
#[derive(Debug)]
pub(super) struct Eyes {
    inputs: Arc<Inputs>,
    window: Window,
    tracks: HashMap<u64, Track>,
    /// Times from an input to its row.
    pub(super) latencies: Latencies,
    /// Rows about anybody's motion that came in the window.
    pub(super) rows: u64,
    /// Inputs of the window whose row has not come.
    pub(super) unseen: u64,
    /// Messages and rows that could not be read.
    pub(super) unreadable: u64,
}

impl Eyes {
    /// Watches these: entities and the numbers of their clients.
    pub(super) fn new(
        inputs: Arc<Inputs>,
        window: Window,
        others: impl Iterator<Item = (u64, u32)>,
    ) -> Self {
        let track = |(entity_id, client)| (entity_id, Track { client, seen: 0, overtaken: 0 });
        Self {
            inputs,
            window,
            tracks: others.map(track).collect(),
            latencies: Latencies::default(),
            rows: 0,
            unseen: 0,
            unreadable: 0,
        }
    }

    /// Reads a whole message that came at that instant.
    pub(super) fn look(&mut self, message: &[u8], at: Instant) {
        let read = bsatn::from_slice(message.get(1..).unwrap_or_default());
        let update = match read {
            Ok(ServerMessage::<BsatnFormat>::TransactionUpdate(update)) => match update.status {
                UpdateStatus::Committed(update) => update,
                UpdateStatus::Failed(_) | UpdateStatus::OutOfEnergy => return,
            },
            Ok(ServerMessage::TransactionUpdateLight(update)) => update.update,
            Ok(_) => return,
            Err(_) => return self.unreadable += 1,
        };
        self.read_rows(update, at);
    }

    fn read_rows(&mut self, update: DatabaseUpdate<BsatnFormat>, at: Instant) {
        let motion = update.tables.into_iter().filter(|table| &*table.table_name == "motion");
        for changes in motion.flat_map(|table| table.updates) {
            let CompressableQueryUpdate::Uncompressed(QueryUpdate { inserts, .. }) = changes else {
                self.unreadable += 1;
                continue;
            };
            for row in &inserts {
                match bsatn::from_slice::<Motion>(&row) {
                    Ok(row) => {
                        self.rows += u64::from(self.window.contains(at));
                        let velocity = (row.vel_x_mm_per_s, row.vel_y_mm_per_s);
                        self.see(row.entity_id, row.course_number, velocity, at);
                    }
                    Err(_) => self.unreadable += 1,
                }
            }
        }
    }

    fn see(&mut self, entity_id: u64, course_number: u32, velocity: (i32, i32), at: Instant) {
        let Some(track) = self.tracks.get_mut(&entity_id) else { return };
        let Some(course) = course_of(velocity.0, velocity.1) else { return };
        // The row counts courses and its direction tells inputs apart: together they say which
        // input it shows, also after some were overtaken.
        let least = course_number.saturating_add(track.overtaken);
        let number = least.saturating_add((course + COURSES - least % COURSES) % COURSES);
        if number <= track.seen || self.inputs.sent_at(track.client, number).is_none() {
            return;
        }
        track.overtaken = number - course_number;
        for shown in track.seen + 1..=number {
            let sent_at = self.inputs.sent_at(track.client, shown);
            if let Some(sent_at) = sent_at.filter(|sent_at| self.window.contains(*sent_at)) {
                self.latencies.add(at.saturating_duration_since(sent_at));
            }
        }
        track.seen = number;
    }

    /// Counts what has not come as having taken until now.
    pub(super) fn shut(&mut self, now: Instant) {
        for track in self.tracks.values_mut() {
            let mut number = track.seen + 1;
            while let Some(sent_at) = self.inputs.sent_at(track.client, number) {
                if self.window.contains(sent_at) {
                    self.latencies.add(now.saturating_duration_since(sent_at));
                    self.unseen += 1;
                }
                number += 1;
            }
            track.seen = number - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// One client has sent four inputs; entity 9 is its character.
    fn eyes() -> Eyes {
        let from = Instant::now();
        let inputs = Arc::new(Inputs::new(1, 8));
        (1..=4).for_each(|number| inputs.note(0, number));
        let window = Window { from, until: from + Duration::from_mins(1) };
        Eyes::new(inputs, window, [(9, 0)].into_iter())
    }

    /// The velocity that an input causes: three steps of 45° from that of the one before.
    fn velocity(input: u32) -> (i32, i32) {
        let directions = [(10, 0), (7, 7), (0, 10), (-7, 7), (-10, 0), (-7, -7), (0, -10), (7, -7)];
        directions[(input * 3 % 8) as usize]
    }

    /// Rows: course numbers, and the inputs they show.
    fn check(rows: &[(u32, u32)], expected: &[usize], unseen: u64) {
        let mut eyes = eyes();
        for ((course_number, input), expected) in rows.iter().zip(expected) {
            eyes.see(9, *course_number, velocity(*input), Instant::now());
            assert_eq!(eyes.latencies.count(), *expected, "{rows:?}");
        }
        eyes.shut(Instant::now());
        assert_eq!((eyes.latencies.count(), eyes.unseen), (4, unseen), "{rows:?}");
    }

    #[test]
    fn every_input_is_counted_once() {
        check(&[(1, 1), (2, 2), (3, 3), (4, 4)], &[1, 2, 3, 4], 0);
        // A row that repeats a course shows nothing new.
        check(&[(1, 1), (1, 1), (2, 2)], &[1, 1, 2], 2);
        check(&[], &[], 4);
    }

    #[test]
    fn an_overtaken_input_counts_when_the_next_is_seen() {
        check(&[(1, 1), (2, 3), (3, 4)], &[1, 3, 4], 0);
        check(&[(1, 4)], &[4], 0);
    }

    #[test]
    fn what_nobody_sent_is_not_seen() {
        check(&[(5, 5), (1, 1)], &[0, 1], 3);
    }
}
