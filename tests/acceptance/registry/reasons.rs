//! Reason codes: every one is registered with its stage, explained, and listed in `docs/reasons.md`, which is made here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use vardelta_engine::contract::reason::{Reason, Severity};
use vardelta_tests::{binary::root, golden};

use super::stages;

#[test]
fn reasons_are_explained_words() {
    let mut severities: BTreeMap<&str, Severity> = BTreeMap::new();
    for stage in stages() {
        let mut seen = BTreeSet::new();
        for reason in stage.reasons() {
            let (name, code) = (stage.name(), reason.code());
            assert!(seen.insert(code), "{name} lists `{code}` twice");
            assert!(
                code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{code}"
            );
            for text in [reason.meaning(), reason.remedy()] {
                assert!(
                    text.len() > 10 && !text.ends_with('.') && !text.contains(['\n', '|']),
                    "{name}: {code}: {text}"
                );
            }
            let severity = *severities.entry(code).or_insert(reason.severity());
            assert_eq!(severity, reason.severity(), "`{code}` rejects in one stage and warns in another");
        }
    }
}

/// A constant that no stage lists could still be used: it would be counted, and nobody could look it up.
#[test]
fn every_declared_reason_is_listed_by_a_stage() {
    let listed: BTreeSet<&str> = stages().iter().flat_map(|stage| stage.reasons()).map(Reason::code).collect();
    let mut declared = BTreeSet::new();
    for folder in ["engine/src", "stages/src"] {
        declared_below(&root().join(folder), &mut declared);
    }
    // The example in the macro's own documentation.
    declared.remove("bad_place");
    assert!(declared.len() >= listed.len(), "the declarations are found: {declared:?}");
    let unlisted: Vec<&String> = declared.iter().filter(|code| !listed.contains(code.as_str())).collect();
    assert!(unlisted.is_empty(), "return these from `StageType::reasons`: {unlisted:?}");
}

/// Codes in lines of the form `reject NAME = "code":`, `warning NAME = "code":` or `Variant = "code":`.
fn declared_below(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            declared_below(&path, codes);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            for line in text.lines() {
                let Some((name, rest)) = line.split_once(" = \"") else { continue };
                let Some((code, rest)) = rest.split_once('"') else { continue };
                if rest.starts_with(':') && name.trim().chars().all(|c| c.is_alphanumeric() || " _/".contains(c)) {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
}

#[test]
fn the_list_of_reasons_is_up_to_date() {
    golden::check("docs/reasons.md", &document());
}

fn document() -> String {
    let mut text = String::from(
        "# Reason codes\n\
         \n\
         Why a record was rejected, or what of it was adapted. Codes are stable: reports count by them (`rejects` and\n\
         `warnings` of the JSON report), the column `reason` of `vardelta_rejects` and of `run --rejects` holds them. A code\n\
         is never given another meaning; new ones may come with any release.\n\
         \n\
         A *reject* keeps a record, or a row of it, out of every table; it is written with its drop, stage, line, contig,\n\
         position, detail and raw text, and counts towards `max_reject_share`, which is judged per drop by whole records: a\n\
         record counts as rejected if nothing of it was loaded or filtered. A row that a database refuses (`constraint`) is\n\
         judged when its record is gone: it has no raw text, and contig and position where its table has them. A *warning* is counted only: the record is used.\n\
         \n\
         This page is made from the code by a test; `vardelta stages TYPE` prints the same for one stage.\n",
    );
    for stage in stages() {
        let reasons = stage.reasons();
        if reasons.is_empty() {
            continue;
        }
        text += &format!("\n## {}\n| code | kind | what it means | what to do |\n|---|---|---|---|\n", stage.name());
        for reason in reasons {
            text += &format!(
                "| `{}` | {} | {} | {} |\n",
                reason.code(),
                reason.severity().as_str(),
                reason.meaning(),
                reason.remedy()
            );
        }
    }
    text
}
