//! Which of many stretches a stretch touches.

use superintervals::IntervalMap;

/// Stretches of one chromosome, both ends included, each with a number.
pub(super) trait Overlaps: Send + Sync {
    /// Adds the numbers of all stretches that touch this one, in any order.
    fn find(&self, start: i64, end: i64, found: &mut Vec<u32>);
}

/// By superintervals, whose coordinates are 32 bits wide: places beyond count as the last one.
pub(super) struct Indexed(IntervalMap<u32>);

impl Indexed {
    /// Of these stretches, numbered from 0.
    pub fn new(stretches: impl Iterator<Item = (i64, i64)>) -> Indexed {
        let mut map = IntervalMap::new();
        for (number, (start, end)) in (0..).zip(stretches) {
            map.add(narrow(start), narrow(end), number);
        }
        map.build();
        Indexed(map)
    }
}

impl Overlaps for Indexed {
    fn find(&self, start: i64, end: i64, found: &mut Vec<u32>) {
        self.0.search_values(narrow(start), narrow(end), found);
    }
}

fn narrow(place: i64) -> i32 {
    // Leaves room for sums of the library.
    place.clamp(0, i64::from(i32::MAX) / 2) as i32
}

#[cfg(test)]
mod tests {
    use vardelta_testrandom::{Random, seed};

    use super::{Indexed, Overlaps};

    #[test]
    fn finds_what_touches_and_nothing_else() {
        let mut numbers = Random::new(seed(11));
        let mut random = |limit: u64| numbers.below(limit);
        for stretches in [0, 1, 5, 300] {
            let list: Vec<(i64, i64)> = (0..stretches)
                .map(|_| {
                    let start = random(1000) as i64;
                    (start, start + if random(10) == 0 { random(900) } else { random(20) } as i64)
                })
                .collect();
            let index = Indexed::new(list.iter().copied());
            for _ in 0..500 {
                let start = random(1100) as i64;
                let end = start + random(30) as i64;
                let mut found = Vec::new();
                index.find(start, end, &mut found);
                found.sort_unstable();
                let expected: Vec<u32> =
                    (0..).zip(&list).filter(|(_, (from, to))| *from <= end && start <= *to).map(|(at, _)| at).collect();
                assert_eq!(found, expected, "{start}-{end} of {list:?}");
            }
        }
    }
}
