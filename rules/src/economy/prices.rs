//! Prices of vendors: what a piece costs now, and how that answers to supply and demand.
//!
//! Keeps true: what a vendor pays for something is never more than what any vendor asks for it,
//! whatever the two have in stock, so that buying and selling makes no copper; taxes are rounded up
//! and what vendors pay is rounded down, so that doing something in small pieces makes none either.

use super::EconomyError;

/// Ten thousand basis points are the whole.
pub const BPS: u32 = 10_000;
/// The lowest price, basis points of the definition's.
pub const PRICE_BPS_MIN: u32 = 5_000;
/// The highest price, basis points of the definition's.
pub const PRICE_BPS_MAX: u32 = 20_000;
/// Most that vendors pay, basis points of the definition's price: no more than the lowest price
/// they ask.
pub const PAYS_BPS_MAX: u32 = PRICE_BPS_MIN;
/// Elasticities, basis points: from goods that everybody needs to goods that nobody needs.
pub const ELASTICITY_BPS_MIN: u32 = 1_000;
/// See above.
pub const ELASTICITY_BPS_MAX: u32 = 100_000;
/// Most shelves of a vendor.
pub const SHELVES_MAX: usize = 64;
/// Most pieces of something that are normal for a vendor.
pub const STOCK_MAX: u32 = 10_000;
/// How many times as much as is normal a vendor takes.
pub const GLUT_FACTOR: u32 = 4;
/// Most pieces bought or sold at once.
pub const PIECES_MAX: u32 = 1_000;

/// What content says of something that a vendor deals in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goods {
    /// The price of a piece by its definition, copper.
    pub base_copper: u32,
    /// Pieces that it has normally.
    pub normal_stock: u32,
    /// Pieces that come, or go, with each tick until it has what is normal.
    pub restock: u32,
    /// How many percent less are wanted where the price is one percent higher, times 100.
    pub elasticity_bps: u32,
    /// What it pays, basis points of the definition's price.
    pub pays_bps: u32,
}

/// How it is on the shelf now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Pieces that lie there.
    pub stock: u32,
    /// The price, basis points of the definition's.
    pub price_bps: u32,
}

/// A share of some copper, rounded up: no part of a copper is let off.
pub fn share_up(copper: u64, bps: u32) -> u64 {
    let share = (u128::from(copper) * u128::from(bps)).div_ceil(u128::from(BPS));
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// A share of some copper, rounded down.
pub fn share_down(copper: u64, bps: u32) -> u64 {
    let share = u128::from(copper) * u128::from(bps) / u128::from(BPS);
    u64::try_from(share).unwrap_or(u64::MAX)
}

impl Goods {
    /// What a piece costs, copper without tax: rounded up.
    pub fn asks(&self, price_bps: u32) -> u64 {
        share_up(self.base_copper.into(), price_bps.clamp(PRICE_BPS_MIN, PRICE_BPS_MAX))
    }

    /// What is paid for a piece, copper before tax: rounded down. It falls where there is too much
    /// of it, and never rises above what it normally is.
    pub fn pays(&self, price_bps: u32) -> u64 {
        let pays_bps = self.pays_bps.min(PAYS_BPS_MAX);
        let price_bps = price_bps.clamp(PRICE_BPS_MIN, BPS);
        let copper = u128::from(self.base_copper) * u128::from(pays_bps) * u128::from(price_bps)
            / (u128::from(BPS) * u128::from(BPS));
        u64::try_from(copper).unwrap_or(u64::MAX)
    }

    /// Most pieces it takes.
    pub fn stock_max(&self) -> u32 {
        self.normal_stock.saturating_mul(GLUT_FACTOR).max(1)
    }

    /// The price that a stock calls for, basis points: a shortage of 10 % raises it by 10 % where
    /// the elasticity is 1, by 20 % where it is a half, and a glut lowers it in the same way.
    pub fn wanted_bps(&self, stock: u32) -> u32 {
        let normal = i64::from(self.normal_stock.max(1));
        let missing = i64::from(self.normal_stock) - i64::from(stock);
        let elasticity = self.elasticity_bps.clamp(ELASTICITY_BPS_MIN, ELASTICITY_BPS_MAX);
        let bps = i64::from(BPS);
        let shortage_bps = missing * bps / normal;
        let wanted = bps + shortage_bps * bps / i64::from(elasticity);
        let wanted = wanted.clamp(i64::from(PRICE_BPS_MIN), i64::from(PRICE_BPS_MAX));
        u32::try_from(wanted).unwrap_or(BPS)
    }
}

/// A tick: the price goes a quarter of its way to what the stock calls for, the stock some pieces
/// of its way to what is normal.
pub fn tick(goods: &Goods, shelf: Shelf) -> Shelf {
    let wanted = goods.wanted_bps(shelf.stock);
    let price = shelf.price_bps.clamp(PRICE_BPS_MIN, PRICE_BPS_MAX);
    let step = wanted.abs_diff(price).div_ceil(4);
    let price_bps = if wanted >= price { price + step } else { price - step };
    let normal = goods.normal_stock;
    let stock = if shelf.stock < normal {
        shelf.stock.saturating_add(goods.restock).min(normal)
    } else {
        shelf.stock.saturating_sub(goods.restock).max(normal)
    };
    Shelf { stock, price_bps }
}

/// What somebody pays for something, or is paid for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Copper that the vendor gets or pays.
    pub copper: u64,
    /// Copper of tax: on top of what is bought, out of what is sold.
    pub tax: u64,
}

