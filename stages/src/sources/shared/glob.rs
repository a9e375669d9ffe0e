//! Globs over the bytes of paths, so that a name that is no UTF-8 is matched as any other.
//!
//! `*` stands for any characters of a name, `?` for one, `[a-z]` and `[!a-z]` for one of (or none of) these, `**` for any
//! folders, `{a,b}` for either. A name that begins with a dot is matched only by what begins with one. Characters that mean
//! something are taken literally in brackets: `[*]`, `[{]`.

use std::fmt::Write as _;

use regex::bytes::Regex;

/// Alternatives that braces may make, at the most.
const MOST_ALTERNATIVES: usize = 1_000;

/// One part of a path.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// This name.
    Name(String),
    /// Names that match.
    Names {
        /// What the whole name matches.
        regex: Regex,
        /// Whether names that begin with a dot count.
        hidden: bool,
    },
    /// Any folders, none included.
    Folders,
}

/// Reads a glob: for each of the alternatives that its braces make, the parts of the path.
///
/// # Errors
/// What is wrong with it, in a few words.
pub(super) fn read(pattern: &str) -> Result<Vec<Vec<Part>>, String> {
    let mut alternatives = Vec::new();
    expand(String::new(), pattern, &mut alternatives)?;
    alternatives
        .iter()
        .map(|alternative| {
            let parts = alternative.split('/').filter(|part| !part.is_empty() && *part != ".");
            parts.map(read_part).collect()
        })
        .collect()
}

/// Writes out the braces of `rest`, after what is before it.
fn expand(before: String, rest: &str, out: &mut Vec<String>) -> Result<(), String> {
    let Some(open) = find(rest, &['{'])? else {
        if out.len() == MOST_ALTERNATIVES {
            return Err(format!("its braces make more than {MOST_ALTERNATIVES} patterns"));
        }
        out.push(before + rest);
        return Ok(());
    };
    let (mut depth, mut at, mut start) = (1, open + 1, open + 1);
    let mut choices = Vec::new();
    while depth > 0 {
        let next = find(&rest[at..], &['{', '}', ','])?.map(|next| at + next).ok_or("a `{` is not closed")?;
        match rest.as_bytes()[next] {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ if depth == 1 => {
                choices.push(&rest[start..next]);
                start = next + 1;
            }
            _ => {}
        }
        at = next + 1;
    }
    choices.push(&rest[start..at - 1]);
    let (head, tail) = (format!("{before}{}", &rest[..open]), &rest[at..]);
    // As in a shell, braces around one thing stand for themselves.
    let (opening, closing) = if choices.len() == 1 { ("[{]", "[}]") } else { ("", "") };
    for choice in choices {
        // A choice may hold braces of its own.
        let mut inner = Vec::new();
        expand(String::new(), choice, &mut inner)?;
        for choice in inner {
            expand(format!("{head}{opening}{choice}{closing}"), tail, out)?;
        }
    }
    Ok(())
}

/// The first of these characters outside brackets.
fn find(text: &str, wanted: &[char]) -> Result<Option<usize>, String> {
    let mut at = 0;
    while let Some(found) = text[at..].find(|letter| letter == '[' || wanted.contains(&letter)).map(|next| at + next) {
        if !text[found..].starts_with('[') {
            return Ok(Some(found));
        }
        at = found + class_end(&text[found..])?;
    }
    Ok(None)
}

/// The length of a text's class: from `[` to its `]`, both included.
fn class_end(text: &str) -> Result<usize, String> {
    let inside = text[1..].strip_prefix('!').unwrap_or(&text[1..]);
    let start = text.len() - inside.len();
    // A bracket that comes first is one of the characters.
    let skipped = usize::from(inside.starts_with(']'));
    match inside[skipped..].find([']', '/']) {
        Some(at) if inside.as_bytes()[skipped + at] == b']' => Ok(start + skipped + at + 1),
        _ => Err("a `[` is not closed".into()),
    }
}

