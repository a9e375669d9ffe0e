//! Random tests draw from one generator, and one variable repeats them.

use super::{CRATES, JUDGES, code_and_texts, nothing, read, root, rust_files, shown};

/// The generator of tests and benchmarks, and that of `vardelta generate`, whose bytes are promised for a seed.
const GENERATORS: [&str; 2] = ["tests/random/src/lib.rs", "pipelines/src/generate/random.rs"];
/// Marks of generators that are written by hand: of SplitMix64, of linear congruential ones, of xorshift and its kin.
const MARKS: [&str; 5] =
    ["0xbf58476d1ce4e5b9", "6364136223846793005", "1442695040888963407", "0x2545f4914f6cdd1d", "^=state<<13"];

fn marks_of(code: &str) -> Vec<&'static str> {
    let code: String = code.to_ascii_lowercase().replace("self.0", "state").replace(['_', ' '], "");
    MARKS.into_iter().filter(|mark| code.contains(mark)).collect()
}

#[test]
fn tests_have_one_generator_and_one_variable_for_its_seed() {
    let (mut generators, mut variables) = (Vec::new(), Vec::new());
    for name in CRATES.iter().map(|(name, _)| *name).chain(JUDGES) {
        for path in rust_files(name) {
            let (code, texts) = code_and_texts(&read(&path));
            if !GENERATORS.contains(&shown(&path).as_str()) {
                generators.extend(marks_of(&code).iter().map(|mark| format!("{}: {mark}", shown(&path))));
            }
            let is_other = |text: &&String| text.starts_with("VARDELTA_") && text.ends_with("_SEED") && text.len() > 13;
            variables.extend(texts.iter().filter(is_other).map(|text| format!("{}: {text}", shown(&path))));
        }
    }
    nothing("tests draw from vardelta_testrandom::Random", &generators);
    nothing("tests take their seed by vardelta_testrandom::seed (VARDELTA_SEED)", &variables);
    for path in GENERATORS {
        let (code, _) = code_and_texts(&read(&root().join(path)));
        assert_eq!(marks_of(&code), [MARKS[0]], "{path}: what is looked for would be found");
    }
    assert_eq!(marks_of("self.0 ^= self.0 << 13;"), [MARKS[4]]);
}
