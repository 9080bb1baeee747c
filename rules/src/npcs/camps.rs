//! Camps: where creatures live, how many of them, and when a camp is filled again.
//!
//! Keeps true: a block's camps hang on the world's seed, its land and content alone, so the same
//! land always has the same camps; their middles lie where somebody can stand. Leaves out on
//! purpose: flat worlds, which have no country to live in, and who of a camp is alive.

use crate::combat::areas::Point;
use crate::content::CampDef;
use crate::content::book::Book;
use crate::motion::mix;
use crate::world::terrain::{Biome, CELLS};
use crate::world::{BLOCK_CELLS, BLOCK_MM, BlockGround, CELL_MM, GroundClass};

use super::ways::distance_mm;

/// Most camps of a block.
pub const BLOCK_CAMPS_MAX: usize = 2;
/// How often each of those is there, in a thousand blocks that creatures can live in: about one
/// camp to six blocks.
pub const CAMP_PER_MILLE: u64 = 83;
/// Most creatures of one camp.
pub const CREATURES_MAX: usize = 32;
/// The widest that somebody is scattered, millimetres.
const RADIUS_MM_MAX: u32 = 1_000_000;
/// Cells that are tried for the middle of a camp.
const TRIES: u64 = 6;
/// How far a camp's middle lies from its block's border at least, cells.
const MARGIN_CELLS: u64 = 6;
/// How far the middles of two camps of a block are apart at least, millimetres.
const APART_MM: i64 = 24_000;

/// A block in which camps may lie.
#[derive(Clone, Copy, Debug)]
pub struct Country<'a> {
    /// The world's seed.
    pub seed: u64,
    /// Which block.
    pub block_x: i32,
    /// Which block.
    pub block_y: i32,
    /// What each cell is, as `terrain::Block` has them.
    pub biomes: &'a [Biome],
    /// Where somebody can stand.
    pub ground: &'a BlockGround,
    /// Where the realm's characters enter.
    pub home: Point,
}

/// A camp and its middle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Key in content.
    pub camp: String,
    /// East of the origin, millimetres.
    pub x_mm: i32,
    /// North of the origin, millimetres.
    pub y_mm: i32,
}

/// The camps of a block, at most [`BLOCK_CAMPS_MAX`].
pub fn place(country: &Country<'_>, book: &Book) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::new();
    for number in 0..BLOCK_CAMPS_MAX as u64 {
        let chance = chance_of(country, number);
        if chance % 1_000 >= CAMP_PER_MILLE {
            continue;
        }
        if let Some(camp) = place_one(country, book, chance / 1_000) {
            let middle = |camp: &Placed| Point { x_mm: camp.x_mm, y_mm: camp.y_mm };
            let is_apart = |known: &Placed| distance_mm(middle(known), middle(&camp)) >= APART_MM;
            if placed.iter().all(is_apart) {
                placed.push(camp);
            }
        }
    }
    placed
}

/// A number that is the same for the same land.
fn chance_of(country: &Country<'_>, number: u64) -> u64 {
    let (x, y) = (country.block_x.cast_unsigned(), country.block_y.cast_unsigned());
    let block = (u64::from(x) << 32) | u64::from(y);
    mix(mix(country.seed, block), number)
}

fn place_one(country: &Country<'_>, book: &Book, chance: u64) -> Option<Placed> {
    (0..TRIES).find_map(|attempt| {
        let drawn = mix(chance, attempt);
        let (x, y) = (cell_of(drawn), cell_of(drawn >> 16));
        let edge = usize::try_from(BLOCK_CELLS).unwrap_or(64);
        let biome = country.biomes.get(y * edge + x).filter(|_| country.biomes.len() == CELLS)?;
        if country.ground.class(x, y) == GroundClass::Blocked {
            return None;
        }
        let middle =
            Point { x_mm: middle_mm(country.block_x, x)?, y_mm: middle_mm(country.block_y, y)? };
        let home_m = distance_mm(country.home, middle) / 1_000;
        let camp = choose(book.camps(), *biome, home_m, drawn >> 32)?;
        let Point { x_mm, y_mm } = middle;
        Some(Placed { camp: camp.key.clone(), x_mm, y_mm })
    })
}

/// A cell's column or row, clear of the block's border.
fn cell_of(chance: u64) -> usize {
    let cells = u64::try_from(BLOCK_CELLS).unwrap_or(64) - 2 * MARGIN_CELLS;
    usize::try_from(MARGIN_CELLS + (chance & 0xffff) % cells).unwrap_or(0)
}

fn middle_mm(block: i32, cell: usize) -> Option<i32> {
    let inside = i32::try_from(cell).ok()? * CELL_MM + CELL_MM / 2;
    block.checked_mul(BLOCK_MM)?.checked_add(inside)
}

