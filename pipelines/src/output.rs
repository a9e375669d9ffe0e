//! Where results and complaints go: standard output and standard error, with a reader who may have gone away.

use std::{
    io::{self, BufWriter, ErrorKind, IsTerminal as _, Read, Write},
    sync::{Arc, Mutex, MutexGuard},
};

use serde::Serialize;
use vardelta_engine::{
    abort::Abort,
    edge::{escape, secret},
    error::{RunError, RunErrorKind},
    locks::Locked as _,
};

use crate::{operate::log::LogWriter, progress::Shown};

/// Whoever writes a whole text in pieces holds it.
static WRITING: Mutex<()> = Mutex::new(());

/// Standard output and standard error.
///
/// Nothing that it writes steers a terminal, and nothing of it is a secret of a pipeline file.
///
/// A reader of standard output who goes away (`vardelta stages | head`) is no failure: the rest is then not written.
pub struct Output {
    json: bool,
    quiet: bool,
    verbose: u8,
    stdout: BufWriter<io::Stdout>,
    reader_gone: bool,
    failed: bool,
    /// What the command's run has written, it knows.
    run: Option<Abort>,
    /// Takes what would be said on standard error, where that is a log for programs.
    log: Option<Arc<LogWriter>>,
}

impl Output {
    /// An output of this form.
    pub fn new(json: bool, quiet: bool, verbose: u8) -> Output {
        Output {
            json,
            quiet,
            verbose,
            stdout: BufWriter::new(io::stdout()),
            reader_gone: false,
            failed: false,
            run: None,
            log: None,
        }
    }

    /// Another output of the same form, for a thread of its own.
    pub fn another(&self) -> Output {
        Output::new(self.json, self.quiet, self.verbose)
    }

    /// While it is held no other output writes a report; [`Output::finish`] comes before it is let go.
    pub fn alone(&self) -> MutexGuard<'static, ()> {
        WRITING.locked()
    }

    /// Has everything that would be said on standard error go into a log from now on.
    pub fn log_to(&mut self, log: Arc<LogWriter>) {
        self.log = Some(log);
    }

    /// From now on errors say what this run has written.
    pub fn follow(&mut self, run: &Abort) {
        self.run = Some(run.clone());
    }

    /// An error of the command, with what its run has written.
    pub fn told(&self, error: RunError) -> RunError {
        match &self.run {
            Some(run) => error.or_written(run.written()),
            None => error,
        }
    }

    /// Whether programs read it.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard output takes no more, so that only standard error is left.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether reports are unwanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether more is to be said.
    pub fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// How the way of a run is to be shown: only to people, and drawn only on a terminal.
    pub fn progress(&self) -> Shown {
        // A terminal that calls itself dumb can take no line back.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self.quiet || self.log.is_some() {
            true => Shown::Nothing,
            false if io::stderr().is_terminal() && !is_dumb => Shown::View { color: self.complains_in_color() },
            false => Shown::Lines,
        }
    }

    /// Whether complaints may be coloured: only on a terminal, and not where `NO_COLOR` (no-color.org) is set.
    pub fn complains_in_color(&self) -> bool {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        !refused && io::stderr().is_terminal()
    }

    /// Writes a text.
    ///
    /// # Errors
    /// When standard output takes no more (a full disk); not when its reader is gone.
    pub fn text(&mut self, text: &str) -> Result<(), RunError> {
        let hidden = secret::hide(text);
        let safe = escape::lines(&hidden);
        self.write(|stdout| stdout.write_all(safe.as_bytes()))
    }

    /// Writes a part of a JSON text.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn json_text(&mut self, text: &str) -> Result<(), RunError> {
        let hidden = secret::hide_json(text);
        let safe = escape::json(&hidden);
        self.write(|stdout| stdout.write_all(safe.as_bytes()))
    }

    /// Writes one JSON object on a line of its own.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), RunError> {
        let mut text = serde_json::to_string(value)
            .map_err(|error| RunError::internal(format!("the report cannot be written as JSON: {error}")))?;
        text.push('\n');
        self.json_text(&text)
    }

    /// Copies everything that `reader` yields, which is safe already.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn copy(&mut self, reader: &mut impl Read) -> Result<(), RunError> {
        self.write(|stdout| io::copy(reader, stdout).map(|_| ()))
    }

    /// Writes what is still buffered.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn finish(&mut self) -> Result<(), RunError> {
        self.write(Write::flush)
    }

    /// Tells an error and what to do about it on standard error.
    pub fn error(&self, error: &RunError) {
        if let Some(log) = &self.log {
            return log.error(error);
        }
        let (red, bold, plain) =
            if self.complains_in_color() { ("\u{1b}[1;31m", "\u{1b}[1m", "\u{1b}[0m") } else { ("", "", "") };
        let hint = error.advice().map(|hint| format!("\n{bold}hint{plain}: {}", safe(&hint))).unwrap_or_default();
        self.complain_safely(&format!("{red}error{plain}: {}{hint}", safe(&error.to_string())));
    }

    /// Writes an error to the log, where there is one.
    pub fn log(&self, error: &RunError) {
        if let Some(log) = &self.log {
            log.error(error);
        }
    }

    /// Writes a line to standard error. If that is closed, nobody hears of it.
    pub fn complain(&self, text: &str) {
        match &self.log {
            Some(log) => log.say(text),
            None => self.complain_safely(&safe(text)),
        }
    }

    /// The same for a text that is safe already, and may be coloured.
    pub fn complain_safely(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<io::Stdout>) -> io::Result<()>) -> Result<(), RunError> {
        if self.reader_gone || self.failed {
            return Ok(());
        }
        match write(&mut self.stdout) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.reader_gone = true;
                Ok(())
            }
            Err(error) => {
                self.failed = true;
                Err(RunError::new(RunErrorKind::Sink, format!("the report cannot be written: {error}"))
                    .with_hint("Only the report is lost: `vardelta history` lists what every epoch did.")
                    .caused_by(error))
            }
            Ok(()) => Ok(()),
        }
    }
}

/// Lines without secrets, and without what would steer a terminal.
pub fn safe(text: &str) -> String {
    escape::lines(&secret::hide(text)).into_owned()
}
