//! The view of a run on a terminal.

use std::{cmp::Reverse, collections::BTreeMap};

use indicatif::HumanBytes;
use vardelta_engine::display::grouped;

use super::{
    figures::Figures,
    ink::{Ink, Line, fit},
    look::Look,
    pulse::{clock, percent},
    stages,
};

/// Files that are shown at a time; more are not read at once.
const FILES_SHOWN: usize = 4;
/// What is said of reasons that do not fit.
const MORE: &str = ", ...";
/// Beyond this share of its time somebody is said to wait.
const WAITS: f64 = 0.3;

/// The lines of the view, no more than the terminal has.
pub fn lines(figures: &Figures, look: &Look) -> Vec<Line> {
    let progress = &figures.progress;
    if let Some(filling) = &progress.filling {
        let words = format!("  filling {}: {} of {} rows", filling.table, grouped(filling.rows), grouped(filling.of));
        let share = filling.rows as f64 / filling.of.max(1) as f64;
        return vec![Line::default().bar(24, share, look).and(Ink::Plain, words)];
    }
    let mut lines = vec![whole(figures, look)];
    lines.extend(files(figures, look));
    let mut below: Vec<Line> = queue(figures, look).into_iter().collect();
    below.extend(reasons("rejected", Ink::Bad, &progress.rejects, look));
    below.extend(reasons("adapted", Ink::Odd, &progress.warnings, look));
    below.extend(figures.waiting.as_ref().map(|cause| Line::of(Ink::Odd, format!("  the database: {cause}"))));
    // The last line of a terminal is the cursor's.
    let room = look.height.saturating_sub(1);
    let left = room.saturating_sub(lines.len() + below.len());
    lines.extend(stages::table(figures, look, left));
    lines.extend(below);
    lines.truncate(room.max(1));
    lines
}

/// The line for the whole run.
fn whole(figures: &Figures, look: &Look) -> Line {
    let (phase, elapsed) = (figures.phase(), clock(figures.elapsed()));
    if figures.progress.files.is_empty() {
        return Line::of(Ink::Plain, format!("{phase}  {elapsed}"));
    }
    if !figures.is_reading() {
        return Line::of(Ink::Plain, format!("{phase}  {} records  {elapsed}", grouped(figures.records())));
    }
    let (done, all) = (figures.position_bytes(), figures.bytes());
    let bar = if look.width >= 110 { 40 } else { 16 };
    let line = Line::of(Ink::Plain, format!("{phase}  ")).bar(bar, done as f64 / all.max(1) as f64, look);
    // What matters most comes first: a narrow terminal shows as much as fits.
    let mut parts = vec![format!("  {} %", percent(done, all))];
    if phase == "loading" {
        parts.extend(figures.left().map(|left| format!("  {} left", clock(left))));
        parts.push(format!("  {} records", grouped(figures.records())));
        parts.push(format!("  {}/s", grouped(figures.records_per_s() as u64)));
        parts.push(format!("  {}/s", HumanBytes(figures.bytes_per_s() as u64)));
    } else {
        parts.extend([format!("  {} records", grouped(figures.records())), format!("  {elapsed}")]);
    }
    parts.iter().fold(line, |line, part| line.and_if_it_fits(Ink::Plain, part, look))
}

/// A line for each file that is being read.
fn files(figures: &Figures, look: &Look) -> Vec<Line> {
    // Not begun, or done: a line for each of thousands of files would help nobody.
    let open = figures.progress.files.iter().filter(|file| file.position_bytes > 0 && file.position_bytes < file.bytes);
    let open: Vec<_> = open.take(FILES_SHOWN).collect();
    let most = if look.width >= 110 { 60 } else { 24 };
    let width = open.iter().map(|file| file.name.chars().count()).max().unwrap_or(0).min(most);
    let of = |file: &&vardelta_engine::report::FileProgress| {
        let share = file.position_bytes as f64 / file.bytes.max(1) as f64;
        let text = format!("  {} %  {} records", percent(file.position_bytes, file.bytes), grouped(file.records));
        let line = Line::of(Ink::Plain, format!("  {}  ", fit(&file.name, width))).bar(12, share, look);
        let line = line.and(Ink::Plain, text);
        match file.rejected {
            0 => line,
            rejected => line.and(Ink::Bad, format!("  {} rejected", grouped(rejected))),
        }
    };
    open.iter().map(of).collect()
}

