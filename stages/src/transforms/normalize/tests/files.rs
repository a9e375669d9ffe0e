//! Real files, through the vcf source: every allele is accounted for.

use std::{collections::BTreeSet, fs};

use crate::{
    test_support::{plan, read_source, then},
    transforms::normalize::NORMALIZE,
};

#[test]
fn every_allele_of_real_files_is_accounted_for() {
    let Some(folder) = vardelta_test_servers::shared_data("every allele of real files", "data") else { return };
    let expected = fs::read_to_string(folder.join("EXPECTED.json")).expect("the list of files");
    let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
    let mut files = 0;
    for (name, facts) in expected.as_object().expect("a table") {
        let fact = |key: &str| facts[key].as_u64().unwrap_or(0);
        let wanted = ["vcf_", "versions/", "gvcf/"].iter().any(|start| name.starts_with(start));
        let valid = facts["meant"].as_str().is_some_and(|meant| meant.starts_with("valid"));
        if !wanted || !valid || fact("size") > 1_500_000 {
            continue;
        }
        let read = read_source(&folder.join(name), &["AC", "AF", "DP"]);
        assert!(read.emit.rejects.is_empty(), "{name}: {:?}", read.emit.rejects);
        let emit = then(&read.emit, &*plan(&NORMALIZE, &[], &read.schema).expect("plans"));

        let rows: u64 = emit.batches.iter().map(|batch| batch.rows() as u64).sum();
        let refused = emit.rejects.len() as u64;
        assert!(emit.rejects.iter().all(|reject| reject.reason.code() == "ref_equals_alt"), "{name}");
        assert_eq!(emit.filtered.len() as u64, fact("star_alts"), "{name}");
        assert_eq!(rows + refused, fact("alt_alleles") - fact("star_alts") - fact("nonref_alts"), "{name}");

        let mut records: BTreeSet<u64> =
            [&emit.filtered, &emit.no_alternate, &emit.reference_blocks].into_iter().flatten().copied().collect();
        records.extend(emit.rejects.iter().filter_map(|reject| reject.origin));
        records.extend(emit.batches.iter().flat_map(|batch| batch.origins.iter().flatten().copied()));
        assert_eq!(records.len() as u64, fact("records"), "{name}");
        files += 1;
    }
    assert!(files > 100, "only {files} files");
}
