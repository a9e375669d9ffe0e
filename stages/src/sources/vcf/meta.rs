//! One `##` line of a header, read leniently: `##KEY=value` or `##KEY=<ID=…,Description="…">` (VCF 4.3, section 1.4).

/// The fields of a structured line's value (`<ID=DP,Number=1,…>`), in order; `None` where the value is not structured.
///
/// Quoted values may hold commas, `>` and `\"`. A comma that no `key=` follows belongs to the value before it, and the
/// closing `>` may be missing: neither refuses the file.
pub(super) fn fields(value: &str) -> Option<Vec<(&str, String)>> {
    let mut rest = value.trim_end().strip_prefix('<')?;
    let mut fields: Vec<(&str, String)> = Vec::new();
    while !rest.is_empty() && rest != ">" {
        let equals = rest.find(['=', ',', '"']).filter(|at| rest.as_bytes()[*at] == b'=');
        let key = equals.map(|at| rest[..at].trim());
        let (text, after) = match equals {
            Some(at) => scalar(&rest[at + 1..]),
            None => scalar(rest),
        };
        match (key, fields.last_mut()) {
            (Some(key), _) => fields.push((key, text)),
            (None, Some((_, before))) => {
                before.push(',');
                before.push_str(&text);
            }
            (None, None) => {}
        }
        rest = after;
    }
    Some(fields)
}

/// Reads one value up to its comma; returns it and what follows the comma.
fn scalar(text: &str) -> (String, &str) {
    let Some(quoted) = text.trim_start().strip_prefix('"') else {
        return match text.find(',') {
            Some(comma) => (text[..comma].trim().to_string(), &text[comma + 1..]),
            None => (text.strip_suffix('>').unwrap_or(text).trim().to_string(), ""),
        };
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let after = &quoted[at + 1..];
                return (value, after.find(',').map_or("", |comma| &after[comma + 1..]));
            }
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    // The quote never closes: what follows it is the value, up to the line's `>`.
    (value.strip_suffix('>').map(str::to_string).unwrap_or(value), "")
}

/// The value of a field by its key.
pub(super) fn field<'a>(fields: &'a [(&str, String)], key: &str) -> Option<&'a str> {
    fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> String {
        match fields(value) {
            None => "unstructured".into(),
            Some(fields) => fields.iter().map(|(key, value)| format!("{key}={value}|")).collect(),
        }
    }

    #[test]
    fn reads_what_producers_write() {
        let cases = [
            (r#"<ID=DP,Number=1,Type=Integer,Description="Depth">"#, "ID=DP|Number=1|Type=Integer|Description=Depth|"),
            (r#"<ID=X,Description="a, b=c > \"d\" \\ \n">"#, r#"ID=X|Description=a, b=c > "d" \ \n|"#),
            (r#"<ID=X, Number=A ,Description="d",Source="s">"#, "ID=X|Number=A|Description=d|Source=s|"),
            ("<ID=X,Description=no quotes, and a comma>", "ID=X|Description=no quotes,and a comma|"),
            (r#"<ID=X,Description="never closed>"#, "ID=X|Description=never closed|"),
            ("<ID=chr1,length=5", "ID=chr1|length=5|"),
            (r#"<Description="ClinVar Variation ID">"#, "Description=ClinVar Variation ID|"),
            ("<>", ""),
            ("<", ""),
            ("<,>", ""),
            ("<\"a\",b=c>", "b=c|"),
            ("VCFv4.2", "unstructured"),
        ];
        for (input, expected) in cases {
            assert_eq!(read(input), expected, "{input}");
        }
    }
}
