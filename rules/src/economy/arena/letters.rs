//! Letters, and the lost-and-found.

use super::realm::{Holder, Mail, Purse, Realm, Stack, check_free, sink, wallet};
use super::{CHARACTERS, Done, account_of};
use crate::economy::{EconomyError, PurseKind, Sink};
use crate::items::stacks::Spot;
use crate::items::{HolderKind, ItemError};
use crate::mail::fate::{Letter, at_the_end, goes_when_empty, may_go_back};
use crate::mail::{
    ATTACHMENTS_MAX, Asked, Fate, LetterKind, MailError, delay_micros, expires_at_micros, has_room,
    postage, rate, validate_amounts, validate_goods,
};

/// What a letter and a stack in it cost, copper.
const POSTAGE: (u64, u64) = (30, 10);
/// How long goods are on their way, microseconds.
const DELAY_MICROS: i64 = 3_600_000_000;
/// Letters of an account in an hour.
const PER_HOUR: i64 = 60;
/// Stacks that one call takes at most.
const STACKS_MAX: usize = 32;

const fn purse(mail_id: u64) -> Purse {
    (PurseKind::Mail, mail_id)
}

const fn holder(mail_id: u64) -> Holder {
    (HolderKind::Mail, mail_id)
}

impl Realm {
    fn has_value(&self, mail_id: u64) -> bool {
        self.copper(purse(mail_id)) > 0 || !self.contents(holder(mail_id)).is_empty()
    }

    /// The letters of a character, the oldest first.
    pub(super) fn letters_of(&self, to: u64) -> Vec<u64> {
        self.boxes.range((to, 0)..=(to, u64::MAX)).map(|((_, mail_id), ())| mail_id).collect()
    }

    fn box_has_room(&self, to: u64) -> bool {
        has_room(u16::try_from(self.letters_of(to).len()).unwrap_or(u16::MAX))
    }

    pub(super) fn send(
        &mut self,
        own: u64,
        to: u64,
        attached: &[(u64, u32)],
        (copper, cod_copper): (u64, u64),
    ) -> Done {
        let item_ids: Vec<u64> = attached.iter().map(|attached| attached.0).collect();
        let asked = Asked { item_ids: &item_ids, copper, cod_copper };
        validate_goods(asked)?;
        validate_amounts(asked)?;
        if !(1..=CHARACTERS).contains(&to) {
            return Err(MailError::RecipientUnknown.into());
        }
        if to == own {
            return Err(MailError::RecipientSelf.into());
        }
        let account = account_of(own);
        let spent = self.rates.get(account).copied().unwrap_or(0);
        let spent = rate::spend(spent, self.now, PER_HOUR)?;
        self.rates.put(account, Some(spent));
        if !self.box_has_room(to) {
            return Err(MailError::MailboxFull.into());
        }
        let has_value = copper > 0 || !item_ids.is_empty();
        let delay = delay_micros(has_value, account == account_of(to), DELAY_MICROS);
        let mail_id = self.write(LetterKind::Player, own, to, cod_copper, delay);
        let cost = postage(POSTAGE.0, POSTAGE.1, item_ids.len());
        self.pay(wallet(own), sink(Sink::Postage), cost)?;
        if copper > 0 {
            self.pay(wallet(own), purse(mail_id), copper)?;
        }
        for (item_id, count) in attached {
            let stack = self.stack_in(&[(HolderKind::Bag, own)], *item_id)?;
            self.take(&stack, *count, holder(mail_id), Spot::Anywhere)?;
        }
        Ok(())
    }

    fn write(&mut self, kind: LetterKind, from: u64, to: u64, cod: u64, delay: i64) -> u64 {
        let mail_id = self.next_id();
        let due_at = self.now.saturating_add(delay);
        let (is_there, is_returned, is_paid) = (false, false, false);
        let mail = Mail { kind, from, to, cod_copper: cod, is_there, is_returned, is_paid, due_at };
        self.save_letter(mail_id, Some(mail));
        if delay <= 0 {
            self.deliver(mail_id, mail);
        }
        mail_id
    }

    /// Writes a letter's row and where it is found by; none removes it.
    fn save_letter(&mut self, mail_id: u64, mail: Option<Mail>) {
        if let Some(before) = self.letters.get(mail_id).copied() {
            self.boxes.put((before.to, mail_id), None);
            self.letters_due.put((before.due_at, mail_id), None);
        }
        if let Some(mail) = mail {
            self.boxes.put((mail.to, mail_id), Some(()));
            self.letters_due.put((mail.due_at, mail_id), Some(()));
        }
        self.letters.put(mail_id, mail);
    }

