//! What players were told, and whether it is so.
//!
//! Keeps true: a name is asked for once, by one account. What was told as written must be there
//! from then on; what was asked for and not answered may be; all else must not. What was
//! acknowledged without waiting for the disk may be lost by a kill, and is counted then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::bail;
use haven_checks::{Snapshot, number, text};

/// What became of a wish for a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// It was sent; the answer is not here yet.
    Asked,
    /// It was reported as done and written.
    Told,
    /// It was refused.
    Refused,
}

/// Whether a character is deleted, as its player was told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Deletion {
    is_deleted: bool,
    /// A change is under way.
    is_asked: bool,
    /// A later command of the account was reported as written, so this is written too.
    is_written: bool,
    /// How often it was changed or asked for.
    version: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    account_id: u64,
    wish: Wish,
    deletion: Deletion,
}

#[derive(Clone, Debug, Default)]
struct Book {
    /// Characters by name.
    entries: BTreeMap<String, Entry>,
    /// Accounts that were told that an instance is open to them.
    openers: BTreeSet<u64>,
    /// Commands that were told as written.
    told: u64,
    /// How often what was told was doubted.
    doubts: u32,
}

/// What was asked before a doubt and is heard of after it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Era(u32);

/// A wish that is under way.
#[derive(Debug)]
pub(super) struct Asked {
    name: String,
    era: Era,
    /// What the account had been told without waiting, before it asked.
    unwritten: Vec<(String, u32)>,
}

/// What all players together were told.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Book>);

/// What the ledger held at a moment.
#[derive(Clone, Debug)]
pub(super) struct Page(Book);

/// How a database compares with what players were told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Audit {
    /// Commands that were told as written, all of which are there.
    pub(super) kept: u64,
    /// Acknowledged changes that nobody waited for and that are gone.
    pub(super) unwaited_lost: u64,
}

impl Book {
    fn era(&self) -> Era {
        Era(self.doubts)
    }
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    pub(super) fn page(&self) -> Page {
        Page(self.book().clone())
    }

    /// To be asked for before something is asked of the server.
    pub(super) fn era(&self) -> Era {
        self.book().era()
    }

    /// An account asks for a character of a name that nobody asked for before.
    pub(super) fn ask(&self, account_id: u64, name: &str) -> Asked {
        let mut book = self.book();
        let of_account = book.entries.iter().filter(|(_, entry)| entry.account_id == account_id);
        let unwritten = of_account.filter(|(_, entry)| {
            let Deletion { is_asked, is_written, .. } = entry.deletion;
            !is_asked && !is_written
        });
        let unwritten = unwritten.map(|(name, entry)| (name.clone(), entry.deletion.version));
        let unwritten = unwritten.collect();
        let entry = Entry { account_id, wish: Wish::Asked, deletion: Deletion::default() };
        book.entries.insert(name.to_owned(), entry);
        Asked { name: name.to_owned(), era: book.era(), unwritten }
    }

    /// It was told that the character is made and written, and so is all that was acknowledged
    /// before it asked.
    pub(super) fn told(&self, asked: Asked) {
        let mut book = self.book();
        if asked.era != book.era() {
            return;
        }
        book.told += 1;
        if let Some(entry) = book.entries.get_mut(&asked.name) {
            entry.wish = Wish::Told;
            entry.deletion.is_written = true;
        }
        for (name, version) in asked.unwritten {
            if let Some(entry) = book.entries.get_mut(&name)
                && entry.deletion.version == version
            {
                entry.deletion.is_written = true;
            }
        }
    }

    /// It was told that the character is not made.
    pub(super) fn refused(&self, asked: &Asked) {
        if let Some(entry) = self.book().entries.get_mut(&asked.name) {
            entry.wish = Wish::Refused;
        }
    }

