//! Reclassified variants are reported with the farthest first, and the command that is reported shows them all.

use vardelta_tests::{
    project::{Project, vardelta_in},
    web_sink::WebSink,
};

use super::{META, project};

fn release(project: &Project, words: &[(&str, &str, u64)]) {
    let record =
        |(place, word, carriers): &(&str, &str, u64)| format!("1 {place} . A C 9 PASS CLNSIG={word};AC={carriers}");
    let records: Vec<String> = words.iter().map(record).collect();
    project.write_drop("clinvar", META, &records.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn carried_variants_that_moved_are_told_and_the_others_are_not() {
    let slack = WebSink::start();
    let project = project(&format!(
        "[operate.alerts]\nreclassification = {{ table = \"variants\", by = \"clinical_rank\", carriers = \"carrier_count\", top_rows = 2 \
         }}\nslack.webhook = \"{}\"",
        slack.url("/x")
    ));
    let before = [
        ("10", "Benign", 3),
        ("20", "Uncertain_significance", 1),
        ("30", "Benign", 0),
        ("40", "Pathogenic", 2),
        ("50", "Likely_benign", 5),
    ];
    release(&project, &before);
    project.vardelta("run", &[]).expect(0);
    assert!(slack.posted().is_empty(), "what is new is not reclassified");

    // By 4, by 1, by 4 without a carrier, not at all, and by 1.
    let after = [
        ("10", "Pathogenic", 3),
        ("20", "Likely_pathogenic", 1),
        ("30", "Pathogenic", 0),
        ("40", "Pathogenic", 9),
        ("50", "Uncertain_significance", 5),
    ];
    release(&project, &after);
    // The channel is away when it happens, and hears of it from a run that changes nothing.
    slack.answer("403 Forbidden");
    project.vardelta("run", &[]).expect(0).says(&["alert: clinvar_reclassification (warning): 3 rows"]);
    project.vardelta("run", &[]).expect(0);
    let texts: Vec<String> =
        slack.posted().iter().map(|posted| posted.json()["text"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[0], texts[1]);
    let lines: Vec<&str> = texts[1].lines().filter(|line| line.trim_start().starts_with('~')).collect();
    assert_eq!(lines.len(), 2, "{}", texts[1]);
    assert!(lines[0].contains("position=10") && lines[0].contains("clinical_rank -2 -&gt; 2"), "{lines:?}");
    assert!(lines[1].contains("position=20"), "{lines:?}");
    let command = texts[1].lines().find_map(|line| line.split_once("all of them: vardelta ")).expect("a command").1;
    let words: Vec<&str> = command.split(' ').collect();
    let shown = vardelta_in(project.directory(), &words).expect(0);
    assert_eq!(shown.stdout.lines().filter(|line| line.trim_start().starts_with('~')).count(), 5, "{}", shown.stdout);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(slack.posted().len(), 2, "it is reported once");
}
