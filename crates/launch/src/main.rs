//! `cargo local`: builds the production binaries, then becomes `local`, which runs them.
//!
//! Cargo builds only what the package it runs depends on, and `local` depends on no function: it starts their binaries. So
//! this program asks cargo for all of them first. It has no dependencies itself, to be built in a moment and have cargo's
//! own progress on the terminal from then on.

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

/// Why `local` was not started, and the code to leave with.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }
}

/// There is no way back from a successful `exec`.
enum Never {}

fn launch() -> Result<Never, Failure> {
    let own = env::current_exe().map_err(|error| Failure::new(format!("cannot find the target directory: {error}")))?;
    let binaries = own.parent().ok_or_else(|| Failure::new("this program lies in no directory"))?;
    build(binaries)?;
    let local = binaries.join("local");
    let error = Command::new(&local).args(arguments(env::args_os().skip(1))).exec();
    Err(Failure::new(format!("cannot start {}: {error}", local.display())))
}

/// Builds every binary of the workspace into the directory this program lies in.
fn build(binaries: &Path) -> Result<(), Failure> {
    let profile = profile(binaries);
    let _ = writeln!(io::stderr(), "Building the functions and the machine that runs them ({profile} profile)");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.args(["build", "--workspace", "--bins", "--profile", profile]);
    // Cargo was told where to build through its environment or its configuration, both of which it finds again, or by
    // an option, which it does not. Where this program lies is right in every case.
    if let Some(target) = binaries.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    // `cargo run` says where the workspace is; the caller may have named it from outside by `--manifest-path`.
    if let Some(manifest) = env::var_os("CARGO_MANIFEST_DIR") {
        cargo.current_dir(manifest);
    }
    let status = cargo.status().map_err(|error| Failure::new(format!("cannot run cargo: {error}")))?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure { message: "the build failed, so nothing was started; cargo says why above".into(), code })
}

/// Cargo names the directory after the profile, with one exception: `dev` builds into `debug`.
fn profile(binaries: &Path) -> &str {
    match binaries.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    }
}

/// What `local` is to be told. The alias ends in `--` already, and people type another one out of habit.
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
