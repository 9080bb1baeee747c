//! What is asked of who speaks: its voice, its pace, its words and its links.
//!
//! Keeps true: a refusal spends nothing.

use super::store::{Spoken, instant};
use super::{living_name, present};
use crate::content::book;
use crate::{Refusal, now_micros};
use haven_rules::chat::bucket::{Limit, take_several};
use haven_rules::chat::filter::{Filter, Verdict, has_address};
use haven_rules::chat::text::{LinkKind, validate_text};
use haven_rules::chat::{CROWD_LIMIT, CROWD_ROWS, ChatError, LIMITS_COUNT, default_limit};
use haven_rules::content::book::Book;
use haven_rules::keys::joint_key;
use haven_tables::chat::moderation::{ChatMuted, chat_muted};
use haven_tables::chat::{ChatBucket, ChatLimit, ChatLink, ChatPart, chat_bucket, chat_limit};
use haven_tables::items::item;
use spacetimedb::{Identity, ReducerContext, Table};
use std::cell::RefCell;
use std::rc::Rc;

/// Whose bucket is that of all accounts together.
const REALM: u64 = 0;

thread_local! {
    /// The filter of the book that was last asked for.
    static FILTER: RefCell<Option<(Rc<Book>, Rc<Filter>)>> = const { RefCell::new(None) };
}

/// The words of the content in force, ready to look for.
pub(super) fn filter(ctx: &ReducerContext) -> Rc<Filter> {
    let book = book(ctx);
    let kept = FILTER.with_borrow(Option::clone).filter(|(of, _)| Rc::ptr_eq(of, &book));
    if let Some((_, filter)) = kept {
        return filter;
    }
    let words = book.filter_words().iter();
    let words = words.map(|word| (word.word.as_str(), word.is_whole, word.is_refused));
    let filter = Rc::new(Filter::new(words));
    FILTER.set(Some((book, Rc::clone(&filter))));
    filter
}

/// Who speaks.
#[derive(Clone, Copy)]
pub(super) struct Speaker {
    /// Its account.
    pub(super) account_id: u64,
    /// Its character in the world.
    pub(super) character_id: u64,
}

/// A text in the form in which it is kept, its words not looked at yet.
///
/// # Errors
/// In this order: `TextLength`, `TextLetters`, `LinksInvalid`.
pub(super) fn read(text: &str, links: &[ChatLink]) -> Result<String, ChatError> {
    let text = validate_text(text, links.len())?;
    let is_known = |link: &ChatLink| LinkKind::from_code(link.kind).is_some();
    if links.iter().all(is_known) { Ok(text) } else { Err(ChatError::LinksInvalid) }
}

impl Speaker {
    /// The caller.
    ///
    /// # Errors
    /// In this order: the caller's, `chat.not_in_world`.
    pub(super) fn of_caller(ctx: &ReducerContext) -> Result<Self, Refusal> {
        let (account_id, character_id) = present(ctx)?;
        Ok(Self { account_id, character_id })
    }

    /// Refuses who is muted; a shadow is not told.
    ///
    /// # Errors
    /// `Muted`.
    pub(super) fn require_voice(&self, ctx: &ReducerContext) -> Result<(), ChatError> {
        require_voice(ctx, self.account_id)
    }

    /// What the speaker says, words that are not said masked, links resolved.
    ///
    /// # Errors
    /// In this order: `WordRefused`, `LinkRefused`, `LinkUnknown`.
    pub(super) fn speak(
        &self,
        ctx: &ReducerContext,
        said: String,
        links: &[ChatLink],
    ) -> Result<Spoken, ChatError> {
        let text = decent(ctx, said)?;
        let parts: Result<Vec<ChatPart>, ChatError> =
            links.iter().map(|link| resolve(ctx, *link)).collect();
        Ok(Spoken {
            sender_id: self.character_id,
            account_id: self.account_id,
            sender_name: living_name(ctx, self.character_id).ok_or(ChatError::CharacterAbsent)?,
            text,
            parts: parts?,
            is_shadowed: is_shadow(ctx, self.account_id),
        })
    }
}

fn mute(ctx: &ReducerContext, account_id: u64) -> Option<ChatMuted> {
    let row = ctx.db.chat_muted().account_id().find(account_id)?;
    (row.ends_at_micros > now_micros(ctx)).then_some(row)
}

/// Refuses an account that is muted; a shadow is not told.
///
/// # Errors
/// `Muted`.
pub(crate) fn require_voice(ctx: &ReducerContext, account_id: u64) -> Result<(), ChatError> {
    match mute(ctx, account_id) {
        Some(row) if !row.is_shadow => Err(ChatError::Muted),
        Some(_) | None => Ok(()),
    }
}

/// Whether an account goes on speaking and nobody hears it.
pub(crate) fn is_shadow(ctx: &ReducerContext, account_id: u64) -> bool {
    mute(ctx, account_id).is_some_and(|row| row.is_shadow)
}

