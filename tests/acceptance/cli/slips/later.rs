//! A delivery that was given by its path, and the older file that still lies in the folder.

use super::{positions, project, write_drop};

#[test]
fn an_older_file_of_the_folder_is_said_to_replace_a_later_delivery() {
    let project = project();
    write_drop(&project, "drops/d.vcf", 1);
    project.vardelta("run", &[]).expect(0);
    write_drop(&project, "later/d.vcf", 2);
    let said = project.vardelta("run", &["later/d.vcf"]).expect(0);
    assert!(!said.stdout.contains("replaces what was loaded"), "who names a file means it: {}", said.stdout);
    let words = ["drop `d`", "`drops/d.vcf`, replaces what was loaded from `later/d.vcf` in epoch 2"];
    project.vardelta("run", &["--dry-run"]).expect(0).says(&words);
    let said = project.vardelta("run", &["-q"]).expect(0);
    assert!(words.iter().all(|word| said.stderr.contains(word)), "{}", said.stderr);
    assert_eq!(positions(&project)[0], 11);
    // A file that changes where it lies is nothing to be said.
    write_drop(&project, "drops/d.vcf", 3);
    let said = project.vardelta("run", &[]).expect(0);
    assert!(!said.stdout.contains("replaces what was loaded"), "{}", said.stdout);
}

#[test]
fn a_new_name_is_compared_with_what_is_delivered_beside_it() {
    let project = project();
    write_drop(&project, "drops/d.vcf", 1);
    project.vardelta("run", &[]).expect(0);
    let said = |project: &vardelta_tests::project::Project| project.vardelta("run", &["--dry-run"]).expect(0).stdout;
    // What d was is now z, and d is another.
    write_drop(&project, "drops/z.vcf", 1);
    assert!(said(&project).contains("drop `z` has the same bytes as drop `d`"));
    write_drop(&project, "drops/d.vcf", 2);
    assert!(!said(&project).contains("the same bytes"));
    // And d becomes what z is.
    write_drop(&project, "drops/z.vcf", 2);
    assert!(said(&project).contains("drop `z` has the same bytes as drop `d`"));
}
