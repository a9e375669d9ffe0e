//! Disks that are full, in two ways: files that may not grow, and a small file system.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use vardelta_tests::{
    binary::binary,
    drop_file::{self, Packing},
    project::{Project, finish},
    shared::{has_tool, skipped},
    story,
};

/// Records of the drop for which there is no room.
const RECORDS: usize = 20_000;

fn small_and_big() -> (Project, vardelta_tests::database::Tables) {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    project.vardelta("run", &[]).expect(0);
    let before = story::tables(project.directory());
    let text = story::big_drop(RECORDS, 1);
    drop_file::write(&project.path("drops"), "big", &text, Packing::Bgzf);
    (project, before)
}

#[test]
fn files_that_may_not_grow_end_the_run_with_the_tables_of_before() {
    if !has_tool("files that may not grow", "sh", "-c:") {
        return;
    }
    let (project, before) = small_and_big();
    // In blocks of 512 bytes; from too little for anything to too little for the database alone.
    for blocks in [0, 64, 400, 1500] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run pipeline.toml");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(binary()).current_dir(project.directory()).stdin(Stdio::null());
        let said = finish(&mut command).expect(6);
        assert!(said.stderr.contains("error:"), "{blocks} blocks: {}", said.stderr);
        assert_eq!(story::tables(project.directory()), before, "{blocks} blocks: the tables are those of before");
        project.vardelta("verify", &[]).expect(0);
    }
    project.vardelta("run", &[]).expect(0);
    assert_eq!(story::tables(project.directory()).rows["variants"].len(), before.rows["variants"].len() + RECORDS);
    project.vardelta("verify", &[]).expect(0);
}

/// A file system in memory, of a limited size.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it; `None` where that is not allowed.
    fn mount(path: &Path) -> Option<SmallDisk> {
        std::fs::create_dir(path).expect("a directory can be made");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", "size=1500k", "tmpfs"])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success()).then(|| SmallDisk(path.to_path_buf()))
    }

    /// Makes room.
    fn grow(&self) {
        let status = Command::new("mount").args(["-o", "remount,size=200m"]).arg(&self.0).status();
        assert!(status.expect("mount was started before").success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_file_system_ends_the_run_with_the_tables_of_before() {
    let project = Project::new(&story::PIPELINE.text.replace("path = \"gene", "path = \"disk/gene"));
    let Some(disk) = SmallDisk::mount(&project.path("disk")) else {
        skipped("a full file system", "mounting a tmpfs is not permitted");
        return;
    };
    story::write_drop(&project, "alpha", &story::lines(1, 30));
    project.vardelta("run", &[]).expect(0);
    let before = story::tables(&disk.0);
    let text = story::big_drop(RECORDS, 1);
    drop_file::write(&project.path("drops"), "big", &text, Packing::Bgzf);
    for _ in 0..2 {
        let said = project.vardelta("run", &[]).expect(6);
        assert!(said.stderr.contains("error:"), "{}", said.stderr);
        assert_eq!(story::tables(&disk.0), before);
        project.vardelta("verify", &[]).expect(0);
    }
    disk.grow();
    project.vardelta("run", &[]).expect(0);
    assert_eq!(story::tables(&disk.0).rows["variants"].len(), before.rows["variants"].len() + RECORDS);
    project.vardelta("verify", &[]).expect(0);
}
