//! Dice: days and their secrets, and the throws of each event.
//!
//! Keeps true: a day's secret is made before its first throw and its hash told at once; the secret
//! is told when the day is over, never before; every event has a label of its own. A secret is
//! made from a pool that the owner stirs whenever a realm is set up, every login with the hash of
//! its token, and every entry with the number of its connection: the module's own chance hangs on
//! the clock alone.

use crate::authority::{require_database, require_owner};
use crate::content::book;
use crate::{Refusal, now_micros};
use haven_rules::combat::dice::Roller;
use haven_rules::combat::source::{SECRET_BYTES, Source, commitment, label, stirred};
use haven_tables::combat::{
    CombatEvent, CombatLine, DiceDay, DicePool, DiceSecret, combat_event, dice_day, dice_pool,
    dice_secret,
};
use spacetimedb::rand::RngCore as _;
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::cell::Cell;

/// Days that are kept, so that who recorded events can prove them.
const DAYS_KEPT: u32 = 400;

/// The timer of [`dice_day_end()`]: at the end of the running day.
#[table(name = dice_day_timer, scheduled(dice_day_end))]
pub struct DiceDayTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

/// Most that is stirred in at once, bytes.
const STIRRED_BYTES_MAX: usize = 64;

/// Stirs the pool that secrets are made of with something that the owner has drawn at random, so
/// that no player can foresee the first one either. Owner only; what is longer than 64 bytes is cut
/// off.
///
/// # Errors
/// `account.permission_denied`.
#[reducer]
pub fn dice_stir(ctx: &ReducerContext, unforeseen: Vec<u8>) -> Result<(), Refusal> {
    require_owner(ctx)?;
    stir(ctx, &unforeseen[..unforeseen.len().min(STIRRED_BYTES_MAX)]);
    Ok(())
}

/// Something nobody can foresee goes into the pool.
pub(crate) fn stir(ctx: &ReducerContext, unforeseen: &[u8]) {
    let known = pool(ctx);
    let state = stirred(&known.state, unforeseen, now_micros(ctx));
    keep(ctx, DicePool { state: state.to_vec(), ..known });
}

fn pool(ctx: &ReducerContext) -> DicePool {
    let known = ctx.db.dice_pool().singleton_id().find(0);
    known.unwrap_or_else(|| {
        let mut state = vec![0; SECRET_BYTES];
        ctx.rng().fill_bytes(&mut state);
        DicePool { singleton_id: 0, next_event_id: 1, day: 0, state }
    })
}

thread_local! {
    /// How often the pool was kept since the module was loaded.
    static KEPT: Cell<u64> = const { Cell::new(0) };
}

fn keep(ctx: &ReducerContext, pool: DicePool) {
    KEPT.set(KEPT.get().wrapping_add(1));
    if ctx.db.dice_pool().singleton_id().find(0).is_some() {
        ctx.db.dice_pool().singleton_id().update(pool);
    } else {
        ctx.db.dice_pool().insert(pool);
    }
}

/// Lets a day begin if none runs. Called when a character enters, so that a day's hash is told
/// before anybody can throw.
pub(crate) fn ensure_day(ctx: &ReducerContext) {
    if ctx.db.dice_secret().day().find(pool(ctx).day).is_none() {
        begin_day(ctx);
    }
}

fn begin_day(ctx: &ReducerContext) {
    let mut pool = pool(ctx);
    let mut besides = [0; SECRET_BYTES];
    ctx.rng().fill_bytes(&mut besides);
    // The secret and the pool that goes on are two different children of the pool that was.
    let secret = stirred(&pool.state, &[&b"secret"[..], &besides].concat(), now_micros(ctx));
    let state = stirred(&pool.state, &[&b"pool"[..], &besides].concat(), now_micros(ctx));
    pool.day += 1;
    let day = pool.day;
    let begins_at_micros = now_micros(ctx);
    let ends_at_micros = begins_at_micros + book(ctx).setting("dice_day_millis") * 1_000;
    ctx.db.dice_day().insert(DiceDay {
        day,
        begins_at_micros,
        ends_at_micros,
        commitment: hex(&commitment(&secret)),
        secret: String::new(),
    });
    ctx.db.dice_secret().insert(DiceSecret { day, secret: secret.to_vec() });
    if let Some(old) = day.checked_sub(DAYS_KEPT) {
        ctx.db.dice_day().day().delete(old);
    }
    keep(ctx, DicePool { state: state.to_vec(), ..pool });
    let scheduled_at = ScheduleAt::Time(crate::at_micros(ends_at_micros));
    ctx.db.dice_day_timer().insert(DiceDayTimer { scheduled_id: 0, scheduled_at });
}

