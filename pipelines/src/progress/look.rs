//! What a terminal can show.

/// How the way of a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// By a view that is drawn again and again.
    View {
        /// Whether it may be coloured.
        color: bool,
    },
    /// By a line now and then.
    Lines,
    /// Not at all.
    Nothing,
}

/// What the terminal behind standard error can show.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Characters in a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
    /// Whether it may be coloured.
    pub color: bool,
}

impl Look {
    /// The terminal as it is now: it may have been resized.
    pub fn of_terminal(color: bool) -> Look {
        let (width, height) = match rustix::termios::tcgetwinsize(std::io::stderr()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => (80, 24),
        };
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        Look { width, height, unicode: is_unicode(&locale), color }
    }
}

/// Whether programs write UTF-8 in this locale.
fn is_unicode(locale: &str) -> bool {
    let lower = locale.to_ascii_lowercase();
    lower.ends_with("utf-8") || lower.ends_with("utf8") || lower.contains("utf-8@") || lower.contains("utf8@")
}

#[cfg(test)]
mod tests {
    use super::is_unicode;

    #[test]
    fn locales_say_what_is_written() {
        for (locale, unicode) in [
            ("C", false),
            ("", false),
            ("POSIX", false),
            ("C.UTF-8", true),
            ("de_DE.utf8", true),
            ("de_DE@euro", false),
        ] {
            assert_eq!(is_unicode(locale), unicode, "{locale}");
        }
    }
}
