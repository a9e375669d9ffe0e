//! `lookup`: what services answer for the keys of a table.
//!
//! This is the asking. What is asked, when, and what a late answer changes is the engine's (`vardelta_engine::relational`).

mod asker;
mod breaker;
mod clock;
mod entry;
mod fetch;
mod host;
mod http;
mod options;
mod path;
mod plan;
mod reading;
mod retry;
mod setting;
mod slots;
mod template;
#[cfg(test)]
mod tests;
mod tiers;
mod turn;

use std::{fmt, sync::Arc};

use vardelta_engine::{
    contract::{
        lookup::{Asker, KeptTier, Lookup, LookupContext},
        stage::{Kind, PlanRequest, Planned, StageDoc, StageError, StageType},
    },
    diagnostics::Diagnostics,
    relational::LookupSpec,
};
use vardelta_schemas::Column;

use self::{
    asker::HttpAsker,
    clock::{Clock as _, MachineClock},
    options::LookupOptions,
    plan::Plan,
};

/// The stage type `lookup`.
pub struct LookupStage;

/// For the registry.
pub static LOOKUP: LookupStage = LookupStage;

impl StageType for LookupStage {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("lookup/manual.md"),
            example: include_str!("lookup/example.toml"),
            options: LookupOptions::DOCS,
        }
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &[
            "parameters",
            "headers",
            "batch",
            "rate_per_s",
            "concurrency",
            "retries",
            "connect_timeout",
            "deadline",
            "response_bytes_max",
            "max_failed_share",
            "cache",
        ]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let span = request.options.span.clone();
        let options = LookupOptions::read(request.options, diagnostics)?;
        let plan = Plan::new(&options, span, diagnostics)?;
        let lookup = Arc::new(HttpLookup { plan: Arc::new(plan) });
        let spec = LookupSpec::plan(request.inputs.first()?, &options.key, lookup, diagnostics)?;
        Some(Planned::Relational(spec.into()))
    }
}

/// A look-up over HTTP.
struct HttpLookup {
    plan: Arc<Plan>,
}

impl fmt::Debug for HttpLookup {
    /// Without the address of Redis, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLookup").field("fingerprint", &self.plan.fingerprint).finish_non_exhaustive()
    }
}

impl Lookup for HttpLookup {
    fn columns(&self) -> &[Column] {
        &self.plan.columns
    }

    fn fingerprint(&self) -> String {
        self.plan.fingerprint.clone()
    }

    fn max_failed_share(&self) -> Option<f64> {
        self.plan.max_failed_share
    }

    fn open(&self, context: &LookupContext) -> Result<Box<dyn Asker>, StageError> {
        let environment = |name: &str| std::env::var(name).ok();
        let clock = Arc::new(MachineClock::start());
        Ok(Box::new(HttpAsker::open(Arc::clone(&self.plan), context, clock, &environment)?))
    }

    fn held_until_s(&self) -> Option<u64> {
        let name = http::host_name(&self.plan.asking.url.fill(&[])).ok()?;
        host::Host::held_until_us(&name, MachineClock::start().now_us()).map(|until_us| until_us / 1_000_000)
    }

    fn tiers(&self, context: &LookupContext) -> Result<Vec<KeptTier>, StageError> {
        let (tiers, _) = tiers::open(&self.plan, context)?;
        let kept = tiers.into_iter().filter(|tier| tier.kind != tiers::Kind::Memory);
        Ok(kept.map(|tier| KeptTier { name: tier.kind.as_str(), store: tier.into_store() }).collect())
    }
}
