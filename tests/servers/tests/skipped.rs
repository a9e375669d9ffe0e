//! Tests that go without something are seen.

use std::process::{Command, Output};

use vardelta_test_servers::shared_data;

/// Started by the test below, in a process of its own.
#[test]
#[ignore = "goes without its data on purpose"]
fn goes_without() {
    assert_eq!(shared_data("goes_without", "traps"), None);
    assert_eq!(shared_data("goes_without", "data/x.vcf"), None);
}

fn without_data(required: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("a process knows its executable"));
    command.args(["--exact", "goes_without", "--ignored"]);
    command.env("VARDELTA_SHARED", "/nowhere").env("VARDELTA_REQUIRE_SHARED", required);
    // The shell that counts holds the pipe until it has said what it has to say.
    command.output().expect("the test can be started")
}

#[test]
fn what_was_skipped_is_counted_at_the_end_and_a_failure_where_it_is_required() {
    let skipped = without_data("0");
    let said = String::from_utf8_lossy(&skipped.stderr);
    assert!(skipped.status.success(), "{said}");
    assert!(said.contains("skipped in this run: 2"), "{said}");
    assert!(said.contains("  goes_without: ../shared/data/x.vcf is not there"), "{said}");
    let required = without_data("1");
    assert!(!required.status.success());
    let said = String::from_utf8_lossy(&required.stdout);
    assert!(said.contains("../shared/traps is not there, and VARDELTA_REQUIRE_SHARED is 1"), "{said}");
}
