//! Builds the production binaries with cargo, once for a test run, in the profile of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The directory that holds the functions' binaries.
pub(crate) fn directory() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

/// The template that names the functions.
pub(crate) fn template() -> PathBuf {
    root().join("infra/template.yaml")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in the workspace")
}

fn build() -> PathBuf {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--workspace", "--bins"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.status().expect("cargo runs");
    assert!(built.success(), "the functions' binaries do not build");
    // The test binary is in `deps` of the directory of the other binaries.
    let own = std::env::current_exe().expect("the path of the test binary");
    own.ancestors().nth(2).expect("the test binary is in target/<profile>/deps").to_owned()
}
