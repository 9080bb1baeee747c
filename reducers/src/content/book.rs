//! The book in force: entries read once, kept until another version is in force.
//!
//! Keeps true: the book is that of the version which this transaction sees in force; what is kept
//! is never older, even where the transaction that made it was taken back.

use std::cell::RefCell;
use std::rc::Rc;

use haven_rules::content::book::Book;
use haven_rules::content::versions::StoredEntry;
use haven_tables::content::{ContentDef, content_def, content_version};
use spacetimedb::{ReducerContext, Table};

use super::ACTIVE;

/// A version's number and the instant at which it came into force: another activation has another
/// instant, so two that are alike hold the same entries.
type InForce = (u32, i64);

thread_local! {
    /// The book of a call that has said that nothing else comes in force while it runs.
    static HELD: RefCell<Option<Rc<Book>>> = const { RefCell::new(None) };
    static BOOK: RefCell<Option<(InForce, Rc<Book>)>> = const { RefCell::new(None) };
}

/// While it lives nobody has to look whether another version came in force.
pub(crate) struct Holding(());

impl Drop for Holding {
    fn drop(&mut self) {
        HELD.take();
    }
}

/// Holds the book for the rest of a call that activates nothing. A call that ends without dropping
/// it takes the whole instance of the module with it.
pub(crate) fn hold(ctx: &ReducerContext) -> Holding {
    let book = book(ctx);
    HELD.set(Some(book));
    Holding(())
}

/// What is in force, by key; an empty book where nothing is. Cheap: one row is read unless the
/// version changed.
pub(crate) fn book(ctx: &ReducerContext) -> Rc<Book> {
    if let Some(held) = HELD.with_borrow(Option::clone) {
        return held;
    }
    let active = ctx.db.content_version().by_state().filter(ACTIVE).next();
    let in_force = active.map_or((0, 0), |row| (row.version, row.activated_at_micros));
    let kept = BOOK.with_borrow(Option::clone).filter(|(of, _)| *of == in_force);
    if let Some((_, book)) = kept {
        return book;
    }
    let book = Rc::new(read(ctx));
    BOOK.set(Some((in_force, Rc::clone(&book))));
    book
}

fn read(ctx: &ReducerContext) -> Book {
    #[expect(clippy::disallowed_methods, reason = "bounded by a version's 8192 entries")]
    let rows = ctx.db.content_def().iter();
    let stored = |row: ContentDef| StoredEntry { kind: row.kind, key: row.key, body: row.body };
    let (book, unreadable) = Book::of(rows.map(stored));
    for def_key in unreadable {
        log::warn!("{def_key} in force is not of the shape this module reads: it is left out");
    }
    book
}
