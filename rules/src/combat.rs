//! Combat by the rules of the SRD 5.1, in real time: dice, checks, damage, conditions, dying.
//!
//! Keeps true: dice come in from outside, and every one that was thrown goes out with the outcome.

pub mod dice;
