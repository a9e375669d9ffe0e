//! Files that `generate` makes, read by bcftools and counted by a script that shares nothing with what makes them.

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
};

use flate2::read::MultiGzDecoder;
use vardelta_tests::{
    project::{Said, finish, vardelta_in},
    shared::has_tool,
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

/// Makes a file of this name in a folder.
#[track_caller]
fn generate(folder: &Path, name: &str, options: &str) {
    let arguments: Vec<&str> =
        ["generate", "-q", "--out", name].into_iter().chain(options.split_whitespace()).collect();
    vardelta_in(folder, &arguments).expect(0);
}

/// Runs bcftools, which must have nothing to complain of.
#[track_caller]
fn bcftools(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("bcftools").args(arguments).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.expect("bcftools was started before");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "bcftools {arguments:?}: {complaints}");
    output.stdout
}

/// The first seven columns of every data line of a packed VCF, as the file has them.
fn written(path: &Path) -> Vec<Vec<String>> {
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(path).expect("it was made")).read_to_string(&mut text).expect("it is whole");
    let columns = |line: &str| line.split('\t').take(7).map(str::to_owned).collect();
    text.lines().filter(|line| !line.starts_with('#')).map(columns).collect()
}

#[test]
fn bcftools_reads_every_variant_of_it() {
    if !has_tool("generated files by another hand", "bcftools", "--version") {
        return;
    }
    let folder = folder();
    for (options, of_chr2) in [
        ("--records 20000 --samples 3 --annotations both", "chr2"),
        ("--records 20000 --annotations none --drop 3", "chr2"),
        ("--records 20000 --clinvar --edition 2", "2"),
    ] {
        generate(folder.path(), "made.vcf.gz", options);
        let written = written(&folder.path().join("made.vcf.gz"));
        assert_eq!(written.len(), 20_000, "{options}");

        let format = "%CHROM\t%POS\t%ID\t%REF\t%ALT\t%QUAL\t%FILTER\n";
        let read = String::from_utf8(bcftools(folder.path(), &["query", "-f", format, "made.vcf.gz"])).expect("text");
        let mut lines = read.lines();
        for columns in &written {
            let line: Vec<&str> = lines.next().expect("as many records").split('\t').collect();
            for (at, (read, written)) in line.iter().zip(columns).enumerate() {
                // It writes numbers in a way of its own.
                let number = |text: &str| text.parse::<f32>().ok();
                assert!(
                    read == written || (at == 5 && number(read) == number(written)),
                    "{options}: {line:?} {columns:?}"
                );
            }
        }
        assert_eq!(lines.next(), None, "{options}");
        // As BCF every value is one of its declared type, and as many as are declared.
        assert!(!bcftools(folder.path(), &["view", "-Ob", "made.vcf.gz"]).is_empty());

        // By the index: all of it, and a contig.
        assert_eq!(bcftools(folder.path(), &["index", "--nrecords", "made.vcf.gz"]), b"20000\n", "{options}");
        let found = bcftools(folder.path(), &["query", "-r", of_chr2, "-f", "%POS\n", "made.vcf.gz"]);
        let positions: String =
            written.iter().filter(|columns| columns[0] == of_chr2).map(|columns| columns[1].clone() + "\n").collect();
        assert!(!positions.is_empty() && found == positions.as_bytes(), "{options}");
    }
}

/// Files of the kinds that the script counts.
const FILES: [(&str, &str); 7] = [
    ("calls.vcf", "--records 30000 --samples 2 --annotations both"),
    ("next.vcf", "--records 30000 --annotations none --drop 1"),
    ("clinvar.vcf", "--records 30000 --clinvar"),
    ("release.vcf", "--records 30000 --clinvar --edition 1"),
    ("genes.gff3", "--records 100000 --genes"),
    ("drugs.tsv", "--records 100000 --drugs"),
    ("broken.vcf", "--records 20000 --annotations none --broken 0.05"),
];

fn count(folder: &Path) -> Said {
    let script = include_str!("generated/distributions.py");
    finish(Command::new("python3").args(["-c", script]).arg(folder).stdin(Stdio::null()))
}

#[test]
fn an_independent_script_counts_what_the_documentation_says() {
    if !has_tool("distributions of generated files", "python3", "--version") {
        return;
    }
    let folder = folder();
    for (name, options) in FILES {
        generate(folder.path(), name, options);
    }
    count(folder.path()).expect(0).says(&["0 of "]);

    // It finds what is otherwise than said.
    for (name, options, says) in [
        ("next.vcf", "--records 30000 --annotations none --drop 1 --overlap 0.45", "sites of every drop"),
        ("broken.vcf", "--records 20000 --annotations none --broken 0.065", "broken: "),
        ("release.vcf", "--records 30000 --clinvar --edition 3", "classified again"),
    ] {
        let path = folder.path().join(name);
        let sound = fs::read(&path).expect("it was made");
        generate(folder.path(), name, options);
        count(folder.path()).expect(1).says(&[says]);
        fs::write(&path, sound).expect("it can be written again");
    }
    let calls = fs::read_to_string(folder.path().join("calls.vcf")).expect("it was made");
    for (right, wrong, says) in [
        ("\t<DEL>\t", "\t<DUP>\t", "the allele is of its type"),
        ("e-05", "e-03", "frequencies below 1e-"),
        ("missense_variant", "intron_variant", "no intron's consequence"),
        ("\t./.:", "\t0/1:", "missing genotypes"),
        ("CLNSIG=Benign\t", "CLNSIG=Pathogenic\t", "benign of some kind"),
    ] {
        assert!(calls.contains(right), "{right}");
        fs::write(folder.path().join("calls.vcf"), calls.replace(right, wrong)).expect("it can be written");
        count(folder.path()).expect(1).says(&[says]);
    }
}
