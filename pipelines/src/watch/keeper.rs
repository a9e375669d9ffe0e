//! The loop of one pipeline: look, load, wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use vardelta_engine::{
    clock::utc,
    contract::stage::Planned,
    error::{RunError, RunErrorKind},
    event::RunEvent,
    path_text::{from_text, to_text},
    plan::{LogForm, Plan},
    run,
};

use vardelta_schemas::ledger::DropRow;

use crate::{
    interrupt,
    live::{LivePipeline, PendingDrop, SetAside, Trouble},
    operate::{clock::now_s, health, log::LogWriter},
    output::Output,
    watch::{
        Settings, backoff,
        between::Between,
        files::{Files, Moment, Pending},
        hint::{self, Hint},
        load::{Load, Outcome, load},
        look::look,
        scan::{Key, ToldOnce, scan},
        sidecar::Beside,
    },
};

/// How often it is seen whether something has happened.
const GLANCE: Duration = Duration::from_millis(200);
/// What comes together is looked at together.
const TOGETHER: Duration = Duration::from_millis(50);
/// How often keys of look-ups that wait for an answer are asked for where no file comes.
const LOOKUPS_EVERY: Duration = Duration::from_secs(900);
/// How much longer than a file settles `--once` waits for it.
const SLACK: Duration = Duration::from_millis(250);

/// What one pipeline's loop knows.
pub struct Keeper<'a> {
    live: Arc<LivePipeline>,
    settings: &'a Settings,
    load: &'a Load<'a>,
    output: Output,
    log: Option<Arc<LogWriter>>,
    files: Files,
    /// The drop's name and the ledger's path of every file.
    names: BTreeMap<Key, (String, String)>,
    told: ToldOnce,
    told_of_sources: BTreeSet<String>,
    hint: Hint,
    is_recalled: bool,
    is_told_of_earlier: bool,
    /// How often loading was tried in vain, and when it is tried again.
    trouble: Option<(u64, Instant)>,
    /// What the ledger does not know yet: files set aside, and rows to be taken out.
    put: BTreeSet<Key>,
    gone: Vec<(String, String)>,
    lookups_asked: Instant,
    alerts: Between,
    /// The exit code of the worst that happened, for `--once`.
    code: u8,
    looked: (Instant, Duration),
}

