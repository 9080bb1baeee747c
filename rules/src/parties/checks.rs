//! Ready checks: the leader or an assistant asks, everybody who is there answers.
//!
//! Keeps true: a check ends when nobody is left to answer, and when its time is over; what was
//! answered stays to be seen until the next.

use super::{Answer, Party, PartyError, READY_SECONDS, Ready, ReadyState, seconds_after};

impl Party {
    /// Asks all members who are there; who asks is ready.
    ///
    /// # Errors
    /// In this order: `NotAssistant`, `ReadyGoing`.
    pub fn ask_ready(&mut self, by_id: u64, now_micros: i64) -> Result<(), PartyError> {
        self.check_assistant(by_id)?;
        if self.ready.state == ReadyState::Going {
            return Err(PartyError::ReadyGoing);
        }
        for member in &mut self.members {
            member.answer = if member.character_id == by_id {
                Answer::Ready
            } else if member.is_there() {
                Answer::Waits
            } else {
                Answer::NotReady
            };
        }
        let ends_at_micros = seconds_after(now_micros, READY_SECONDS);
        self.ready = Ready { state: ReadyState::Going, by_id, ends_at_micros };
        self.end_check_if_all_answered();
        Ok(())
    }

    /// A member answers; until the check is over it may answer anew.
    ///
    /// # Errors
    /// `ReadyNone` also for who joined after the check began.
    pub fn answer_ready(&mut self, by_id: u64, is_ready: bool) -> Result<(), PartyError> {
        let is_going = self.ready.state == ReadyState::Going;
        let member = self.member_mut(by_id).map_err(|_| PartyError::ReadyNone)?;
        if !is_going || member.answer == Answer::Unasked {
            return Err(PartyError::ReadyNone);
        }
        member.answer = if is_ready { Answer::Ready } else { Answer::NotReady };
        self.end_check_if_all_answered();
        Ok(())
    }

    /// The time of a check is over: who has not answered is not ready.
    pub fn end_check(&mut self) {
        if self.ready.state != ReadyState::Going {
            return;
        }
        for member in self.members.iter_mut().filter(|member| member.answer == Answer::Waits) {
            member.answer = Answer::NotReady;
        }
        let missing = self.members.iter().any(|member| member.answer == Answer::NotReady);
        self.ready.state = if missing { ReadyState::NotAll } else { ReadyState::AllReady };
        self.ready.ends_at_micros = 0;
    }

    pub(super) fn end_check_if_all_answered(&mut self) {
        if !self.members.iter().any(|member| member.answer == Answer::Waits) {
            self.end_check();
        }
    }
}
