//! What is said, in its order.
//!
//! Keeps true: of each channel messages are told in the order of their numbers and none twice,
//! whichever table brings them and however often; what is changed about one is told as a change;
//! that one goes by its age is not told.

use super::{Change, ChatEvent, Told};
use std::collections::BTreeMap;

/// Channels whose last message is remembered; those that were silent for longest give way.
const CHANNELS_MAX: usize = 1_024;

/// A message, wherever it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// Its channel (`haven_rules::chat`).
    pub channel_key: u64,
    /// Rises with time, in every channel and over all of them.
    pub message_id: u64,
    /// The character that says it.
    pub sender_id: u64,
    /// What it is called.
    pub sender_name: &'a str,
    /// What it says; links stand where U+FFFC is.
    pub text: &'a str,
    /// When, microseconds since 1970 by the realm's clock.
    pub sent_at_micros: i64,
    /// Bit 0 changed, bit 1 taken back.
    pub flags: u8,
    /// Whether it is new; if not, something about it was changed.
    pub is_new: bool,
}

impl ChatEvent {
    /// The message, where this is one.
    pub fn said(&self) -> Option<Said<'_>> {
        macro_rules! said {
            ($row:expr, $before:expr) => {
                Some(Said {
                    channel_key: $row.channel_key,
                    message_id: $row.message_id,
                    sender_id: $row.sender_id,
                    sender_name: &$row.sender_name,
                    text: &$row.text,
                    sent_at_micros: $row.sent_at_micros,
                    flags: $row.flags,
                    is_new: $before.is_none(),
                })
            };
        }
        match self {
            Self::Message(Change::Is { row, before }) => said!(row, before),
            Self::Delivery(Change::Is { row, before }) => said!(row, before),
            _ => None,
        }
    }
}

/// How far each channel has been told.
#[derive(Debug, Default)]
pub(super) struct Order {
    last_by_channel: BTreeMap<u64, u64>,
}

impl Order {
    /// What is said goes behind the rest, in its order, and without what was told.
    pub(super) fn sort(&mut self, told: Vec<Told>) -> Vec<Told> {
        let (mut said, mut told): (Vec<_>, Vec<_>) = told.into_iter().partition(is_message);
        said.retain(|told| said_of(told).is_some());
        said.sort_by_key(|told| said_of(told).map(|said| said.message_id));
        said.retain(|told| said_of(told).is_some_and(|said| self.is_due(&said)));
        told.append(&mut said);
        told
    }

    fn is_due(&mut self, said: &Said<'_>) -> bool {
        if !said.is_new {
            return true;
        }
        let last = self.last_by_channel.get(&said.channel_key);
        if last.is_some_and(|last| said.message_id <= *last) {
            return false;
        }
        self.last_by_channel.insert(said.channel_key, said.message_id);
        if self.last_by_channel.len() > CHANNELS_MAX {
            let silent = self.last_by_channel.iter().min_by_key(|(_, last)| **last);
            if let Some(channel_key) = silent.map(|(channel_key, _)| *channel_key) {
                self.last_by_channel.remove(&channel_key);
            }
        }
        true
    }
}

fn is_message(told: &Told) -> bool {
    matches!(told, Told::Chat(ChatEvent::Message(_) | ChatEvent::Delivery(_)))
}

fn said_of(told: &Told) -> Option<Said<'_>> {
    match told {
        Told::Chat(event) => event.said(),
        _ => None,
    }
}