/// Tells the secret of the day that is over, and lets the next begin.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn dice_day_end(ctx: &ReducerContext, _timer: DiceDayTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let day = pool(ctx).day;
    let Some(row) = ctx.db.dice_day().day().find(day) else { return Ok(()) };
    if let Some(kept) = ctx.db.dice_secret().day().find(day) {
        ctx.db.dice_day().day().update(DiceDay { secret: hex(&kept.secret), ..row });
        ctx.db.dice_secret().day().delete(day);
    }
    begin_day(ctx);
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |part: u8| char::from_digit(part.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The dice of a run of the tick: taken up once, put back once.
pub(crate) struct Cup {
    pool: DicePool,
    secret: [u8; SECRET_BYTES],
    first_event_id: u64,
}

impl Cup {
    /// Takes up the day's dice.
    pub(crate) fn open(ctx: &ReducerContext) -> Self {
        ensure_day(ctx);
        let pool = pool(ctx);
        let kept = ctx.db.dice_secret().day().find(pool.day);
        let secret = kept.and_then(|row| <[u8; SECRET_BYTES]>::try_from(row.secret).ok());
        let secret = secret.expect("invariant: a day that runs has its secret");
        Self { first_event_id: pool.next_event_id, pool, secret }
    }

    /// The dice of one event.
    pub(crate) fn event(&mut self, ctx: &ReducerContext, actor_id: u64, ability: &str) -> Throws {
        let (event_id, at_micros) = (self.pool.next_event_id, now_micros(ctx));
        self.pool.next_event_id += 1;
        let label = label(self.pool.day, event_id, at_micros, actor_id, ability);
        Throws {
            source: Source::new(&self.secret, label.as_bytes()),
            shown: vec![],
            event_id,
            at_micros,
            day: self.pool.day,
            actor_id,
            ability: ability.to_owned(),
        }
    }

    /// Lays them down while something else is done that may take them up itself: no two events
    /// have one number.
    pub(crate) fn aside(&mut self, ctx: &ReducerContext, act: impl FnOnce()) {
        if self.pool.next_event_id != self.first_event_id {
            keep(ctx, self.pool.clone());
        }
        let kept = KEPT.get();
        self.first_event_id = self.pool.next_event_id;
        act();
        if KEPT.get() != kept {
            self.pool = pool(ctx);
            self.first_event_id = self.pool.next_event_id;
        }
    }

    /// Puts them back.
    pub(crate) fn close(self, ctx: &ReducerContext) {
        if self.pool.next_event_id != self.first_event_id {
            keep(ctx, self.pool);
        }
    }
}

/// The dice of one event, and what they showed.
pub(crate) struct Throws {
    source: Source,
    shown: Vec<u8>,
    event_id: u64,
    at_micros: i64,
    day: u32,
    actor_id: u64,
    ability: String,
}

impl Roller for Throws {
    fn roll(&mut self, sides: u8) -> u8 {
        let shown = self.source.roll(sides);
        self.shown.extend([sides, shown]);
        shown
    }
}

/// What has to be kept to prove the dice of an event.
pub(crate) struct Record {
    /// The event's number.
    pub(crate) event_id: u64,
    /// When.
    pub(crate) at_micros: i64,
    /// The dice's day.
    pub(crate) day: u32,
    /// Sides and what was shown, in turn.
    pub(crate) dice: Vec<u8>,
}

impl Throws {
    /// What has to be kept to prove it, for who needs that for longer than events are kept.
    pub(crate) fn record(&self) -> Record {
        let Self { event_id, at_micros, day, ref shown, .. } = *self;
        Record { event_id, at_micros, day, dice: shown.clone() }
    }

    /// Writes down what was decided.
    pub(crate) fn tell(
        self,
        ctx: &ReducerContext,
        chunk_index: u64,
        slot: u16,
        lines: Vec<CombatLine>,
    ) {
        let Self { event_id, at_micros, day, actor_id, ability, shown, .. } = self;
        ctx.db.combat_event().insert(CombatEvent {
            event_id,
            chunk_index,
            actor_id,
            at_micros,
            day,
            slot,
            ability,
            dice: shown,
            lines,
        });
    }
}
