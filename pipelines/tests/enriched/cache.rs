//! `cache stats` and `cache clear`.

use vardelta_testservice::{Act, Service};

use super::{Copy, PIPELINE, service};

fn tier(copy: &Copy, verb: &[&str], figure: &str) -> u64 {
    let arguments: Vec<&str> = ["cache"].iter().chain(verb).copied().chain([PIPELINE]).collect();
    let report = copy.done(&arguments);
    let tiers = report["tiers"].as_array().expect("tiers");
    assert_eq!((tiers.len(), &tiers[0]["stage"], &tiers[0]["tier"]), (1, &"gene_facts".into(), &"disk".into()));
    tiers[0][figure].as_u64().unwrap_or_else(|| panic!("{report}"))
}

fn requests(service: &Service) -> usize {
    service.asked().len()
}

#[test]
fn tiers_are_counted_and_emptied() {
    let service = service();
    let copy = Copy::new(&service);
    assert_eq!(tier(&copy, &["stats"], "entries"), 0, "there is none yet");
    let report = copy.done(&["run", PIPELINE]);
    let wanted = report["lookups"][0]["wanted"].as_u64().expect("a figure");
    assert_eq!(tier(&copy, &["stats"], "entries"), wanted);
    assert!(tier(&copy, &["stats"], "bytes") > wanted);
    assert_eq!(tier(&copy, &["clear", "--expired"], "cleared"), 0, "all of it counts still");
    assert_eq!(tier(&copy, &["clear"], "cleared"), wanted);
    assert_eq!(tier(&copy, &["stats"], "entries"), 0);
    // The state has its answers all the same: nobody is asked.
    service.otherwise(Some(Act::Status(500, None)));
    let before = requests(&service);
    copy.done(&["run", PIPELINE]);
    assert_eq!(requests(&service), before);
}
