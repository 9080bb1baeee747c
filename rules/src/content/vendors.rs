//! The shape of vendors: what they deal in.

use serde::{Deserialize, Serialize};

/// Somebody who buys and sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorDef {
    pub key: String,
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub text: String,
    /// What it deals in, each once.
    pub goods: Vec<VendorGoods>,
}

/// Something that a vendor deals in. Its price is that of the item's definition, and answers to
/// what lies on the shelf.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorGoods {
    /// Key of an item.
    pub item: String,
    /// Pieces that it has normally.
    pub stock: u32,
    /// Pieces that come or go with each tick.
    pub restock: u32,
    /// How much demand answers to the price: 10,000 where one percent more costs one percent of it.
    #[serde(default = "whole")]
    pub elasticity_bps: u32,
    /// What it pays for a piece, basis points of the item's price.
    #[serde(default = "quarter")]
    pub pays_bps: u32,
    /// Whether it sells it.
    #[serde(default = "yes")]
    pub sells: bool,
    /// Whether it buys it.
    #[serde(default = "yes")]
    pub buys: bool,
}

const fn whole() -> u32 {
    10_000
}

const fn quarter() -> u32 {
    2_500
}

const fn yes() -> bool {
    true
}