    fn deliver(&mut self, mail_id: u64, mail: Mail) {
        let due_at = expires_at_micros(mail.kind, mail.cod_copper > 0, self.now);
        self.save_letter(mail_id, Some(Mail { is_there: true, due_at, ..mail }));
    }

    /// Sends goods by mail, whatever they are needed for. It cannot fail.
    pub(super) fn send_by_realm(&mut self, to: u64, stacks: &[Stack], coins: Option<(Purse, u64)>) {
        let mut coins = coins.filter(|(_, copper)| *copper > 0);
        let mut left = stacks;
        loop {
            if !self.box_has_room(to) {
                self.find(account_of(to), left, coins);
                return;
            }
            let (now, later) = left.split_at(left.len().min(ATTACHMENTS_MAX));
            let mail_id = self.write(LetterKind::Realm, 0, to, 0, 0);
            for stack in now {
                self.push(stack, holder(mail_id)).expect("a new letter has room");
            }
            if let Some((from, copper)) = coins.take() {
                // Coins that cannot move stay where they are.
                let _ = self.pay(from, purse(mail_id), copper);
            }
            left = later;
            if left.is_empty() {
                return;
            }
        }
    }

    /// Goods that come by no letter.
    fn find(&mut self, account: u64, stacks: &[Stack], coins: Option<(Purse, u64)>) {
        for stack in stacks {
            let to = (HolderKind::LostAndFound, account);
            self.push(stack, to).expect("a lost-and-found has room");
        }
        let Some((from, copper)) = coins else { return };
        if self.pay(from, (PurseKind::LostAndFound, account), copper).is_err() {
            let mail_id = self.next_id();
            if self.pay(from, purse(mail_id), copper).is_ok() {
                self.held.put((account, mail_id), Some(()));
            }
        }
    }

    fn letter_of(&self, mail_id: u64, mail: &Mail) -> Letter {
        let has_value = self.has_value(mail_id);
        let Mail { kind, is_returned, is_paid, .. } = *mail;
        Letter { kind, is_returned, is_paid, has_value }
    }

    /// The letter is over, or sent back.
    fn end(&mut self, mail_id: u64, mail: Mail) {
        match at_the_end(self.letter_of(mail_id, &mail)) {
            Fate::Drop => self.save_letter(mail_id, None),
            Fate::Back if self.box_has_room(mail.from) => {
                let back =
                    Mail { to: mail.from, from: mail.to, cod_copper: 0, is_returned: true, ..mail };
                self.deliver(mail_id, back);
            }
            Fate::Back => self.lose(mail_id, account_of(mail.from)),
            Fate::Lost => self.lose(mail_id, account_of(mail.to)),
        }
    }

    fn lose(&mut self, mail_id: u64, account: u64) {
        self.save_letter(mail_id, None);
        self.held.put((account, mail_id), Some(()));
        self.try_held(account, mail_id);
    }

    /// Moves what is held to the lost-and-found, as much as can. Whether anything moved.
    fn try_held(&mut self, account: u64, mail_id: u64) -> bool {
        let mut moved = false;
        for stack in self.contents(holder(mail_id)) {
            moved |= self.push(&stack, (HolderKind::LostAndFound, account)).is_ok();
        }
        let copper = self.copper(purse(mail_id));
        if copper > 0 {
            let to = (PurseKind::LostAndFound, account);
            moved |= self.pay(purse(mail_id), to, copper).is_ok();
        }
        if !self.has_value(mail_id) {
            self.held.put((account, mail_id), None);
        }
        moved
    }

    pub(super) fn claim(&mut self, own: u64) -> Done {
        let account = account_of(own);
        let held = self.held.range((account, 0)..=(account, u64::MAX));
        let held: Vec<u64> = held.take(8).map(|((_, mail_id), ())| mail_id).collect();
        let lost = self.contents((HolderKind::LostAndFound, account));
        let from = (PurseKind::LostAndFound, account);
        let copper = self.copper(from);
        if lost.is_empty() && copper == 0 && held.is_empty() {
            return Err(MailError::NothingLost.into());
        }
        let mut outcome = Err(ItemError::NoRoom.into());
        if copper > 0 {
            outcome = self.pay(from, wallet(own), copper);
        }
        for stack in lost.iter().take(STACKS_MAX) {
            let moved = self.take(stack, stack.count, (HolderKind::Bag, own), Spot::Anywhere);
            outcome = outcome.or_else(|_| moved.map(|_| ()));
        }
        for mail_id in held {
            if self.try_held(account, mail_id) {
                outcome = Ok(());
            }
        }
        outcome
    }

