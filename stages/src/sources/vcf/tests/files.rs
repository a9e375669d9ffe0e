//! The shared collection of real files: record counts agree with those of an independent reader.

use std::process::Command;

use crate::sources::vcf::tests::*;

/// Files marked valid of which some records are rejected nonetheless, and how many. Each is named with its cause.
const REJECTED: &[(&str, u64)] = &[];

#[test]
fn counts_agree_with_the_expected() {
    let Some(folder) = shared("data") else { return };
    let expected = std::fs::read_to_string(folder.join("EXPECTED.json")).expect("EXPECTED.json");
    let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
    let sites = source(&["DP", "AF", "ANN", "CSQ"], Samples::None);
    let long = source(&["DP"], Samples::Long);
    let mut files = 0;
    for (name, facts) in expected.as_object().expect("a table") {
        let wanted = ["vcf_", "versions/", "gvcf/"].iter().any(|start| name.starts_with(start));
        let meant = facts["meant"].as_str().unwrap_or_default();
        let Some(records) = facts["records"].as_u64().filter(|_| wanted && meant.starts_with("valid")) else {
            continue;
        };
        let path = folder.join(name);
        let outcome = read(&sites, &path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(outcome.digest.records, records, "{name}");
        let rejected = outcome.rejects.len() as u64;
        let known = REJECTED.iter().find(|(file, _)| file == name).map_or(0, |(_, count)| *count);
        assert_eq!(rejected, known, "{name}: {:?}", outcome.rejects.first());
        let samples = facts["samples"].as_u64().unwrap_or(0);
        if samples > 0 && samples * records < 500_000 {
            let outcome = read(&long, &path).unwrap_or_else(|error| panic!("{name}: {error}"));
            let rows: u64 = outcome.batches.iter().map(|batch| batch.rows() as u64).sum();
            assert_eq!(rows, samples * (records - known), "{name}");
        }
        files += 1;
    }
    assert!(files > 100, "only {files} files");
}

/// The validator's collection: what it passes loads without a reject, what it fails gets an answer.
#[test]
fn conformance_files_load_or_say_why() {
    let Some(folder) = shared("data/conformance/vcf-validator") else { return };
    let sources = [source(&["DP", "AF", "SVLEN", "END"], Samples::None), source(&["DP"], Samples::Long)];
    let (mut passed, mut failed, mut silent) = (0, 0, 0);
    for version in ["v4.1", "v4.2", "v4.3", "v4.4"] {
        for verdict in ["passed", "failed"] {
            for entry in std::fs::read_dir(folder.join(version).join(verdict)).expect("a folder") {
                let path = entry.expect("an entry").path();
                let outcome = read(&sources[0], &path);
                let _ = read(&sources[1], &path);
                if verdict == "passed" {
                    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
                    assert!(outcome.rejects.is_empty(), "{}: {:?}", path.display(), outcome.rejects);
                    passed += 1;
                } else {
                    silent += usize::from(outcome.is_ok_and(|outcome| outcome.rejects.is_empty()));
                    failed += 1;
                }
            }
        }
    }
    println!("{passed} passed; of {failed} failed ones {silent} load without a reject");
    assert!(passed > 70 && failed > 500);
}

#[test]
fn damaged_files_get_an_answer() {
    let Some(folder) = shared("data/malformed") else { return };
    let source = source(&["DP", "AF"], Samples::None);
    let expected = [
        ("cyvcf2_empty.vcf", Err("is empty (0 bytes)")),
        ("gatk_NO_BGZF_TERMINATOR.vcf.gz", Err("do not end with the BGZF end-of-file block")),
        ("gatk_complexEvents_spaces.vcf", Ok((5, 0))),
        ("gcp_invalid-4.0-POS-empty.vcf", Ok((5, 1))),
        ("hail_duplicate_ids.vcf", Err("names the sample `10` twice")),
        ("nfcore_empty_headeronly.vcf.gz", Ok((0, 0))),
        ("oxbow_malformed.bcf", Err("")),
        ("polarsbio_wrong_extension.vcf.bgz", Ok((2, 0))),
        ("pyvcf_example-4.1-bnd.vcf", Err("spaces where tabs belong")),
        ("seqr_1kg_corrupt.vcf.gz", Err("")),
        ("snpeff_test.chr22_nometa.vcf", Ok((15_414, 0))),
        ("vep_no_chrom_line.vcf", Err("#CHROM line")),
    ];
    for (name, expected) in expected {
        match (read(&source, &folder.join(name)), expected) {
            (Ok(outcome), Ok(counts)) => {
                assert_eq!((outcome.digest.records, outcome.rejects.len()), counts, "{name}: {:?}", outcome.rejects);
            }
            (Err(message), Err(expected)) => assert!(message.contains(expected), "{name}: {message}"),
            (outcome, _) => panic!("{name}: {:?}", outcome.map(|outcome| outcome.digest)),
        }
    }
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let _ = read(&source, &entry.expect("an entry").path());
    }
}

