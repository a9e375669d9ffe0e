//! A command that is held at a fail point while a test does something, so that no clock decides who is first.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    process::{until, wait_at_most},
    project::Said,
};

/// A process that waits at a fail point.
pub struct Held {
    child: Child,
    /// Where it says what it reaches, and where it looks whether it may go on.
    directory: tempfile::TempDir,
}

impl Held {
    /// Starts a command and waits until it is held at this point. Further points that are armed are in `beside`.
    ///
    /// # Panics
    /// When it ends before, or is not there within a minute.
    #[track_caller]
    pub fn at(point: &str, beside: &[&str], mut command: Command) -> Held {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let log = directory.path().join("log");
        let wait = format!("wait@{point}");
        let armed: Vec<&str> = beside.iter().copied().chain([wait.as_str()]).collect();
        command.env("VARDELTA_FAILPOINT", armed.join(",")).env("VARDELTA_FAILPOINT_LOG", &log);
        command.env("VARDELTA_FAILPOINT_GO", directory.path().join("go"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be started");
        // `:N` after a name says which time.
        let name = point.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end_matches(':');
        let line = format!("waiting at {name}");
        let mut has_ended = false;
        until(&format!("the command is held at {point}, or ends"), || {
            has_ended = child.try_wait().expect("a child can be waited for").is_some();
            has_ended || std::fs::read_to_string(&log).is_ok_and(|text| text.lines().any(|found| found == line))
        });
        if has_ended {
            let said = Said::from(child.wait_with_output().expect("its output can be read"));
            panic!("the command ended before {point}, with {}:\n{}{}", said.code, said.stdout, said.stderr);
        }
        Held { child, directory }
    }

    /// Whether it has come by this point.
    pub fn has_reached(&self, point: &str) -> bool {
        let log = self.directory.path().join("log");
        std::fs::read_to_string(log).is_ok_and(|text| text.lines().any(|line| line == point))
    }

    /// Kills it where it is.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it is gone");
    }

    /// Lets it go on to its end.
    ///
    /// # Panics
    /// When it does not end within two minutes.
    #[track_caller]
    pub fn go_on(self) -> Said {
        self.go_on_while(|| ())
    }

    /// The same, while something is done.
    ///
    /// # Panics
    /// As [`Held::go_on`].
    #[track_caller]
    pub fn go_on_while(mut self, work: impl FnOnce()) -> Said {
        std::fs::write(self.directory.path().join("go"), "").expect("a file can be written");
        work();
        wait_at_most(&mut self.child, Duration::from_secs(120)).expect("the command ends");
        Said::from(self.child.wait_with_output().expect("its output can be read"))
    }
}
