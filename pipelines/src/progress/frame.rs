//! Where on a terminal the view is: below everything else, and drawn again in its own place, also after the terminal was resized.

use super::{ink::Line, look::Look};

/// The lines that the terminal shows of the view.
#[derive(Debug, Default)]
pub struct Frame {
    /// How many columns each of them has.
    columns: Vec<usize>,
}

impl Frame {
    /// What to write to draw these lines in the place of those before.
    pub fn draw(&mut self, lines: &[Line], look: &Look) -> String {
        let mut text = self.start(look);
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            // To the end of the line, which may have been a longer one.
            text += &format!("{}\u{1b}[K", line.render(look));
        }
        self.columns = lines.iter().map(|line| line.columns(look)).collect();
        text + BELOW
    }

    /// What to write to take the view away.
    pub fn clear(&mut self, look: &Look) -> String {
        let text = self.start(look) + BELOW;
        self.columns.clear();
        text
    }

    /// To the start of the first line. Terminals break lines again when they get narrower: a line may have become several. What has
    /// left the screen by that stays where it went.
    fn start(&self, look: &Look) -> String {
        let rows: usize = self.columns.iter().map(|columns| columns.div_ceil(look.width.max(1)).max(1)).sum();
        match rows.saturating_sub(1).min(look.height.saturating_sub(1)) {
            0 => "\r".to_owned(),
            up => format!("\r\u{1b}[{up}A"),
        }
    }
}

/// Takes away what is to the right of the cursor and below it.
const BELOW: &str = "\u{1b}[J";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::ink::Ink;

    fn lines(texts: &[&str]) -> Vec<Line> {
        texts.iter().map(|text| Line::of(Ink::Plain, *text)).collect()
    }

    #[test]
    fn it_is_drawn_where_it_was() {
        let look = |width, height| Look { width, height, unicode: false, color: false };
        let mut frame = Frame::default();
        assert_eq!(
            frame.draw(&lines(&["one", "0123456789"]), &look(80, 24)),
            "\rone\u{1b}[K\n0123456789\u{1b}[K\u{1b}[J"
        );
        assert_eq!(frame.draw(&lines(&["two"]), &look(80, 24)), "\r\u{1b}[1Atwo\u{1b}[K\u{1b}[J");
        assert_eq!(
            frame.draw(&lines(&["one", "0123456789"]), &look(80, 24)),
            "\rone\u{1b}[K\n0123456789\u{1b}[K\u{1b}[J"
        );
        // Of four columns the second line has made three.
        assert!(frame.draw(&lines(&["one", "0123456789"]), &look(4, 24)).starts_with("\r\u{1b}[3Aone"));
        assert_eq!(frame.clear(&look(80, 24)), "\r\u{1b}[1A\u{1b}[J");
        assert_eq!(frame.clear(&look(80, 24)), "\r\u{1b}[J");
        frame.draw(&lines(&["a", "b", "c", "d"]), &look(80, 24));
        assert!(frame.clear(&look(80, 3)).starts_with("\r\u{1b}[2A"), "no further than the screen is high");
    }
}
