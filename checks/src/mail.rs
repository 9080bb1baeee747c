//! The rules about letters, what is in them, and what is held of them.

use crate::Rule;
use crate::invariants::{count_by, set, strays};
use crate::snapshot::{Snapshot, number};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The rules about mail.
pub(crate) const RULES: [Rule; 3] = [
    ("a letter, and what is held of one, has one row of when it is due", due),
    ("mailboxes count their letters and hold no more than they may", boxes),
    ("what is in letters has its letter, and is shown to whom that is shown", goods),
];

/// Most letters of a mailbox: as the module bounds them.
const LETTERS_MAX: u64 = 100;
/// `item_container.kind` and `ledger_account.kind` of letters.
const STACKS: u64 = 3;
const COINS: u64 = 2;
/// `mail.state` of a letter that nobody sees yet, and of one that nobody has read.
const ON_ITS_WAY: u64 = 1;
const UNREAD: u64 = 2;
/// `mail_due.kind` of what is held, and of what is paid for.
const HELD: u64 = 3;
const PAID: u64 = 4;
/// `mail.kind` of what players send.
const OF_PLAYER: u64 = 1;

fn due(now: &Snapshot) -> Vec<String> {
    let letters = set(now, "mail", "mail_id");
    let held = set(now, "mail_held", "mail_id");
    let mut found: Vec<String> =
        letters.intersection(&held).map(|id| format!("{id} is a letter and held")).collect();
    let (waiting, others): (Vec<&Value>, Vec<&Value>) =
        now.rows("mail_due").iter().partition(|row| row["kind"] == HELD);
    for (rows, expected) in [(waiting, &held), (others, &letters)] {
        let due: BTreeSet<u64> = rows.iter().map(|row| number(row, "mail_id")).collect();
        if due != *expected {
            let differing: Vec<_> = due.symmetric_difference(expected).collect();
            found.push(format!("mail_due: {differing:?}"));
        }
    }
    for row in now.rows("mail") {
        if (row["state"] == ON_ITS_WAY) != (row["expires_at_micros"] == 0) {
            found.push(format!("mail {row}"));
        }
    }
    found.extend(strays(now, "mail_text", "mail_id", &letters));
    let payable = |row: &&Value| {
        row["kind"] == OF_PLAYER && row["cod_copper"] == 0 && row["is_returned"] == false
    };
    let payable = now.rows("mail").iter().filter(payable).map(|row| number(row, "mail_id"));
    let payable: BTreeSet<u64> = payable.collect();
    let paid = now.rows("mail_due").iter().filter(|row| row["kind"] == PAID);
    let strange = paid.filter(|row| !payable.contains(&number(row, "mail_id")));
    found.extend(strange.map(|row| format!("paid for, and no such letter: {row}")));
    found
}

fn boxes(now: &Snapshot) -> Vec<String> {
    let of = |rows: Vec<&Value>| count_by(rows.iter().map(|row| number(row, "to_character_id")));
    let letters = now.rows("mail").iter();
    let unread = letters.clone().filter(|row| row["state"] == UNREAD).collect();
    let mut found = vec![];
    for (table, column, expected) in
        [("mail_box", "letters", of(letters.collect())), ("mail_unread", "unread", of(unread))]
    {
        let rows = now.rows(table).iter();
        let counted = rows.map(|row| (number(row, "character_id"), number(row, column)));
        let counted: BTreeMap<u64, u64> = counted.filter(|(_, count)| *count > 0).collect();
        if counted != expected {
            found.push(format!("{table}.{column}: {counted:?}, expected {expected:?}"));
        }
    }
    let over = now.rows("mail_box").iter().filter(|row| number(row, "letters") > LETTERS_MAX);
    found.extend(over.map(|row| format!("mail_box {row}")));
    found
}

fn goods(now: &Snapshot) -> Vec<String> {
    let letters = now.rows("mail").iter();
    let mut viewers: BTreeMap<u64, Option<&Value>> =
        letters.map(|row| (number(row, "mail_id"), Some(&row["viewer"]))).collect();
    viewers.extend(now.column("mail_held", "mail_id").into_iter().map(|id| (id, None)));
    let stacks = now.rows("item_container").iter().filter(|row| row["kind"] == STACKS);
    let coins = now.rows("ledger_account").iter();
    let coins = coins.filter(|row| row["kind"] == COINS && number(row, "copper") > 0);
    let mut found = vec![];
    for (row, id) in stacks.chain(coins).map(|row| (row, number(row, "owner_id"))) {
        match viewers.get(&id) {
            None => found.push(format!("without a letter: {row}")),
            Some(Some(viewer)) if **viewer != row["viewer"] => {
                found.push(format!("shown to another than its letter: {row}"));
            }
            Some(_) => {}
        }
    }
    for row in now.rows("mail_text") {
        let viewer = viewers.get(&number(row, "mail_id")).copied().flatten();
        if viewer.is_some_and(|viewer| *viewer != row["viewer"]) {
            found.push(format!("shown to another than its letter: {row}"));
        }
    }
    found
}
