//! Ledger order, and rows that say themselves which of them is newer.

use vardelta_tests::{cost, database::Cell, project::Project};

use super::{drops, pipeline, rows, write_drop};

fn release(quality: u64) -> String {
    format!(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t100\t.\tA\tC\t{quality}\tPASS\tRELEASE={quality}\n"
    )
}

fn standing(project: &Project) -> Cell {
    rows(project.directory(), "qual").into_iter().next().expect("a row").1
}

#[test]
fn releases_of_one_run_are_ordered_as_people_count() {
    let project = super::project();
    for (name, quality) in [("clinvar_10", 10), ("clinvar_9", 9), ("clinvar_2", 2)] {
        project.write(&format!("drops/{name}.vcf"), release(quality).as_bytes());
    }
    project.vardelta("run", &[]).expect(0);
    assert_eq!(drops(&project), ["clinvar_2", "clinvar_9", "clinvar_10"]);
    assert_eq!(standing(&project), Cell::real(Some(10.0)));
}

#[test]
fn a_corrected_drop_keeps_its_place_in_ledger_order() {
    let project = super::project();
    project.write("drops/a.vcf", release(1).as_bytes());
    project.vardelta("run", &[]).expect(0);
    project.write("drops/b.vcf", release(2).as_bytes());
    project.vardelta("run", &[]).expect(0);
    project.write("drops/a.vcf", release(3).as_bytes());
    project.vardelta("run", &[]).expect(0);
    assert_eq!(standing(&project), Cell::real(Some(2.0)));
}

#[test]
fn with_greatest_an_older_release_that_comes_later_does_not_win() {
    let text = pipeline("path = \"drops/*.vcf\"\ninfo = [{ name = \"RELEASE\", type = \"Integer\" }]")
        .replace("\"ref\", \"alt\"]\n", "\"ref\", \"alt\"]\nconflict = \"greatest\"\nconflict_by = \"info_release\"\n");
    let project = Project::new(&text);
    let deliver = |name: &str, release_number: u64| {
        project.write(&format!("drops/{name}.vcf"), release(release_number).as_bytes());
        project.vardelta("run", &[]).expect(0);
        standing(&project)
    };
    assert_eq!(deliver("february", 2), Cell::real(Some(2.0)));
    assert_eq!(deliver("january", 1), Cell::real(Some(2.0)), "the back-filled one does not win");
    assert_eq!(deliver("march", 3), Cell::real(Some(3.0)));
    assert_eq!(deliver("january", 4), Cell::real(Some(4.0)), "a correction that makes it the newest");
    assert_eq!(deliver("january", 1), Cell::real(Some(3.0)), "and another that takes it back");
    for (name, left) in [("february", 3.0), ("march", 1.0)] {
        project.vardelta("withdraw", &[name]).expect(0);
        assert_eq!(standing(&project), Cell::real(Some(left)));
        project.vardelta("verify", &[]).expect(0);
    }
    for (text, said) in [
        (text.replace("conflict_by = \"info_release\"\n", ""), "needs `conflict_by`"),
        (text.replace("conflict = \"greatest\"\n", ""), "without `conflict = \"greatest\"`"),
        (text.replace("conflict_by = \"info_release\"", "conflict_by = \"pos\""), "part of the key"),
        (text.replace("conflict_by = \"info_release\"", "conflict_by = \"qual\""), "is a float64"),
        (
            text.replace("conflict_by = \"info_release\"", "conflict_by = \"info_releas\""),
            "Did you mean `info_release`",
        ),
    ] {
        project.write("pipeline.toml", text.as_bytes());
        project.vardelta("validate", &[]).expect(3).says(&[said]);
    }
}

#[test]
fn a_file_with_thousands_of_problems_costs_no_more_than_it_is_long() {
    let project = super::project();
    write_drop(&project, "drops/a.vcf", 1);
    let repeated = |count: usize| format!("{}\n[more]\n{}", pipeline(""), "x = 1\n".repeat(count));
    let stages = |count: usize| {
        let stage =
            |at: usize| format!("[stages.s{at}]\ntype = \"filter\"\ninput = \"unknown{at}\"\nwhere = \"true\"\n");
        format!("{}{}", pipeline(""), (0..count).map(stage).collect::<String>())
    };
    let options = |count: usize| pipeline(&(0..count).map(|at| format!("optn{at} = 1\n")).collect::<String>());
    let long = |count: usize| {
        let (name, input) = ("a".repeat(count), "b".repeat(count));
        format!("{}\n[stages.{name}]\ntype = \"filtr\"\ninput = \"{input}\"\n", pipeline(""))
    };
    let judged = |what: &str, text: String, said: &str| {
        project.write("pipeline.toml", text.as_bytes());
        let (all, cost) = cost::of(project.command("validate", &[]));
        let all = all.expect(3).says(&[said]);
        assert!(all.stderr.len() < 3 << 20, "{what}: {} bytes are said", all.stderr.len());
        cost
    };
    type Text<'a> = &'a dyn Fn(usize) -> String;
    let cases: [(&str, Text<'_>, usize, &str); 4] = [
        ("repeated keys", &repeated, 100_000, "more problems are not listed"),
        ("unknown inputs", &stages, 3_000, "more problems are not listed"),
        ("unknown options", &options, 50_000, "more problems are not listed"),
        ("long names", &long, 100_000, "there is no stage"),
    ];
    for (what, text, count, said) in cases {
        cost::is_linear(what, [count / 2, count], |count| judged(what, text(count), said));
    }
    judged("a drop", "x".repeat(17 << 20), "more than 16777216");
}
