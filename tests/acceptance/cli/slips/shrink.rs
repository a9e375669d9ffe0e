//! A new delivery that lacks most of its drop's records is taken for a file that was cut off.

use super::{positions, project, vcf, write_drop};

#[test]
fn a_delivery_that_lost_most_of_its_records_is_refused() {
    let project = project();
    write_drop(&project, "drops/a.vcf", 1);
    write_drop(&project, "drops/b.vcf", 2);
    project.vardelta("run", &[]).expect(0);
    let before = positions(&project);
    for smaller in [vcf(11..=14), vcf([])] {
        project.write("drops/a.vcf", smaller.as_bytes());
        write_drop(&project, "drops/new.vcf", 3);
        for arguments in [&[][..], &["--dry-run"], &["drops/a.vcf"]] {
            let said = project.vardelta("run", arguments).expect(4);
            said.says(&[
                "drop `a` had 10 records",
                "max_shrink_share = 0.5",
                "--accept-smaller",
                "nothing was written",
            ]);
        }
        assert_eq!(positions(&project), before);
    }
    // Half is not more than half.
    project.write("drops/a.vcf", vcf(11..=15).as_bytes());
    project.vardelta("run", &[]).expect(0).says(&["replaced"]);
    project.write("drops/a.vcf", vcf([]).as_bytes());
    project.vardelta("run", &["--accept-smaller", "--dry-run"]).expect(0);
    project.vardelta("run", &["--accept-smaller"]).expect(0).says(&["has no records"]);
    assert_eq!(positions(&project), (21..=40).collect::<Vec<_>>());
    project.write("drops/b.vcf", vcf([21]).as_bytes());
    project.vardelta("run", &["--set", "pipeline.max_shrink_share=0.9"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}
