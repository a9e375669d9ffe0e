//! Random histories in which rows exchange unique values, held against a model: a run is done where the rows that must stand
//! afterwards differ in what is unique, and otherwise leaves everything as it was.

use std::collections::{BTreeMap, BTreeSet};

use vardelta_tests::random::{Random, from_environment, seed};

use super::shelf::{Shelf, on_each};

/// Tag and place of a thing.
type Thing = (Option<u32>, Option<u32>);

/// The drops that stand, in the order in which they first came.
#[derive(Clone, Default)]
struct Model {
    drops: Vec<(String, BTreeMap<u32, Thing>)>,
}

impl Model {
    fn things(&self) -> BTreeMap<u32, Thing> {
        self.drops.iter().flat_map(|(_, things)| things.clone()).collect()
    }

    fn is_unique(&self) -> bool {
        let things = self.things();
        let distinct = |values: Vec<u32>| values.iter().collect::<BTreeSet<_>>().len() == values.len();
        distinct(things.values().filter_map(|thing| thing.0).collect())
            && distinct(things.values().filter_map(|thing| thing.1).collect())
    }

    fn rows(&self) -> Vec<String> {
        let shown = |value: &Option<u32>, letter: &str| value.map_or("NULL".into(), |value| format!("{letter}{value}"));
        let row = |(id, (tag, place)): (&u32, &Thing)| format!("{id}|{}|s|{}", shown(tag, "t"), shown(place, ""));
        let mut rows: Vec<String> = self.things().iter().map(row).collect();
        rows.sort();
        rows
    }
}

/// What a drop says: things that stand exchange their values, some come, some lose them; now and then one takes another's.
fn drop_of(random: &mut Random, model: &Model) -> BTreeMap<u32, Thing> {
    let standing = model.things();
    let mut ids: Vec<u32> = standing.keys().copied().filter(|_| random.percent(50)).collect();
    let mut values: Vec<Thing> = ids.iter().map(|id| standing[id]).collect();
    if random.percent(50) && !values.is_empty() {
        values.rotate_left(1);
    } else {
        random.shuffle(&mut values);
    }
    for _ in 0..random.below(6) {
        ids.push(random.below(60) as u32);
        let fresh = 100 + (random.bits() % 1_000_000) as u32;
        values.push((random.percent(80).then_some(fresh), random.percent(80).then_some(fresh)));
    }
    if random.percent(25) && !standing.is_empty() {
        let (_, thief) = standing.iter().nth(random.below(standing.len())).expect("there are some");
        ids.push(random.below(60) as u32);
        values.push(*thief);
    }
    ids.into_iter().zip(values).collect()
}

fn lines(things: &BTreeMap<u32, Thing>, random: &mut Random) -> String {
    let mut lines: Vec<String> = things
        .iter()
        .map(|(id, (tag, place))| {
            let tag = tag.map_or(String::new(), |tag| format!("t{tag}"));
            format!("{id},{tag},s,{}\n", place.map_or(String::new(), |place| place.to_string()))
        })
        .collect();
    random.shuffle(&mut lines);
    lines.concat()
}

fn history(shelf: &Shelf, seed: u64, steps: usize) {
    let mut random = Random::new(seed);
    let (mut model, mut violations) = (Model::default(), 0);
    for step in 0..steps {
        let before = model.clone();
        let workers = random.pick(&["1", "2", "4"]).to_string();
        let chunk = format!("pipeline.chunk_records={}", random.pick(&[1, 3, 7, 1_000]));
        let drops = model.drops.len();
        let (mut verb, mut name) = ("run", format!("d{step:03}"));
        match random.below(10) {
            0..=1 if drops > 1 => {
                verb = "withdraw";
                name = model.drops.remove(random.below(drops)).0;
            }
            2..=4 if drops > 0 => {
                let at = random.below(drops);
                name.clone_from(&model.drops[at].0);
                model.drops[at].1 = drop_of(&mut random, &model);
            }
            _ => {
                // Several drops of one run come in chunks of their own.
                for nth in 0..=random.below(3) {
                    let things = drop_of(&mut random, &model);
                    model.drops.push((format!("{name}-{nth}"), things));
                }
            }
        }
        let code = if model.is_unique() { 0 } else { 6 };
        let said = format!("seed {seed}, step {step}: {verb} {name}, expects {code}");
        if verb == "withdraw" {
            shelf.withdraw(&name, code);
        } else {
            let mut text = String::new();
            for (written, things) in model.drops.iter().filter(|(known, _)| known.starts_with(&name)) {
                let of_drop = lines(things, &mut random);
                shelf.write(written, &of_drop);
                text += &format!("{written}:\n{of_drop}");
            }
            let done = shelf.run_any(&["--accept-smaller", "--workers", &workers, "--set", &chunk]);
            assert_eq!(done.code, code, "{said}\n{}\n{text}", done.stderr);
        }
        if code != 0 {
            violations += 1;
            let after = std::mem::replace(&mut model, before);
            for (written, _) in after.drops.iter().filter(|(known, _)| known.starts_with(&name)) {
                if !model.drops.iter().any(|(known, _)| known == written) {
                    std::fs::remove_file(shelf.project.path(&format!("drops/{written}.csv"))).expect("it is there");
                }
            }
            for (known, things) in model.drops.iter().filter(|(known, _)| known.starts_with(&name)) {
                shelf.write(known, &lines(things, &mut random));
            }
        }
        if !model.drops.is_empty() {
            assert_eq!(shelf.rows(), model.rows(), "{said}");
        }
    }
    eprintln!("seed {seed}: {violations} of {steps} steps were violations");
    shelf.run("verify", &[], 0);
}

#[test]
fn random_histories_with_swaps() {
    let first = seed(1);
    let steps = from_environment("VARDELTA_UNIQUE_STEPS", 24) as usize;
    let seed = std::cell::Cell::new(first);
    on_each("random_histories_with_swaps", "", |shelf| {
        history(&shelf, seed.get(), steps);
        seed.set(seed.get() + 1);
    });
}
