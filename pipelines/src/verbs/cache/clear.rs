//! `cache clear`: takes answers out of the tiers of look-ups.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{arguments::PipelineArguments, failure::Failure, output::Output, pipeline_file};

/// Arguments of `cache clear`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pipeline: PipelineArguments,

    /// Only answers that nobody can use any more.
    #[arg(long)]
    expired: bool,
}

impl Arguments {
    #[expect(clippy::disallowed_methods, reason = "which answers are past their time")]
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let plan = pipeline_file::load(&self.pipeline, output)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let before_s = self.expired.then_some(now_s);
        super::tiers::each(output, &plan, ["cleared"], |tier| tier.clear(before_s).map(|cleared| [cleared]))
    }
}
