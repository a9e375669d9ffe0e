//! Fail points: the list of them against the code that has them and the tests that use them.

use std::collections::BTreeSet;

use vardelta_engine::failpoint::{Effect, POINTS};

use super::{CRATES, is_for_tests, nothing, read, rust_files, source::without_tests};

/// The names that the code gives to a function of `failpoint`.
fn named_in_code(function: &str) -> BTreeSet<String> {
    let call = format!("failpoint::{function}(\"");
    let mut names = BTreeSet::new();
    for path in CRATES.iter().flat_map(|(name, _)| rust_files(&format!("{name}/src"))) {
        if is_for_tests(&path) {
            continue;
        }
        let text = read(&path);
        let calls = without_tests(&text).split(&call).skip(1);
        names.extend(calls.filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()));
    }
    names
}

#[test]
fn the_list_of_fail_points_is_what_the_code_has() {
    for (function, effect) in [("hit", Effect::Dies), ("fails", Effect::DiskFull), ("panics", Effect::Panics)] {
        let listed: Vec<&str> = POINTS.iter().filter(|point| point.effect == effect).map(|point| point.name).collect();
        let listed_once: BTreeSet<String> = listed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(listed.len(), listed_once.len(), "a point is listed twice");
        assert_eq!(named_in_code(function), listed_once, "failpoint::{function}");
    }
}

#[test]
fn every_fail_point_is_in_a_crash_suite() {
    // A suite takes its points from the list by their areas, or names a point.
    let mut tests = rust_files("tests");
    tests.extend(rust_files("engine").into_iter().filter(|path| is_for_tests(path)));
    let texts: Vec<String> = tests
        .iter()
        .filter(|path| !path.ends_with("tidy/fail_points.rs"))
        .map(|path| read(path))
        .filter(|text| text.contains("failpoint") || text.contains("VARDELTA_FAILPOINT"))
        .collect();
    let is_used = |name: &str| {
        let area = name.split_once(':').map_or(name, |(area, _)| area);
        let by_area = |text: &String| text.contains("failpoint::{") && text.contains(&format!("\"{area}\""));
        let by_name = |text: &String| text.contains(name);
        texts.iter().any(|text| by_area(text) || by_name(text))
    };
    let unused: Vec<String> =
        POINTS.iter().map(|point| point.name).filter(|name| !is_used(name)).map(str::to_owned).collect();
    nothing("a fail point that no crash suite reaches proves nothing", &unused);
}