/// One of the camps that fit, by their weights.
fn choose(camps: &[CampDef], biome: Biome, home_m: i64, chance: u64) -> Option<&CampDef> {
    let fitting = || camps.iter().filter(|camp| fits(camp, biome, home_m));
    let total: u64 = fitting().map(|camp| u64::from(camp.weight)).sum();
    let mut drawn = chance.checked_rem(total)?;
    fitting().find(|camp| {
        let weight = u64::from(camp.weight);
        let is_it = drawn < weight;
        drawn = drawn.saturating_sub(weight);
        is_it
    })
}

/// Whether a camp may lie in a kind of country that far from home.
pub fn fits(camp: &CampDef, biome: Biome, home_m: i64) -> bool {
    (i64::from(camp.home_m_min)..=i64::from(camp.home_m_max)).contains(&home_m)
        && (camp.biomes.is_empty() || camp.biomes.iter().any(|word| word == biome.word()))
}

/// How many of each member a camp has when it is full, in content's order: at least one in all, and
/// at most [`CREATURES_MAX`].
pub fn members(def: &CampDef, seed: u64) -> Vec<u8> {
    let mut left = CREATURES_MAX;
    let mut counts: Vec<u8> = Vec::with_capacity(def.members.len());
    for (number, member) in (0_u64..).zip(&def.members) {
        let more = u64::from(member.count_max.saturating_sub(member.count_min)) + 1;
        let drawn = u8::try_from(mix(seed, number) % more).unwrap_or(0);
        let most = u8::try_from(left).unwrap_or(u8::MAX);
        let count = member.count_min.saturating_add(drawn).min(most);
        left -= usize::from(count);
        counts.push(count);
    }
    if left == CREATURES_MAX {
        // A camp of nobody would never be filled again.
        let possible = def.members.iter().position(|member| member.count_max > 0);
        if let Some(count) = possible.and_then(|index| counts.get_mut(index)) {
            *count = 1;
        }
    }
    counts
}

/// A place around a middle, millimetres, the same for the same seed and number.
pub fn scattered(middle: Point, radius_mm: u32, seed: u64, number: u32) -> Point {
    let drawn = mix(seed, u64::from(number));
    let radius_mm = i64::from(radius_mm.min(RADIUS_MM_MAX));
    let within = |bits: u64, bound_mm: i64| {
        let span = 2 * bound_mm.unsigned_abs() + 1;
        i64::try_from((bits & 0xffff_ffff) % span).unwrap_or(0) - bound_mm
    };
    let dx = within(drawn, radius_mm);
    let dy = within(drawn >> 32, (radius_mm * radius_mm - dx * dx).isqrt());
    let shift = |mm: i32, by: i64| mm.saturating_add(i32::try_from(by).unwrap_or(0));
    Point { x_mm: shift(middle.x_mm, dx), y_mm: shift(middle.y_mm, dy) }
}

