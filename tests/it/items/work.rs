//! Crafting and gathering.

use super::loot::always;
use super::{BAG, Shop};
use crate::combat::FIELD;
use crate::support::{on_database, until};
use haven_checks::number;
use haven_rules::content::Pack;
use haven_rules::content::book::Book;
use haven_rules::items::nodes::{Field, Node, place};
use haven_rules::world::{BlockGround, GroundClass, chunk_index};
use serde_json::json;

#[test]
fn a_recipe_uses_up_its_materials() {
    on_database(|database| async move {
        let shop = Shop::open(database, |pack| {
            for recipe in &mut pack.recipe {
                recipe.work_millis = 0;
            }
            let slow = pack.recipe.iter_mut().find(|recipe| recipe.key == "sack");
            slow.expect("a recipe").work_millis = 60_000;
        })
        .await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        shop.refuses(&ann, "item_craft", json!(["no_such"]), "item.recipe_unknown").await;
        shop.refuses(&ann, "item_craft", json!(["plate"]), "item.level_too_low").await;
        shop.refuses(&ann, "item_craft", json!(["linen"]), "item.tool_missing").await;
        shop.give(&ann, "weavers_tools", 1).await;
        shop.refuses(&ann, "item_craft", json!(["linen"]), "item.material_missing").await;
        shop.give(&ann, "flax", 7).await;
        for _ in 0..2 {
            shop.call(&ann, "item_craft", json!(["linen"])).await.expect("woven");
        }
        shop.refuses(&ann, "item_craft", json!(["linen"]), "item.material_missing").await;
        let bag = ["0: 1 × weavers_tools", "1: 1 × flax", "2: 2 × linen"];
        assert_eq!(shop.shown(BAG, ann.id).await, bag);
        shop.call(&ann, "item_craft", json!(["sack"])).await.expect("sewn");
        shop.refuses(&ann, "item_craft", json!(["sack"]), "item.not_ready").await;
        shop.adds_up().await;
    });
}

/// The places of a block of the test world, which is flat.
fn nodes_of(book: &Book, (block_x, block_y): (i32, i32)) -> Vec<Node> {
    let ground = BlockGround::uniform(GroundClass::Easy);
    place(&Field { seed: 0, block_x, block_y, biomes: &[], ground: &ground }, book)
}

/// The first place where something can be gathered, and the block it is in, with content that is
/// changed so.
fn first_node(change: impl FnOnce(&mut Pack)) -> (u64, Node) {
    let mut pack = crate::support::content::srd();
    change(&mut pack);
    let book = Book::new(pack);
    // West of the origin there is no wall.
    let blocks = (-4..0).flat_map(|x| (-4..4).map(move |y| (x, y)));
    let mut found =
        blocks.flat_map(|block| nodes_of(&book, block).into_iter().map(move |node| (block, node)));
    let (block, node) = found.next().expect("something grows there");
    (chunk_index(0, block.0, block.1), node)
}

#[test]
fn a_place_is_gathered_at_by_who_stands_there_until_it_is_empty() {
    on_database(|database| async move {
        let change = |pack: &mut Pack| {
            for node in &mut pack.gather_node {
                (node.tool, node.level_min, node.work_millis) = (None, 0, 0);
                node.respawn_millis = 3_000;
            }
        };
        let (chunk, node) = first_node(change);
        let shop = Shop::open(database, change).await;
        let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
        let args = json!([chunk, node.number]);
        shop.refuses(&ann, "item_gather", args.clone(), "item.too_far").await;
        for nowhere in [json!([chunk, 6]), json!([chunk, 255]), json!([u64::MAX, 0])] {
            shop.refuses(&ann, "item_gather", nowhere, "item.node_unknown").await;
        }
        shop.arena.put(ann.id, (node.at.x_mm, node.at.y_mm)).await;
        shop.call(&ann, "item_gather", args.clone()).await.expect("gathered");
        assert!(!shop.shown(BAG, ann.id).await.is_empty(), "{}", node.key);
        shop.refuses(&ann, "item_gather", args.clone(), "item.node_empty").await;
        // As if its time were over and the sweep had not come to it.
        shop.database().run("UPDATE gather_spent SET ready_at_micros = 1").await;
        shop.call(&ann, "item_gather", args.clone()).await.expect("its time is over");
        until("it has grown again", || async {
            shop.database().rows("gather_spent").await.is_empty().then_some(())
        })
        .await;
        shop.call(&ann, "item_gather", args).await.expect("gathered again");
        shop.adds_up().await;
    });
}

#[test]
fn who_has_thrown_has_gathered_whatever_there_is_room_for() {
    // With something that there is room for, with something that there is none for, and nothing.
    for (others, found) in [(&["wool", "bone"][..], 1), (&[][..], 0)] {
        on_database(|database| async move {
            let change = |pack: &mut Pack| {
                for node in &mut pack.gather_node {
                    (node.tool, node.level_min, node.work_millis) = (None, 0, 60_000);
                    node.entries = vec![always("oathkeeper", "1")];
                    node.entries.extend(others.iter().map(|item| always(item, "1")));
                }
            };
            let (chunk, node) = first_node(change);
            let shop = Shop::open(database, change).await;
            let ann = shop.arena.hero("Ann", "fighter", FIELD).await;
            shop.arena.put(ann.id, (node.at.x_mm, node.at.y_mm)).await;
            // Of what is unique she has the one that she can have.
            shop.give(&ann, "oathkeeper", 1).await;
            shop.give(&ann, "sack", 19).await;
            let args = json!([chunk, node.number]);
            let events = async || shop.database().rows("combat_event").await.len();
            let before = events().await;
            shop.refuses(&ann, "item_gather", args.clone(), "item.no_room").await;
            assert_eq!(events().await, before, "nothing was thrown");
            let sack = shop.find(&ann, "sack").await;
            shop.call(&ann, "item_destroy", json!([sack, 1])).await.expect("destroyed");
            shop.call(&ann, "item_gather", args.clone()).await.expect("gathered");
            let bag = shop.stacks(BAG, ann.id).await;
            let defs = bag.values().filter(|row| others.iter().any(|item| row["def"] == *item));
            assert_eq!(defs.count(), found);
            assert_eq!(bag.len(), 19 + found);
            let spent = shop.database().rows("gather_spent").await;
            assert_eq!(spent.len(), 1, "the place is empty");
            assert_eq!(number(&spent[0], "chunk_index"), chunk);
            shop.refuses(&ann, "item_gather", args, "item.not_ready").await;
            shop.adds_up().await;
        });
    }
}
