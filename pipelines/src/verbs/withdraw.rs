//! `withdraw`: what drops asserted is taken back, and with `--erase` forgotten.

use vardelta_engine::{
    error::{RunError, RunErrorKind},
    run::{self, ErasedReport},
};

use crate::{
    arguments::{ExecutionArguments, PipelineArguments},
    failure,
    failure::Failure,
    output::Output,
    pipeline_file,
    report::{self, grouped},
    verbs::execution,
};

/// Arguments of `withdraw`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// The drops, as `vardelta drops` names them; STAGE:NAME where two sources have one of that name. Their files are
    /// not needed. With --erase also drops that were withdrawn before, as `vardelta history` names them.
    #[arg(value_name = "NAME", required_unless_present = "sample")]
    names: Vec<String>,

    /// Take back what this sample asserted, and nothing else: of the drops that are named, or of every drop, and then also of
    /// those to come. A file that still holds it is loaded without it from now on, which is said each time; `run --readmit`
    /// takes it in again. Every table that the samples come to must have the sample in its key. With --erase it is forgotten for
    /// good, in every drop; of its name a salted digest is kept, so that no later delivery brings it back.
    #[arg(long, value_name = "SAMPLE")]
    sample: Option<String>,

    /// Also remove for good what is kept of them: their values in histories, rejects and state, their names, paths and
    /// digests in the ledger. Afterwards everything is searched, and anything found is exit code 7. Of a row that they and
    /// others touched, the history since their first epoch goes as a whole. It cannot be undone, and takes as long as
    /// rewriting state and database file. Out of reach: the drops' own files, lists written with --rejects, backups, and
    /// a server's logs.
    #[arg(long, conflicts_with_all = ["dry_run", "rejects", "changes"])]
    erase: bool,

    #[command(flatten)]
    execution: ExecutionArguments,
}

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let options = execution::options(&self.execution);
        if let Some(sample) = self.sample.as_ref().filter(|_| !self.erase) {
            return execution::execute(output, &plan, &self.execution, |context| {
                run::withdraw_sample(context, sample, &self.names, &options)
            });
        }
        if !self.erase {
            return execution::execute(output, &plan, &self.execution, |context| {
                run::withdraw(context, &self.names, &options)
            });
        }
        let report = execution::unlisted(output, &plan, |context| match &self.sample {
            Some(sample) => run::erase_sample(context, sample, &self.names, &options),
            None => run::erase(context, &self.names, &options),
        })?;
        let found = (!report.erased.proven).then(|| not_proven(&report.erased));
        if output.is_json() {
            let mut object = serde_json::json!(report);
            if let Some(found) = &found {
                object["error"] = failure::error_json(found);
            }
            output.json(&object)?;
            return Ok(found.map_or(0, |found| found.kind.exit_code()));
        }
        if output.is_quiet() {
            report.run.notices.iter().for_each(|notice| output.complain(&format!("notice: {notice}")));
        } else {
            let (head, tail) = report::run_report(&report.run, output.is_verbose());
            match report.run.committed {
                true => output.text(&head)?,
                false => output.text(&format!("{}: still at epoch {}\n", report.run.pipeline, report.run.epoch))?,
            }
            output.text(&report::erased(&report.erased))?;
            output.text(&tail)?;
        }
        if let Some(found) = &found {
            output.finish()?;
            output.error(found);
        }
        Ok(found.map_or(0, |found| found.kind.exit_code()))
    }
}

fn not_proven(erased: &ErasedReport) -> RunError {
    let findings: Vec<String> = erased
        .findings
        .iter()
        .map(|finding| format!("\n  - {}: {} {}", finding.place.as_str(), grouped(finding.count), finding.what))
        .collect();
    let message = format!("the search after the erasure found what should be gone:{}", findings.concat());
    RunError::new(RunErrorKind::Mismatch, message).with_hint(
        "What was named is withdrawn and its erasure is pending. See to what was found (`vardelta rebuild` makes tables from scratch), \
         then give the same command again.",
    )
}
