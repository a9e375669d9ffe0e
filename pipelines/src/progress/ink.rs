//! Lines of coloured parts, cut to what a terminal shows.

use vardelta_engine::edge::escape;

use super::look::Look;

/// How a part of a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// As the terminal writes.
    Plain,
    /// What is done.
    Done,
    /// What is less important.
    Faint,
    /// What is wrong.
    Bad,
    /// What is odd.
    Odd,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Done => "\u{1b}[36m",
            Ink::Faint => "\u{1b}[2m",
            Ink::Bad => "\u{1b}[31m",
            Ink::Odd => "\u{1b}[33m",
        }
    }
}

/// A line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    parts: Vec<(Ink, String)>,
}

impl Line {
    /// A line of one part.
    pub fn of(ink: Ink, text: impl Into<String>) -> Line {
        Line::default().and(ink, text)
    }

    /// Adds a part. What would steer the terminal is escaped.
    pub fn and(mut self, ink: Ink, text: impl Into<String>) -> Line {
        self.parts.push((ink, escape::line(&text.into()).into_owned()));
        self
    }

    /// Adds a part where it fits whole.
    pub fn and_if_it_fits(self, ink: Ink, text: &str, look: &Look) -> Line {
        if self.has_room_for(text, look) { self.and(ink, text) } else { self }
    }

    /// Whether a part fits whole.
    pub fn has_room_for(&self, text: &str, look: &Look) -> bool {
        self.length() + text.chars().count() < look.width
    }

    fn length(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.chars().count()).sum()
    }

    /// Columns of the terminal that it takes.
    pub fn columns(&self, look: &Look) -> usize {
        self.length().min(look.width.saturating_sub(1))
    }

    /// Adds a bar so many characters wide, of which this share is done.
    pub fn bar(self, width: usize, share: f64, look: &Look) -> Line {
        let (full, empty) = if look.unicode { ("█", "░") } else { ("#", ".") };
        let done = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
        self.and(Ink::Done, full.repeat(done)).and(Ink::Faint, empty.repeat(width - done))
    }

    /// The line as the terminal shows it, a column short of its width: a full line would wrap.
    pub fn render(&self, look: &Look) -> String {
        let (mut left, mut text) = (look.width.saturating_sub(1), String::new());
        for (ink, part) in &self.parts {
            let shown: String = part.chars().take(left).map(|letter| shown(letter, look)).collect();
            left -= shown.chars().count();
            match ink.code() {
                code if !code.is_empty() && look.color && !shown.is_empty() => {
                    text += &format!("{code}{shown}\u{1b}[0m")
                }
                _ => text += &shown,
            }
        }
        text
    }
}

fn shown(letter: char, look: &Look) -> char {
    if look.unicode || letter.is_ascii() { letter } else { '?' }
}

/// A name in so many characters: of a longer one its end, which says more.
pub fn fit(name: &str, width: usize) -> String {
    let length = name.chars().count();
    match length > width {
        true => format!("~{}", name.chars().skip(length + 1 - width).collect::<String>()),
        false => format!("{name:width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_steer_nothing() {
        let look = Look { width: 12, height: 5, unicode: false, color: false };
        let line = Line::of(Ink::Bad, "é\u{1b}[2J").and(Ink::Plain, "0123456789");
        assert_eq!(line.render(&look), "?\\u{1b}[2J0");
        assert_eq!(Line::default().bar(4, 0.5, &look).render(&look), "##..");
        let look = Look { unicode: true, color: true, ..look };
        assert_eq!(Line::default().bar(4, 2.0, &look).render(&look), "\u{1b}[36m████\u{1b}[0m");
        assert_eq!((fit("abc", 5), fit("abcdef", 4)), ("abc  ".into(), "~def".into()));
    }
}
