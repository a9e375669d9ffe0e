//! Proposals are valid, and load the file that they were made from.

use std::{fs, path::Path};

use vardelta_engine::{
    abort::Abort,
    diagnostics::Diagnostics,
    observer::Unobserved,
    plan::Plan,
    run::{self, Context, RunOptions},
    spec::SpecFile,
};
use vardelta_stages::REGISTRY;

use super::propose;
use crate::generate::{Annotations, Kind, Settings, generate};

fn plan(text: &str, directory: &Path) -> Plan {
    let mut problems = Diagnostics::default();
    let path = directory.join("proposed.toml");
    let spec = SpecFile::parse(path, text.to_owned(), &[], &|_| None, &mut problems);
    let plan = Plan::resolve(&spec, REGISTRY, &mut problems);
    let messages: Vec<String> = problems.into_sorted().into_iter().map(|problem| problem.message).collect();
    assert_eq!(messages, Vec::<String>::new(), "{text}");
    plan.expect("a plan")
}

#[test]
fn a_proposal_without_a_file_is_valid() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let text = propose("mine", None).expect("a proposal");
    plan(&text, directory.path());
    assert!(text.contains("field = \"ANN\"") && text.contains("path = \"mine.sqlite\""));
}

#[test]
fn proposals_load_the_files_that_they_were_made_from() {
    for (kind, annotations, samples, field) in [
        (Kind::Calls, Annotations::Ann, 2, "ANN"),
        (Kind::Calls, Annotations::Csq, 0, "CSQ"),
        (Kind::Calls, Annotations::None, 0, "contig_summary"),
        (Kind::Clinvar, Annotations::None, 0, "contig_summary"),
    ] {
        let directory = tempfile::tempdir().expect("a scratch directory");
        fs::create_dir(directory.path().join("drops")).expect("a directory");
        let drop = directory.path().join("drops/day1.vcf.gz");
        generate(&Settings { kind, annotations, samples, records: 2_000, ..Settings::default() }, &drop, 1)
            .expect("a drop");
        let text = propose("mine", Some(&drop)).expect("a proposal");
        assert!(text.contains(field) && text.contains("assembly = \"GRCh38\""), "{text}");
        assert_eq!(text.contains("samples = \"long\""), samples > 0);
        let plan = plan(&text, directory.path());
        let context = Context { plan: &plan, abort: &Abort::default(), observer: &Unobserved };
        let options = RunOptions { files: vec![drop], workers: Some(1), ..RunOptions::default() };
        let report = run::run(context, &options).expect("it loads");
        assert!(report.drops[0].loaded > 1_500, "{:?}", report.drops);
    }
}

#[test]
fn what_is_no_vcf_is_refused() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("a.vcf");
    fs::write(&path, "a,b,c\n1,2,3\n").expect("a file");
    let error = propose("mine", Some(&path)).expect_err("it is no VCF");
    assert!(error.to_string().contains("#CHROM"));
}
