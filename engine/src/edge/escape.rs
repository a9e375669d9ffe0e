//! Text of files and databases on its way to a terminal, a JSON reader or a spreadsheet, none of which it may steer.
//!
//! Escaped are the control characters of ASCII and Latin-1 (C0, DEL, C1: cursor movement, OSC and other commands) and the
//! characters that are drawn as nothing or turn the direction of others (Unicode Standard Annex 9, and the "Trojan source"
//! list of CVE-2021-42574). They are written `\u{1b}`, in JSON `\u001b`.

use std::borrow::Cow;

/// Characters of a value that a report shows, at the most.
pub const SHOWN_CHARACTERS: usize = 120;

/// Whether a character steers what shows it rather than being shown.
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// A text for one line of a terminal: line breaks and tabs are escaped as well.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Lines for a terminal: line feeds stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| letter == '\n')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let unsafe_ = |letter: char| steers(letter) && !stays(letter);
    if !text.chars().any(unsafe_) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            _ if !unsafe_(letter) => safe.push(letter),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            other => safe.extend(other.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// A JSON text whose strings hold no character that steers a terminal. What a JSON reader sees stays the same: such
/// characters are in strings alone, where JSON has an escape for them.
pub fn json(text: &str) -> Cow<'_, str> {
    let unsafe_ = |letter: char| steers(letter) && letter != '\n';
    if !text.chars().any(unsafe_) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if unsafe_(letter) {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// A cell of tab-separated text, which somebody will open in a spreadsheet. `\` is doubled, so that the escapes can be
/// undone; a cell that a spreadsheet would take for a formula gets an apostrophe before it, which makes it a text there
/// (OWASP, "CSV injection").
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if !is_formula && !text.contains('\\') {
        return line(text);
    }
    let doubled = text.replace('\\', "\\\\");
    let safe = line(&doubled);
    Cow::Owned(if is_formula { format!("'{safe}") } else { safe.into_owned() })
}

/// A value that a report can show: of a longer one its beginning, and how long it is.
pub fn cut(text: &str) -> Cow<'_, str> {
    match beginning(text) {
        None => Cow::Borrowed(text),
        Some((shown, characters)) => Cow::Owned(format!("{shown}… ({characters} characters)")),
    }
}

/// The beginning of a value that is too long for a report, and its length in characters; `None` for a shorter one.
pub fn beginning(text: &str) -> Option<(&str, usize)> {
    // Most values are short, and their characters need not be counted.
    if text.len() <= SHOWN_CHARACTERS {
        return None;
    }
    let characters = text.chars().count();
    let end = text.char_indices().nth(SHOWN_CHARACTERS / 2).map_or(text.len(), |(at, _)| at);
    (characters > SHOWN_CHARACTERS).then(|| (&text[..end], characters))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character that a terminal takes for a command or that hides or turns others.
    fn unsafe_letters() -> impl Iterator<Item = char> {
        ('\0'..='\u{e00ff}').filter(|letter| steers(*letter))
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        let text: String = unsafe_letters().collect();
        assert!(text.contains(['\u{1b}', '\u{9b}', '\u{9d}', '\u{7f}', '\u{202e}', '\u{2066}']));
        assert!(!line(&text).chars().any(steers));
        assert!(!cell(&text).chars().any(steers));
        assert_eq!(lines(&text).chars().filter(|letter| steers(*letter)).collect::<String>(), "\n");
        assert_eq!(line("a\tb\u{1b}]0;x\u{7}\n"), "a\\tb\\u{1b}]0;x\\u{7}\\n");
        assert!(matches!(line("chr1 é 漢 \\"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_json_reader_reads_what_was_written() -> Result<(), serde_json::Error> {
        let text: String = unsafe_letters().chain("\\\"é".chars()).collect();
        let written = serde_json::to_string(&text)?;
        let safe = json(&written);
        assert!(!safe.chars().any(steers));
        assert_eq!(serde_json::from_str::<String>(&safe)?, text);
        Ok(())
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "=\t1"] {
            assert!(cell(text).starts_with('\''), "{text}");
        }
        assert_eq!(cell("\t=1"), "\\t=1");
        assert_eq!(cell("a=b\\n"), "a=b\\\\n");
        assert_eq!(cell("-a\\\n"), "'-a\\\\\\n");
    }

    #[test]
    fn long_values_are_cut_and_say_how_long_they_are() {
        assert_eq!(cut(&"A".repeat(SHOWN_CHARACTERS)).len(), SHOWN_CHARACTERS);
        assert_eq!(cut(&"é".repeat(SHOWN_CHARACTERS)).chars().count(), SHOWN_CHARACTERS);
        let cut = cut(&"é".repeat(500_000)).into_owned();
        assert!(cut.starts_with("éé") && cut.ends_with("… (500000 characters)") && cut.len() < 200, "{cut}");
    }
}
