//! `new`: a commented pipeline to start from.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;
use vardelta_engine::error::{RunError, RunErrorKind};

use crate::{failure::Failure, output::Output, proposal::propose};

/// Arguments of `new`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The pipeline file to write; it must not be there yet. `-` is standard output.
    #[arg(value_name = "PIPELINE.toml", default_value = "-")]
    out: PathBuf,

    /// A drop: its header and first records decide which fields, annotations, keys and summaries are proposed.
    #[arg(long, value_name = "FILE.vcf")]
    from: Option<PathBuf>,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let is_piped = self.out == Path::new("-");
        let name = if is_piped { "variants".to_owned() } else { name_of(&self.out) };
        let text = propose(&name, self.from.as_deref()).map_err(|error| {
            let file = self.from.as_deref().unwrap_or(Path::new("-"));
            RunError::new(RunErrorKind::Input, format!("{} cannot be looked at: {error}", file.display())).with_hint(
                "Name a VCF, also compressed; for BCF, convert the first records with `bcftools head -n 1000`.",
            )
        })?;
        if is_piped {
            match output.is_json() {
                true => output.json(&json!({ "pipeline": text }))?,
                false => output.text(&text)?,
            }
            return Ok(0);
        }
        let written = OpenOptions::new().write(true).create_new(true).open(&self.out);
        written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                RunError::new(RunErrorKind::Usage, format!("{} is already there", self.out.display()))
                    .with_hint("Choose another name; nothing is overwritten.")
            }
            _ => RunError::new(RunErrorKind::Sink, format!("{} cannot be written: {error}", self.out.display()))
                .with_hint("Check the path and the rights on it."),
        })?;
        if output.is_json() {
            output.json(&json!({ "file": self.out.display().to_string() }))?;
        } else if !output.is_quiet() {
            let shown = self.out.display();
            output.text(&format!("{shown}: put drops into `drops/` beside it, then `vardelta run {shown}`\n"))?;
        }
        Ok(0)
    }
}

/// A pipeline's name from that of its file.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        stem.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect();
    if name.chars().any(|letter| letter.is_ascii_alphanumeric()) { name } else { "variants".into() }
}
