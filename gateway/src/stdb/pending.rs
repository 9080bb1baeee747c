//! What was sent over a connection and not answered yet.
//!
//! Keeps true: every answer reaches the caller it belongs to. A commit carries the request id; a
//! failure carries none (the engine sends 0), so it is matched by what it repeats: a connection's
//! calls run in the order they were sent, so it is the oldest with that reducer and arguments.
//! Whoever stopped waiting keeps his place, or the order would be lost.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::CallError;

/// Where the outcome of a call goes.
pub(super) type CallReply = oneshot::Sender<Result<(), CallError>>;
/// Where the rows of a query go.
pub(super) type QueryReply = oneshot::Sender<Result<Vec<Bytes>, CallError>>;

/// A call that was sent.
#[derive(Debug)]
pub(super) struct SentCall {
    /// The id that a commit carries.
    pub(super) request_id: u32,
    /// The reducer.
    pub(super) reducer: Box<str>,
    /// Its arguments, BSATN.
    pub(super) args: Bytes,
    /// When it was sent.
    pub(super) sent_at: Instant,
    /// Who waits.
    pub(super) reply: CallReply,
}

/// The calls and queries under way on one connection.
#[derive(Debug, Default)]
pub(super) struct Pending {
    calls: VecDeque<SentCall>,
    queries: HashMap<u32, (Instant, QueryReply)>,
}

impl Pending {
    /// How many are under way.
    pub(super) fn len(&self) -> usize {
        self.calls.len() + self.queries.len()
    }

    /// Remembers a call.
    pub(super) fn add_call(&mut self, call: SentCall) {
        self.calls.push_back(call);
    }

    /// Remembers a query.
    pub(super) fn add_query(&mut self, message_id: u32, reply: QueryReply) {
        self.queries.insert(message_id, (Instant::now(), reply));
    }

    /// A call was committed.
    pub(super) fn committed(&mut self, request_id: u32) {
        let index = self.calls.iter().position(|call| call.request_id == request_id);
        if let Some(call) = index.and_then(|index| self.calls.remove(index)) {
            // Nobody may be waiting any more.
            let _ = call.reply.send(Ok(()));
        }
    }

    /// A call failed. Returns whether one was found.
    pub(super) fn failed(&mut self, reducer: &str, args: &[u8], error: CallError) -> bool {
        let named = |call: &SentCall| *call.reducer == *reducer;
        let exact = self.calls.iter().position(|call| named(call) && call.args == args);
        // A call that was not even started comes back without arguments.
        let index = exact.or_else(|| self.calls.iter().position(named));
        let Some(call) = index.and_then(|index| self.calls.remove(index)) else {
            return false;
        };
        let _ = call.reply.send(Err(error));
        true
    }

    /// A query was answered.
    pub(super) fn rows(&mut self, message_id: u32, result: Result<Vec<Bytes>, CallError>) {
        if let Some((_, reply)) = self.queries.remove(&message_id) {
            let _ = reply.send(result);
        }
    }

    /// When the oldest of them was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let query = self.queries.values().map(|(sent_at, _)| *sent_at).min();
        let call = self.calls.front().map(|call| call.sent_at);
        call.into_iter().chain(query).min()
    }

    /// The connection is gone, and with it every answer.
    pub(super) fn lose_all(&mut self) {
        for call in self.calls.drain(..) {
            let _ = call.reply.send(Err(CallError::Lost));
        }
        for (_, (_, reply)) in self.queries.drain() {
            let _ = reply.send(Err(CallError::Lost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = oneshot::Receiver<Result<(), CallError>>;

    fn sent(pending: &mut Pending, request_id: u32, reducer: &str, args: &'static [u8]) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let (args, sent_at) = (Bytes::from_static(args), Instant::now());
        let reducer = reducer.into();
        pending.add_call(SentCall { request_id, reducer, args, sent_at, reply });
        outcome
    }

    fn fail(pending: &mut Pending, reducer: &str, args: &[u8], text: &str) -> bool {
        pending.failed(reducer, args, CallError::Broken(text.to_owned()))
    }

    fn check(outcome: &mut Outcome, expected: &str) {
        let read = match outcome.try_recv() {
            Ok(Ok(())) => "committed".to_owned(),
            Ok(Err(CallError::Broken(text))) => text,
            Ok(Err(error)) => format!("{error:?}"),
            Err(_) => "waiting".to_owned(),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_failure_finds_its_call_by_what_it_repeats() {
        let mut pending = Pending::default();
        let mut first = sent(&mut pending, 1, "a", b"1");
        let mut second = sent(&mut pending, 2, "b", b"1");
        let mut third = sent(&mut pending, 3, "a", b"2");
        assert!(fail(&mut pending, "a", b"2", "third"));
        assert!(fail(&mut pending, "b", b"1", "second"));
        pending.committed(1);
        check(&mut first, "committed");
        check(&mut second, "second");
        check(&mut third, "third");
        assert_eq!(pending.len(), 0);
        assert!(!fail(&mut pending, "a", b"1", "nobody"));
    }

    #[test]
    fn of_equal_calls_the_oldest_fails() {
        let mut pending = Pending::default();
        let mut first = sent(&mut pending, 1, "a", b"1");
        let mut second = sent(&mut pending, 2, "a", b"1");
        assert!(fail(&mut pending, "a", b"1", "first"));
        pending.committed(2);
        check(&mut first, "first");
        check(&mut second, "committed");
    }

    #[test]
    fn a_call_that_was_not_started_fails_by_its_name() {
        let mut pending = Pending::default();
        let mut first = sent(&mut pending, 1, "a", b"1");
        let mut second = sent(&mut pending, 2, "b", b"1");
        assert!(fail(&mut pending, "b", b"", "no such reducer"));
        check(&mut first, "waiting");
        check(&mut second, "no such reducer");
    }

    #[test]
    fn a_lost_connection_answers_everybody() {
        let mut pending = Pending::default();
        let mut call = sent(&mut pending, 1, "a", b"");
        let (reply, mut rows) = oneshot::channel();
        pending.add_query(2, reply);
        assert!(pending.oldest().is_some());
        pending.lose_all();
        check(&mut call, "Lost");
        assert!(matches!(rows.try_recv(), Ok(Err(CallError::Lost))));
        assert!(pending.oldest().is_none());
    }
}
