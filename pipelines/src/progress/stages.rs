//! What each stage does, as a table in a few lines.

use vardelta_engine::display::grouped;

use super::{
    figures::Figures,
    ink::{Ink, Line, fit},
    look::Look,
};

/// A terminal that is so wide has room for bars and long names.
const WIDE: usize = 110;
/// A terminal shows a column only from this width on, so that none is cut: rows in, rows out, rows per second.
const COLUMNS: [(usize, usize); 3] = [(51, 13), (76, 13), (62, 10)];

/// The table in so many lines at the most, its title included: where stages are more, the busiest.
pub fn table(figures: &Figures, look: &Look, lines_max: usize) -> Vec<Line> {
    let stages = &figures.progress.stages;
    // A run that was over before it was looked at has nothing to show.
    if lines_max < 3 || stages.iter().all(|stage| stage.rows_in == 0) {
        return Vec::new();
    }
    // On the narrowest terminals there is nothing beside the shares but a name.
    let (name, bar) = if look.width >= WIDE { (32, 16) } else { (look.width.saturating_sub(17).clamp(1, 20), 0) };
    let width = name.min(stages.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0).max(5.min(name)));
    let row = |name: &str, rows_in: &str, rows_out: &str, rate: &str, shares: &str| {
        let shown = [rows_in, rows_out, rate].into_iter().zip(COLUMNS).filter(|(_, (from, _))| look.width >= *from);
        let columns: String = shown.map(|(text, (_, width))| format!(" {text:>width$}")).collect();
        format!("  {} {columns}  {shares}", fit(name, width))
    };
    let title = row("stage", "rows in", "rows out", "in/s", " busy waits");
    let mut shown: Vec<usize> = (0..stages.len()).collect();
    let room = lines_max - 1;
    let hidden = (stages.len() > room).then(|| stages.len() - (room - 1));
    if hidden.is_some() {
        shown.sort_by(|a, b| figures.stage(*b).busy.total_cmp(&figures.stage(*a).busy));
        shown.truncate(room - 1);
        shown.sort_unstable();
    }
    let mut lines = vec![Line::of(Ink::Faint, title)];
    for at in shown {
        let (stage, rate) = (&stages[at], figures.stage(at));
        // What a sink took is counted when it is committed.
        let rows = |rows: u64| if stage.rows_in == 0 { "-".to_owned() } else { grouped(rows) };
        let shares = format!("{:>3.0} % {:>3.0} %", rate.busy * 100.0, rate.waiting * 100.0);
        let text =
            row(&stage.name, &rows(stage.rows_in), &rows(stage.rows_out), &rows(rate.rows_per_s as u64), &shares);
        let line = Line::of(Ink::Plain, text);
        lines.push(if bar > 0 { line.and(Ink::Plain, "  ").bar(bar, rate.busy, look) } else { line });
    }
    lines.extend(hidden.map(|hidden| Line::of(Ink::Faint, format!("  and {hidden} that are less busy"))));
    lines
}