/// What buying some pieces costs: `copper` and `tax` on top of it, at most `copper_max` together.
///
/// # Errors
/// In this order: `Worthless` where it has no price, `StockMissing`, `PriceChanged`.
pub fn buy(
    goods: &Goods,
    shelf: Shelf,
    count: u32,
    tax_bps: u32,
    copper_max: u64,
) -> Result<Bill, EconomyError> {
    let each = goods.asks(shelf.price_bps);
    if each == 0 {
        return Err(EconomyError::Worthless);
    }
    if count > shelf.stock {
        return Err(EconomyError::StockMissing);
    }
    let copper = each.saturating_mul(count.into());
    let tax = share_up(copper, tax_bps);
    if copper.saturating_add(tax) > copper_max {
        return Err(EconomyError::PriceChanged);
    }
    Ok(Bill { copper, tax })
}

/// How much is left of something that wears out, and how much there was when it was new; the latter
/// is 0 for what does not wear out.
pub type Wear = (u16, u16);

/// What selling some pieces brings: `copper`, and `tax` is taken out of it, at least `copper_min`
/// is left. What is worn is worth that much less, rounded down.
///
/// # Errors
/// In this order: `StockFull`, `Worthless` where nothing is left, `PriceChanged`.
pub fn sell(
    goods: &Goods,
    shelf: Shelf,
    count: u32,
    (left, whole): Wear,
    tax_bps: u32,
    copper_min: u64,
) -> Result<Bill, EconomyError> {
    if shelf.stock.saturating_add(count) > goods.stock_max() {
        return Err(EconomyError::StockFull);
    }
    let mut copper = goods.pays(shelf.price_bps).saturating_mul(count.into());
    if left < whole {
        copper = copper.saturating_mul(left.into()) / u64::from(whole);
    }
    let tax = share_up(copper, tax_bps.min(BPS));
    let rest = copper.saturating_sub(tax);
    if rest == 0 {
        return Err(EconomyError::Worthless);
    }
    if rest < copper_min {
        return Err(EconomyError::PriceChanged);
    }
    Ok(Bill { copper, tax })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SWORD: Goods = Goods {
        base_copper: 1_500,
        normal_stock: 10,
        restock: 2,
        elasticity_bps: BPS,
        pays_bps: 2_500,
    };

    #[test]
    fn shares_are_rounded_as_they_say() {
        for (copper, bps, down, up) in [
            (0, 500, 0, 0),
            (1, 500, 0, 1),
            (20, 500, 1, 1),
            (21, 500, 1, 2),
            (100, 0, 0, 0),
            (100, BPS, 100, 100),
            (u64::MAX, BPS, u64::MAX, u64::MAX),
        ] {
            assert_eq!((share_down(copper, bps), share_up(copper, bps)), (down, up), "{copper}");
        }
    }

    #[test]
    fn a_shortage_raises_the_price_by_its_elasticity() {
        for (stock, elasticity_bps, expected) in [
            (10, 10_000, 10_000),
            (5, 10_000, 15_000),
            (5, 20_000, 12_500),
            (5, 5_000, 20_000),
            (0, 10_000, 20_000),
            (15, 10_000, 5_000),
            (12, 20_000, 9_000),
            (u32::MAX, 10_000, 5_000),
        ] {
            let goods = Goods { elasticity_bps, ..SWORD };
            assert_eq!(goods.wanted_bps(stock), expected, "{stock} at {elasticity_bps}");
        }
    }

    #[test]
    fn prices_go_back_to_normal_with_the_stock() {
        let mut shelf = Shelf { stock: 0, price_bps: BPS };
        let mut highest = 0;
        for _ in 0..100 {
            shelf = tick(&SWORD, shelf);
            highest = highest.max(shelf.price_bps);
        }
        assert!(highest > 13_000, "{highest}");
        assert_eq!(shelf, Shelf { stock: 10, price_bps: BPS });
    }

    #[test]
    fn bills_are_refused_in_order() {
        use EconomyError::{PriceChanged, StockFull, StockMissing, Worthless};
        let shelf = Shelf { stock: 10, price_bps: BPS };
        let free = Goods { base_copper: 0, ..SWORD };
        assert_eq!(buy(&free, shelf, 99, 0, 0), Err(Worthless));
        assert_eq!(buy(&SWORD, shelf, 11, 500, u64::MAX), Err(StockMissing));
        assert_eq!(buy(&SWORD, shelf, 2, 500, 3_149), Err(PriceChanged));
        assert_eq!(buy(&SWORD, shelf, 2, 500, 3_150), Ok(Bill { copper: 3_000, tax: 150 }));
        assert_eq!(sell(&SWORD, shelf, 31, (1, 0), 500, 0), Err(StockFull));
        assert_eq!(sell(&free, shelf, 1, (0, 0), 500, 0), Err(Worthless));
        assert_eq!(sell(&SWORD, shelf, 2, (9, 9), BPS, 0), Err(Worthless));
        assert_eq!(sell(&SWORD, shelf, 2, (9, 9), 500, 713), Err(PriceChanged));
        assert_eq!(sell(&SWORD, shelf, 2, (9, 9), 500, 712), Ok(Bill { copper: 750, tax: 38 }));
        assert_eq!(sell(&SWORD, shelf, 2, (0, 9), 500, 0), Err(Worthless), "worn out");
        assert_eq!(sell(&SWORD, shelf, 2, (4, 9), 500, 0), Ok(Bill { copper: 333, tax: 17 }));
    }

    fn any_goods() -> impl Strategy<Value = Goods> {
        (any::<u32>(), 0..=STOCK_MAX, 0..=STOCK_MAX, any::<u32>(), any::<u32>()).prop_map(
            |(base_copper, normal_stock, restock, elasticity_bps, pays_bps)| Goods {
                base_copper,
                normal_stock,
                restock,
                elasticity_bps,
                pays_bps,
            },
        )
    }

    proptest! {
        #[test]
        fn no_vendor_pays_more_than_any_other_asks(
            one in any_goods(),
            other in any_goods(),
            asked: u32,
            paid: u32,
            count in 1..=PIECES_MAX,
            parts in 1..=PIECES_MAX,
            tax_bps in 0..=BPS,
            wear: Wear,
        ) {
            let other = Goods { base_copper: one.base_copper, ..other };
            prop_assert!(other.pays(paid) <= one.asks(asked));
            // In pieces it is neither cheaper to buy nor dearer to sell.
            let full = Shelf { stock: u32::MAX / 2, price_bps: asked };
            let empty = Shelf { stock: 0, price_bps: paid };
            let parts = parts.min(count);
            let whole = buy(&one, full, count, tax_bps, u64::MAX);
            let part = buy(&one, full, parts, tax_bps, u64::MAX);
            let rest = buy(&one, full, count - parts, tax_bps, u64::MAX);
            if let (Ok(whole), Ok(part), Ok(rest)) = (whole, part, rest) {
                let cost = |bill: Bill| bill.copper + bill.tax;
                prop_assert!(cost(whole) <= cost(part) + cost(rest));
            }
            if let (Ok(bought), Ok(sold)) = (whole, sell(&other, empty, count, wear, tax_bps, 0)) {
                prop_assert!(sold.copper - sold.tax <= bought.copper + bought.tax);
            }
            let sold = |count: u32| sell(&other, empty, count, wear, tax_bps, 0);
            if let (Ok(whole), Ok(part)) = (sold(count), sold(parts)) {
                let brings = |bill: Bill| bill.copper - bill.tax;
                let rest = sold(count - parts).map_or(0, brings);
                prop_assert!(brings(part) + rest <= brings(whole));
            }
        }

        #[test]
        fn ticks_keep_to_their_bounds_and_come_to_rest(
            goods in any_goods(),
            stock: u32,
            price_bps: u32,
        ) {
            let mut shelf = Shelf { stock, price_bps };
            for _ in 0..64 {
                let before = shelf;
                shelf = tick(&goods, shelf);
                prop_assert!((PRICE_BPS_MIN..=PRICE_BPS_MAX).contains(&shelf.price_bps));
                let off = |shelf: Shelf| shelf.stock.abs_diff(goods.normal_stock);
                prop_assert!(off(shelf) <= off(before));
            }
            if shelf.stock == goods.normal_stock && goods.normal_stock > 0 {
                for _ in 0..64 {
                    shelf = tick(&goods, shelf);
                }
                prop_assert_eq!(shelf.price_bps, BPS);
            }
        }
    }
}