impl<'a> Keeper<'a> {
    /// The loop of a pipeline.
    pub fn new(live: Arc<LivePipeline>, settings: &'a Settings, load: &'a Load<'a>, output: &Output) -> Keeper<'a> {
        let mut output = output.another();
        let log = (live.plan.operate.log == LogForm::Json).then(|| Arc::new(LogWriter::new(&live.plan)));
        log.iter().for_each(|log| output.log_to(Arc::clone(log)));
        let now = Instant::now();
        Keeper {
            live,
            settings,
            load,
            output,
            log,
            files: Files::default(),
            names: BTreeMap::new(),
            told: ToldOnce::default(),
            told_of_sources: BTreeSet::new(),
            hint: Hint::new(),
            is_recalled: false,
            is_told_of_earlier: false,
            trouble: None,
            put: BTreeSet::new(),
            gone: Vec::new(),
            lookups_asked: now,
            alerts: Between::new(),
            code: 0,
            looked: (now, Duration::ZERO),
        }
    }

    /// Watches until the process is asked to end, or once. Gives the exit code.
    pub fn watch(mut self) -> u8 {
        let deadline = Instant::now() + self.settings.settle + SLACK;
        loop {
            self.look();
            let waits = self.settings.once && self.files.is_settling() && Instant::now() < deadline;
            if !waits {
                self.load_what_is_ready();
                self.note();
                self.show();
                self.look_at_alerts();
            }
            if self.settings.once && !waits {
                return self.code;
            }
            if self.wait() {
                // An end that was asked for is none that failed.
                return if self.settings.once { self.code } else { 0 };
            }
        }
    }

    fn plan(&self) -> &Plan {
        &self.live.plan
    }

    fn moment() -> Moment {
        Moment { at: Instant::now(), s: now_s() }
    }

    /// Looks at the folders, and at every file that may be ready.
    fn look(&mut self) {
        let began = Instant::now();
        if !self.is_recalled && !self.is_held() {
            self.recall();
        }
        let found = scan(self.plan());
        {
            let mut now = self.live.now();
            (now.scans, now.scanned_s) = (now.scans + 1, now_s());
        }
        self.tell_of_sources(&found.unreadable, &found.empty);
        if let Some(news) = self.told.news(&found.left_alone) {
            self.output.complain(&format!("{}: {news}", self.live.plan.pipeline.name));
        }
        if self.is_recalled {
            let unreadable: BTreeSet<&str> = found.unreadable.iter().map(|(source, _)| source.as_str()).collect();
            let plan = &self.live.plan;
            let recorded = |key: &Key| run::recorded_path(plan, &key.1);
            let gone = self.files.found(&found.files, &unreadable, Self::moment(), &recorded);
            self.gone.extend(gone);
            let stop = || interrupt::wait(Duration::ZERO);
            let beside = |key: &Key| Beside::of(&key.1);
            let aside =
                self.files.judge(self.settings.settle, Self::moment(), &beside, &mut |key, stamp, file, close| {
                    look(key, stamp, file, close, &stop)
                });
            self.tell_set_aside(&aside);
            self.tell_of_earlier(&aside);
            self.put.extend(aside);
        }
        let folders = hint::folders(self.plan(), self.files.keys().map(|(_, path)| path.as_path()));
        self.hint.listen(&folders);
        self.show();
        self.looked = (Instant::now(), began.elapsed());
    }

    /// Takes what the ledger knows: which files are set aside, and the figures of earlier processes.
    fn recall(&mut self) {
        let plan = &self.live.plan;
        match health::events(plan).and_then(|events| Ok((events, run::set_aside(plan)?, run::drops(plan)?))) {
            Ok((events, rows, ledger)) => {
                self.live.begin(&events);
                let path = |drop: &DropRow| run::recorded_path(plan, Path::new(&from_text(&drop.path)));
                let known = ledger.drops.iter().map(|drop| (drop.source.clone(), path(drop))).collect();
                self.files.recall(rows, known);
                self.is_recalled = true;
                self.end_trouble();
            }
            Err(error) => self.meet_trouble(&error),
        }
    }

    /// Tells once of a source whose folders cannot be read, or that has no file.
    fn tell_of_sources(&mut self, unreadable: &[(String, String)], empty: &[(String, String)]) {
        let name = self.plan().pipeline.name.clone();
        let mut there = BTreeSet::new();
        for (source, why) in unreadable.iter().chain(empty) {
            // A message may count what changes all the time; the source alone is reported once.
            let is_new = there.insert(source.clone()) && !self.told_of_sources.contains(source);
            if is_new {
                self.output.complain(&format!("{name}: source `{source}`: {why}; what is loaded stays"));
            }
        }
        self.told_of_sources = there;
    }

    /// Whether it is too early to try again.
    fn is_held(&self) -> bool {
        self.trouble.is_some_and(|(_, next)| Instant::now() < next)
    }

    fn load_what_is_ready(&mut self) {
        if !self.is_recalled || self.is_held() {
            return;
        }
        let ready = self.files.ready();
        let asks = ready.is_empty() && self.lookups_are_due();
        if ready.is_empty() && !asks && self.trouble.is_none() {
            return;
        }
        // Whether the database is there is asked before a run is begun that would only fail, or make another one in its place.
        match health::events(self.plan()) {
            Ok(_) if ready.is_empty() && !asks => {
                // What could not be loaded is gone, and nothing is in the way any more.
                self.live.note_status(true);
                return self.end_trouble();
            }
            Ok(_) => {}
            Err(error) => return self.meet_trouble(&error),
        }
        let live = Arc::clone(&self.live);
        let listener: crate::watcher::Listener = Arc::new(move |event: &RunEvent| live.hear(event));
        let outcome = if asks {
            let asked = (self.load)(&mut self.output.another(), &self.live.plan, &BTreeSet::new(), listener);
            Outcome { trouble: asked.err().map(crate::failure::Failure::into_run_error), ..Outcome::default() }
        } else {
            load(ready, &mut |ready| {
                (self.load)(&mut self.output.another(), &self.live.plan, ready, Arc::clone(&listener))
            })
        };
        self.lookups_asked = Instant::now();
        self.take(outcome);
    }

    fn take(&mut self, outcome: Outcome) {
        // Where nothing was loaded and nothing is bad, look-ups were asked for.
        self.alerts.ran(outcome.trouble.is_none() && (!outcome.loaded.is_empty() || outcome.bad.is_empty()));
        let loaded = self.files.loaded(&outcome.loaded);
        for key in &loaded {
            let row = (key.0.clone(), self.named(key).1);
            self.gone.push(row);
        }
        outcome.loaded.iter().for_each(|key| {
            self.put.remove(key);
        });
        let now_s = now_s();
        let keys: Vec<Key> = outcome.bad.iter().map(|(key, _)| key.clone()).collect();
        for (key, error) in &outcome.bad {
            self.files.set_aside(key, error.kind, &error.message, now_s);
            self.code = self.code.max(error.kind.exit_code());
        }
        self.tell_set_aside(&keys);
        self.put.extend(keys);
        match outcome.trouble {
            Some(error) if error.kind == RunErrorKind::Interrupted => {}
            Some(error) => {
                self.live.note_status(false);
                self.meet_trouble(&error);
            }
            None => self.end_trouble(),
        }
    }

    /// Nothing can be loaded now, which no file is to blame for. It is reported when it begins.
    fn meet_trouble(&mut self, error: &RunError) {
        let attempts = self.trouble.map_or(0, |(attempts, _)| attempts) + 1;
        let wait = backoff::OF_TROUBLE.after(attempts);
        self.trouble = Some((attempts, Instant::now() + wait));
        self.code = error.kind.exit_code();
        let next_try_s = now_s().saturating_add(wait.as_secs());
        let is_new = {
            let mut now = self.live.now();
            let since_s = now.trouble.as_ref().map_or_else(now_s, |trouble| trouble.since_s);
            let is_new = now.trouble.as_ref().is_none_or(|known| known.message != error.message);
            now.trouble = Some(Trouble { message: error.message.clone(), since_s, next_try_s });
            is_new
        };
        if self.settings.once {
            self.output.error(error);
        } else if is_new {
            match &self.log {
                Some(log) => log.event(&RunEvent::Waiting { cause: error.message.clone() }),
                None => {
                    let (name, hint) = (&self.live.plan.pipeline.name, error.advice().unwrap_or_default());
                    let message = &error.message;
                    self.output.complain(format!("{name}: waiting, and trying again: {message}\n{hint}").trim_end());
                }
            }
        }
    }

    fn end_trouble(&mut self) {
        self.trouble = None;
        let ended = self.live.now().trouble.take();
        if let Some(Trouble { since_s, .. }) = ended {
            let name = &self.live.plan.pipeline.name;
            self.output.complain(&format!("{name}: going on; it had been waiting since {}", utc(since_s)));
        }
    }

    fn look_at_alerts(&mut self) {
        let trouble = self.live.now().trouble.clone();
        let sets_aside = self.files.pending().iter().any(|pending| pending.aside.is_some());
        let lines = self.alerts.look(&self.live.plan, trouble.as_ref(), sets_aside, self.log.as_deref());
        lines.iter().for_each(|line| self.output.complain(line));
    }

    /// Whether keys of look-ups wait for an answer, and were not asked for lately.
    fn lookups_are_due(&self) -> bool {
        let waiting = |live: &LivePipeline| {
            let now = live.now();
            let report = now.finished.iter().rev().find_map(|run| run.report.as_ref());
            report.is_some_and(|report| report.lookups.iter().any(|lookup| lookup.waiting > 0))
        };
        self.lookups_asked.elapsed() >= LOOKUPS_EVERY && waiting(&self.live)
    }

    /// Has the ledger know what is set aside. Where it cannot be reached now, it hears of it the next time.
    fn note(&mut self) {
        if (self.put.is_empty() && self.gone.is_empty()) || self.is_held() || health::events(self.plan()).is_err() {
            return;
        }
        let keys: Vec<Key> = self.put.iter().cloned().collect();
        let rows: Vec<_> = keys
            .iter()
            .filter_map(|key| {
                let (drop, path) = self.named(key);
                self.files.row(key, drop, path)
            })
            .collect();
        // A file may have come back meanwhile.
        let is_put = |gone: &(String, String)| rows.iter().any(|row| (&row.source, &row.path) == (&gone.0, &gone.1));
        let gone: Vec<(String, String)> = self.gone.iter().filter(|gone| !is_put(gone)).cloned().collect();
        if run::note_set_aside(self.plan(), &rows, &gone).is_ok() {
            self.files.noted(&keys);
            self.put.clear();
            self.gone.clear();
        }
    }

    /// The name of a file's drop, and what the ledger calls the file.
    fn named(&mut self, key: &Key) -> (String, String) {
        let plan = &self.live.plan;
        self.names.entry(key.clone()).or_insert_with(|| named(plan, key)).clone()
    }

    /// Reports, once, files that an earlier process set aside and whose turn has not come: they are not loaded, and nothing else
    /// would say so.
    fn tell_of_earlier(&mut self, told: &[Key]) {
        if std::mem::replace(&mut self.is_told_of_earlier, true) {
            return;
        }
        let pending = self.files.pending().into_iter().filter(|pending| pending.aside.is_some());
        let earlier: Vec<Key> = pending.map(|pending| pending.key.clone()).filter(|key| !told.contains(key)).collect();
        self.tell_set_aside(&earlier);
    }

    /// Reports files that are set aside.
    fn tell_set_aside(&mut self, keys: &[Key]) {
        for key in keys {
            let (drop, path) = self.named(key);
            let Some(row) = self.files.row(key, drop, path) else { continue };
            match &self.log {
                Some(log) => log.set_aside(&row),
                None => {
                    let name = &self.live.plan.pipeline.name;
                    self.output.complain(&format!(
                        "{name}: drop `{}` is set aside (attempt {}), and tried again when it changes or at {}: {}",
                        row.drop, row.attempts, row.next_try, row.reason
                    ));
                }
            }
        }
    }

    /// Puts what is pending where others see it.
    fn show(&mut self) {
        let (plan, names) = (&self.live.plan, &mut self.names);
        let mut shown = BTreeMap::new();
        let of = |pending: Pending<'_>| {
            let Pending { key, since_s, reason, aside } = pending;
            let (name, path) = names.remove(key).unwrap_or_else(|| named(plan, key));
            shown.insert(key.clone(), (name.clone(), path.clone()));
            let set_aside = aside.map(|(attempts, next_try_s)| SetAside { attempts, next_try_s });
            PendingDrop { source: key.0.clone(), name, path, since_s, reason, set_aside }
        };
        let pending = self.files.pending().into_iter().map(of).collect();
        self.names = shown;
        self.live.now().pending = pending;
    }

