//! `--prune` takes a folder that is not there for a slip, not for an order.

use std::fs;

use super::{drops, pipeline, positions, project, write_drop};
use vardelta_tests::project::Project;

fn loaded(count: u64) -> Project {
    let project = project();
    for number in 1..=count {
        write_drop(&project, &format!("drops/d{number}.vcf"), number);
    }
    project.vardelta("run", &[]).expect(0);
    project
}

#[test]
fn a_folder_that_is_not_mounted_takes_nothing_away() {
    let project = loaded(3);
    fs::rename(project.path("drops"), project.path("away")).expect("a folder can be moved");
    for arguments in [&["--prune"][..], &["--prune", "--dry-run"], &["--prune", "--set", "pipeline.max_prune_share=1"]]
    {
        let said = project.vardelta("run", arguments).expect(4);
        said.says(&["3 of its 3 drops are gone", "matches no file at all", "--prune-all", "d2"]);
    }
    assert_eq!(drops(&project), ["d1", "d2", "d3"]);
    assert_eq!(positions(&project).len(), 30);
    project.vardelta("run", &["--prune-all"]).expect(0);
    assert_eq!((drops(&project).len(), positions(&project).len()), (0, 0));
}

#[test]
fn more_than_a_share_of_the_drops_needs_a_word() {
    let project = loaded(10);
    let remove = |number: u64| fs::remove_file(project.path(&format!("drops/d{number}.vcf"))).expect("removed");
    (1..=3).for_each(remove);
    write_drop(&project, "drops/new.vcf", 20);
    project.vardelta("run", &["--prune"]).expect(4).says(&["3 of its 10 drops", "max_prune_share = 0.2"]);
    assert_eq!(drops(&project).len(), 10, "and nothing else was done either");
    write_drop(&project, "drops/d3.vcf", 3);
    project.vardelta("run", &["--prune"]).expect(0).says(&["withdrawn"]);
    assert_eq!(drops(&project).len(), 9);
    (3..=5).for_each(remove);
    project.vardelta("run", &["--prune"]).expect(4);
    project.vardelta("run", &["--prune", "--set", "pipeline.max_prune_share=0.5"]).expect(0);
    assert_eq!(drops(&project), ["d6", "d7", "d8", "d9", "d10", "new"]);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_file_under_another_name_is_not_gone() {
    let project = loaded(2);
    fs::rename(project.path("drops/d1.vcf"), project.path("drops/renamed.vcf")).expect("renamed");
    project.vardelta("run", &["--prune"]).expect(0).says(&["the same bytes as drop `d1`"]);
    assert_eq!(drops(&project), ["d2", "renamed"]);
    assert_eq!(positions(&project).len(), 20);
}

#[test]
fn every_source_is_guarded_by_itself() {
    let second = "path = \"drops/*.vcf\"\n[stages.late]\ntype = \"vcf\"\npath = \"late/*.vcf\"\n\
        [stages.both]\ntype = \"union\"\ninputs = [\"calls\", \"late\"]\n";
    let text = pipeline(second).replace("input = \"calls\"", "input = \"both\"");
    let project = Project::new(&text);
    for number in 1..=9 {
        write_drop(&project, &format!("drops/d{number}.vcf"), number);
    }
    write_drop(&project, "late/only.vcf", 10);
    project.vardelta("run", &[]).expect(0);
    fs::remove_file(project.path("late/only.vcf")).expect("removed");
    project.vardelta("run", &["--prune"]).expect(4).says(&["source `late`", "1 of its 1 drops"]);
    assert_eq!(drops(&project).len(), 10);
}
