//! Problems as people read them (one block each, the place underlined) and as programs do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;

use crate::{
    diagnostics::Diagnostic,
    edge::{escape, secret},
    spec::{SpecFile, SpecSource},
};

/// The byte order mark, which editors do not count as a column.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A problem with its place in lines and columns, for `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The pipeline file as the user gave it, or `--set`.
    pub file: String,
    /// The line, 1-based; for `--set` the number of the override.
    pub line: usize,
    /// The column, 1-based, in characters.
    pub column: usize,
    /// The line in which the place ends, 1-based.
    pub end_line: usize,
    /// The column after the last character, 1-based.
    pub end_column: usize,
    /// What is wrong.
    pub message: String,
    /// A few words under the underline; empty where there are none.
    pub label: String,
    /// What to do.
    pub hint: Option<String>,
}

/// The line and column of a byte offset, both 1-based, the column in characters. An offset inside a character counts as
/// the character's, one past the text as the text's end.
pub fn locate(text: &str, offset: usize) -> (usize, usize) {
    // A text of its own, so that its lines are counted where they are needed only.
    Lines { text: "", starts: Vec::new() }.locate(text, offset)
}

/// The problems with their places in lines and columns.
pub fn located(spec: &SpecFile, diagnostics: &[Diagnostic]) -> Vec<Located> {
    let lines = Lines::of(&spec.text);
    diagnostics
        .iter()
        .map(|diagnostic| {
            let source = spec.source_at(diagnostic.span.start);
            let span = clamp(&source, &diagnostic.span);
            let ((line, column), (end_line, end_column)) =
                (lines.locate(source.text, span.start), lines.locate(source.text, span.end));
            Located {
                line: line + source.first_line - 1,
                column,
                end_line: end_line + source.first_line - 1,
                end_column,
                file: source.name,
                message: diagnostic.message.clone(),
                label: diagnostic.label.clone(),
                hint: diagnostic.hint.clone(),
            }
        })
        .collect()
}

/// The problems as text, one block each: what, where, the line underlined, what to do.
pub fn render(spec: &SpecFile, diagnostics: &[Diagnostic], color: bool) -> String {
    blocks(spec, diagnostics, &Level::ERROR, color)
}

/// What is worth a thought, as [`render`] writes problems.
pub fn render_advice(spec: &SpecFile, advice: &[Diagnostic], color: bool) -> String {
    blocks(spec, advice, &Level::NOTE, color)
}

fn blocks(spec: &SpecFile, diagnostics: &[Diagnostic], level: &Level<'static>, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let lines = Lines::of(&spec.text);
    let of = |diagnostic| block(spec, diagnostic, level, &lines, &renderer);
    let blocks: Vec<String> = diagnostics.iter().map(of).collect();
    blocks.join("\n\n")
}

/// Where the lines of a pipeline file start, so that it is not read again for every problem.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        Lines { text, starts: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    /// How many line breaks there are before an offset of a text: this one, or that of an override.
    fn before(&self, text: &str, offset: usize) -> usize {
        match std::ptr::eq(self.text, text) {
            true => self.starts.partition_point(|start| *start <= offset),
            false => text[..offset].matches('\n').count(),
        }
    }

    /// See [`locate`].
    fn locate(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = floor_boundary(text, offset);
        let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let columns = text[line_start..offset].chars().filter(|letter| *letter != BYTE_ORDER_MARK).count();
        (self.before(text, offset) + 1, columns + 1)
    }
}