/// How full the queue between readers and workers is, and who waits for whom.
fn queue(figures: &Figures, look: &Look) -> Option<Line> {
    let (chunks, room) = figures.progress.queue.filter(|(_, room)| *room > 0)?;
    if figures.phase() != "loading" {
        return None;
    }
    let (readers, workers) = figures.waits()?;
    let words = match (readers >= WAITS, workers >= WAITS) {
        (true, _) if readers >= workers => {
            format!("readers wait for workers, {:.0} %", readers * 100.0)
        }
        (_, true) => format!("workers wait for readers, {:.0} %", workers * 100.0),
        _ => "readers and workers keep pace".into(),
    };
    let line = Line::of(Ink::Plain, "  queue  ").bar(12, chunks as f64 / room as f64, look);
    Some(line.and(Ink::Plain, format!("  {chunks} of {room} chunks: {words}")))
}

/// Counts by reason, the most frequent first, as many as fit whole: half a number would be another one. The report has them all.
fn reasons(what: &str, ink: Ink, counts: &BTreeMap<String, u64>, look: &Look) -> Option<Line> {
    let all: u64 = counts.values().sum();
    if all == 0 {
        return None;
    }
    let mut counts: Vec<(&String, &u64)> = counts.iter().filter(|(_, count)| **count > 0).collect();
    counts.sort_by_key(|(reason, count)| (Reverse(**count), *reason));
    let mut line = Line::of(ink, format!("  {what}  {}", grouped(all)));
    for (at, (reason, count)) in counts.iter().enumerate() {
        let text = format!("{}{reason} {}", if at == 0 { ": " } else { ", " }, grouped(**count));
        let more = if at + 1 < counts.len() { MORE } else { "" };
        if !line.has_room_for(&format!("{text}{more}"), look) {
            return Some(line.and_if_it_fits(Ink::Plain, MORE, look));
        }
        line = line.and(Ink::Plain, text);
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::figures::tests::figures;

    fn shown(width: usize, height: usize) -> Vec<String> {
        let look = Look { width, height, unicode: false, color: false };
        lines(&figures(), &look).iter().map(|line| line.render(&look)).collect()
    }

    #[test]
    fn a_terminal_of_80_columns_shows_all_that_matters() {
        assert_eq!(
            shown(80, 24),
            [
                "loading  ###.............  20 %  0:08 left  1,000 records  500/s  1000 B/s",
                "  day1  ##..........  20 %  1,000 records  3 rejected",
                "  stage           rows in      rows out       in/s   busy waits",
                "  calls             1,000           500        500   75 %  25 %",
                "  variants          1,000           500        500   25 %  75 %",
                "  queue  ##########..  5 of 6 chunks: readers wait for workers, 80 %",
                "  rejected  3: bad_ref 2, bad_alt 1",
                "  adapted  1,200: half_call 1,200",
            ]
        );
        assert!(shown(80, 24).iter().all(|line| line.chars().count() < 80));
    }

    #[test]
    fn small_terminals_show_what_fits() {
        let small = shown(30, 7);
        assert_eq!(small.len(), 5, "{small:?}");
        assert!(small.iter().all(|line| line.chars().count() < 30), "{small:?}");
        assert_eq!(shown(5, 1).len(), 1);
    }

    #[test]
    fn reasons_and_columns_are_shown_whole_or_not_at_all() {
        let mut figures = figures();
        figures.progress.rejects = [("bad_ref".to_owned(), 219), ("bad_position".to_owned(), 119)].into();
        let shown = |width| {
            let look = Look { width, height: 24, unicode: false, color: false };
            lines(&figures, &look).iter().map(|line| line.render(&look)).collect::<Vec<_>>()
        };
        let rejected = |width| shown(width).into_iter().find(|line| line.starts_with("  rejected")).expect("is shown");
        assert_eq!(rejected(49), "  rejected  338: bad_ref 219, bad_position 119");
        assert_eq!(rejected(46), "  rejected  338: bad_ref 219, ...");
        assert_eq!(rejected(22), "  rejected  338, ...");
        for width in 22..120 {
            let shown = shown(width);
            let calls = shown.iter().find(|line| line.starts_with("  calls")).expect("is shown");
            let last = calls.trim_end_matches(['#', '.', ' ']);
            assert!(last.ends_with("25 %") && calls.chars().count() < width, "{width}: {calls}");
        }
    }

    #[test]
    fn where_stages_are_too_many_the_busiest_are_shown() {
        let look = Look { width: 200, height: 24, unicode: false, color: false };
        let mut figures = figures();
        let idle = vardelta_engine::report::StageProgress { name: "idle".into(), rows_in: 1, ..Default::default() };
        figures.progress.stages.push(idle);
        let table: Vec<String> = stages::table(&figures, &look, 3).iter().map(|line| line.render(&look)).collect();
        assert_eq!(table.len(), 3);
        assert!(table[1].contains("calls") && table[1].ends_with("75 %  25 %  ############...."), "{table:?}");
        assert!(table[2].ends_with("and 2 that are less busy"), "{table:?}");
        assert!(stages::table(&figures, &look, 2).is_empty());
    }
}
