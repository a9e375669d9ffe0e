//! What the sources read: the user's file, files that are made up for them, or what their paths match.

use std::{
    collections::BTreeMap,
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use vardelta_engine::{
    abort::Abort,
    contract::stage::{Kind as StageKind, Planned},
    error::{RunError, RunErrorKind},
    plan::{Plan, PlannedStage},
    spec::Value,
};

use super::{cut, place::Place, text};
use crate::{
    generate::{self, Annotations, DRUG_COLUMNS, Kind, Settings},
    set_aside::Written,
};

/// Sample columns of a made-up file that is read sample by sample.
const SAMPLES: u64 = 4;

/// What a bench is to read.
pub struct Wanted<'a> {
    /// The user's file; without it files are made up.
    pub file: Option<&'a Path>,
    /// The source that it goes to.
    pub into: Option<&'a str>,
    /// Records of a made-up file.
    pub records: u64,
}

/// What the sources read.
#[derive(Default)]
pub struct Inputs {
    /// By source stage, the directory that its files were put into; others read what their paths match.
    pub directories: BTreeMap<String, PathBuf>,
    /// By source stage, all files that it reads.
    pub files: BTreeMap<String, Vec<PathBuf>>,
    /// The sources whose files were made up, and as what.
    generated: BTreeMap<String, Settings>,
    /// The source whose drops are measured.
    pub main: String,
    /// What else there is to say.
    pub notices: Vec<String>,
}

/// A drop and the histories that it comes on top of.
pub struct Series {
    /// By the history's records, where its source reads it from.
    pub histories: Vec<(u64, PathBuf)>,
    /// The drop.
    pub file: PathBuf,
    /// Its records.
    pub records: u64,
}

impl Inputs {
    /// Puts the files together; `written` are the stages as they are written.
    ///
    /// # Errors
    /// When there is nothing to read, or files cannot be made.
    pub fn new(plan: &Plan, written: &[Written<'_>], wanted: &Wanted<'_>, place: &Place) -> Result<Inputs, RunError> {
        let sources: Vec<&PlannedStage> = plan.stages.iter().filter(|stage| stage.kind == StageKind::Source).collect();
        let mut inputs = Inputs { main: main(&sources, wanted)?.name.clone(), ..Inputs::default() };
        match wanted.file {
            Some(file) => inputs.put(&inputs.main.clone(), file, place)?,
            None => {
                for stage in &sources {
                    let options = written.iter().find(|written| written.name == stage.name);
                    if let Some(settings) = fitting(stage, options, wanted.records) {
                        inputs.generate(stage, settings, place)?;
                    }
                }
            }
        }
        for stage in &sources {
            if !inputs.files.contains_key(&stage.name)
                && let Planned::Source(source) = &stage.planned
            {
                let found = source.discover().map_err(|error| RunError::stage(&stage.name, error))?;
                inputs.notices.extend(found.notices);
                inputs.files.insert(stage.name.clone(), found.paths);
            }
        }
        if inputs.files[&inputs.main].is_empty() {
            let message =
                format!("the source `{}` has nothing to read, and nothing can be made up for it", inputs.main);
            return Err(RunError::new(RunErrorKind::Usage, message).with_hint("Name a file with --input FILE."));
        }
        Ok(inputs)
    }

    /// Whether any file was made up.
    pub fn is_generated(&self) -> bool {
        !self.generated.is_empty()
    }

    /// Puts a user's file before a source, by a link.
    fn put(&mut self, stage: &str, file: &Path, place: &Place) -> Result<(), RunError> {
        let unreadable = |error: io::Error| {
            RunError::new(RunErrorKind::Input, format!("{} cannot be read: {error}", file.display()))
                .with_hint("Name the file relative to the working directory.")
        };
        let real = file.canonicalize().map_err(unreadable)?;
        let name = file.file_name().ok_or_else(|| unreadable(io::ErrorKind::IsADirectory.into()))?;
        let directory = place.directory(&format!("input/{stage}"))?;
        let link = directory.join(name);
        symlink(&real, &link).map_err(|error| unwritable(&link, &error))?;
        self.files.insert(stage.to_owned(), vec![link]);
        self.directories.insert(stage.to_owned(), directory);
        Ok(())
    }

    /// Makes a file up for a source.
    fn generate(&mut self, stage: &PlannedStage, settings: Settings, place: &Place) -> Result<(), RunError> {
        let directory = place.directory(&format!("input/{}", stage.name))?;
        let path = directory.join(file_name(&settings));
        make(&settings, &path)?;
        self.files.insert(stage.name.clone(), vec![path]);
        self.directories.insert(stage.name.clone(), directory);
        self.generated.insert(stage.name.clone(), settings);
        Ok(())
    }

    /// Histories of two sizes of the main source, and a drop of a hundredth of its records; `None` where they cannot be made.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn series(&mut self, place: &Place, abort: &Abort) -> Result<Option<Series>, RunError> {
        let directory = |what: &str| place.directory(&format!("delta/{what}"));
        let (small, large, drop) = (directory("small")?, directory("large")?, directory("drop")?);
        if let Some(whole) = self.generated.get(&self.main) {
            let name = file_name(whole);
            let of = |records: u64, drop: u64| Settings { records: records.max(1), drop, ..whole.clone() };
            let (tenth, hundredth) = (of(whole.records / 10, 0), of(whole.records / 100, 1));
            make(&tenth, &small.join(&name))?;
            make(whole, &large.join(&name))?;
            make(&hundredth, &drop.join(&name))?;
            return Ok(Some(Series {
                histories: vec![(tenth.records, small), (whole.records, large)],
                file: drop.join(&name),
                records: hundredth.records,
            }));
        }
        let [file] = self.files[&self.main].as_slice() else {
            self.notices
                .push(format!("what a drop costs on a history is measured where `{}` reads one file", self.main));
            return Ok(None);
        };
        let unreadable = |error: io::Error| RunError::new(RunErrorKind::Input, format!("{}: {error}", file.display()));
        if text::is_binary(file).map_err(unreadable)? {
            self.notices.push("what a drop costs on a history is not measured of a binary file".to_owned());
            return Ok(None);
        }
        let name = plain_name(file);
        let is_record = |line: &[u8]| !line.is_empty() && !line.starts_with(b"#");
        let parts = cut::part(file, [&small, &large, &drop], &name, &is_record, abort).map_err(unreadable)?;
        abort.check()?;
        let Some(parts) = parts else {
            self.notices.push("the file has too few records to part a drop from it".to_owned());
            return Ok(None);
        };
        Ok(Some(Series {
            histories: vec![(parts.small.records, small), (parts.large.records, large)],
            file: parts.drop.path,
            records: parts.drop.records,
        }))
    }
}

