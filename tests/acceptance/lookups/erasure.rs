//! What is erased is forgotten by look-ups too: answers, ledger and caches.

use vardelta_engine::run::RunOptions;
use vardelta_tests::scripted::Failing;

use super::LookedUp;

#[test]
fn an_erased_drop_takes_its_keys_with_it() {
    let sample = LookedUp::new(60);
    sample.genes.knows("TP53", 7157, "tumour");
    sample.genes.knows("RAREGENE", 1, "a-rare-word");
    sample.words.knows("a-rare-word", 2, "x");
    sample.write("day1", &[(1, "TP53"), (2, "BRCA1")]);
    sample.write("patient", &[(3, "RAREGENE"), (4, "TP53")]);
    sample.run();
    std::fs::remove_file(sample.warehouse.drops().join("patient.tsv")).expect("a file can go");
    let erase = || sample.warehouse.erase(0, &["patient".to_owned()], &RunOptions::default());
    // A cache that cannot be reached: nothing is claimed.
    sample.genes.script().failing = Failing::Everything;
    let error = erase().expect_err("the caches do not forget");
    assert!(error.message.contains("the tiers cannot be reached"), "{}", error.message);
    assert_eq!(sample.texts("SELECT count(*) || '' FROM variants"), ["4"], "nothing was erased");
    sample.genes.script().failing = Failing::Nothing;
    let report = erase().expect("erased");
    assert!(report.erased.proven, "{:#?}", report.erased.findings);
    assert_eq!(sample.genes.script().forgotten, ["RAREGENE"]);
    assert_eq!(sample.words.script().forgotten, ["a-rare-word"]);
    assert_eq!(sample.ledger(), ["gene_facts BRCA1 absent 0", "gene_facts TP53 found 0", "word_facts tumour absent 0"]);
    for entry in walk(sample.warehouse.directory.path()) {
        let bytes = std::fs::read(&entry).expect("a file can be read");
        for secret in ["RAREGENE", "a-rare-word"] {
            assert!(!holds(&bytes, secret), "{} holds {secret}", entry.display());
        }
    }
    sample.is_sound();
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let (mut open, mut files) = (vec![directory.to_path_buf()], Vec::new());
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory can be read") {
            let path = entry.expect("a directory can be read").path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files
}