/// When a camp of which somebody died just now is filled again, microseconds since 1970.
pub fn refill_at(def: &CampDef, now_micros: i64, camp_respawn_percent: i64) -> i64 {
    let percent = camp_respawn_percent.clamp(1, 10_000);
    let micros = i64::from(def.respawn_millis) * percent * 10;
    now_micros.saturating_add(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::read_shipped;
    use crate::world::terrain::{OPEN_SEED, Recipe, SHIPPED, Terrain};
    use proptest::prelude::*;
    use std::sync::OnceLock;

    const HOME: Point = Point { x_mm: 0, y_mm: 0 };

    fn shipped() -> &'static Book {
        static BOOK: OnceLock<Book> = OnceLock::new();
        BOOK.get_or_init(|| Book::new(read_shipped()))
    }

    fn of(book: &Book, seed: u64, block: (i32, i32), biome: Biome) -> Vec<Placed> {
        let ground = BlockGround::uniform(GroundClass::Easy);
        let (block_x, block_y) = block;
        let biomes = vec![biome; CELLS];
        place(
            &Country { seed, block_x, block_y, biomes: &biomes, ground: &ground, home: HOME },
            book,
        )
    }

    #[test]
    fn the_same_land_has_the_same_camps_about_one_to_six_blocks() {
        let book = shipped();
        let blocks = || (10..50).flat_map(|x| (10..50).map(move |y| (x, y)));
        let camps = |seed| -> Vec<Placed> {
            blocks().flat_map(|block| of(book, seed, block, Biome::Meadow)).collect()
        };
        let found = camps(7);
        assert_eq!(found, camps(7));
        assert_ne!(found, camps(8));
        assert!((200..330).contains(&found.len()), "{} in 1600 blocks", found.len());
    }

    #[test]
    fn camps_are_chosen_by_their_weight() {
        let mut pack = read_shipped();
        pack.camp.truncate(2);
        for (camp, weight) in pack.camp.iter_mut().zip([300, 100]) {
            camp.biomes.clear();
            (camp.weight, camp.home_m_min, camp.home_m_max) = (weight, 0, 1_000_000);
        }
        let draws = |key: &str| {
            let drawn = (0..4_000_u64).filter_map(|number| {
                choose(&pack.camp, Biome::Snow, 5, mix(9, number)).map(|camp| &camp.key)
            });
            drawn.filter(|drawn| *drawn == key).count()
        };
        let heavy = draws(&pack.camp[0].key);
        assert!((2_900..3_100).contains(&heavy), "{heavy}");
        assert_eq!(heavy + draws(&pack.camp[1].key), 4_000);
        assert_eq!(choose(&[], Biome::Snow, 5, 1), None);
    }

    #[test]
    fn there_are_no_camps_without_country_or_where_nobody_stands() {
        let book = shipped();
        let blocked = BlockGround::uniform(GroundClass::Blocked);
        let open = BlockGround::uniform(GroundClass::Easy);
        let meadow = vec![Biome::Meadow; CELLS];
        for block_x in 0..200 {
            for (biomes, ground) in [(&meadow[..], &blocked), (&[][..], &open)] {
                let country = Country { seed: 7, block_x, block_y: 9, biomes, ground, home: HOME };
                assert_eq!(place(&country, book), []);
            }
            // Whoever enters the world is not met by a camp.
            assert!(
                of(book, u64::from(block_x.unsigned_abs()), (0, 0), Biome::Meadow)
                    .iter()
                    .all(|camp| camp.x_mm.max(camp.y_mm) > 40_000)
            );
        }
    }

    #[test]
    fn the_shipped_world_has_camps_for_its_country() {
        let book = shipped();
        let (_, recipe) = SHIPPED.iter().find(|(name, _)| *name == "open").expect("shipped");
        let terrain = Terrain::new(OPEN_SEED, Recipe::from_toml(recipe).expect("read"));
        let mut found = 0;
        for (block_x, block_y) in (3..9).flat_map(|x| (-3..3).map(move |y| (x, y))) {
            let block = terrain.block(block_x, block_y);
            let country = Country {
                seed: OPEN_SEED,
                block_x,
                block_y,
                biomes: &block.biomes,
                ground: &block.ground,
                home: HOME,
            };
            for camp in place(&country, book) {
                assert_eq!(camp.x_mm.div_euclid(BLOCK_MM), block_x);
                assert_eq!(camp.y_mm.div_euclid(BLOCK_MM), block_y);
                assert!(book.camp(&camp.camp).is_some());
                found += 1;
            }
        }
        assert!((1..20).contains(&found), "{found} camps in 36 blocks");
    }

    #[test]
    fn a_camp_is_filled_again_after_its_time() {
        let mut def = read_shipped().camp[0].clone();
        def.respawn_millis = 180_000;
        for (percent, expected) in [(100, 180_000_005), (50, 90_000_005), (0, 1_800_005)] {
            assert_eq!(refill_at(&def, 5, percent), expected, "{percent}");
        }
        assert_eq!(refill_at(&def, i64::MAX, 10_000), i64::MAX);
    }

    proptest! {
        #[test]
        fn members_are_within_their_counts_and_stand_in_their_camp(seed: u64, number: u32) {
            for def in &shipped().pack().camp {
                let counts = members(def, seed);
                prop_assert_eq!(counts.len(), def.members.len());
                prop_assert!(counts.iter().any(|count| *count > 0));
                for (count, member) in counts.iter().zip(&def.members) {
                    prop_assert!(*count <= member.count_max);
                    prop_assert!(*count >= member.count_min);
                }
                let place = scattered(HOME, def.radius_mm, seed, number);
                prop_assert!(distance_mm(HOME, place) <= i64::from(def.radius_mm));
            }
        }

        #[test]
        fn camps_fit_where_they_lie(
            seed: u64,
            block in (-40_000_i32..40_000, -40_000_i32..40_000),
            code in 0_u8..16,
        ) {
            let book = shipped();
            let biome = Biome::from_code(code).expect("a biome");
            let camps = of(book, seed, block, biome);
            prop_assert!(camps.len() <= BLOCK_CAMPS_MAX);
            for camp in camps {
                let middle = Point { x_mm: camp.x_mm, y_mm: camp.y_mm };
                let home_m = distance_mm(HOME, middle) / 1_000;
                let def = book.camp(&camp.camp).expect("of the book");
                prop_assert!(fits(def, biome, home_m));
                prop_assert_eq!(middle.x_mm.div_euclid(BLOCK_MM), block.0);
            }
        }
    }
}
