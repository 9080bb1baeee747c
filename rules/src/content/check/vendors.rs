//! What is checked of vendors.

use crate::content::entry::Kind;
use crate::content::{VendorDef, limits};
use crate::economy::prices::SHELVES_MAX;

use super::Check;

pub(super) fn vendor(check: &mut Check<'_>, vendor: &VendorDef) {
    check.key(&vendor.key);
    check.name("name", &vendor.name);
    check.source(&vendor.source);
    check.text_if_any(&vendor.text);
    check.length("goods", vendor.goods.len(), 1, SHELVES_MAX, "entries");
    let mut items: Vec<&str> = vendor.goods.iter().map(|goods| goods.item.as_str()).collect();
    items.sort_unstable();
    if items.windows(2).any(|pair| pair[0] == pair[1]) {
        check.fail("goods", "has something twice");
    }
    for (index, goods) in vendor.goods.iter().enumerate() {
        let path = |field: &str| format!("goods[{index}].{field}");
        check.refers(&path("item"), &[Kind::Item], &goods.item);
        check.range(&path("stock"), goods.stock, &limits::VENDOR_STOCK);
        check.range(&path("restock"), goods.restock, &limits::VENDOR_STOCK);
        check.range(&path("elasticity_bps"), goods.elasticity_bps, &limits::ELASTICITY_BPS);
        check.range(&path("pays_bps"), goods.pays_bps, &limits::PAYS_BPS);
    }
}