fn read_part(part: &str) -> Result<Part, String> {
    if part == "**" {
        return Ok(Part::Folders);
    }
    if part.contains("**") {
        return Err("`**` stands for folders, and fills the place between two `/` alone".into());
    }
    if !part.contains(['*', '?', '[']) {
        return Ok(Part::Name(part.to_owned()));
    }
    let (mut text, mut rest, mut name) = (String::from(r"\A"), part, Some(String::new()));
    while let Some(letter) = rest.chars().next() {
        let mut taken = letter.len_utf8();
        match letter {
            '*' => text.push_str("(?s-u:.)*"),
            // One character, or one byte of what is none.
            '?' => text.push_str("(?:(?s:.)|(?s-u:.))"),
            '[' => {
                taken = class_end(rest)?;
                let class = &rest[1..taken - 1];
                write_class(class, &mut text)?;
                name = name.filter(|_| class.chars().count() == 1).map(|name| name + class);
            }
            other => {
                text.push_str(&regex::escape(other.encode_utf8(&mut [0; 4])));
                name.iter_mut().for_each(|name| name.push(other));
            }
        }
        if matches!(letter, '*' | '?') {
            name = None;
        }
        rest = &rest[taken..];
    }
    if let Some(name) = name {
        return Ok(Part::Name(name));
    }
    let regex = Regex::new(&(text + r"\z")).map_err(|_| format!("`{part}` cannot be matched"))?;
    Ok(Part::Names { regex, hidden: part.starts_with('.') })
}

/// Writes what is in brackets as a class of regular expressions.
fn write_class(class: &str, out: &mut String) -> Result<(), String> {
    let (negated, letters) = class.strip_prefix('!').map_or((false, class), |letters| (true, letters));
    let letters: Vec<char> = letters.chars().collect();
    out.push_str(if negated { "[^" } else { "[" });
    let mut at = 0;
    while let Some(first) = letters.get(at) {
        let (last, taken) = match letters.get(at + 1..at + 3) {
            Some(['-', last]) => (last, 3),
            _ => (first, 1),
        };
        if last < first {
            return Err(format!("in `[{class}]` the range `{first}-{last}` is empty"));
        }
        let _ = write!(out, "\\x{{{:x}}}-\\x{{{:x}}}", u32::from(*first), u32::from(*last));
        at += taken;
    }
    out.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &[u8]) -> bool {
        read(pattern).expect("a glob").iter().any(|parts| match &parts[..] {
            [Part::Name(literal)] => literal.as_bytes() == name,
            [Part::Names { regex, .. }] => regex.is_match(name),
            _ => false,
        })
    }

    #[test]
    fn names_match_by_their_bytes() {
        for (pattern, name) in [
            ("*.vcf", &b"a.vcf"[..]),
            ("*.vcf", b"M\xfcller.vcf"),
            ("M?ller.vcf", b"M\xfcller.vcf"),
            ("M?ller.vcf", "Müller.vcf".as_bytes()),
            ("M[üö]ller.vcf", "Müller.vcf".as_bytes()),
            ("[a-c]1", b"b1"),
            ("[!a-c]1", b"d1"),
            ("[]]", b"]"),
            ("[!]]x", b"ax"),
            ("a[*]b", b"a*b"),
            ("a[-x]", b"a-"),
            ("a[x-]", b"a-"),
            ("a.(1)+", b"a.(1)+"),
            ("a(1)*", b"a(1)."),
            ("*\n*", b"a\nb"),
            ("*.{vcf,vcf.gz}", b"a.vcf.gz"),
            ("*.{vcf,vcf.gz}", b"a.vcf"),
            ("{a,b{1,2}}.vcf", b"b2.vcf"),
            ("{a,}b", b"b"),
            ("a{1}.vcf", b"a{1}.vcf"),
            ("[{]a,b}", b"{a,b}"),
        ] {
            assert!(matches(pattern, name), "{pattern} {}", name.escape_ascii());
        }
        for (pattern, name) in [
            ("*.vcf", &b"a.vcf.gz"[..]),
            ("a?c", b"ac"),
            ("[a-c]1", b"d1"),
            ("[!a-c]1", b"b1"),
            ("a.vcf", b"axvcf"),
            ("M?ller.vcf", b"Mxxller.vcf"),
            ("*.{vcf,bcf}", b"a.gcf"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {}", name.escape_ascii());
        }
    }

    #[test]
    fn says_what_is_no_glob() {
        for (pattern, problem) in [
            ("drops/[a-z", "`[` is not closed"),
            ("drops/[a/b]", "`[` is not closed"),
            ("drops/*.{vcf,bcf", "`{` is not closed"),
            ("drops/**.vcf", "`**` stands for folders"),
            ("[z-a]", "is empty"),
            (&"{a,b}".repeat(20), "more than 1000"),
        ] {
            let message = read(pattern).expect_err(pattern);
            assert!(message.contains(problem), "{pattern}: {message}");
        }
    }
}
