//! The `vardelta` binary, built from the tree that the tests were built from.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The binary, brought up to date first, so that no test judges an older one.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

/// Builds with the profile and into the directory that this test binary came from:
/// `<target>/<profile>/deps/acceptance-…`.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its executable");
    let directory = test.ancestors().nth(2).expect("cargo puts tests into <target>/<profile>/deps");
    let target = directory.parent().expect("<profile> lies in <target>");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "-p", "vardelta", "--bin", "vardelta", "--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(root())
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "the vardelta binary does not build");
    directory.join(format!("vardelta{}", std::env::consts::EXE_SUFFIX))
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the repository").to_path_buf()
}
