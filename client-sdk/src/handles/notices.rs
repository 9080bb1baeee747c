//! Notices and events of the world.
//!
//! Keeps true: what is read is marked once.

use crate::error::HavenError;
use crate::kept::rows::{Notice, NoticeMark, NoticePersonal, WorldEvent};
use crate::link::Call;
use std::sync::Arc;

handle! {
    /// Notices. [`Topic::Notices`](crate::Topic::Notices) keeps them known here.
    NoticesHandle
}

impl NoticesHandle<'_> {
    /// Marks a notice as read, one's own or one for everybody; a second time changes nothing.
    ///
    /// # Errors
    /// `notice.unknown`.
    pub async fn mark_read(&self, notice_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::NoticeRead { notice_id }).await
    }

    snapshots! {
        /// Notices for everybody.
        all = notice: Notice;
        /// Notices for the player.
        personal = notice_personal: NoticePersonal;
        /// Which of those for everybody one has read.
        marks = notice_mark: NoticeMark;
        /// Events of the world.
        world_events = world_event: WorldEvent;
    }
}
