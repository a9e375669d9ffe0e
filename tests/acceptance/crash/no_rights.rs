//! Databases and directories that may not be written.

use std::{
    fs::{Permissions, set_permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use vardelta_tests::{
    binary::binary,
    project::{Project, Said, finish},
    shared::skipped,
    story,
};

/// Somebody who owns nothing.
const NOBODY: &str = "65534";

fn allow(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).expect("rights can be changed");
}

/// Runs as somebody without rights on what is read-only; `None` where one cannot become somebody else. The superuser
/// may write everything.
fn run_without_rights(project: &Project) -> Option<Said> {
    let identity = Command::new("id").arg("-u").output().ok()?;
    let is_superuser = String::from_utf8_lossy(&identity.stdout).trim() == "0";
    let mut command = match is_superuser {
        false => Command::new(binary()),
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(binary());
            command
        }
    };
    command.args(["run", "pipeline.toml"]).current_dir(project.directory()).stdin(Stdio::null());
    let may_start = Command::new("setpriv")
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .arg(binary())
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if is_superuser && !may_start {
        skipped("missing rights", "the superuser cannot run vardelta as somebody else here");
        return None;
    }
    Some(finish(&mut command))
}

fn loaded_and_changed() -> (Project, vardelta_tests::database::Tables) {
    let project = Project::new(story::PIPELINE.text);
    allow(project.directory(), 0o755);
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    project.vardelta("run", &[]).expect(0);
    let before = story::tables(project.directory());
    story::write_drop(&project, "beta", &story::lines(2, 30));
    (project, before)
}

fn judge(project: &Project, before: &vardelta_tests::database::Tables) {
    let Some(said) = run_without_rights(project) else { return };
    let said = said.expect(6);
    assert!(said.stderr.contains("error:"), "{}", said.stderr);
    assert_eq!(story::tables(project.directory()), *before);
}

#[test]
fn a_database_that_may_not_be_written_is_said_and_left_alone() {
    let (project, before) = loaded_and_changed();
    let (database, state) = (project.path(story::PIPELINE.database), project.path(".vardelta"));
    // The state may be written, the database may not.
    let opened = Command::new("chmod").args(["-R", "a+rwX"]).arg(&state).status().expect("chmod can be started");
    assert!(opened.success());
    allow(&database, 0o444);
    judge(&project, &before);
    allow(&database, 0o644);
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_state_that_may_not_be_written_is_said_and_left_alone() {
    let (project, before) = loaded_and_changed();
    let database = project.path(story::PIPELINE.database);
    allow(project.directory(), 0o777);
    allow(&database, 0o666);
    judge(&project, &before);
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_directory_that_may_not_be_written_is_said() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    allow(project.directory(), 0o555);
    if let Some(said) = run_without_rights(&project) {
        let said = said.expect(6);
        assert!(said.stderr.contains("error:"), "{}", said.stderr);
    }
    allow(project.directory(), 0o755);
    project.vardelta("run", &[]).expect(0);
}
