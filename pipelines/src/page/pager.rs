//! Lists in pages.

use maud::{Markup, html};

use crate::page::show;

/// A page of a list.
pub struct Page<'a, T> {
    /// What it has.
    pub items: &'a [T],
    /// Its number, from 1.
    pub number: usize,
    /// How many there are, at least 1.
    pub count: usize,
}

/// The page of this number; of one that there is not, the nearest.
pub fn page<T>(all: &[T], number: usize, size: usize) -> Page<'_, T> {
    let count = all.len().div_ceil(size).max(1);
    let number = number.clamp(1, count);
    let begin = (number - 1) * size;
    Page { items: &all[begin..all.len().min(begin + size)], number, count }
}

/// Links to the first, the last and the nearest pages; nothing where there is one alone.
pub fn links<T>(page: &Page<'_, T>, href: impl Fn(usize) -> String) -> Markup {
    let near = page.number.saturating_sub(2).max(1)..=(page.number + 2).min(page.count);
    let mut numbers: Vec<usize> = std::iter::once(1).chain(near).chain([page.count]).collect();
    numbers.dedup();
    html! {
        @if page.count > 1 {
            nav.pager aria-label="Pages" {
                "Page"
                @for (at, number) in numbers.iter().enumerate() {
                    @if at > 0 && numbers[at - 1] + 1 < *number { "…" }
                    a href=(href(*number)) aria-current=[(*number == page.number).then_some("page")] { (show::number(*number as u64)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_on_one_page() {
        let all: Vec<usize> = (0..10_001).collect();
        let pages = (1..=101).flat_map(|number| page(&all, number, 100).items.to_vec());
        assert_eq!(pages.collect::<Vec<_>>(), all);
        assert_eq!(page(&all, 0, 100).number, 1);
        assert_eq!((page(&all, 500, 100).number, page(&all, 500, 100).items), (101, &[10_000][..]));
        assert_eq!(page::<usize>(&[], 3, 100).count, 1);
    }

    #[test]
    fn links_lead_to_the_ends_and_the_neighbours() {
        let all = [0; 1_000];
        let text = links(&page(&all, 50, 10), |number| format!("?page={number}")).into_string();
        for number in [1, 48, 49, 50, 51, 52, 100] {
            assert_eq!(text.matches(&format!("\"?page={number}\"")).count(), 1, "{text}");
        }
        assert!(text.contains("href=\"?page=50\" aria-current=\"page\""), "{text}");
        assert_eq!(links(&page(&all, 1, 1_000), |_| String::new()).into_string(), "");
    }
}
