//! Work in a server's directory before there is a server: it ends with the process that wants it, and leaves nothing.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

/// Runs a command; when standard input ends, which it does when the test process ends, ends the command and what it has
/// started, and removes the directory. What was started may write once more before it ends, hence the second time.
/// Arguments: the directory, then the command line.
const GUARD: &str = r#"directory=$1; shift; exec 3<&0
"$@" </dev/null >"$directory/said" 2>&1 3<&- & work=$!
{ trap '' TERM; cat <&3; kill -s TERM -- -$$; sleep 1; rm -rf "$directory"; sleep 2; rm -rf "$directory"; } >/dev/null 2>&1 & guard=$!
exec 3<&-; wait $work; code=$?; kill -9 $guard; exit $code"#;

/// Runs a command whose result is wanted only as long as this process lives: whether it succeeded, and what it said.
pub fn guarded(directory: &Path, command: &Command) -> Result<(bool, String), String> {
    let mut guard = Command::new("sh");
    guard.args(["-c", GUARD, "guard"]).arg(directory).arg(command.get_program()).args(command.get_args());
    guard.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // A group of its own, which can be ended as a whole.
    guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = guard.spawn().map_err(|error| format!("cannot start sh: {error}"))?;
    // Waiting would close it, and so end the work.
    let pipe = child.stdin.take();
    let status = child.wait().map_err(|error| error.to_string())?;
    drop(pipe);
    let said = fs::read(directory.join("said")).unwrap_or_default();
    Ok((status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::{
        thread::sleep,
        time::{Duration, Instant},
    };

    use super::*;

    /// Set in the process that is to be killed: the directory it works in.
    const DIRECTORY: &str = "VARDELTA_TEST_GUARDED";

    fn wait_until(what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done() {
            assert!(Instant::now() < deadline, "{what}");
            sleep(Duration::from_millis(20));
        }
    }

    /// Whether a process was started with this directory: the guard and the work are.
    fn is_known_to_any(directory: &Path) -> bool {
        let directory = directory.as_os_str().as_encoded_bytes();
        let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
        // One that is gone meanwhile has no command line.
        let mut lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
        lines.any(|line| line.windows(directory.len()).any(|part| part == directory))
    }

    #[test]
    fn the_result_is_the_commands() {
        let directory = tempfile::tempdir().expect("a directory");
        let run = |script: &str| guarded(directory.path(), Command::new("sh").args(["-c", script])).expect("it runs");
        assert_eq!(run("echo well"), (true, "well\n".into()));
        assert_eq!(run("echo badly >&2; exit 3"), (false, "badly\n".into()));
        wait_until("nobody is left who could remove it", || !is_known_to_any(directory.path()));
        assert!(directory.path().exists(), "work that has ended removes nothing");
    }

    #[test]
    fn a_process_that_is_killed_leaves_neither_work_nor_directory() {
        if let Some(directory) = std::env::var_os(DIRECTORY) {
            // The work starts something that would go on for long and write.
            let work = r#"(while :; do date > "$0/written"; sleep 0.1; done) & echo $! > "$0/pid.new"; mv "$0/pid.new" "$0/pid"; wait"#;
            let _ = guarded(Path::new(&directory), Command::new("sh").args(["-c", work]).arg(&directory));
            return;
        }
        let directory = tempfile::tempdir().expect("a directory").keep();
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "guard::tests::a_process_that_is_killed_leaves_neither_work_nor_directory"])
            .env(DIRECTORY, &directory)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        wait_until("the work begins", || directory.join("written").exists() && directory.join("pid").exists());
        let worker = fs::read_to_string(directory.join("pid")).expect("a number");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        wait_until("the work ends", || !Path::new(&format!("/proc/{}", worker.trim())).exists());
        wait_until("the directory goes", || !directory.exists());
        wait_until("nobody is left who could make it again", || !is_known_to_any(&directory));
        assert!(!directory.exists(), "nobody makes it again");
    }
}
