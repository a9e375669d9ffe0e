//! Rust source taken apart, as far as the rules need it: code, and the texts in it.

/// The code without comments and without the content of literals, and the content of the text literals.
pub fn code_and_texts(source: &str) -> (String, Vec<String>) {
    let letters: Vec<char> = source.chars().collect();
    let (mut code, mut texts, mut at) = (String::new(), Vec::new(), 0);
    let starts = |at: usize, text: &str| text.chars().enumerate().all(|(i, c)| letters.get(at + i) == Some(&c));
    while at < letters.len() {
        if starts(at, "//") {
            while at < letters.len() && letters[at] != '\n' {
                at += 1;
            }
        } else if starts(at, "/*") {
            let mut depth = 0;
            loop {
                if starts(at, "/*") {
                    (depth, at) = (depth + 1, at + 2);
                } else if starts(at, "*/") {
                    (depth, at) = (depth - 1, at + 2);
                } else {
                    at += 1;
                }
                if depth == 0 || at >= letters.len() {
                    break;
                }
            }
        } else if let Some((text, end)) = raw_text(&letters, at).or_else(|| plain_text(&letters, at)) {
            code.push_str("\"\"");
            texts.push(text);
            at = end;
        } else if let Some(end) = character(&letters, at) {
            code.push_str("' '");
            at = end;
        } else {
            code.push(letters[at]);
            at += 1;
        }
    }
    (code, texts)
}

/// `r"…"`, `r#"…"#` and so on; the text and where it ends.
fn raw_text(letters: &[char], at: usize) -> Option<(String, usize)> {
    let is_in_a_word =
        at > 0 && (letters[at - 1].is_alphanumeric() || letters[at - 1] == '_') && letters[at - 1] != 'b';
    if letters[at] != 'r' || is_in_a_word {
        return None;
    }
    let hashes = letters[at + 1..].iter().take_while(|letter| **letter == '#').count();
    let start = at + 1 + hashes;
    if letters.get(start) != Some(&'"') {
        return None;
    }
    let closes = |end: usize| (1..=hashes).all(|hash| letters.get(end + hash) == Some(&'#'));
    let end = (start + 1..letters.len()).find(|end| letters[*end] == '"' && closes(*end))?;
    Some((letters[start + 1..end].iter().collect(), end + hashes + 1))
}

/// `"…"`; the text, lines that end with a backslash put together, and where it ends.
fn plain_text(letters: &[char], at: usize) -> Option<(String, usize)> {
    if letters[at] != '"' {
        return None;
    }
    let (mut text, mut end) = (String::new(), at + 1);
    while end < letters.len() && letters[end] != '"' {
        if letters[end] == '\\' {
            end += 1;
            if letters.get(end) == Some(&'\n') {
                while letters.get(end).is_some_and(|letter| letter.is_whitespace()) {
                    end += 1;
                }
                continue;
            }
        }
        text.extend(letters.get(end));
        end += 1;
    }
    Some((text, end + 1))
}

/// `'x'`, `'\n'`, `'\u{1f}'`, but not the lifetime `'x`; where it ends.
fn character(letters: &[char], at: usize) -> Option<usize> {
    if letters[at] != '\'' {
        return None;
    }
    match letters.get(at + 1)? {
        '\\' => (at + 3..letters.len().min(at + 14)).find(|end| letters[*end] == '\'').map(|end| end + 1),
        _ => (letters.get(at + 2) == Some(&'\'')).then_some(at + 3),
    }
}

/// A file without its own tests, which come at its end.
pub fn without_tests(source: &str) -> &str {
    source.find("#[cfg(test)]\nmod tests {").map_or(source, |at| &source[..at])
}

#[test]
fn source_is_taken_apart() {
    let source = "let a = \"SELECT \\\n   x\"; // \"no\"\nlet b = r#\"a \"b\" c\"#; /* \"no /* */\" */ let c = ['\"', '\\'', 'x']; \
                  fn f<'a>(x: &'a str) {}";
    let (code, texts) = code_and_texts(source);
    assert_eq!(texts, ["SELECT x", "a \"b\" c"]);
    assert!(code.contains("let c = [' ', ' ', ' ']; fn f<'a>(x: &'a str) {}"), "{code}");
    assert!(!code.contains("no"));
}
