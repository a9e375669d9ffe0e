//! What becomes of every trap of the field. The cases are in [`cases`] and [`malformed`], each with what must become of it;
//! `docs/traps.md` is made from them.

mod cases;
mod changing;
mod fuzzed;
mod made;
mod malformed;
mod outcome;
mod truncated;

use std::collections::BTreeSet;

use vardelta_tests::{golden, shared::shared};

use cases::{Case, Input};

/// The document that lists the cases.
const DOCUMENT: &str = "docs/traps.md";

/// Every file of the shared folders has a case: one without would be a trap whose outcome nobody stated.
#[test]
fn every_shared_file_has_a_case() {
    for (folder, cases) in [("traps", cases::cases()), ("data/malformed", malformed::cases())] {
        let Some(path) = shared("every trap has a case", folder) else { continue };
        let files: BTreeSet<String> = std::fs::read_dir(path)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        let named: BTreeSet<String> =
            cases.iter().filter_map(|case| case.shared_path()?.rsplit('/').next().map(str::to_owned)).collect();
        assert_eq!(files, named, "shared/{folder}: files against cases");
    }
}

#[test]
fn every_trap_ends_as_it_must() {
    let (mut names, mut wrong) = (BTreeSet::new(), Vec::new());
    for case in cases::cases().into_iter().chain(malformed::cases()) {
        assert!(names.insert(case.name), "`{}` is there twice", case.name);
        let (rows, counts) =
            case.expected.unwrap_or_else(|| panic!("nobody wrote down what becomes of `{}`", case.name));
        let seen = match &case.input {
            Input::Shared(path) => shared(case.name, path).map(|path| outcome::of_file(&path, &case)),
            Input::Made(name, bytes) => Some(outcome::of_bytes(name, bytes, &case)),
            Input::Piped(bytes) => Some(outcome::of_pipe(bytes, &case)),
        };
        if let Some(seen) = seen.filter(|seen| (seen.rows.as_str(), seen.counts.as_str()) != (rows, counts)) {
            let name = case.name;
            wrong.push(format!("{name}:\n  must be {rows} | {counts}\n  but is  {} | {}", seen.rows, seen.counts));
        }
    }
    assert!(wrong.is_empty(), "{} traps end otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

/// The document is made from the expectations, never from what was seen.
#[test]
fn the_document_says_what_is_expected() {
    let mut text = String::from(PREFACE);
    for (title, cases) in
        [("Made cases and small files", cases::cases()), ("Damaged and odd files", malformed::cases())]
    {
        text += &format!(
            "\n## {title}\n| case | what is in it | what is in the table | warnings and rejects |\n|---|---|---|---|\n"
        );
        for case in cases {
            let (rows, counts) = case.expected.unwrap_or_default();
            text += &format!("| {} | {} | {} | {} |\n", case.name, case.about, escaped(rows), escaped(counts));
        }
    }
    golden::check(DOCUMENT, &text);
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;").replace('*', "\\*")
}

const PREFACE: &str = "\
# What vardelta does with the traps of the field

Each line is a test: the case is loaded through `vcf`, `normalize` and `table` (`info = [\"DP\", \"AF\", \"AD\", \"DB\", \"S\", \"END\",
\"SVLEN\"]`; with `samples = \"long\"` where genotypes are shown), and must end as this page says. Rows are shown as
`contig:position REF>ALT` with the columns that are not NULL; codes are explained in [reasons.md](reasons.md). A refused file ends the run with
the exit code shown before anything is written. Names that begin with a number are files of a collection that lies beside the
repository where it was developed; all others are made by the test.

Also tested: a BGZF file cut off at any byte, at a block boundary as well, is refused; a file that grows or is replaced while it is read is refused.
";

/// A case as the tables list it.
fn case(name: &'static str, about: &'static str, input: Input) -> Case {
    Case { name, about, input, samples: false, allow_missing_eof: false, expected: None }
}
