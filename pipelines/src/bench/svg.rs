//! Scaling and stage times as a picture that needs nothing else: no script, no font from elsewhere, colours for light and dark
//! backgrounds.

use std::fmt::Write as _;

use vardelta_engine::edge::escape;

use super::result::{Bench, Run};
use crate::report::grouped;

/// How the file begins.
pub const START: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"vardelta-bench\"";

/// Sizes in pixels.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 18.0;
const ROW: f64 = 26.0;
const CHART: f64 = 200.0;

const STYLE: &str = "<style>\
    .vardelta-bench{--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--ground:#ffffff;--busy:#0969da;--wait:#b6c2cf;--ideal:#9a6700}\
    @media (prefers-color-scheme:dark){.vardelta-bench{--ink:#f0f6fc;--soft:#9198a1;--line:#3d444d;--ground:#0d1117;--busy:#4493f8;\
    --wait:#545d68;--ideal:#d29922}}\
    .vardelta-bench text{font:13px system-ui,sans-serif;fill:var(--ink)}\
    .vardelta-bench .soft{fill:var(--soft)}.vardelta-bench .title{font-weight:600;font-size:15px}\
    .vardelta-bench .busy{fill:var(--busy)}.vardelta-bench .wait{fill:var(--wait)}\
    .vardelta-bench .axis{stroke:var(--line);fill:none}.vardelta-bench .measured{stroke:var(--busy);fill:none;stroke-width:2}\
    .vardelta-bench .ideal{stroke:var(--ideal);fill:none;stroke-dasharray:5 4}.vardelta-bench .ground{fill:var(--ground)}\
    </style>";

/// Draws a bench.
pub fn draw(bench: &Bench) -> String {
    let mut body = String::new();
    let mut top = 34.0;
    text(&mut body, 16.0, top - 8.0, "title", &format!("{}: {} records", bench.pipeline, grouped(bench.input.records)));
    if bench.runs.len() > 1 {
        top = scaling(&mut body, bench, top + 24.0);
    }
    if let Some(run) = bench.runs.last() {
        top = stages(&mut body, run, top + 24.0);
    }
    if let Some(bottleneck) = &bench.bottleneck {
        for line in wrapped(&format!("Bottleneck: {}", bottleneck.why), 105) {
            top += 18.0;
            text(&mut body, 16.0, top, "soft", &line);
        }
    }
    let height = top + 20.0;
    format!(
        "{START} viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">{STYLE}\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>{body}</svg>\n"
    )
}

/// Speed-up by workers, beside what it would be if nothing were lost.
fn scaling(body: &mut String, bench: &Bench, top: f64) -> f64 {
    text(body, 16.0, top, "", "Speed-up by workers");
    let (top, bottom) = (top + 14.0, top + 14.0 + CHART);
    let most = bench.speedup.iter().map(|speedup| speedup.workers as f64).fold(1.0, f64::max);
    let least = bench.speedup.iter().map(|speedup| speedup.workers as f64).fold(most, f64::min);
    let highest = bench.speedup.iter().map(|speedup| speedup.ratio).fold(most / least, f64::max);
    let x = |workers: f64| LEFT + (WIDTH - LEFT - RIGHT) * workers / most;
    let y = |ratio: f64| bottom - CHART * ratio / highest;
    let _ = write!(body, "<path class=\"axis\" d=\"M{LEFT} {top}V{bottom}H{}\"/>", WIDTH - RIGHT);
    let _ = write!(
        body,
        "<path class=\"ideal\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        x(least),
        y(1.0),
        x(most),
        y(most / least)
    );
    let points = bench.speedup.iter().map(|speedup| (x(speedup.workers as f64), y(speedup.ratio)));
    let path: Vec<String> = points.clone().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = write!(body, "<path class=\"measured\" d=\"M{}\"/>", path.join("L"));
    for (speedup, (x, y)) in bench.speedup.iter().zip(points) {
        let _ = write!(body, "<circle class=\"busy\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        text(body, x - 4.0, bottom + 18.0, "soft", &speedup.workers.to_string());
        text(body, x + 8.0, y + 16.0, "", &format!("{:.2}", speedup.ratio));
    }
    text(body, LEFT, bottom + 36.0, "soft", "dashed: if nothing were lost");
    bottom + 40.0
}

/// A bar for each stage: work, and waiting after it.
fn stages(body: &mut String, run: &Run, top: f64) -> f64 {
    let s = if run.workers == 1 { "" } else { "s" };
    text(
        body,
        16.0,
        top,
        "",
        &format!("Seconds per stage with {} worker{s}: work (strong), waiting (pale)", run.workers),
    );
    let reading = run.readers.iter().map(|reader| (format!("reading {}", reader.name), reader.busy_s, reader.wait_s));
    let stages = run.stages.iter().map(|stage| (stage.name.clone(), stage.busy_s, stage.wait_s));
    let bars: Vec<(String, f64, f64)> = reading.chain(stages).collect();
    let longest = bars.iter().map(|(_, busy, wait)| busy + wait).fold(f64::MIN_POSITIVE, f64::max);
    let width = |seconds: f64| (WIDTH - LEFT - RIGHT) * seconds / longest;
    let mut y = top + 14.0;
    for (name, busy_s, wait_s) in bars {
        text(body, 16.0, y + 14.0, "", &shortened(&name, 24));
        let (busy, wait) = (width(busy_s), width(wait_s));
        let _ = write!(
            body,
            "<rect class=\"busy\" x=\"{LEFT}\" y=\"{y}\" width=\"{busy:.1}\" height=\"{BAR}\"/>\
             <rect class=\"wait\" x=\"{:.1}\" y=\"{y}\" width=\"{wait:.1}\" height=\"{BAR}\"/>",
            LEFT + busy
        );
        text(body, LEFT + busy + wait + 6.0, y + 14.0, "soft", &format!("{busy_s:.3}"));
        y += ROW;
    }
    y
}

fn text(body: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let words = escape::line(words);
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = write!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{words}</text>");
}

fn shortened(name: &str, characters: usize) -> String {
    match name.chars().count() > characters {
        true => name.chars().take(characters - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// A sentence in lines.
fn wrapped(sentence: &str, characters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + word.len() >= characters);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
