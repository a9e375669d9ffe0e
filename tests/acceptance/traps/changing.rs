//! A file that grows or is replaced while it is read is refused, and nothing of it is loaded.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use vardelta_engine::{
    abort::Abort,
    error::RunErrorKind,
    observer::Observer,
    report::Progress,
    run::{self, Context, RunOptions},
};
use vardelta_tests::{held::Held, in_process::Warehouse, project::Project};

const PIPELINE: &str = "[pipeline]\nname = \"changing\"\nworkers = 1\nchunk_records = 20000\n\
    [stages.calls]\ntype = \"vcf\"\npath = \"drops/*\"\n\
    [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\
    [stages.rows]\ntype = \"table\"\ninput = \"alleles\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"]\nconflict = \"latest_drop\"\n\
    [stages.warehouse]\ntype = \"sqlite\"\npath = \"changing.sqlite\"\ntables = [\"rows\"]\n";

/// Records of the file: enough that reading it takes longer than the observer's tick.
const RECORDS: usize = 400_000;

/// Does something to the file as soon as the run is seen to read it.
struct Meddler {
    file: PathBuf,
    meddle: fn(&Path),
    done: AtomicBool,
}

impl Observer for Meddler {
    fn progress(&self, progress: &Progress) {
        let is_reading = progress.files.iter().any(|file| file.position_bytes > 0 && file.position_bytes < file.bytes);
        if is_reading && !self.done.swap(true, Ordering::SeqCst) {
            (self.meddle)(&self.file);
        }
    }

    fn wants_changes(&self) -> bool {
        false
    }
}

fn append(file: &Path) {
    let mut file = std::fs::OpenOptions::new().append(true).open(file).expect("the drop can be opened");
    file.write_all(b"2\t5\t.\tA\tC\t.\t.\t.\n").expect("the drop can be written");
}

fn replace(file: &Path) {
    let other = file.with_file_name(".other");
    let bytes = std::fs::read(file).expect("the drop can be read");
    std::fs::write(&other, bytes).and_then(|()| std::fs::rename(&other, file)).expect("the drop can be replaced");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let mut text = String::from("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    (1..=RECORDS).for_each(|pos| text += &format!("1\t{pos}\t.\tA\tC\t.\t.\t.\n"));
    for meddle in [append as fn(&Path), replace] {
        let warehouse = Warehouse::new(PIPELINE);
        let file = warehouse.drops().join("a.vcf");
        std::fs::write(&file, &text).expect("the drop can be written");
        let observer = Meddler { file, meddle, done: AtomicBool::new(false) };
        let plan = warehouse.plan(0);
        let outcome =
            run::run(Context { plan: &plan, abort: &Abort::default(), observer: &observer }, &RunOptions::default());
        assert!(observer.done.load(Ordering::SeqCst), "the run was seen reading");
        let error = outcome.expect_err("should be refused");
        assert_eq!(error.kind, RunErrorKind::Input, "{error}");
        assert!(error.message.contains("a.vcf") && error.message.contains("changed"), "{error}");
        let next = warehouse.run(0, &RunOptions::default()).expect("the next run loads it");
        assert_eq!(next.epoch, 1, "nothing was loaded before");
    }
}

/// Writes other bytes into a file, of the same number, and puts the time of modification back.
fn rewrite_in_place(file: &Path, from: &str, to: &str) {
    let before = std::fs::metadata(file).expect("the drop is there");
    let text = std::fs::read_to_string(file).expect("the drop can be read");
    let other = text.replace(from, to);
    assert!(other != text && other.len() == text.len(), "other bytes, as many");
    let mut open = std::fs::OpenOptions::new().write(true).open(file).expect("the drop can be opened");
    open.write_all(other.as_bytes()).expect("the drop can be written");
    open.set_modified(before.modified().expect("a time")).expect("the time can be set");
    let after = std::fs::metadata(file).expect("the drop is there");
    assert_eq!((before.len(), before.modified().ok()), (after.len(), after.modified().ok()));
}

/// Records of a file that the reader takes several chunks for.
const SEVERAL_CHUNKS: usize = 200_000;

fn vcf() -> String {
    let mut text = String::from("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    (1..=SEVERAL_CHUNKS).for_each(|pos| text += &format!("1\t{pos}\t.\tA\tC\t.\t.\t.\n"));
    text
}

fn table() -> String {
    let mut text = String::from("chrom\tpos\talt\n");
    (1..=SEVERAL_CHUNKS).for_each(|pos| text += &format!("chromosome_1\t{pos}\tC\n"));
    text
}

const TABLE: &str = "[pipeline]\nname = \"changing\"\nworkers = 1\n\
    [stages.calls]\ntype = \"delimited\"\npath = \"drops/*.tsv\"\n\
    [stages.calls.columns]\nalt = \"text\"\nchrom = { type = \"text\", required = true }\n\
    pos = { type = \"int64\", required = true }\n\
    [stages.rows]\ntype = \"table\"\ninput = \"calls\"\nkey = [\"chrom\", \"pos\"]\nconflict = \"latest_drop\"\n\
    [stages.warehouse]\ntype = \"sqlite\"\npath = \"changing.sqlite\"\ntables = [\"rows\"]\n";

/// Neither size nor time tells; what was digested is what was parsed, or nothing is loaded.
#[test]
fn a_file_rewritten_in_place_while_it_is_read_is_refused_though_size_and_time_are_the_same() {
    let cases = [
        (PIPELINE, "drops/a.vcf", vcf(), "199999\t.\tA\tC", "199999\t.\tA\tG"),
        (TABLE, "drops/a.tsv", table(), "199999\tC", "199999\tG"),
    ];
    for (pipeline, name, text, from, to) in cases {
        // Behind the digest and before the first byte is parsed, and between two chunks.
        for point in ["reader:open", "reader:chunk", "reader:chunk:2"] {
            let project = Project::new(pipeline);
            let file = project.write(name, text.as_bytes());
            let reading = Held::at(point, &[], project.command("run", &[]));
            rewrite_in_place(&file, from, to);
            let said = reading.go_on().expect(4);
            for part in ["was changed while it was read", "nothing was written", "drops/a."] {
                assert!(said.stderr.contains(part), "{name}, {point}: {}", said.stderr);
            }
            assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 0, "{name}, {point}");
            // The file as it is now is a drop like any other.
            project.vardelta("run", &[]).expect(0);
            project.vardelta("verify", &[]).expect(0);
            let changed = "SELECT alt FROM rows WHERE pos = 199999";
            assert_eq!(vardelta_tests::database::texts(&project.path("changing.sqlite"), changed), ["G"]);
        }
    }
}
