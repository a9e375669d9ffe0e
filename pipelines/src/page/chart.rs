//! Small charts as SVG, without script and without style attributes: what colours them are classes.

use maud::{Markup, html};
use vardelta_schemas::ledger::RecordCounts;

use crate::page::show;

/// The height of a sparkline.
const SPARK_HEIGHT: f64 = 28.0;
/// What one value of a sparkline takes.
const SPARK_STEP: f64 = 6.0;
/// The width of a bar's chart, of which the parts are shares.
const BAR_WIDTH: f64 = 240.0;

/// A value of a sparkline: how much, and what it is in words.
pub struct Point {
    /// How much.
    pub value: f64,
    /// In words, shown for the mouse.
    pub words: String,
}

/// Values over time as bars, the newest at the right. `label` says what they are to whoever does not see them.
pub fn sparkline(label: &str, points: &[Point]) -> Markup {
    let most = points.iter().map(|point| point.value).fold(0.0, f64::max);
    let width = SPARK_STEP * points.len().max(1) as f64;
    html! {
        svg.spark role="img" aria-label=(label) width=(width) height=(SPARK_HEIGHT)
            viewBox=(format!("0 0 {width} {SPARK_HEIGHT}")) {
            @for (at, point) in points.iter().enumerate() {
                @let height = if most > 0.0 { (point.value / most * (SPARK_HEIGHT - 2.0)).max(1.0) } else { 1.0 };
                rect x=(SPARK_STEP * at as f64) y=(round(SPARK_HEIGHT - height)) width=(SPARK_STEP - 1.5)
                    height=(round(height)) { title { (point.words) } }
            }
        }
    }
}

/// A part of a bar: the class that colours it, how much, and what it is.
pub type BarPart<'a> = (&'a str, f64, String);

/// Parts of a whole beside each other.
pub fn bar(label: &str, whole: f64, parts: &[BarPart<'_>]) -> Markup {
    let mut left = 0.0;
    let mut placed = Vec::new();
    for (class, value, words) in parts {
        let width = if whole > 0.0 { value / whole * BAR_WIDTH } else { 0.0 };
        if width > 0.0 {
            // What there is stays visible, however little of the whole it is.
            let width = width.max(1.5);
            placed.push((class, left, width, words));
            left += width;
        }
    }
    html! {
        svg.bar role="img" aria-label=(label) width=(BAR_WIDTH) height="12" viewBox=(format!("0 0 {BAR_WIDTH} 12"))
            preserveAspectRatio="none" {
            rect.rest x="0" y="0" width=(BAR_WIDTH) height="12" {}
            @for (class, left, width, words) in placed {
                rect class=(class) x=(round(left)) y="0" width=(round(width)) height="12" { title { (words) } }
            }
        }
    }
}

/// From when to when something went on, on a line that is as long as the whole.
pub fn spell(label: &str, whole: f64, (began, ended): (f64, f64)) -> Markup {
    let at = |seconds: f64| if whole > 0.0 { (seconds / whole).clamp(0.0, 1.0) * BAR_WIDTH } else { 0.0 };
    // What was short stays visible, at the end of the line too.
    let width = (at(ended) - at(began)).max(1.5);
    let left = at(began).min(BAR_WIDTH - width);
    html! {
        svg.bar role="img" aria-label=(label) width=(BAR_WIDTH) height="12" viewBox=(format!("0 0 {BAR_WIDTH} 12"))
            preserveAspectRatio="none" {
            rect.rest x="0" y="5" width=(BAR_WIDTH) height="2" {}
            rect.work x=(round(left)) y="0" width=(round(width)) height="12" { title { (label) } }
        }
    }
}

/// The accounting of records as a bar.
pub fn accounting(counts: &RecordCounts) -> Markup {
    let RecordCounts { read, loaded, filtered, rejected, duplicates, .. } = *counts;
    let parts = [("loaded", loaded), ("filtered", filtered), ("rejected", rejected), ("duplicates", duplicates)];
    let words: Vec<String> = parts.iter().map(|(name, count)| format!("{} {name}", show::number(*count))).collect();
    let label = format!("{} read: {}", show::number(read), words.join(", "));
    let parts: Vec<BarPart<'_>> =
        parts.iter().zip(&words).map(|((name, count), words)| (*name, *count as f64, words.clone())).collect();
    bar(&label, read as f64, &parts)
}

/// Coordinates to a tenth.
pub fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_shares_of_the_whole() {
        let counts = RecordCounts { read: 100, loaded: 50, filtered: 25, duplicates: 25, ..RecordCounts::default() };
        let text = accounting(&counts).into_string();
        assert!(text.contains("aria-label=\"100 read: 50 loaded, 25 filtered, 0 rejected, 25 duplicates\""), "{text}");
        assert!(text.contains("class=\"filtered\" x=\"120\" y=\"0\" width=\"60\""), "{text}");
        assert!(!text.contains("class=\"rejected\"") && !text.contains("style"), "{text}");
        assert!(!accounting(&RecordCounts::default()).into_string().contains("NaN"));
    }

    #[test]
    fn a_spell_lies_where_it_was_and_never_outside() {
        let text = spell("from <1> to 2", 4.0, (1.0, 2.0)).into_string();
        assert!(text.contains("class=\"work\" x=\"60\" y=\"0\" width=\"60\"") && text.contains("&lt;1&gt;"), "{text}");
        let text = spell("the end", 4.0, (4.0, 9.0)).into_string();
        assert!(text.contains("x=\"238.5\" y=\"0\" width=\"1.5\""), "{text}");
        assert!(!spell("none", 0.0, (0.0, 0.0)).into_string().contains("NaN"));
    }

    #[test]
    fn a_sparkline_names_its_values() {
        let point = |value: f64| Point { value, words: format!("<{value}>") };
        let text = sparkline("rows", &[point(0.0), point(5.0)]).into_string();
        assert!(text.contains("&lt;5&gt;") && !text.contains("<5>") && !text.contains("NaN"), "{text}");
        assert!(!sparkline("none", &[]).into_string().contains("NaN"));
    }
}
