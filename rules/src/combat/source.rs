//! Chance from a secret: a stream of bytes by HMAC-SHA-256, and unbiased dice from it.
//!
//! Keeps true: the same secret and label throw the same dice, in the module and in anybody's
//! hands once the secret is told; who does not know the secret cannot foresee them; every side of
//! a die is exactly as likely as every other. Leaves out on purpose: where secrets come from, and
//! when they are told.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::dice::Roller;

/// Bytes of a secret, of a commitment, and of one block of the stream.
pub const SECRET_BYTES: usize = 32;

/// What is told of a secret before it is used: SHA-256 of it.
pub fn commitment(secret: &[u8; SECRET_BYTES]) -> [u8; SECRET_BYTES] {
    Sha256::digest(secret).into()
}

/// What the dice of an event hang on besides the secret: all of it stands in its row.
pub fn label(day: u32, event_id: u64, at_micros: i64, actor_id: u64, ability: &str) -> String {
    format!("{day}/{event_id}/{at_micros}/{actor_id}/{ability}")
}

/// A pool of chance after something has gone into it: SHA-256 of both and the instant.
pub fn stirred(pool: &[u8], unforeseen: &[u8], at_micros: i64) -> [u8; SECRET_BYTES] {
    let mut hasher = Sha256::new();
    hasher.update(pool);
    hasher.update(at_micros.to_be_bytes());
    hasher.update(unforeseen);
    hasher.finalize().into()
}

/// Dice from a secret and a label. Block `n` of the stream is HMAC-SHA-256 (RFC 2104) with the
/// secret as the key, of the label and then `n` as eight bytes, the highest first.
pub struct Source {
    labelled: Hmac<Sha256>,
    block: [u8; SECRET_BYTES],
    used: usize,
    counter: u64,
}

impl Source {
    /// Dice of a secret; each label has its own.
    pub fn new(secret: &[u8; SECRET_BYTES], label: &[u8]) -> Self {
        let mut labelled = Hmac::<Sha256>::new_from_slice(secret)
            .expect("invariant: a key of HMAC has any length");
        labelled.update(label);
        Self { labelled, block: [0; SECRET_BYTES], used: SECRET_BYTES, counter: 0 }
    }

    /// The next byte of the stream.
    fn byte(&mut self) -> u8 {
        if self.used == SECRET_BYTES {
            let mut mac = self.labelled.clone();
            mac.update(&self.counter.to_be_bytes());
            self.block = mac.finalize().into_bytes().into();
            self.counter = self.counter.wrapping_add(1);
            self.used = 0;
        }
        let byte = self.block[self.used];
        self.used += 1;
        byte
    }
}

impl Roller for Source {
    /// Bytes above the largest multiple of `sides` are thrown away: the rest has no favourite.
    fn roll(&mut self, sides: u8) -> u8 {
        let sides = sides.max(1);
        let highest = u8::MAX - (u8::MAX % sides + 1) % sides;
        loop {
            let byte = self.byte();
            if byte <= highest {
                return byte % sides + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_hmac_of_label_and_counter() {
        let secret = [7; SECRET_BYTES];
        let mut source = Source::new(&secret, b"fight 1");
        for counter in 0_u64..3 {
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("any length");
            mac.update(&[b"fight 1".as_slice(), &counter.to_be_bytes()].concat());
            let expected: [u8; SECRET_BYTES] = mac.finalize().into_bytes().into();
            assert_eq!(expected.map(|_| source.byte()), expected);
        }
    }

    #[test]
    fn a_commitment_is_the_hash_of_the_secret() {
        let told = commitment(&[0; SECRET_BYTES]);
        assert_eq!(told[..8], [0x66, 0x68, 0x7a, 0xad, 0xf8, 0x62, 0xbd, 0x77]);
        assert_eq!(told[24..], [0x90, 0x2a, 0x59, 0x1d, 0x0d, 0x5f, 0x29, 0x25]);
    }

    #[test]
    fn the_example_of_the_documentation_is_true() {
        let secret = [7; SECRET_BYTES];
        let label = label(3, 77, 1_700_000_000_000_000, 281_474_976_710_661, "attack");
        assert_eq!(label, "3/77/1700000000000000/281474976710661/attack");
        let mut source = Source::new(&secret, label.as_bytes());
        assert_eq!([20, 8, 6, 100].map(|sides| source.roll(sides)), [4, 2, 1, 62]);
        assert_eq!(commitment(&secret)[..4], [0x4b, 0xb0, 0x6f, 0x8e]);
    }

    #[test]
    fn secret_and_label_decide_and_nothing_else() {
        let throw = |secret: u8, label: &[u8]| {
            let mut source = Source::new(&[secret; SECRET_BYTES], label);
            [0; 16].map(|_: u8| source.roll(20))
        };
        assert_eq!(throw(1, b"a"), throw(1, b"a"));
        assert_ne!(throw(1, b"a"), throw(2, b"a"));
        assert_ne!(throw(1, b"a"), throw(1, b"b"));
    }

    #[test]
    fn every_die_shows_all_its_sides_and_no_other() {
        let mut source = Source::new(&[3; SECRET_BYTES], b"sides");
        for sides in 1..=u8::MAX {
            let mut is_seen = [false; 257];
            for _ in 0..usize::from(sides) * 20 {
                is_seen[usize::from(source.roll(sides))] = true;
            }
            let seen = is_seen.iter().filter(|is_seen| **is_seen).count();
            assert!(!is_seen[0] && is_seen[usize::from(sides) + 1..].iter().all(|seen| !seen));
            assert_eq!(seen, usize::from(sides));
        }
    }
}
