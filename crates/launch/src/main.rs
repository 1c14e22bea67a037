//! `cargo local`: builds the production binaries, then replaces itself with `local`, which runs them.
//!
//! `cargo run` builds only a package and its dependencies. `local` starts the functions' binaries and does not depend on
//! their crates, so this program builds the whole workspace first. It has no dependencies of its own: it builds
//! quickly, and the user then sees cargo's progress.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match launch() {
        Ok(never) => match never {},
        Err(Failure { message, code }) => {
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(code)
        }
    }
}

/// The reason why `local` was not started, and the exit code.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }
}

/// The success type of `launch`, which has no values: a successful `exec` does not return.
enum Never {}

fn launch() -> Result<Never, Failure> {
    let own = env::current_exe().map_err(|error| Failure::new(format!("cannot find the target directory: {error}")))?;
    let binaries = own.parent().ok_or_else(|| Failure::new("the path of this program has no directory"))?;
    build(binaries)?;
    let local = binaries.join("local");
    let error = Command::new(&local).args(arguments(env::args_os().skip(1))).exec();
    Err(Failure::new(format!("cannot start {}: {error}", local.display())))
}

/// Builds every binary of the workspace into this program's directory.
fn build(binaries: &Path) -> Result<(), Failure> {
    let profile = profile(binaries);
    let _ = writeln!(io::stderr(), "Building the functions and the machine that runs them ({profile} profile)");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.args(["build", "--workspace", "--bins", "--profile", profile]);
    // The target directory may come from an option of the outer cargo, which this cargo does not see. This program's own
    // path is right in every case.
    if let Some(target) = binaries.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    // The caller may have used `--manifest-path` from outside the workspace. `cargo run` sets this variable in any case.
    if let Some(manifest) = env::var_os("CARGO_MANIFEST_DIR") {
        cargo.current_dir(manifest);
    }
    let status = cargo.status().map_err(|error| Failure::new(format!("cannot run cargo: {error}")))?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure { message: "the build failed, so nothing was started; see cargo's errors above".into(), code })
}

/// The profile that built into this directory. Cargo names the directory after the profile, except `dev`, which builds into `debug`.
fn profile(binaries: &Path) -> &str {
    match binaries.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    }
}

/// The arguments for `local`, without a leading `--`. The alias already ends in `--`, and people often type a second one.
fn arguments(given: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut given = given.peekable();
    if given.peek().is_some_and(|first| first == "--") {
        given.next();
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments_of(given: &[&str]) -> Vec<OsString> {
        arguments(given.iter().map(OsString::from)).collect()
    }

    #[test]
    fn one_leading_pair_of_dashes_is_dropped() {
        assert_eq!(arguments_of(&["--", "--no-demo"]), ["--no-demo"]);
        assert_eq!(arguments_of(&["--no-demo", "--"]), ["--no-demo", "--"]);
        assert!(arguments_of(&[]).is_empty());
    }

    #[test]
    fn the_directory_debug_belongs_to_the_profile_dev() {
        assert_eq!(profile(Path::new("/somewhere/target/debug")), "dev");
        assert_eq!(profile(Path::new("/somewhere/target/release")), "release");
    }
}
