//! Hashes of 20 blocks. A change here is a change of every world that exists.

use super::*;

/// Seed, block x, block y, hash.
const PINNED: [(u64, i32, i32, u64); 20] = [
    (0, 0, 0, 0xc52e_2c8a_365a_9b29),
    (1, 0, 0, 0x1840_d24c_4516_0df3),
    (7, 0, 0, 0x4a61_19c8_84d7_06de),
    (7, -1, -1, 0x9a60_31b7_a833_81f5),
    (7, 25, 40, 0xe09d_ec41_3a5d_d0fc),
    (7, -30, 12, 0x0db3_c2a8_6314_ec09),
    (7, -32_768, -32_768, 0x02dd_c8d3_abd1_ec89),
    (42, 32_767, 32_767, 0x6566_189a_ca24_fc0b),
    (99, -32_768, 32_767, 0xbb29_2b7e_d0dd_21ed),
    (1_234_567, 1_000, -2_000, 0xf200_24b4_a653_739d),
    (u64::MAX, -1, 0, 0x14e3_f75f_80e1_8fba),
    (3, 17, -4, 0xb40b_db05_63f6_70b1),
    (5, -60, 61, 0xbae3_78e1_692c_b515),
    (8, 300, 300, 0x5c7a_ad04_78b7_0b29),
    (13, -5_000, 77, 0xc54a_38a6_e908_4e90),
    (21, 12, 12, 0x2a1d_544d_ca53_66d8),
    (34, -3, 29, 0x4f93_a182_597c_71c8),
    (55, 4_096, -4_096, 0x1165_81a9_c275_757f),
    (89, 2, -7, 0x7c1d_ebff_4f53_1381),
    (144, 31, -64, 0x7684_b3e9_9915_ebaa),
];

#[test]
fn blocks_are_what_they_were() {
    let found = PINNED.map(|(seed, x, y, _)| (seed, x, y, open(seed).block(x, y).hash()));
    assert_eq!(found, PINNED);
}
