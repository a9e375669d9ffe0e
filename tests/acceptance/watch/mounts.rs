//! A disk that goes while its folder is watched, and comes back. In a mount namespace of the process's own, so that nobody else sees
//! it; skipped where this user may not make one.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use vardelta_tests::{
    binary::binary,
    process::{may_mount, signal, until, wait_at_most},
    project::{Project, finish},
    shared::skipped,
};

use super::{drop_text, project, rows_and_epochs};

/// A `watch` over a disk of its own.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Watching {
    fn start(project: &Project) -> Watching {
        let log = std::fs::File::create(project.path("watch.err")).expect("a file can be made");
        let script = "mount -t tmpfs disk drops && exec \"$0\" watch pipeline.toml --settle 100ms --every 100ms";
        let child = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(binary())
            .current_dir(project.directory())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("unshare can be started");
        Watching(child)
    }

    /// The folder as the process sees it.
    fn drops(&self, project: &Project) -> PathBuf {
        let folder = project.path("drops");
        let folder = folder.strip_prefix("/").unwrap_or(&folder);
        Path::new("/proc").join(self.0.id().to_string()).join("root").join(folder)
    }

    /// Runs a command where the process sees its disks.
    fn within(&self, project: &Project, command: &[&str]) {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--mount", "--target", &self.0.id().to_string()]).args(command).arg(project.path("drops"));
        finish(&mut nsenter).expect(0);
    }
}

#[test]
fn a_disk_that_goes_withdraws_nothing_and_one_that_comes_back_is_loaded_on() {
    let what = "a disk that goes while it is watched";
    if !may_mount() {
        return skipped(what, "this user may not mount anything in a namespace of their own");
    }
    let project = project();
    let mut watching = Watching::start(&project);
    let said = || String::from_utf8_lossy(&project.bytes("watch.err")).into_owned();
    let is_mounted = |watching: &Watching| {
        let mounts = std::fs::read_to_string(format!("/proc/{}/mounts", watching.0.id())).unwrap_or_default();
        mounts.contains(project.path("drops").to_str().expect("a path of the test is text"))
    };
    let write = |watching: &Watching, name: &str, positions: std::ops::Range<u32>| {
        std::fs::write(watching.drops(&project).join(name), drop_text(positions)).expect("a file can be written");
    };
    until("the disk is there", || is_mounted(&watching));
    write(&watching, "a.vcf", 1..11);
    write(&watching, "b.vcf", 20..30);
    until("both are loaded", || rows_and_epochs(&project).0 == 20);
    let epochs = rows_and_epochs(&project).1;

    // The folder is there and empty, and looked at many times; a file that comes into what lies beneath is loaded.
    watching.within(&project, &["umount"]);
    until("it is seen that nothing is there", || said().contains("what is loaded stays"));
    project.write("drops/beneath.vcf", drop_text(40..45).as_bytes());
    until("what lies beneath is loaded", || rows_and_epochs(&project).0 == 25);
    assert_eq!(rows_and_epochs(&project).1, epochs + 1);

    // The disk comes back, with one file as it was and one more.
    watching.within(&project, &["mount", "-t", "tmpfs", "disk"]);
    until("the disk is there again", || is_mounted(&watching));
    write(&watching, "a.vcf", 1..11);
    write(&watching, "c.vcf", 50..60);
    until("the new file is loaded", || rows_and_epochs(&project).0 == 35);
    assert_eq!(rows_and_epochs(&project).1, epochs + 2, "the same file again is no epoch\n{}", said());
    signal(&watching.0, "TERM");
    let status = wait_at_most(&mut watching.0, std::time::Duration::from_secs(60));
    assert!(status.is_some_and(|status| status.success()), "{}", said());
    let withdrawn = "SELECT COUNT(*) FROM vardelta_events WHERE action <> 'added'";
    let connection = rusqlite::Connection::open(project.path("watched.sqlite")).expect("a database");
    assert_eq!(connection.query_row(withdrawn, [], |row| row.get::<_, u32>(0)), Ok(0));
    project.vardelta("verify", &[]).expect(0);
}