fn block(
    spec: &SpecFile,
    diagnostic: &Diagnostic,
    level: &Level<'static>,
    lines: &Lines<'_>,
    renderer: &Renderer,
) -> String {
    let source = spec.source_at(diagnostic.span.start);
    let span = clamp(&source, &diagnostic.span);
    // Only the lines in question go to the renderer: it would look through the whole text for every problem.
    let window = lines_around(source.text, &span);
    let first_line = source.first_line + lines.before(source.text, window.start);
    let shown = Shown::new(&source.text[window.clone()], &hidden_in(spec, &source, &window));
    let underlined = AnnotationKind::Primary
        .span(shown.place(span.start - window.start)..shown.place_after(span.end - window.start))
        .label((!diagnostic.label.is_empty()).then(|| escape::lines(&diagnostic.label).into_owned()));
    let path = escape::line(&source.name).into_owned();
    let snippet = Snippet::source(&shown.text).path(path).line_start(first_line).annotation(underlined);
    let mut group = level.clone().primary_title(escape::lines(&diagnostic.message)).element(snippet);
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(escape::lines(hint)));
    }
    renderer.render(&[group])
}

/// A span as a range of the source's own text, on character boundaries, inside it.
fn clamp(source: &SpecSource<'_>, span: &Range<usize>) -> Range<usize> {
    let start = floor_boundary(source.text, span.start.saturating_sub(source.start));
    let end = floor_boundary(source.text, span.end.saturating_sub(source.start));
    start..end.max(start)
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

/// The whole lines that hold a range, without the last one's line break (of either sort) and without a byte order mark.
fn lines_around(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    if text[start..span.start].starts_with(BYTE_ORDER_MARK) {
        start += BYTE_ORDER_MARK.len_utf8();
    }
    // An underline that ends just past a line break does not need the next line.
    let last = if span.end > span.start && text[..span.end].ends_with('\n') { span.end - 1 } else { span.end };
    let end = text[last..].find('\n').map_or(text.len(), |at| last + at);
    let end = if text[..end].ends_with('\r') { end - 1 } else { end };
    start..end.max(span.end)
}

/// Where secrets are in some lines of a source, as ranges of those lines, in order and apart.
fn hidden_in(spec: &SpecFile, source: &SpecSource<'_>, window: &Range<usize>) -> Vec<Range<usize>> {
    let known =
        spec.secrets_in(source).into_iter().filter(|range| range.start < window.end && window.start < range.end);
    let hidden =
        known.map(|range| range.start.max(window.start) - window.start..range.end.min(window.end) - window.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in hidden {
        match apart.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => apart.push(range),
        }
    }
    apart
}

/// Lines of a source as they are shown: without secrets, and without what would steer a terminal.
struct Shown {
    text: String,
    /// For each replaced piece its range before and its range now.
    replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Shown {
    fn new(lines: &str, hidden: &[Range<usize>]) -> Shown {
        let mut shown = Shown { text: String::with_capacity(lines.len()), replaced: Vec::new() };
        let mut hidden = hidden.iter().peekable();
        for (at, letter) in lines.char_indices() {
            while hidden.next_if(|range| range.end <= at).is_some() {}
            match hidden.peek() {
                Some(range) if range.start == at => shown.put((*range).clone(), secret::HIDDEN),
                Some(range) if range.contains(&at) => {}
                _ if escape::steers(letter) && !matches!(letter, '\n' | '\t' | '\r') => {
                    shown.put(at..at + letter.len_utf8(), "\u{fffd}");
                }
                _ => shown.text.push(letter),
            }
        }
        shown
    }

    fn put(&mut self, before: Range<usize>, now: &str) {
        let start = self.text.len();
        self.text.push_str(now);
        self.replaced.push((before, start..self.text.len()));
    }

    /// The place of an offset now; inside a replaced piece its beginning.
    fn place(&self, offset: usize) -> usize {
        self.moved(offset, |now| now.start)
    }

    /// The same; inside a replaced piece its end.
    fn place_after(&self, offset: usize) -> usize {
        self.moved(offset, |now| now.end)
    }

    fn moved(&self, offset: usize, inside: impl Fn(&Range<usize>) -> usize) -> usize {
        let last = self.replaced.iter().take_while(|(before, _)| before.start < offset).last();
        match last {
            None => offset,
            Some((before, now)) if offset < before.end => inside(now),
            Some((before, now)) => now.end + (offset - before.end),
        }
    }
}

#[cfg(test)]
mod tests;
