//! The arguments of a reducer, encoded as SpacetimeDB expects them.

use bytes::Bytes;
use spacetimedb_lib::{bsatn, ser::Serialize};

/// Arguments in the order of the reducer's parameters, as BSATN: a product is its fields, one
/// after the other.
#[derive(Clone, Default)]
pub struct Args(Vec<u8>);

impl Args {
    /// No arguments yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next argument. Its type must be the parameter's.
    #[must_use]
    pub fn with<T: Serialize + ?Sized>(mut self, argument: &T) -> Self {
        bsatn::to_writer(&mut self.0, argument)
            .expect("invariant: writing to memory does not fail");
        self
    }

    /// Arguments that are encoded already.
    pub const fn of_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The encoded arguments, to be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The encoded arguments.
    pub fn into_bytes(self) -> Bytes {
        self.0.into()
    }
}

impl std::fmt::Debug for Args {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Arguments hold addresses and password hashes.
        write!(formatter, "Args({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_follow_one_another() {
        let args = Args::new().with(&7u16).with("ab").with(&true);
        assert_eq!(args.into_bytes().as_ref(), [7, 0, 2, 0, 0, 0, b'a', b'b', 1]);
    }
}
