//! `haven world`: looking at worlds without starting any.
//!
//! Keeps true: what it draws is made by the very functions that the module generates worlds with.
//! Leaves out on purpose: worlds that have been changed since; a preview knows none.

mod canvas;
mod map;
mod page;
mod palette;
mod raster;
mod relief;
mod symbols;

use std::num::ParseIntError;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use haven_rules::world::region::REGION_BOUND;
use haven_rules::world::terrain::{OPEN_SEED, Recipe, SHIPPED, Terrain};

use crate::terminal;
use map::{Area, Scale};

/// Most regions along an edge of one map.
const REGIONS_MAX: i32 = 16;
/// What a map is about as wide as where no scale is asked for, pixels.
const WIDTH_USUAL: i32 = 1_200;

/// Look at generated worlds
#[derive(Debug, Args)]
pub(crate) struct WorldArgs {
    #[command(subcommand)]
    command: WorldCommand,
}

#[derive(Debug, Subcommand)]
enum WorldCommand {
    Preview(PreviewArgs),
}

/// Draw a map of a seed's world
#[derive(Debug, Args)]
struct PreviewArgs {
    /// Seed of the world [default: that of the shipped world]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// South-western region on the map
    #[arg(long, value_name = "X,Y", default_value = "0,0", value_parser = pair)]
    #[arg(allow_hyphen_values = true)]
    region: (i32, i32),
    /// How many regions along each edge, 1 to 16; a region is 1,024 m wide
    #[arg(long, value_name = "W", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..=16))]
    regions: i32,
    /// Content file, or the name of a shipped one: open, hollow
    #[arg(long, value_name = "FILE", default_value = "open")]
    recipe: String,
    /// Image file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Scale, pixels per metre, 0.02 to 4 [default: about 1,200 pixels in all]
    #[arg(long, value_name = "N")]
    pixels_per_m: Option<f32>,
}

fn pair(text: &str) -> Result<(i32, i32), String> {
    let (x, y) = text.split_once(',').ok_or("two numbers like 0,0")?;
    let number =
        |part: &str| part.trim().parse::<i32>().map_err(|error: ParseIntError| error.to_string());
    let (x, y) = (number(x)?, number(y)?);
    let valid = -REGION_BOUND..REGION_BOUND - REGIONS_MAX;
    if valid.contains(&x) && valid.contains(&y) {
        Ok((x, y))
    } else {
        Err(format!("regions reach from {} to {}", valid.start, valid.end - 1))
    }
}

/// Runs `haven world`.
pub(crate) fn run(args: WorldArgs) -> anyhow::Result<()> {
    match args.command {
        WorldCommand::Preview(args) => preview(&args),
    }
}

fn preview(args: &PreviewArgs) -> anyhow::Result<()> {
    let recipe = recipe_of(&args.recipe)?;
    let terrain = Terrain::new(args.seed.unwrap_or(OPEN_SEED), recipe);
    let (region_x, region_y) = args.region;
    let area = Area { region_x, region_y, regions: args.regions };
    let scale = match args.pixels_per_m {
        Some(wanted) if (0.02..=4.0).contains(&wanted) => Scale::nearest(wanted),
        Some(wanted) => anyhow::bail!("a scale is 0.02 to 4 pixels per metre, not {wanted}"),
        None => Scale::for_width(area.cells(), WIDTH_USUAL),
    };
    let spinner = terminal::spinner(format!("surveying {} m", area.cells()));
    let canvas = map::draw(&terrain, area, scale);
    spinner.finish_and_clear();
    let png = canvas.to_png().context("the map cannot be encoded")?;
    std::fs::write(&args.out, &png)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let (width, height) = canvas.size();
    terminal::done(&format!("{} ({width}×{height}, {} KB)", args.out.display(), png.len() / 1_000));
    Ok(())
}

/// The recipe of a file, or of a shipped one's name.
fn recipe_of(name: &str) -> anyhow::Result<Recipe> {
    if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        return Recipe::from_toml(text).with_context(|| format!("the shipped recipe {name}"));
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("cannot read {name}"))?;
    Recipe::from_toml(&text).with_context(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_pairs_within_bounds() {
        assert_eq!(pair("3, -4"), Ok((3, -4)));
        assert!(pair("3").is_err());
        assert!(pair("3,x").is_err());
        assert!(pair("0,2048").is_err());
    }

    #[test]
    fn a_small_map_is_an_image() {
        let recipe = recipe_of("hollow").expect("shipped");
        let area = Area { region_x: 0, region_y: 0, regions: 1 };
        let canvas = map::draw(&Terrain::new(1, recipe), area, Scale::nearest(0.1));
        let png = canvas.to_png().expect("encodes");
        assert_eq!(png.get(1..4), Some(&b"PNG"[..]));
        assert!(canvas.size().0 > 102);
    }
}
