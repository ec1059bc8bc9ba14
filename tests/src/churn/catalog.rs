//! Random changes of the catalog that move what filters select and what is preferred.

use std::{sync::Arc, time::Duration};

use crate::catalog::{indicator, region, small, source, upsert};
use fastrand::Rng;
use indicator_proto::v1::{CatalogEntry, catalog_entry::Entry};

use super::world::World;

pub(crate) const SOURCES: [&str; 3] = ["bureau", "report", "media"];

/// Regions that move between these parents. Beijing moves too, but only to Shandong and back.
const PARENTS: [&str; 3] = ["CN", "CN-SD", "CN-BJ"];

/// Every source has a figure of these from the beginning on.
const REGIONS: [&str; 5] = ["CN", "CN-SD", "CN-BJ", "CN-SD.3710", "CN-SD.3702"];

/// The catalog that a run begins with.
pub(crate) async fn create(world: &World) {
    let response = world.client().apply(small()).await;
    world.common.told_head(response.revision);
    REGIONS.into_iter().for_each(|id| world.add_region(id.to_owned()));
}

fn entry(rng: &mut Rng, regions: &[String], number: u32) -> CatalogEntry {
    let english = format!("Name {number}");
    let parent = PARENTS[rng.usize(..PARENTS.len())];
    let level = ["prefecture", "prefecture", "county"][rng.usize(..3)];
    match rng.u8(..10) {
        0 => region(&format!("CN-SD.N{number}"), parent, level, &english, "新"),
        1 => region("CN-BJ", ["CN", "CN-SD"][rng.usize(..2)], "province", &english, "北京"),
        2..6 => {
            let movable: Vec<&String> = regions.iter().filter(|id| id.starts_with("CN-SD.")).collect();
            region(movable[rng.usize(..movable.len())], parent, level, &english, "移")
        }
        6..8 => source(SOURCES[rng.usize(..SOURCES.len())], rng.u32(..4)),
        _ => {
            let (id, unit) = [("5g-base-stations", "{station}"), ("output", "CNY")][rng.usize(..2)];
            let mut entry = indicator(id, unit);
            if let Some(Entry::Indicator(indicator)) = &mut entry.entry {
                let mut order = SOURCES.map(str::to_owned);
                rng.shuffle(&mut order);
                indicator.source_order = order[..rng.usize(..3)].to_vec();
            }
            entry
        }
    }
}

/// Changes the catalog until nobody writes any more.
pub(crate) async fn change(world: Arc<World>, mut rng: Rng) {
    let mut number = 0;
    while world.is_writing() {
        world.rest(Duration::from_millis(rng.u64(50..700))).await;
        number += 1;
        let mut entries = vec![entry(&mut rng, &world.regions(), number)];
        if rng.u8(..4) == 0 {
            // In one commit with the move of another.
            entries.push(region("CN-SD.3702", PARENTS[rng.usize(..PARENTS.len())], "prefecture", "Qingdao", "青岛"));
        }
        let created = match &entries[0].entry {
            Some(Entry::Region(region)) => region.id.clone(),
            _ => String::new(),
        };
        if created == "CN-SD.3702" {
            entries.truncate(1);
        }
        // Beijing below itself is refused, and the server is away now and then.
        let Ok(response) = world.client().catalog().apply_catalog(upsert(entries)).await else { continue };
        world.common.told_head(response.into_inner().revision);
        if created.starts_with("CN-SD.N") {
            world.add_region(created);
        }
    }
}