    /// The player begins to delete or restore a character.
    pub(super) fn change(&self, name: &str) -> Era {
        let mut book = self.book();
        if let Some(entry) = book.entries.get_mut(name) {
            entry.deletion.is_asked = true;
            entry.deletion.is_written = false;
            entry.deletion.version += 1;
        }
        book.era()
    }

    /// The player was told that it is deleted, or that it is not. Until then nothing is known.
    pub(super) fn changed(&self, name: &str, is_deleted: bool, era: Era) {
        let mut book = self.book();
        if era != book.era() {
            return;
        }
        if let Some(entry) = book.entries.get_mut(name) {
            let version = entry.deletion.version + 1;
            entry.deletion = Deletion { is_deleted, version, ..Deletion::default() };
        }
    }

    /// An account was told that its instance is open, and that this is written.
    pub(super) fn opened(&self, account_id: u64, era: Era) {
        let mut book = self.book();
        if era != book.era() {
            return;
        }
        book.told += 1;
        book.openers.insert(account_id);
    }

    /// Forgets what was told after that page: those who were told so may have been told too much.
    pub(super) fn doubt_since(&self, page: &Page) {
        let mut book = self.book();
        book.doubts += 1;
        for (name, entry) in &mut book.entries {
            match page.0.entries.get(name) {
                Some(before) if before == entry => {}
                before => {
                    let was_told = before.is_some_and(|before| before.wish == Wish::Told);
                    if entry.wish == Wish::Told && !was_told {
                        entry.wish = Wish::Asked;
                    }
                    entry.deletion.is_asked = true;
                    entry.deletion.version += 1;
                }
            }
        }
        book.openers.clone_from(&page.0.openers);
        book.told = page.0.told;
    }