/// Every record of the BCF files as bcftools prints it; floats are compared as numbers, since it rounds them.
#[test]
fn bcf_reads_as_bcftools_prints_it() {
    let Some(folder) = shared("data") else { return };
    if Command::new("bcftools").arg("--version").output().is_err() {
        vardelta_test_servers::skipped("BCF as bcftools prints it", "bcftools is not there");
        return;
    }
    let mut inputs =
        vec![folder.join("vcf_large/NA12878_pg_hg38.bcf"), folder.join("conformance/htslib/tabix__vcf_file.bcf")];
    let made = tempfile::tempdir().expect("a folder");
    let texts = [
        "vcf_population/exac_CSQ.vcf.gz",
        "vcf_single/NA12878_CEUTrio_b37_20_21.vcf",
        "vcf_annotated/gemini_test.family.vcf",
        "vcf_cohort/mini_50samples_b37.vcf",
        "vcf_sv/gatk_1kgp_test.merged.vcf.gz",
        "vcf_sv/truvari_input1.vcf.gz",
        "vcf_sv/gridss-na12878.vcf",
        "vcf_somatic/nfcore_mutect2_chr22.vcf.gz",
        "vcf_annotated/snpeff_ANN_EML4-ALK_fusion.vcf",
        "vcf_mito/gnomad.chrM.vcf",
    ];
    for (at, text) in texts.iter().enumerate() {
        // One of them uncompressed.
        let output = made.path().join(format!("{at}.bcf"));
        let kind = if at == 0 { "-Ou" } else { "-Ob" };
        let status = Command::new("bcftools").args(["view", kind, "-o"]).arg(&output).arg(folder.join(text)).output();
        assert!(status.expect("bcftools runs").status.success(), "{text}");
        inputs.push(output);
    }
    let source = source(&["DP"], Samples::None);
    for input in inputs {
        let printed = Command::new("bcftools").args(["view", "-H"]).arg(&input).output().expect("bcftools runs").stdout;
        let mut reader = source.open(&InputFile::at(&input), 2).expect("a BCF file");
        let mut rendered = Vec::new();
        while let Some(chunk) = reader.next_chunk().expect("a whole file") {
            rendered.extend(chunk.bytes);
        }
        let (rendered, printed) = (String::from_utf8_lossy(&rendered), String::from_utf8_lossy(&printed));
        assert_eq!(rendered.lines().count(), printed.lines().count(), "{}", input.display());
        for (ours, theirs) in rendered.lines().zip(printed.lines()) {
            assert!(agree(ours, theirs), "{}\n{ours}\n{theirs}", input.display());
        }
    }
}

fn agree(ours: &str, theirs: &str) -> bool {
    let separators = |c: char| matches!(c, '\t' | ';' | ':' | '=' | ',');
    ours == theirs
        || ours.split(separators).count() == theirs.split(separators).count()
            && ours.split(separators).zip(theirs.split(separators)).all(|(ours, theirs)| {
                ours == theirs
                    || matches!((ours.parse::<f64>(), theirs.parse::<f64>()), (Ok(ours), Ok(theirs))
                        if (ours - theirs).abs() <= 1e-5 * theirs.abs())
            })
}

#[test]
fn values_of_the_header_are_columns() -> Result<(), String> {
    let names = [("release", "fileDate"), ("nothing", "absent")];
    let spanned = |text: &str| Spanned { value: text.to_owned(), span: 0..0 };
    let header_columns = NamedTexts(names.iter().map(|(name, key)| (spanned(name), spanned(key))).collect());
    for samples in [Samples::None, Samples::Long] {
        let options = VcfOptions { header_columns: header_columns.clone(), samples, ..VcfOptions::default() };
        let source = source_of(&options, Path::new("/"))?;
        let file = |date: &str| {
            format!(
                "##fileformat=VCFv4.1\n{date}##ID=<Description=\"ClinVar Variation ID\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\t\
                 INFO\tFORMAT\ta\n1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n"
            )
        };
        let outcome = read_bytes(&source, file("##fileDate=2026-11-02\n##fileDate=2020-01-01\n").as_bytes())?;
        let rows = outcome.rows();
        assert!(rows[0].ends_with(" 2026-11-02 NULL"), "{rows:?}");
        let without = read_bytes(&source, file("").as_bytes())?;
        assert!(without.rows()[0].ends_with(" NULL NULL"));
        // Another date is another content, though every record is the same.
        assert_eq!(outcome.digest, without.digest);
        assert_ne!(outcome.header_digest, without.header_digest);
    }
    let taken = NamedTexts(vec![(spanned("POS"), spanned("fileDate"))]);
    let options = VcfOptions { header_columns: taken, ..VcfOptions::default() };
    assert!(source_of(&options, Path::new("/")).is_err_and(|problem| problem.contains("already is a column `POS`")));
    Ok(())
}
