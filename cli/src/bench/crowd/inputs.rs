//! Every client's inputs: the frames that bring them, and when each was sent.
//!
//! Keeps true: clients write and observers read at the same time without waiting for each other;
//! inputs are numbered from 1, as the courses of an entity are; there is room for a known number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::messages::{COURSES, course_set};

/// When the inputs of all clients were sent.
#[derive(Debug)]
pub(super) struct Inputs {
    /// What times are counted from: before the first input.
    origin: Instant,
    per_client: usize,
    /// Microseconds since `origin`, plus one; 0 is not sent.
    sent_micros: Vec<AtomicU64>,
    frames: Vec<Bytes>,
}

impl Inputs {
    /// Room for so many inputs of each client.
    pub(super) fn new(clients: u32, per_client: u32) -> Self {
        let (clients, per_client) = (clients as usize, per_client as usize);
        let mut sent_micros = Vec::new();
        sent_micros.resize_with(clients * per_client, AtomicU64::default);
        let frames = (0..COURSES).map(course_set).collect();
        Self { origin: Instant::now(), per_client, sent_micros, frames }
    }

    /// The frame of an input.
    pub(super) fn frame(&self, number: u32) -> &Bytes {
        &self.frames[(number % COURSES) as usize]
    }

    /// Whether there is room for an input of that number.
    pub(super) fn has_room(&self, number: u32) -> bool {
        (1..=self.per_client).contains(&(number as usize))
    }

    /// Remembers that an input is being sent now.
    pub(super) fn note(&self, client: u32, number: u32) {
        let micros = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX - 1);
        if let Some(slot) = self.slot(client, number) {
            slot.store(micros + 1, Ordering::Release);
        }
    }

    /// When an input was sent; none if it was not.
    pub(super) fn sent_at(&self, client: u32, number: u32) -> Option<Instant> {
        let micros = self.slot(client, number)?.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.origin + Duration::from_micros(micros))
    }

    fn slot(&self, client: u32, number: u32) -> Option<&AtomicU64> {
        if !self.has_room(number) {
            return None;
        }
        self.sent_micros.get(client as usize * self.per_client + number as usize - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_known_once_it_is_sent() {
        let inputs = Inputs::new(2, 3);
        for (client, number) in [(0, 1), (1, 3)] {
            assert_eq!(inputs.sent_at(client, number), None);
            inputs.note(client, number);
            assert!(inputs.sent_at(client, number).is_some_and(|at| at <= Instant::now()));
        }
        assert_eq!(inputs.sent_at(0, 3), None, "another client's");
        inputs.note(0, 4);
        inputs.note(0, 0);
        assert_eq!(inputs.sent_at(1, 1), None, "what has no room is forgotten");
        assert!(inputs.has_room(3) && !inputs.has_room(0) && !inputs.has_room(4));
    }
}
