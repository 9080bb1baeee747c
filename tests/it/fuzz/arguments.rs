//! Arguments for reducers, made from the module's own declarations.
//!
//! Keeps true: what is made as sound is encoded as its type says, so a refusal of it is the game's
//! and never the decoder's; numbers and words that mean something in the realm are among them, or
//! every call would end at its first check.

use super::line::length;
use super::pool::Pool;
use crate::support::chance::Chance;
use crate::support::{Database, owner_token};
use haven_checks::Declarations;
use spacetimedb_lib::{AlgebraicType, ProductType};

/// How deep types may be nested before they are left empty; ours are three deep.
const DEPTH_MAX: u32 = 8;
/// Arguments that are so long get no more long texts: a connection ends for a frame of 16 MiB.
const LONG_ARGS_BYTES: usize = 8 << 20;
/// How the names of the reducers begin by which players move.
const MOVES: [&str; 6] = [
    "course_",
    "character_enter",
    "character_leave",
    "character_respawn",
    "instance_",
    "motion_effect_",
];
/// How those begin by which they deal with each other.
const DEALS: [&str; 14] = [
    "block_",
    "board_ask",
    "chat_",
    "coins_pay",
    "friend_",
    "guild_",
    "item_",
    "mail_",
    "market_",
    "order_",
    "party_",
    "presence_",
    "privacy_",
    "trade_",
];

/// What a module declares.
pub(super) struct Module(pub(super) Declarations);

/// How the bytes of a call came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// As the types say.
    Sound,
    /// Sound but for one thing.
    Spoiled,
    /// Any bytes.
    Noise,
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The reducer's name.
    pub(super) reducer: String,
    /// Its arguments in BSATN, or what stands in their place.
    pub(super) args: Vec<u8>,
    /// What the arguments are.
    pub(super) make: Make,
}

impl Module {
    /// Reads what the engine shows the database's owner.
    pub(super) async fn read(database: &Database) -> Self {
        let (uri, name) = (&database.stage.uri, &database.name);
        let token = owner_token(&database.stage.keys);
        Self(Declarations::read(uri, name, &token).await.expect("a module's declarations"))
    }

    /// A random call of a random reducer; five in six are of those that players have a use for, if
    /// that is wanted: three to move, two to deal with others.
    pub(super) fn call(&self, pool: &Pool, plays: bool, chance: &mut Chance) -> Call {
        let start = match chance.below(6) {
            0..=2 if plays => *chance.pick(&MOVES),
            3..=4 if plays => *chance.pick(&DEALS),
            _ => "",
        };
        let liked = |name: &str| name.starts_with(start);
        let reducers: Vec<_> =
            self.0.module().reducers.iter().filter(|one| liked(&one.name)).collect();
        let reducer = *chance.pick(&reducers);
        let make = match chance.below(20) {
            0..=15 => Make::Sound,
            16..=17 => Make::Spoiled,
            _ => Make::Noise,
        };
        let mut writer = Writer { module: self, pool, chance, out: vec![] };
        writer.product(&reducer.params, 0);
        let mut args = writer.out;
        match make {
            Make::Sound => {}
            Make::Spoiled => chance.spoil(&mut args),
            Make::Noise => {
                let count = chance.below(200);
                args = chance.bytes(count);
            }
        }
        Call { reducer: reducer.name.to_string(), args, make }
    }
}

/// Writes values of types.
struct Writer<'a> {
    module: &'a Module,
    pool: &'a Pool,
    chance: &'a mut Chance,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn product(&mut self, product: &ProductType, depth: u32) {
        for element in &product.elements {
            let name = element.name.as_deref().unwrap_or_default();
            self.value(&element.algebraic_type, name, depth + 1);
        }
    }

    fn value(&mut self, ty: &AlgebraicType, name: &str, depth: u32) {
        match ty {
            AlgebraicType::Ref(place) => {
                let ty = self.module.0.module().typespace.get(*place).expect("a declared type");
                self.value(ty, name, depth);
            }
            AlgebraicType::Product(product) => self.product(product, depth),
            AlgebraicType::Sum(sum) => {
                let tag = self.chance.below(sum.variants.len().max(1));
                self.out.push(u8::try_from(tag).unwrap_or_default());
                if let Some(variant) = sum.variants.get(tag) {
                    self.value(&variant.algebraic_type, name, depth + 1);
                }
            }
            AlgebraicType::Array(array) => {
                let mut count = *self.chance.pick(&[0, 1, 2, 7, 64]);
                if self.chance.one_in(30) {
                    count = 4_097;
                }
                let count = if depth > DEPTH_MAX { 0 } else { count };
                self.out.extend(length(count));
                for _ in 0..count {
                    self.value(&array.elem_ty, name, depth + 1);
                }
            }
            AlgebraicType::String => {
                let known = self.chance.below(5) > 0;
                let known = known.then(|| self.pool.word(name, self.chance)).flatten();
                let most = if self.out.len() < LONG_ARGS_BYTES { 60_000 } else { 60 };
                let text = known.unwrap_or_else(|| self.chance.text(most));
                self.out.extend(length(text.len()));
                self.out.extend(text.as_bytes());
            }
            AlgebraicType::Bool => self.out.push(u8::from(self.chance.one_in(2))),
            AlgebraicType::U256 if name == "__identity__" && !self.pool.identities.is_empty() => {
                let identity = *self.chance.pick(&self.pool.identities);
                self.out.extend(identity);
            }
            number => self.number(number, name),
        }
    }

    fn number(&mut self, ty: &AlgebraicType, name: &str) {
        let (bytes, signed) = match ty {
            AlgebraicType::I8 => (1, true),
            AlgebraicType::U8 => (1, false),
            AlgebraicType::I16 => (2, true),
            AlgebraicType::U16 => (2, false),
            AlgebraicType::I32 => (4, true),
            AlgebraicType::U32 => (4, false),
            AlgebraicType::I64 => (8, true),
            AlgebraicType::U64 => (8, false),
            AlgebraicType::I128 | AlgebraicType::U128 => (16, false),
            AlgebraicType::I256 | AlgebraicType::U256 => (32, false),
            other => panic!("no reducer takes a {other:?}"),
        };
        let known = self.chance.below(6) > 0;
        let known = known.then(|| self.pool.number(name, self.chance)).flatten();
        let value = known.unwrap_or_else(|| self.extreme(bytes, signed));
        let mut all = [0_u8; 32];
        all[..16].copy_from_slice(&value.to_le_bytes());
        if bytes == 32 {
            all[16..].fill(if value < 0 { 0xff } else { 0 });
        }
        self.out.extend(&all[..bytes]);
    }

    /// A number at the edge of what its width can hold, or any.
    fn extreme(&mut self, bytes: usize, signed: bool) -> i128 {
        let bits = bytes.min(15) * 8;
        let (least, most) = if signed {
            (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        let random = i128::from(self.chance.bits());
        let small = random % 16;
        let list = [0, 1, -1, least, least + 1, most, most - 1, small, -small, random];
        *self.chance.pick(&list)
    }
}
