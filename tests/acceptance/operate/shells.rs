//! What shells, readers of manuals and people at an editor are given.

use std::{
    fs::File,
    process::{Command, Stdio},
    time::Duration,
};

use vardelta_tests::{
    binary::binary,
    process::{signal, until, wait_at_most},
    project::{finish, vardelta_in},
    shared::has_tool,
};

use super::project;

#[test]
fn completions_name_every_verb_and_bash_completes_with_them() {
    let project = project("");
    let script = |shell: &str| vardelta_in(project.directory(), &["completions", shell]).expect(0).stdout;
    for shell in ["bash", "zsh", "fish"] {
        let script = script(shell);
        for verb in ["validate", "rebuild", "alert", "completions"] {
            assert!(script.contains(verb), "{shell} knows no {verb}");
        }
    }
    vardelta_in(project.directory(), &["completions", "tcsh"]).expect(2);
    if !has_tool("completions in bash", "bash", "--version") {
        return;
    }
    project.write("completions", script("bash").as_bytes());
    let ask = |words: &str| {
        let count = words.split(' ').count() - 1;
        let asked = format!(
            ". ./completions; COMP_WORDS=({words}); COMP_CWORD={count}; _vardelta vardelta \"${{COMP_WORDS[{count}]}}\" x; echo \
             \"${{COMPREPLY[@]}}\""
        );
        finish(Command::new("bash").args(["-c", &asked]).current_dir(project.directory())).expect(0).stdout
    };
    assert_eq!(ask("vardelta reb").trim(), "rebuild");
    assert!(ask("vardelta run --acc").contains("--accept-smaller"));
    assert_eq!(ask("vardelta alert t").trim(), "test");
}

#[test]
fn manual_pages_are_written_for_every_verb_and_over_nothing_else() {
    let project = project("");
    let page = vardelta_in(project.directory(), &["man"]).expect(0).stdout;
    assert!(page.contains(".TH vardelta 1") && page.contains("Exit codes"), "{page}");
    std::fs::create_dir(project.path("pages")).expect("a directory can be made");
    vardelta_in(project.directory(), &["man", "--out", "pages"]).expect(0);
    for name in ["vardelta", "vardelta-run", "vardelta-cache-clear", "vardelta-alert-test"] {
        let page = String::from_utf8(project.bytes(&format!("pages/{name}.1"))).expect("UTF-8");
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
        if has_tool("a manual page", "groff", "--version") {
            let path = project.path(&format!("pages/{name}.1"));
            let said = finish(Command::new("groff").args(["-man", "-Tascii", "-ww"]).arg(path)).expect(0);
            assert!(said.stderr.is_empty() && said.stdout.contains("General Commands Manual"), "{}", said.stderr);
        }
    }
    vardelta_in(project.directory(), &["man", "--out", "pages"]).expect(0);
    project.write("pages/vardelta.1", b"somebody else's page\n");
    vardelta_in(project.directory(), &["man", "--out", "pages"]).expect(2).says(&["would overwrite"]);
    vardelta_in(project.directory(), &["man", "--out", "nowhere"]).expect(2).says(&["--out"]);
}

#[test]
fn a_watched_file_is_validated_again_when_it_or_its_fragment_changes() {
    let project = project("");
    let good = String::from_utf8(project.bytes("pipeline.toml")).expect("UTF-8");
    let including = format!("include = [\"more.toml\"]\n{good}");
    project.write("pipeline.toml", good.as_bytes());
    let (out, err) = (project.path("out"), project.path("err"));
    let mut command = Command::new(binary());
    command.args(["validate", "--watch", "pipeline.toml"]).current_dir(project.directory()).stdin(Stdio::null());
    command.stdout(File::create(&out).expect("a file")).stderr(File::create(&err).expect("a file"));
    let mut child = command.spawn().expect("vardelta can be started");
    let count =
        |path: &std::path::Path, words: &str| std::fs::read_to_string(path).unwrap_or_default().matches(words).count();
    until("it is valid", || count(&out, "no problems") == 1);
    project.write("pipeline.toml", good.replace("\"normalize\"", "\"normalise\"").as_bytes());
    until("the slip is reported", || count(&err, "Did you mean \"normalize\"?") == 1);
    project.write("pipeline.toml", including.as_bytes());
    until("the fragment is missed", || count(&err, "more.toml") > 0);
    project.write("more.toml", b"[stages.more]\ntype = \"filter\"\ninput = \"alleles\"\nwhere = \"qual >\"\n");
    until("the fragment is looked for and read", || count(&err, "not an SQL expression") == 1);
    project.write("more.toml", b"[stages.more]\ntype = \"filter\"\ninput = \"alleles\"\nwhere = \"qual > 1\"\n");
    // The expression is mended; that nobody reads the stage is still wrong.
    until("the fragment is validated again", || count(&err, "nothing reads stage `more`") == 2);
    std::fs::remove_file(project.path("pipeline.toml")).expect("it is there");
    until("a file that is gone ends nothing", || count(&err, "there is no pipeline file") == 1);
    project.write("pipeline.toml", good.as_bytes());
    until("it is back", || count(&out, "no problems") == 2);
    assert!(child.try_wait().expect("a child can be waited for").is_none(), "it waits");
    signal(&child, "INT");
    let status = wait_at_most(&mut child, Duration::from_secs(20)).expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert_eq!(count(&err, "ending the run"), 0);
}
