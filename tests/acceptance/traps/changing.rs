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
use vardelta_tests::in_process::Warehouse;

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
