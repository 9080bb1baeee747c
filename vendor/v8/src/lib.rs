//! A stand-in for the `v8` crate, with the part of its interface that `spacetimedb-core` 1.3.0 names.
//!
//! The engine's JavaScript runtime is unfinished in 1.3.0: it answers every JavaScript module with an
//! error before it touches V8. The real crate would download a prebuilt archive of some hundred
//! megabytes at build time for that. Here every V8 value is uninhabited, so the compiler itself
//! proves that none of this code can run; only the three start-up calls exist, and do nothing.
//! Delete this crate when the engine either drops the dependency or starts to use it.

use std::marker::PhantomData;
use std::ops::Deref;

#[derive(Clone, Copy, Debug)]
enum Never {}

/// A stack of handles; cannot exist here.
pub struct HandleScope<'s>(Never, PhantomData<&'s mut ()>);

/// A handle to a value in a scope; cannot exist here.
#[derive(Debug)]
pub struct Local<'s, T>(Never, PhantomData<&'s T>);

impl<T> Clone for Local<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Local<'_, T> {}

impl<T> Deref for Local<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self.0 {}
    }
}

impl<'s, T> Local<'s, T> {
    /// Casts to a narrower type of value.
    pub fn try_cast<A>(self) -> Result<Local<'s, A>, DataError>
    where
        Local<'s, A>: TryFrom<Self>,
    {
        match self.0 {}
    }
}

/// Why a cast failed; cannot exist here.
#[derive(Clone, Copy, Debug)]
pub struct DataError(Never);

macro_rules! value_types {
    ($($name:ident),*) => {$(
        /// A type of JavaScript value; cannot exist here.
        #[derive(Debug)]
        pub struct $name(Never);

        impl<'s> From<Local<'s, $name>> for Local<'s, Value> {
            fn from(value: Local<'s, $name>) -> Self {
                match value.0 {}
            }
        }

        impl<'s> TryFrom<Local<'s, Value>> for Local<'s, $name> {
            type Error = DataError;

            fn try_from(value: Local<'s, Value>) -> Result<Self, DataError> {
                match value.0 {}
            }
        }
    )*};
}

value_types!(BigInt, Boolean, Int32, Integer, Number, String, Uint32);

/// Any JavaScript value; cannot exist here.
#[derive(Debug)]
pub struct Value(Never);

impl Value {
    /// The name of the value's type.
    pub fn type_repr(&self) -> &'static str {
        match self.0 {}
    }
}

macro_rules! constructors {
    ($($name:ident :: $new:ident($arg:ty)),*) => {$(
        impl $name {
            /// Makes a value in a scope, which cannot exist here.
            pub fn $new<'s>(scope: &mut HandleScope<'s>, _value: $arg) -> Local<'s, Self> {
                match scope.0 {}
            }
        }
    )*};
}

constructors!(
    BigInt::new_from_i64(i64),
    BigInt::new_from_u64(u64),
    Boolean::new(bool),
    Integer::new(i32),
    Integer::new_from_unsigned(u32),
    Number::new(f64)
);

macro_rules! readers {
    ($($name:ident :: $read:ident -> $out:ty),*) => {$(
        impl $name {
            /// Reads the value.
            pub fn $read(&self) -> $out {
                match self.0 {}
            }
        }
    )*};
}

readers!(
    BigInt::i64_value -> (i64, bool),
    BigInt::u64_value -> (u64, bool),
    BigInt::word_count -> usize,
    Boolean::is_true -> bool,
    Int32::value -> i32,
    Number::value -> f64,
    Uint32::value -> u32
);

impl BigInt {
    /// Makes a number from its words.
    pub fn new_from_words<'s>(
        scope: &mut HandleScope<'s>,
        _sign: bool,
        _words: &[u64],
    ) -> Option<Local<'s, Self>> {
        match scope.0 {}
    }

    /// Writes the number's words.
    pub fn to_words_array<'a>(&self, _words: &'a mut [u64]) -> (bool, &'a mut [u64]) {
        match self.0 {}
    }
}

impl String {
    /// Makes a string in a scope.
    pub fn new<'s>(scope: &mut HandleScope<'s>, _value: &str) -> Option<Local<'s, Self>> {
        match scope.0 {}
    }
}

/// Makes exceptions.
pub struct Exception(Never);

impl Exception {
    /// Makes a `TypeError`.
    pub fn type_error<'s>(
        scope: &mut HandleScope<'s>,
        _message: Local<'_, String>,
    ) -> Local<'s, Value> {
        match scope.0 {}
    }
}

/// The threads V8 would run on: none.
pub struct Platform;

impl Platform {
    /// Shares the platform.
    pub fn make_shared(self) -> Self {
        self
    }
}

/// Makes a platform without threads.
pub fn new_default_platform(_threads: u32, _idle_tasks: bool) -> Platform {
    Platform
}

/// Start-up of V8: nothing to start.
pub struct V8;

impl V8 {
    /// Would register the platform.
    pub fn initialize_platform(_platform: Platform) {}

    /// Would start V8.
    pub fn initialize() {}
}