    /// Compares a snapshot with what was told before and after it was taken.
    ///
    /// # Errors
    /// What was told and is not so.
    pub(super) fn audit(&self, before: &Page, now: &Snapshot) -> anyhow::Result<Audit> {
        let after = self.page();
        let deleted: BTreeSet<u64> =
            now.column("character_deletion", "character_id").into_iter().collect();
        // Others may play beside them, who keep no account.
        let players: BTreeSet<u64> =
            after.0.entries.values().map(|entry| entry.account_id).collect();
        let mut there = BTreeMap::<&str, (u64, u64)>::new();
        let mut wrong = vec![];
        for row in now.rows("character") {
            let (name, account_id) = (text(row, "name"), number(row, "account_id"));
            let entry = after.0.entries.get(name);
            let is_refused = |page: &Page| {
                page.0.entries.get(name).is_some_and(|entry| entry.wish == Wish::Refused)
            };
            let is_foreign = entry.is_none_or(|entry| entry.account_id != account_id);
            if (is_foreign && players.contains(&account_id)) || is_refused(before) {
                wrong.push(format!("{name} of {account_id} is there and should not be"));
            }
            if there.insert(name, (number(row, "character_id"), account_id)).is_some() {
                wrong.push(format!("{name} is there twice"));
            }
        }
        let mut audit = Audit { kept: before.0.told, unwaited_lost: 0 };
        for (name, entry) in &before.0.entries {
            let Some((character_id, _)) = there.get(name.as_str()) else {
                if entry.wish == Wish::Told {
                    wrong.push(format!("{name} of {} was told and is gone", entry.account_id));
                }
                continue;
            };
            let is_settled = !entry.deletion.is_asked && after.0.entries.get(name) == Some(entry);
            let is_deleted = deleted.contains(character_id);
            if is_settled && is_deleted != entry.deletion.is_deleted {
                if entry.deletion.is_written {
                    wrong.push(format!("{name}: the last deletion or restoring is gone"));
                } else {
                    audit.unwaited_lost += 1;
                    self.changed(name, is_deleted, after.0.era());
                }
            }
        }
        let opened: BTreeSet<u64> = now.column("instance", "account_id").into_iter().collect();
        let lost = before.0.openers.difference(&opened);
        wrong.extend(lost.map(|account| format!("the instance of {account} was told and is gone")));
        if wrong.is_empty() { Ok(audit) } else { bail!("{}", wrong.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A database with characters of account 7: a name, and whether it is deleted.
    fn database(characters: &[(&str, bool)]) -> Snapshot {
        let mut now = Snapshot::default();
        for (id, (name, is_deleted)) in (1_u64..).zip(characters) {
            let row = json!({ "character_id": id, "account_id": 7, "name": name });
            now.insert("character", row);
            if *is_deleted {
                now.insert("character_deletion", json!({ "character_id": id }));
            }
        }
        now
    }

    #[track_caller]
    fn check(ledger: &Ledger, characters: &[(&str, bool)], expected: Result<u64, &str>) {
        let audited = ledger.audit(&ledger.page(), &database(characters));
        match (audited, expected) {
            (Ok(audit), Ok(lost)) => assert_eq!(audit.unwaited_lost, lost),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (outcome, expected) => panic!("{outcome:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn what_was_told_must_be_there_and_what_was_asked_may_be() {
        let ledger = Ledger::default();
        let asked = ledger.ask(7, "Ann");
        check(&ledger, &[], Ok(0));
        check(&ledger, &[("Ann", false)], Ok(0));
        check(&ledger, &[("Ann", false), ("Ann", false)], Err("twice"));
        check(&ledger, &[("Bob", false)], Err("Bob of 7 is there and should not be"));
        check(&Ledger::default(), &[("Bob", false)], Ok(0));
        ledger.told(asked);
        check(&ledger, &[("Ann", false)], Ok(0));
        check(&ledger, &[], Err("Ann of 7 was told and is gone"));
    }

    #[test]
    fn what_was_refused_must_not_be_there() {
        let ledger = Ledger::default();
        ledger.refused(&ledger.ask(7, "Ann"));
        check(&ledger, &[], Ok(0));
        check(&ledger, &[("Ann", false)], Err("should not be"));
    }

    #[test]
    fn a_change_nobody_waited_for_may_be_lost_once_and_not_after_a_later_command_is_written() {
        let ledger = Ledger::default();
        ledger.told(ledger.ask(7, "Ann"));
        let era = ledger.change("Ann");
        check(&ledger, &[("Ann", false)], Ok(0));
        ledger.changed("Ann", true, era);
        check(&ledger, &[("Ann", false)], Ok(1));
        check(&ledger, &[("Ann", false)], Ok(0));
        ledger.changed("Ann", true, ledger.change("Ann"));
        ledger.told(ledger.ask(7, "Bob"));
        check(&ledger, &[("Ann", true), ("Bob", false)], Ok(0));
        check(&ledger, &[("Ann", false), ("Bob", false)], Err("Ann: the last deletion"));
    }

    #[test]
    fn doubt_takes_back_what_was_told_since() {
        let ledger = Ledger::default();
        ledger.told(ledger.ask(7, "Ann"));
        let page = ledger.page();
        ledger.told(ledger.ask(7, "Bob"));
        ledger.opened(7, ledger.era());
        ledger.doubt_since(&page);
        check(&ledger, &[("Ann", false)], Ok(0));
        check(&ledger, &[("Bob", false)], Err("Ann of 7 was told and is gone"));
    }

    #[test]
    fn what_is_heard_after_a_doubt_of_something_asked_before_it_proves_nothing() {
        let ledger = Ledger::default();
        ledger.told(ledger.ask(7, "Ann"));
        ledger.changed("Ann", true, ledger.change("Ann"));
        let (asked, opened) = (ledger.ask(7, "Bob"), ledger.era());
        let restored = ledger.change("Ann");
        ledger.doubt_since(&ledger.page());
        ledger.told(asked);
        ledger.changed("Ann", false, restored);
        ledger.opened(7, opened);
        for characters in
            [&[("Ann", true)][..], &[("Ann", false)], &[("Ann", true), ("Bob", false)]]
        {
            check(&ledger, characters, Ok(0));
        }
    }
}