    /// Waits until there is a reason to look. True when the process is to end.
    fn wait(&mut self) -> bool {
        let now = Self::moment();
        let mut wait = self.settings.every;
        if let Some((_, next)) = self.trouble {
            wait = wait.min(next.saturating_duration_since(now.at));
        }
        if let Some(of_files) = self.files.wait(self.settings.settle, now) {
            wait = wait.min(of_files);
        }
        // Where looks take long, they are not what the machine is busy with.
        let (looked, took) = self.looked;
        let pause = (took * 10).max(TOGETHER);
        let (until, earliest) = (now.at + wait, looked + pause);
        loop {
            let left = until.max(earliest).saturating_duration_since(Instant::now());
            if interrupt::wait(left.min(GLANCE)) {
                return true;
            }
            if left <= GLANCE {
                return false;
            }
            // However seldom folders are looked at.
            self.look_at_alerts();
            if Instant::now() >= earliest && self.hint.take() {
                return interrupt::wait(TOGETHER);
            }
        }
    }
}

/// The name of a file's drop, and what the ledger calls the file.
fn named(plan: &Plan, key: &Key) -> (String, String) {
    let name = plan.stage(&key.0).and_then(|(_, stage)| match &stage.planned {
        Planned::Source(source) => source.drop_name(&key.1).ok(),
        _ => None,
    });
    let name = name.unwrap_or_else(|| to_text(key.1.file_name().unwrap_or(key.1.as_os_str())));
    (name, run::recorded_path(plan, &key.1))
}