    /// A letter that the character has got and that is not over.
    fn own_letter(&self, own: u64, mail_id: u64) -> Done<Mail> {
        let is_own = |mail: &Mail| mail.to == own && mail.is_there && self.now < mail.due_at;
        let mail = self.letters.get(mail_id).copied().filter(is_own);
        Ok(mail.ok_or(MailError::Unknown)?)
    }

    pub(super) fn take_mail(&mut self, own: u64, mail_id: u64, item_id: u64, cod: u64) -> Done {
        let mail = self.own_letter(own, mail_id)?;
        if mail.cod_copper != cod {
            return Err(MailError::CodDiffers.into());
        }
        let mut stacks = self.contents(holder(mail_id));
        let mut copper = self.copper(purse(mail_id));
        if stacks.is_empty() && copper == 0 {
            return Err(MailError::Empty.into());
        }
        if item_id != 0 {
            copper = 0;
            stacks.retain(|stack| stack.item_id == item_id);
            if stacks.is_empty() {
                return Err(ItemError::Unknown.into());
            }
        }
        if mail.cod_copper > 0 {
            self.pay(wallet(own), purse(mail_id), mail.cod_copper)?;
            self.send_by_realm(mail.from, &[], Some((purse(mail_id), mail.cod_copper)));
            let due_at = expires_at_micros(mail.kind, false, self.now);
            let paid = Mail { cod_copper: 0, is_paid: true, due_at, ..mail };
            self.save_letter(mail_id, Some(paid));
        }
        for stack in &stacks {
            self.take(stack, stack.count, (HolderKind::Bag, own), Spot::Anywhere)?;
        }
        if copper > 0 {
            self.pay(purse(mail_id), wallet(own), copper)?;
        }
        self.taken_of(mail_id, &mail);
        Ok(())
    }

    /// One that says nothing else is gone with the last of it.
    fn taken_of(&mut self, mail_id: u64, mail: &Mail) {
        if goes_when_empty(mail.kind) && !self.has_value(mail_id) {
            self.save_letter(mail_id, None);
        }
    }

    pub(super) fn take_all(&mut self, own: u64) -> Done {
        let mut outcome = Err(MailError::Empty.into());
        let mut moved = 0;
        for mail_id in self.letters_of(own) {
            let Ok(mail) = self.own_letter(own, mail_id) else { continue };
            if mail.cod_copper > 0 || moved >= STACKS_MAX {
                continue;
            }
            let copper = self.copper(purse(mail_id));
            if copper > 0 {
                outcome = outcome.or(self.pay(purse(mail_id), wallet(own), copper));
            }
            for stack in self.contents(holder(mail_id)) {
                let taken = self.take(&stack, stack.count, (HolderKind::Bag, own), Spot::Anywhere);
                moved += usize::from(taken.is_ok());
                outcome = outcome.or(taken.map(|_| ()));
            }
            self.taken_of(mail_id, &mail);
        }
        outcome
    }

    pub(super) fn send_back(&mut self, own: u64, mail_id: u64) -> Done {
        let mail = self.own_letter(own, mail_id)?;
        if !may_go_back(self.letter_of(mail_id, &mail)) {
            return Err(MailError::NotReturnable.into());
        }
        for stack in self.contents(holder(mail_id)) {
            check_free(&stack)?;
        }
        if self.frozen.has(purse(mail_id)) {
            return Err(EconomyError::Frozen.into());
        }
        self.end(mail_id, mail);
        Ok(())
    }

    pub(super) fn delete(&mut self, own: u64, mail_id: u64) -> Done {
        self.own_letter(own, mail_id)?;
        if self.has_value(mail_id) {
            return Err(MailError::NotEmpty.into());
        }
        self.save_letter(mail_id, None);
        Ok(())
    }

    /// Letters whose time has come.
    pub(super) fn letters_run(&mut self) -> Done {
        let due = self.letters_due.range(..=(self.now, u64::MAX)).take(50);
        let due: Vec<u64> = due.map(|((_, mail_id), ())| mail_id).collect();
        for mail_id in due {
            let mail = *self.letters.get(mail_id).ok_or(MailError::Unknown)?;
            if mail.is_there {
                self.end(mail_id, mail);
            } else {
                self.deliver(mail_id, mail);
            }
        }
        Ok(())
    }
}
