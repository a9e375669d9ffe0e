//! The view of a run as a terminal shows it: what is on its screen, line by line, in terminals of two widths and in one that is
//! resized while the run goes on. tmux is that terminal.

use std::process::{Command, Stdio};

use vardelta_tests::{
    binary::binary,
    held::Held,
    process::until,
    project::{Project, Said},
    shared::{has_tool, tool_output},
};

use super::{META, project};

/// A server of its own with one window, and a run in it that is held at a fail point.
struct Screen {
    held: Held,
    server: Server,
}

/// A tmux server; it goes with what holds it.
struct Server {
    directory: tempfile::TempDir,
}

impl Server {
    fn socket(&self) -> String {
        self.directory.path().join("socket").display().to_string()
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let socket = self.socket();
        tool_output("tmux", &[&["-S", &socket], arguments].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let socket = self.socket();
        let _ = Command::new("tmux").args(["-S", &socket, "kill-server"]).stderr(Stdio::null()).status();
    }
}

impl Screen {
    /// Starts a run in a window of this size and waits until it is held.
    fn start(project: &Project, point: &str, (columns, rows): (usize, usize), variables: &[(&str, &str)]) -> Screen {
        let server = Server { directory: tempfile::tempdir().expect("a temporary directory can be made") };
        let tmux = format!("tmux -S {} -f /dev/null", server.socket());
        // The window stays when the run is over, so that its last screen can be looked at.
        let run = format!("{} run pipeline.toml; {tmux} wait-for -S over; exec cat", binary().display());
        let script = format!("{tmux} new-session -d -x {columns} -y {rows} \"$RUN\" && {tmux} wait-for over");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env("RUN", run).current_dir(project.directory());
        command.env_remove("NO_COLOR").env_remove("TMUX").envs(variables.iter().copied());
        Screen { held: Held::at(point, &[], command), server }
    }

    /// What is on the screen, without blanks at the ends of lines and below the last.
    fn lines(&self) -> Vec<String> {
        lines(&self.server)
    }

    /// The screen as soon as it is so.
    fn when(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut seen = Vec::new();
        until(&format!("the screen shows {what}"), || {
            seen = self.lines();
            is_so(&seen)
        });
        seen
    }

    /// With the commands that colour it.
    fn colored(&self) -> String {
        self.server.tmux(&["capture-pane", "-p", "-e"])
    }

    fn resize(&self, columns: usize, rows: usize) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.server.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// Lets the run go on to its end; what is on the screen then.
    fn end(self) -> Vec<String> {
        let Said { code, stdout, stderr } = self.held.go_on();
        assert_eq!(code, 0, "{stdout}{stderr}");
        lines(&self.server)
    }
}

fn lines(server: &Server) -> Vec<String> {
    let screen = server.tmux(&["capture-pane", "-p"]);
    let mut lines: Vec<String> = screen.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    lines
}

/// More than one chunk, so that a reader can be held before it hands the second one over.
fn large() -> Project {
    let project = project("");
    let mut records: Vec<String> =
        (1..60_000).map(|at| format!("1 {at} . A C 9 PASS CLNSIG=Pathogenic;AC={at}")).collect();
    records[5] = "1 x . A C 9 PASS .".into();
    project.write_drop("large", META, &records.iter().map(String::as_str).collect::<Vec<_>>());
    project
}

const HELD: &str = "reader:chunk:2";
const WAITS: &str = "workers wait for";
/// The lines of the table of stages.
const STAGES: [&str; 6] = ["calls", "alleles", "classified", "variants", "summary", "warehouse"];

fn is_drawn(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains(WAITS)) && lines.iter().any(|line| line.contains("rejected  1"))
}

/// Whether there is one view and nothing beside it: each of its lines once, and all within the width.
fn is_one_view(lines: &[String], columns: usize) -> bool {
    let once = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count() == 1;
    let starts = ["loading  ", "  large  ", "  stage ", "  queue  ", "  rejected  1: bad_position 1"];
    lines.len() == starts.len() + STAGES.len()
        && starts.into_iter().all(once)
        && STAGES.iter().all(|stage| once(&format!("  {stage} ")))
        && lines.iter().all(|line| line.chars().count() < columns)
}

const PLAIN: [(&str, &str); 2] = [("LC_ALL", "C"), ("NO_COLOR", "1")];
const RICH: [(&str, &str); 1] = [("LC_ALL", "C.UTF-8")];

#[test]
fn eighty_columns_show_what_matters_and_two_hundred_show_more() {
    if !has_tool("a terminal", "tmux", "-V") {
        return;
    }
    for (columns, is_wide) in [(80, false), (200, true)] {
        let project = large();
        let screen = Screen::start(&project, HELD, (columns, 40), &RICH);
        let lines = screen.when("the view", |lines| is_drawn(lines) && is_one_view(lines, columns));
        let line = |start: &str| lines.iter().find(|line| line.starts_with(start)).expect("it is there");
        for words in ["rows in", "rows out", "in/s", "busy waits"] {
            assert!(line("  stage ").contains(words), "{words}: {lines:?}");
        }
        // There is room for bars after the stages in the wide one alone.
        let bars = |line: &str| line.matches(['█', '░']).count();
        assert_eq!(bars(line("  variants ")), if is_wide { 16 } else { 0 }, "{lines:?}");
        assert_eq!(bars(line("loading  ")), if is_wide { 40 } else { 16 }, "{lines:?}");
        let colored = screen.colored();
        assert!(colored.contains("\u{1b}[31m  rejected"), "{colored:?}");
        let last = screen.end();
        assert!(last[0].starts_with("told: epoch 1") && !last.iter().any(|line| line.contains("loading")), "{last:?}");
    }
}

#[test]
fn without_colour_and_unicode_the_screen_has_neither() {
    if !has_tool("a terminal", "tmux", "-V") {
        return;
    }
    let project = large();
    let screen = Screen::start(&project, HELD, (80, 40), &PLAIN);
    let lines = screen.when("the view", |lines| is_drawn(lines) && is_one_view(lines, 80));
    assert!(lines.iter().all(|line| line.is_ascii()) && lines[0].contains("#"), "{lines:?}");
    let colored = screen.colored();
    assert!(!colored.contains('\u{1b}'), "{colored:?}");
    screen.end();
}

#[test]
fn a_terminal_that_is_resized_shows_one_view_of_its_new_size() {
    if !has_tool("a terminal", "tmux", "-V") {
        return;
    }
    let project = large();
    let screen = Screen::start(&project, HELD, (200, 40), &PLAIN);
    screen.when("the view", |lines| is_drawn(lines) && is_one_view(lines, 200));
    let has_bars =
        |lines: &[String]| lines.iter().any(|line| line.starts_with("  variants ") && line.contains(['#', '.']));
    for (columns, rows, is_wide) in
        [(80, 40, false), (200, 40, true), (60, 30, false), (120, 24, true), (80, 40, false)]
    {
        screen.resize(columns, rows);
        // What the terminal makes of the old view is there until the next is drawn.
        screen.when(&format!("one view of {columns} columns and nothing else"), |lines| {
            is_drawn(lines) && is_one_view(lines, columns) && has_bars(lines) == is_wide
        });
    }
    let last = screen.end();
    assert!(last[0].starts_with("told: epoch 1") && !last.iter().any(|line| line.contains("loading")), "{last:?}");
}
