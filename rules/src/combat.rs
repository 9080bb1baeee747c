//! Combat by the rules of the SRD 5.1, in real time: dice, checks, damage, conditions, dying.
//!
//! Keeps true: dice come in from outside, and every one that was thrown goes out with the outcome.

/// How long an event stays, seconds.
pub const EVENT_SECONDS: u32 = 60;

pub mod aim;
pub mod areas;
#[cfg(test)]
mod arena;
pub mod armor;
pub mod casting;
#[cfg(test)]
mod chances;
pub mod check;
pub mod concentration;
pub mod conditions;
pub mod damage;
pub mod deed;
pub mod dice;
pub mod experience;
#[cfg(test)]
mod fight;
pub mod fighter;
pub mod health;
pub mod house;
pub mod initiative;
pub mod lasting;
pub mod opportunity;
pub mod proof;
pub mod rest;
pub mod scores;
pub mod sheet;
pub mod source;
#[cfg(test)]
mod srd;
#[cfg(test)]
pub(crate) mod stage;
pub mod threat;
pub mod turn;
