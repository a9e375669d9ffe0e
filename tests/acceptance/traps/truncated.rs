//! A BGZF file cut off at any byte is refused.

use std::io::Write as _;

use vardelta_engine::{error::RunErrorKind, run::RunOptions};
use vardelta_tests::in_process::Warehouse;

const PIPELINE: &str = "[pipeline]\nname = \"cut\"\nworkers = 1\n\
    [stages.calls]\ntype = \"vcf\"\npath = \"drops/*\"\n\
    [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\
    [stages.rows]\ntype = \"table\"\ninput = \"alleles\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"]\nconflict = \"latest_drop\"\n\
    [stages.warehouse]\ntype = \"sqlite\"\npath = \"cut.sqlite\"\ntables = [\"rows\"]\n";

#[test]
fn a_bgzf_file_cut_at_any_byte_is_refused() {
    let mut writer = noodles_bgzf::io::Writer::new(Vec::new());
    let mut part = |text: &str| writer.write_all(text.as_bytes()).and_then(|()| writer.flush()).expect("memory");
    part("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t5\t.\tA\tC\t.\t.\t.\n");
    part("1\t6\t.\tA\tC\t.\t.\t.\n");
    let whole = writer.finish().expect("memory");
    let warehouse = Warehouse::new(PIPELINE);
    let file = warehouse.drops().join("cut.vcf.gz");
    for length in 0..whole.len() {
        std::fs::write(&file, &whole[..length]).expect("a drop can be written");
        let error = warehouse.run(0, &RunOptions::default()).expect_err("should be refused");
        assert_eq!(error.kind, RunErrorKind::Input, "{length} bytes: {error}");
        assert!(error.message.contains("cut.vcf.gz"), "{length} bytes: {error}");
    }
    std::fs::write(&file, &whole).expect("a drop can be written");
    assert_eq!(warehouse.run(0, &RunOptions::default()).expect("the whole file loads").drops[0].loaded, 2);
}