/// The source whose drops are measured.
fn main<'a>(sources: &[&'a PlannedStage], wanted: &Wanted<'_>) -> Result<&'a PlannedStage, RunError> {
    let names: Vec<&str> = sources.iter().map(|stage| stage.name.as_str()).collect();
    let usage = |message: String, hint: String| Err(RunError::new(RunErrorKind::Usage, message).with_hint(hint));
    if let Some(into) = wanted.into {
        return match sources.iter().find(|stage| stage.name == into) {
            Some(stage) => Ok(*stage),
            None => {
                usage(format!("the pipeline has no source `{into}`"), format!("Its sources are: {}.", names.join(", ")))
            }
        };
    }
    if wanted.file.is_some() && sources.len() > 1 {
        return usage(
            "the pipeline has several sources, and nobody says which one the file goes to".into(),
            format!("Name one with --into: {}.", names.join(", ")),
        );
    }
    // Called variants are what drops are of; a cohort's come with samples.
    let calls = sources.iter().filter_map(|stage| {
        let settings = fitting(stage, None, 1).filter(|settings| settings.kind == Kind::Calls)?;
        Some((settings.samples, stage))
    });
    let calls = calls.min_by_key(|(samples, _)| *samples).map(|(_, stage)| stage);
    let vcf = || sources.iter().find(|stage| stage.type_name == "vcf");
    match calls.or_else(vcf).or(sources.first()) {
        Some(stage) => Ok(*stage),
        None => Err(RunError::internal("a pipeline without sources was planned")),
    }
}

