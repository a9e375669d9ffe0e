//! A look-up whose service is a table in this process, which fails as a test says. No network, no clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use vardelta_engine::{
    contract::{
        lookup::{Answer, Asker, Lookup, LookupContext, LookupFigures, LookupValue},
        options::Spanned,
        stage::{Kind, PlanRequest, Planned, StageDoc, StageError, StageType},
    },
    diagnostics::Diagnostics,
    options,
    relational::LookupSpec,
};
use vardelta_schemas::{Column, ColumnType};

use crate::random::Random;

/// What a service says of a key: the values of the columns `number` and `word`.
pub type Facts = (Option<i64>, Option<String>);

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Nothing.
    Nothing,
    /// So many keys of a hundred.
    Share(u64),
    /// Every key.
    Everything,
    /// The look-up breaks off after a few answers.
    BreaksOff,
}

/// A service as it is now.
pub struct Script {
    /// What it knows.
    pub known: BTreeMap<String, Facts>,
    /// What fails.
    pub failing: Failing,
    /// Until when its answers are fresh, in seconds since 1970.
    pub until_s: Option<i64>,
    /// When it wants to be asked again for what failed.
    pub next_try_s: Option<i64>,
    /// Keys that it was asked for.
    pub asked: Vec<String>,
    /// How often somebody made ready to ask.
    pub opened: usize,
    /// Keys that it was told to forget.
    pub forgotten: Vec<String>,
    /// What decides which keys fail, and the order of answers.
    pub random: Random,
}

/// A service that tests and look-ups share.
pub struct Service {
    /// What a pipeline file calls it.
    pub name: String,
    script: Mutex<Script>,
}

static SERVICES: LazyLock<Mutex<Vec<Arc<Service>>>> = LazyLock::new(Mutex::default);

impl Service {
    /// A service that knows nothing and answers everybody.
    pub fn start(seed: u64) -> Arc<Service> {
        let mut services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        let script = Script {
            known: BTreeMap::new(),
            failing: Failing::Nothing,
            until_s: None,
            next_try_s: None,
            asked: Vec::new(),
            opened: 0,
            forgotten: Vec::new(),
            random: Random::new(seed),
        };
        let service = Arc::new(Service { name: format!("service{}", services.len()), script: Mutex::new(script) });
        services.push(Arc::clone(&service));
        service
    }

    fn of(name: &str) -> Option<Arc<Service>> {
        let services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        services.iter().find(|service| service.name == name).cloned()
    }

    /// The script, to be read and changed.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets it know a key.
    pub fn knows(&self, key: &str, number: i64, word: &str) {
        self.script().known.insert(key.to_owned(), (Some(number), Some(word.to_owned())));
    }

    /// How many keys it was asked for since the last time.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.script().asked)
    }
}

options! {
    /// Options of `scripted`.
    pub struct ScriptedOptions {
        /// The column to look up.
        "key" => key: Spanned<String>,
        /// The service.
        "service" => service: String,
        /// What goes before the names of the answer's columns.
        "prefix" => prefix: String = String::new(), "\"\"",
        /// Keys without an answer, as a share of those asked for.
        "max_failed_share" => max_failed_share: Option<f64> = None, "none",
    }
}

/// The stage type `scripted`.
pub struct Scripted;

impl StageType for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn kind(&self) -> Kind {
        Kind::Relational
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: "Looks keys up in a table of this process.\nFor tests.",
            example: "",
            options: ScriptedOptions::DOCS,
        }
    }

    fn inert_options(&self) -> &'static [&'static str] {
        &["service", "max_failed_share"]
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = ScriptedOptions::read(request.options, diagnostics)?;
        let service = Service::of(&options.service).expect("the test has started its service");
        let column = |name: &str, column_type| Column::nullable(format!("{}{name}", options.prefix), column_type);
        let columns = vec![column("number", ColumnType::Int64), column("word", ColumnType::Text)];
        let lookup = Arc::new(ScriptedLookup { columns, service, max_failed_share: options.max_failed_share });
        let spec = LookupSpec::plan(request.inputs.first()?, &options.key, lookup, diagnostics)?;
        Some(Planned::Relational(spec.into()))
    }
}

struct ScriptedLookup {
    columns: Vec<Column>,
    service: Arc<Service>,
    max_failed_share: Option<f64>,
}

impl std::fmt::Debug for ScriptedLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.service.name)
    }
}

impl Lookup for ScriptedLookup {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn fingerprint(&self) -> String {
        // Not the service's name: fresh runs are held against others.
        "scripted".to_owned()
    }

    fn max_failed_share(&self) -> Option<f64> {
        self.max_failed_share
    }

    fn open(&self, _: &LookupContext) -> Result<Box<dyn Asker>, StageError> {
        self.service.script().opened += 1;
        Ok(Box::new(ScriptedAsker { service: Arc::clone(&self.service), figures: LookupFigures::default() }))
    }
}

struct ScriptedAsker {
    service: Arc<Service>,
    figures: LookupFigures,
}

impl Asker for ScriptedAsker {
    fn ask(
        &mut self,
        keys: &[Arc<str>],
        stop: &AtomicBool,
        answered: &mut dyn FnMut(&str, Answer),
    ) -> Result<(), StageError> {
        assert!(keys.is_sorted() && !keys.is_empty(), "keys come in order: {keys:?}");
        let mut script = self.service.script();
        self.figures.requests += 1;
        let mut order: Vec<Arc<str>> = keys.to_vec();
        script.random.shuffle(&mut order);
        let breaks_at = match script.failing {
            Failing::BreaksOff => script.random.below(order.len() + 1),
            _ => order.len(),
        };
        for (at, key) in order.iter().enumerate() {
            if stop.load(Ordering::Acquire) {
                return Ok(());
            }
            if at == breaks_at {
                return Err(StageError::new("the look-up broke off"));
            }
            script.asked.push(key.to_string());
            self.figures.wanted += 1;
            let fails = match script.failing {
                Failing::Nothing | Failing::BreaksOff => false,
                Failing::Share(percent) => script.random.percent(percent),
                Failing::Everything => true,
            };
            let until_s = script.until_s;
            let answer = match script.known.get(&**key) {
                _ if fails => {
                    self.figures.failed += 1;
                    Answer::Failed { reason: "503 Service Unavailable".to_owned(), next_try_s: script.next_try_s }
                }
                Some((number, word)) => {
                    self.figures.answered += 1;
                    let values = vec![number.map(LookupValue::Int64), word.clone().map(LookupValue::Text)];
                    Answer::Found { values, release: None, until_s }
                }
                None => {
                    self.figures.absent += 1;
                    Answer::Absent { until_s }
                }
            };
            answered(key, answer);
        }
        if breaks_at == order.len() && script.failing == Failing::BreaksOff {
            return Err(StageError::new("the look-up broke off after the last answer"));
        }
        Ok(())
    }

    fn forget(&mut self, keys: &[Arc<str>]) -> Result<(), StageError> {
        let mut script = self.service.script();
        if script.failing != Failing::Nothing {
            return Err(StageError::new("the tiers cannot be reached"));
        }
        script.forgotten.extend(keys.iter().map(ToString::to_string));
        Ok(())
    }

    fn figures(&self) -> LookupFigures {
        self.figures
    }
}