/// A text without words that are not said and without addresses.
///
/// # Errors
/// In this order: `WordRefused`, `LinkRefused`.
pub(crate) fn decent(ctx: &ReducerContext, text: String) -> Result<String, ChatError> {
    let text = match filter(ctx).judge(&text) {
        Verdict::Clean => text,
        Verdict::Masked(text) => text,
        Verdict::Refused => return Err(ChatError::WordRefused),
    };
    if has_address(&text) && !book(ctx).switch("chat_addresses") {
        return Err(ChatError::LinkRefused);
    }
    Ok(text)
}

/// Refuses a name that a muted account gives, and one with a word that is masked or refused in a
/// text: a name is not masked, because it is what others call it by. A shadow's is refused as if it
/// had such a word: everybody would read it.
///
/// # Errors
/// In this order: `Muted`, `WordRefused`.
pub(crate) fn decent_name(
    ctx: &ReducerContext,
    account_id: u64,
    name: &str,
) -> Result<(), ChatError> {
    require_voice(ctx, account_id)?;
    let is_decent = !is_shadow(ctx, account_id) && filter(ctx).is_clean(name);
    if is_decent { Ok(()) } else { Err(ChatError::WordRefused) }
}

/// A link as it is kept: of an item only one that the caller sees as its own.
fn resolve(ctx: &ReducerContext, link: ChatLink) -> Result<ChatPart, ChatError> {
    let ChatLink { kind, target_id } = link;
    let label = match LinkKind::from_code(kind).ok_or(ChatError::LinksInvalid)? {
        LinkKind::Item => {
            let row = ctx.db.item().item_id().find(target_id);
            let is_own = |viewer: Identity| viewer == ctx.sender && viewer != Identity::ZERO;
            row.filter(|row| is_own(row.viewer)).map(|row| row.def)
        }
        LinkKind::Character => living_name(ctx, target_id),
    };
    Ok(ChatPart { kind, target_id, label: label.ok_or(ChatError::LinkUnknown)? })
}

/// Takes one of what an account may do of that.
///
/// # Errors
/// `TooFast`.
pub(super) fn spend(ctx: &ReducerContext, account_id: u64, code: u8) -> Result<(), ChatError> {
    spend_several(ctx, account_id, code, 1)
}

/// Takes what a message to so many hearers costs the realm: a row for each of them is written and
/// sent, and there is one thread for all of it.
///
/// # Errors
/// `Busy`.
pub(super) fn spend_crowd(ctx: &ReducerContext, hearers: usize) -> Result<(), ChatError> {
    let tokens = u16::try_from(hearers / CROWD_ROWS).unwrap_or(u16::MAX);
    if tokens == 0 {
        return Ok(());
    }
    spend_several(ctx, REALM, CROWD_LIMIT, tokens).map_err(|_| ChatError::Busy)
}

fn spend_several(
    ctx: &ReducerContext,
    account_id: u64,
    code: u8,
    tokens: u16,
) -> Result<(), ChatError> {
    let limit = limit_of(ctx, code).ok_or(ChatError::KindUnknown)?;
    let now = now_micros(ctx);
    let known = ctx.db.chat_bucket().account_id().find(account_id);
    let is_known = known.is_some();
    let mut full_at_micros = known.map(|row| row.full_at_micros).unwrap_or_default();
    full_at_micros.resize(LIMITS_COUNT, 0);
    let index = usize::from(code).saturating_sub(1);
    let full_at = full_at_micros.get_mut(index).ok_or(ChatError::KindUnknown)?;
    // What is larger than the whole bucket takes all of it: it must not wait for ever.
    *full_at = take_several(limit, tokens.min(limit.burst), *full_at, now)?;
    let all_full_at = full_at_micros.iter().copied().max().unwrap_or(0);
    let full_key = joint_key(instant(all_full_at), account_id);
    let row = ChatBucket { account_id, full_key, full_at_micros };
    if is_known {
        ctx.db.chat_bucket().account_id().update(row);
    } else {
        ctx.db.chat_bucket().insert(row);
    }
    Ok(())
}

fn limit_of(ctx: &ReducerContext, code: u8) -> Option<Limit> {
    let row = ctx.db.chat_limit().code().find(code);
    row.map_or_else(
        || default_limit(code),
        |row| Some(Limit { burst: row.burst, refill_millis: row.refill_millis }),
    )
}

/// Makes the rows of limits that are missing.
pub(super) fn ensure_limits(ctx: &ReducerContext) {
    for code in 1..=u8::try_from(LIMITS_COUNT).unwrap_or(0) {
        let is_known = ctx.db.chat_limit().code().find(code).is_some();
        if let (false, Some(limit)) = (is_known, default_limit(code)) {
            let Limit { burst, refill_millis } = limit;
            ctx.db.chat_limit().insert(ChatLimit { code, burst, refill_millis });
        }
    }
}