/// What is made up for a source; `None` where nothing fits it.
fn fitting(stage: &PlannedStage, written: Option<&Written<'_>>, records: u64) -> Option<Settings> {
    let has = |column: &str| stage.schema.columns().iter().any(|known| known.name == column);
    let settings = |kind| Settings { kind, records, ..Settings::default() };
    match stage.type_name {
        "vcf" => {
            let (ann, csq) = (has("info_ann"), has("info_csq"));
            let of_clinvar = ["info_clnrevstat", "info_clndn", "info_geneinfo", "info_alleleid"];
            if !ann && !csq && of_clinvar.into_iter().any(has) {
                return Some(settings(Kind::Clinvar));
            }
            let annotations = match (ann, csq) {
                (true, true) => Annotations::Both,
                (false, true) => Annotations::Csq,
                (true, false) => Annotations::Ann,
                (false, false) => Annotations::None,
            };
            let samples = if has("sample") { SAMPLES } else { 0 };
            Some(Settings { annotations, samples, ..settings(Kind::Calls) })
        }
        "gff3" => Some(settings(Kind::Genes)),
        "delimited" => {
            let written = written?;
            let is_tab = matches!(written.text("separator"), None | Some("tab"));
            let Some(Value::Table(columns)) = written.value("columns") else { return None };
            let is_known = columns.iter().all(|column| DRUG_COLUMNS.contains(&from(column)));
            (is_tab && is_known).then(|| settings(Kind::Drugs))
        }
        _ => None,
    }
}

/// The name that a column has in the header.
fn from(column: &vardelta_engine::spec::Entry) -> &str {
    match &column.node.value {
        Value::Table(options) => options
            .iter()
            .find(|option| option.key == "from")
            .and_then(|option| match &option.node.value {
                Value::Text(name) => Some(name.as_str()),
                _ => None,
            })
            .unwrap_or(&column.key),
        _ => &column.key,
    }
}

fn file_name(settings: &Settings) -> String {
    match settings.kind {
        Kind::Calls => "calls.vcf.gz",
        Kind::Clinvar => "clinvar.vcf.gz",
        Kind::Genes => "genes.gff3",
        Kind::Drugs => "drugs.tsv",
    }
    .to_owned()
}

/// A file's name without the extension of what packs it.
fn plain_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.strip_suffix(".gz").or(name.strip_suffix(".bgz")).unwrap_or(&name);
    plain.to_owned()
}

fn make(settings: &Settings, path: &Path) -> Result<(), RunError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    generate::generate(settings, path, threads).map(|_| ()).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> RunError {
    RunError::new(RunErrorKind::Sink, format!("{} cannot be written: {error}", path.display()))
        .with_hint("Make room in the directory for temporary files, or name another one with the variable TMPDIR.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bench::shipped, set_aside};

    #[test]
    fn what_is_made_up_fits_the_source() {
        let (plan, mut spec) = shipped("clinical.toml");
        let written = set_aside::stages(&mut spec);
        let of = |name: &str| {
            let (_, stage) = plan.stage(name).expect("a source");
            let options = written.iter().find(|written| written.name == name);
            fitting(stage, options, 7).map(|settings| (settings.kind, settings.annotations, settings.samples))
        };
        assert_eq!(of("calls"), Some((Kind::Calls, Annotations::Ann, 0)));
        assert_eq!(of("cohort_calls"), Some((Kind::Calls, Annotations::Ann, SAMPLES)));
        assert_eq!(of("clinvar_rows").map(|made| made.0), Some(Kind::Clinvar));
        assert_eq!(of("gene_rows").map(|made| made.0), Some(Kind::Genes));
        // Its columns are those of another table of drugs.
        assert_eq!(of("drug_rows"), None);
        let sources: Vec<&PlannedStage> = plan.stages.iter().filter(|stage| stage.kind == StageKind::Source).collect();
        let wanted = |file, into| Wanted { file, into, records: 7 };
        let named = |wanted| main(&sources, &wanted).map(|stage| stage.name.clone()).map_err(|error| error.kind);
        assert_eq!(named(wanted(None, None)), Ok("calls".to_owned()), "not the cohort's");
        assert_eq!(named(wanted(Some(Path::new("a.vcf")), None)), Err(RunErrorKind::Usage));
        assert_eq!(named(wanted(Some(Path::new("a.vcf")), Some("calls"))), Ok("calls".to_owned()));
        assert_eq!(named(wanted(None, Some("variants"))), Err(RunErrorKind::Usage), "that is no source");
    }
}
