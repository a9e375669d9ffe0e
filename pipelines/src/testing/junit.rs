//! Outcomes as JUnit XML, which build servers read.

use super::outcome::FileOutcome;

/// How every report begins.
pub const JUNIT_START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";

/// A report of all files.
pub fn junit(files: &[FileOutcome]) -> String {
    let mut text = String::from(JUNIT_START);
    for file in files {
        let (passed, failed) = file.counts();
        let seconds: f64 = file.tests.iter().map(|test| test.seconds).sum();
        let name = escaped(&file.path.display().to_string());
        text += &format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" time=\"{seconds:.3}\">\n",
            passed + failed
        );
        for test in &file.tests {
            let case = format!("classname=\"{name}\" name=\"{}\" time=\"{:.3}\"", escaped(&test.name), test.seconds);
            if test.failures.is_empty() {
                text += &format!("    <testcase {case}/>\n");
                continue;
            }
            text += &format!("    <testcase {case}>\n");
            for failed in &test.failures {
                text += &format!(
                    "      <failure message=\"{}\">{}</failure>\n",
                    escaped(&failed.what),
                    escaped(&file.message(failed))
                );
            }
            text += "    </testcase>\n";
        }
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

/// A text inside XML 1.0, which has no room for most control characters, escaped or not.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(letter),
            _ if letter.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(escaped("a<b>&\"c\"\u{1b}\n"), "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}\n");
    }
}
