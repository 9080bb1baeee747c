//! What the game asked to hear of, and whether it is here.
//!
//! Keeps true: what is asked for is watched over each connection, until it is wanted no more;
//! whoever asked is answered when the rows are here; after a reconnect nothing is told before the
//! character is back, and then what has changed.

use super::{Player, answer};
use crate::error::HavenError;
use crate::kept::Topic;
use crate::link::{Link, Watch};
use crate::realm::Reply;
use crate::shared::State;
use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

/// Topics that may be watched at once.
const TOPICS_MAX: usize = 64;

/// The topics of a client.
#[derive(Default)]
pub(super) struct Topics {
    wanted: BTreeSet<Topic>,
    /// What is not here yet.
    pending: HashSet<Watch>,
    waiting: Vec<(Topic, Reply)>,
}

impl Topics {
    /// Watches over a new connection what is wanted.
    pub(super) fn attach(&self, link: &mut Link) {
        let single = self.wanted.iter().filter(|topic| **topic != Topic::Around);
        single.for_each(|topic| link.watch(Watch::Topic(*topic)));
    }

    /// The connection is lost, and the surroundings with it.
    pub(super) fn suspend(&mut self) {
        let single = self.wanted.iter().filter(|topic| **topic != Topic::Around);
        self.pending = single.map(|topic| Watch::Topic(*topic)).collect();
    }

    pub(super) fn watch_around(&mut self, link: &mut Link, block: u64) {
        if self.wanted.contains(&Topic::Around) {
            self.pending.insert(Watch::Around(block));
            link.watch(Watch::Around(block));
        }
    }

    pub(super) fn unwatch_around(&mut self, link: &mut Link, block: u64) {
        self.pending.remove(&Watch::Around(block));
        link.unwatch(Watch::Around(block));
    }

    pub(super) fn arrived(&mut self, watch: Watch) {
        self.pending.remove(&watch);
    }

    /// Answers those whose topic is here.
    pub(super) fn answer_waiting(&mut self) {
        let pending = &self.pending;
        let is_here = |topic: Topic| match topic {
            Topic::Around => !pending.iter().any(|watch| matches!(watch, Watch::Around(_))),
            topic => !pending.contains(&Watch::Topic(topic)),
        };
        for (_, reply) in self.waiting.extract_if(.., |(topic, _)| is_here(*topic)) {
            answer(Some(reply), Ok(()));
        }
    }
}

impl Player {
    /// Watches a topic from now on.
    pub(in crate::driver) fn watch_topic(&mut self, topic: Topic, reply: Reply) {
        if !self.topics.wanted.contains(&topic) {
            if self.topics.wanted.len() >= TOPICS_MAX {
                let error = HavenError::Unreachable("too many topics are watched".to_owned());
                return answer(Some(reply), Err(error));
            }
            self.topics.wanted.insert(topic);
            self.begin(topic);
        }
        self.topics.waiting.retain(|(_, reply)| !reply.is_closed());
        self.topics.waiting.push((topic, reply));
        self.topics.answer_waiting();
    }

    fn begin(&mut self, topic: Topic) {
        if topic == Topic::Around {
            if let Some(link) = &mut self.link {
                self.ring.squares().for_each(|block| self.topics.watch_around(link, block));
            }
            return;
        }
        self.topics.pending.insert(Watch::Topic(topic));
        if let Some(link) = &mut self.link {
            link.watch(Watch::Topic(topic));
        }
    }

    /// Watches a topic no more; its rows go, as far as no other topic brings them.
    pub(in crate::driver) fn unwatch_topic(&mut self, topic: Topic) {
        if !self.topics.wanted.remove(&topic) {
            return;
        }
        self.topics.pending.remove(&Watch::Topic(topic));
        if let Some(link) = &mut self.link {
            if topic == Topic::Around {
                self.ring.squares().for_each(|block| self.topics.unwatch_around(link, block));
            } else {
                link.unwatch(Watch::Topic(topic));
            }
        }
        self.topics.answer_waiting();
    }

    /// Tells what has changed about what is watched.
    pub(super) fn tell_kept(&self, state: &mut State) {
        if self.restoring {
            return;
        }
        if self.topics.pending.is_empty() {
            state.kept.settle();
        }
        let at = Instant::now();
        for told in state.kept.take_told() {
            self.shared.tell(state, told.at(at));
        }
    }
}
