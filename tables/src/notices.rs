//! Notices and world events: personal, realm-wide, scheduled.
//!
//! What is for everybody are shared rows that clients subscribe to by `audience`, which is 0 in all
//! of them; what is for one account only that one sees. Plans are private.

use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// A notice for everybody, until it expires.
#[table(
    name = notice,
    public,
    // Subscribed to.
    index(name = by_audience, btree(columns = [audience]))
)]
pub struct Notice {
    /// Rises with time.
    #[primary_key]
    pub notice_id: u64,
    /// When it expires in the upper 64 bits, `notice_id` in the lower: read by the sweep.
    #[unique]
    pub expiry_key: u128,
    /// The instant it was planned for, microseconds since 1970.
    pub due_at_micros: i64,
    /// When it was published: later than it was planned for, where nothing ran then.
    pub published_at_micros: i64,
    /// When it expires.
    pub expires_at_micros: i64,
    /// 0: everybody.
    pub audience: u32,
    /// `rules::notices::NoticeKind`.
    pub kind: u8,
    /// One line.
    pub title: String,
    /// Any number of lines.
    pub body: String,
}

/// A notice for one account, until it expires.
#[table(name = notice_personal, public)]
#[derive(Clone)]
pub struct NoticePersonal {
    /// The account in the upper 64 bits, `notice_id` in the lower.
    #[primary_key]
    pub notice_key: u128,
    /// When it expires in the upper 64 bits, `notice_id` in the lower: read by the sweep.
    #[unique]
    pub expiry_key: u128,
    /// Whom it is shown to.
    pub viewer: Identity,
    /// Rises with time.
    pub notice_id: u64,
    /// When it was published, microseconds since 1970.
    pub published_at_micros: i64,
    /// When it expires.
    pub expires_at_micros: i64,
    /// `rules::notices::NoticeKind`.
    pub kind: u8,
    /// Whether it was read.
    pub is_read: bool,
    /// One line.
    pub title: String,
    /// Any number of lines.
    pub body: String,
}

#[client_visibility_filter]
const NOTICE_PERSONAL_FILTER: Filter =
    Filter::Sql("SELECT * FROM notice_personal WHERE viewer = :sender");

/// That an account has read a notice for everybody. Gone with the notice.
#[table(name = notice_mark, public)]
#[derive(Clone)]
pub struct NoticeMark {
    /// The account in the upper 64 bits, `notice_id` in the lower.
    #[primary_key]
    pub mark_key: u128,
    /// `notice_id` in the upper 64 bits, the account in the lower: read when the notice goes.
    #[unique]
    pub notice_key: u128,
    /// Whom it is shown to.
    pub viewer: Identity,
    /// The notice.
    pub notice_id: u64,
}

#[client_visibility_filter]
const NOTICE_MARK_FILTER: Filter = Filter::Sql("SELECT * FROM notice_mark WHERE viewer = :sender");

/// A notice that is gone and whose marks are not yet.
#[table(name = notice_gone)]
pub struct NoticeGone {
    /// Its number.
    #[primary_key]
    pub notice_id: u64,
    /// No mark of an account below this number is there any more.
    pub account_id: u64,
}

/// A notice that is to be published, once or whenever its pattern says so. Gone after its last
/// time.
#[table(name = notice_plan)]
#[derive(Clone)]
pub struct NoticePlan {
    /// Never reused.
    #[primary_key]
    pub plan_id: u64,
    /// When it is due in the upper 64 bits, `plan_id` in the lower: read by the timer.
    #[unique]
    pub due_key: u128,
    /// When it is due, microseconds since 1970.
    pub due_at_micros: i64,
    /// After which it is not published any more; 0 for never.
    pub until_micros: i64,
    /// How long what it publishes lives.
    pub lifetime_seconds: u32,
    /// How often it has been published.
    pub times: u32,
    /// `rules::notices::NoticeKind`.
    pub kind: u8,
    /// Five fields of cron; empty for once.
    pub pattern: String,
    /// A zone of the IANA data base.
    pub zone: String,
    /// One line.
    pub title: String,
    /// Any number of lines.
    pub body: String,
}

/// A phase of a world event.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct WorldEventPhase {
    /// How long it lasts, 1 second to a week.
    pub seconds: u32,
    /// Its name.
    pub name: String,
}

/// Something that happens in the world. Clients count down to `ends_at_micros`.
#[table(
    name = world_event,
    public,
    // Subscribed to.
    index(name = by_audience, btree(columns = [audience]))
)]
pub struct WorldEvent {
    /// Never reused.
    #[primary_key]
    pub event_id: u64,
    /// When the phase began, microseconds since 1970.
    pub began_at_micros: i64,
    /// When it ends; of phase 0 when the event begins.
    pub ends_at_micros: i64,
    /// 0: everybody.
    pub audience: u32,
    /// 0 while it is waited for, else the phase, from 1.
    pub phase: u8,
    /// How many phases it has.
    pub phases: u8,
    /// The phase's name; empty while it is waited for.
    pub phase_name: String,
    /// One line.
    pub title: String,
    /// Any number of lines.
    pub body: String,
}

/// How an event goes on. As long there as its row in `world_event`.
#[table(name = world_event_plan)]
#[derive(Clone)]
pub struct WorldEventPlan {
    /// The event.
    #[primary_key]
    pub event_id: u64,
    /// When its phase ends in the upper 64 bits, `event_id` in the lower: read by the timer.
    #[unique]
    pub due_key: u128,
    /// When it began or begins, microseconds since 1970.
    pub begins_at_micros: i64,
    /// Five fields of cron; empty for once.
    pub pattern: String,
    /// A zone of the IANA data base.
    pub zone: String,
    /// Its phases.
    pub phases: Vec<WorldEventPhase>,
}
