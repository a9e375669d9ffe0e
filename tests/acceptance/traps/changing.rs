//! A file that grows or is replaced while it is read is refused, and nothing of it is loaded.

use std::{
    io::{Read as _, Write as _},
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
use vardelta_schemas::ledger::Epoch;
use vardelta_tests::{
    held::Held,
    in_process::Warehouse,
    project::Project,
    shared::{has_tool, tool_output},
};

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
        assert_eq!(next.epoch, Epoch::FIRST, "nothing was loaded before");
    }
}

/// Writes other bytes into a file, of the same number, and puts the time of modification back.
fn rewrite_in_place(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("the drop can be read");
    overwrite(file, text.replace(from, to).as_bytes());
}

/// Writes these bytes, as many as there are and others, and puts the time of modification back.
fn overwrite(file: &Path, other: &[u8]) {
    let before = std::fs::metadata(file).expect("the drop is there");
    let bytes = std::fs::read(file).expect("the drop can be read");
    assert!(other != bytes && other.len() == bytes.len(), "other bytes, as many");
    let mut open = std::fs::OpenOptions::new().write(true).open(file).expect("the drop can be opened");
    open.write_all(other).expect("the drop can be written");
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

/// Neither size nor time shows it; what was digested is what was parsed, or nothing is loaded.
#[test]
fn a_file_rewritten_in_place_while_it_is_read_is_refused_though_size_and_time_are_the_same() {
    let cases = [
        (PIPELINE, "drops/a.vcf", vcf(), "199999\t.\tA\tC", "199999\t.\tA\tG"),
        (TABLE, "drops/a.tsv", table(), "199999\tC", "199999\tG"),
    ];
    for (pipeline, name, text, from, to) in cases {
        // After the digest and before the first byte is parsed, and between two chunks.
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

/// A BGZF file whose blocks hold their text as it is, so that a text of the same length makes a file of the same length.
fn stored_bgzf(text: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 60_000;
    // The block by which tools know the end.
    const END: &[u8] = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0\x1b\0\x03\0\0\0\0\0\0\0\0\0";
    let mut file = Vec::new();
    for block in text.chunks(BLOCK_BYTES) {
        let mut deflating = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::none());
        deflating.write_all(block).expect("memory takes every byte");
        let deflated = deflating.finish().expect("memory takes every byte");
        let mut sum = flate2::Crc::new();
        sum.update(block);
        // Header, extra field with the block's length less one, and eight bytes after it.
        let length = u16::try_from(18 + deflated.len() + 8 - 1).expect("a block is small");
        file.extend(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0");
        file.extend(length.to_le_bytes());
        file.extend(deflated);
        file.extend(sum.sum().to_le_bytes());
        file.extend(u32::try_from(block.len()).expect("a block is small").to_le_bytes());
    }
    file.extend(END);
    file
}

const MODEL: &str = "[pipeline]\nname = \"changing\"\nworkers = 1\nassembly = \"GRCh38\"\n\
    [stages.genes]\ntype = \"gff3\"\npath = \"drops/*.gff3\"\n\
    [stages.rows]\ntype = \"table\"\ninput = \"genes\"\nkey = [\"feature_key\"]\nconflict = \"latest_drop\"\n\
    [stages.warehouse]\ntype = \"sqlite\"\npath = \"changing.sqlite\"\ntables = [\"rows\"]\n";
/// Genes of a model.
const GENES: usize = 30_000;

/// A model whose last gene has this symbol.
fn model(last: &str) -> String {
    let line = |at: usize| {
        let symbol = if at == GENES { last } else { "GENE" };
        format!("17\tx\tgene\t{}\t{}\t.\t-\t.\tID=g{at:06};gene_name={symbol}\n", at * 10, at * 10 + 5)
    };
    format!("##gff-version 3\n{}", (1..=GENES).map(line).collect::<String>())
}

/// A VCF whose record 199,999 has this alternate allele.
fn vcf_with(alternate: &str) -> String {
    vcf().replace("199999\t.\tA\tC", &format!("199999\t.\tA\t{alternate}"))
}

/// The same of every form that a file may have: its bytes come in blocks, as binary records, or by an index that picks them.
#[test]
fn so_is_one_that_is_packed_binary_a_model_or_read_by_an_index() {
    let contig = "##contig=<ID=1>\n#CHROM";
    let [before, after] = ["C", "G"].map(|allele| vcf_with(allele).replace("#CHROM", contig));
    let of_alleles = "SELECT alt FROM rows WHERE pos = 199999";
    let packed = [&before, &after].map(|text| stored_bgzf(text.as_bytes()));
    let mut cases = vec![
        ("BGZF", PIPELINE.to_owned(), "a.vcf.gz", packed.clone(), None, of_alleles, "G"),
        (
            "a gene model",
            MODEL.to_owned(),
            "a.gff3",
            ["GENE", "LAST"].map(|symbol| model(symbol).into_bytes()),
            None,
            "SELECT gene_symbol FROM rows WHERE \"start\" = 300000",
            "LAST",
        ),
    ];
    if has_tool("files rewritten while they are read, with bcftools", "bcftools", "--version") {
        let made = tempfile::tempdir().expect("a temporary directory can be made");
        let path = |name: &str| made.path().join(name).to_str().expect("a path of text").to_owned();
        let binary = [("before", &before), ("after", &after)].map(|(name, text)| {
            std::fs::write(path(name), text).expect("a file can be written");
            let output = path(&format!("{name}.bcf"));
            tool_output("bcftools", &["view", "--no-version", "-Ob", "-o", &output, &path(name)]);
            let (packed, mut records) = (std::fs::read(output).expect("it is made"), Vec::new());
            let mut unpacking = flate2::read::MultiGzDecoder::new(packed.as_slice());
            unpacking.read_to_end(&mut records).expect("it is whole");
            // Not compressed, so that both are as long.
            stored_bgzf(&records)
        });
        cases.push(("BCF", PIPELINE.to_owned(), "a.bcf", binary, None, of_alleles, "G"));
        std::fs::write(path("a.vcf.gz"), &packed[0]).expect("a file can be written");
        tool_output("bcftools", &["index", "--tbi", &path("a.vcf.gz")]);
        let index = std::fs::read(path("a.vcf.gz.tbi")).expect("it is made");
        let regions = PIPELINE.replace("path = \"drops/*\"\n", "path = \"drops/*.gz\"\nregions = [\"1:199000-\"]\n");
        cases.push(("an index", regions, "a.vcf.gz", packed, Some(index), of_alleles, "G"));
    }
    for (what, pipeline, name, [before, after], index, query, expected) in cases {
        for point in ["reader:open", "reader:chunk"] {
            let project = Project::new(&pipeline);
            let file = project.write(&format!("drops/{name}"), &before);
            if let Some(index) = &index {
                project.write(&format!("drops/{name}.tbi"), index);
            }
            let reading = Held::at(point, &[], project.command("run", &[]));
            overwrite(&file, &after);
            let said = reading.go_on().expect(4);
            for part in ["was changed while it was read", "nothing was written", "drops/a."] {
                assert!(said.stderr.contains(part), "{what}, {point}: {}", said.stderr);
            }
            assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 0, "{what}, {point}");
        }
        let project = Project::new(&pipeline);
        project.write(&format!("drops/{name}"), &after);
        project.vardelta("run", &[]).expect(0);
        assert_eq!(vardelta_tests::database::texts(&project.path("changing.sqlite"), query), [expected], "{what}");
    }
}
