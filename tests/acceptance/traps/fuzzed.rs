//! The fuzz target's bounded version: small seeds, mutated, through the same entry.

use std::time::{Duration, Instant};

use vardelta_testreading::{Reader, Seen};
use vardelta_tests::{
    drop_file::Packing,
    in_process::fast_directory,
    random::{Random, seed},
};

/// How long mutants are made.
const TIME: Duration = Duration::from_secs(15);

const HEADER: &str = "##fileformat=VCFv4.3\n##contig=<ID=1,length=60>\n\
    ##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|Consequence|SYMBOL|ALLELE_NUM\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";
const RECORDS: &str = "1\t14\trs1\tG\tC,*\t5e1\tPASS\tAF=0.1,.;DP=5;ANN=C|stop_gained&intron_variant|HIGH|TP53|G1\tGT:AD:PL\t0/1:1,2,3:0,1,2\t1|2\n\
    1\t30\t.\tTTT\tT,<DEL>\t.\tq10;s50\tEND=40;SVLEN=-9;CSQ=-|frameshift_variant|KRAS|1;DB\tGT\t./1\t1\n\
    1\t0\t.\tN\t]2:3]N,.\t1\t.\tGENEINFO=A:1|B:2;BCSQ=@14\tGT\t/0/1\t.\n";

/// What mutants are pieced together from beside their seed's own bytes.
const WORDS: [&[u8]; 14] = [
    b"9223372036854775807",
    b"-1",
    b"99999999999999999999",
    b"1e400",
    b"nan",
    b"<*>",
    b",,,,",
    b"\t",
    b"\n",
    b"\r",
    b"&&&&",
    b"#CHROM\t",
    b"\xff\xfe",
    b"\x1f\x8b",
];

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << (random.below(8)),
            1 => bytes.truncate(at),
            2 => {
                let word = WORDS[random.below(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            3 => {
                let end = (at + random.below(40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => {
                let end = (at + random.below(12)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
}

#[test]
fn mutants_are_read_or_refused() {
    let seed = seed(20_261_121);
    let directory = fast_directory();
    let reader = Reader::new(directory.path()).expect("the pipelines are sound");
    let text = format!("{HEADER}{RECORDS}").into_bytes();
    let whole = reader.read(&text).expect("the seed can be written");
    assert!(whole.records >= 6 && whole.rows > 4, "the seed itself is read: {whole:?}");
    let (mut random, mut total, mut cases) = (Random::new(seed), Seen::default(), 0_u64);
    let started = Instant::now();
    while started.elapsed() < TIME {
        let mut bytes = text.clone();
        let packing = Packing::ALL[random.below(Packing::ALL.len())];
        // Packed before or after: damaged containers, and whole ones that hold damaged text.
        if random.percent(50) {
            bytes = packing.pack(&bytes);
            mutate(&mut bytes, &mut random);
        } else {
            mutate(&mut bytes, &mut random);
            bytes = packing.pack(&bytes);
        }
        let seen = reader.read(&bytes).expect("the file can be written");
        total.records += seen.records;
        cases += 1;
    }
    println!("{cases} mutants, {} records", total.records);
    assert!(cases > 100 && total.records > cases / 4, "{cases} mutants gave {total:?}");
}
