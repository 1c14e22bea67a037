//! Compatibility with other releases: `keep` writes a table file with the functions of a release, for the tests of
//! later releases.
//! `mix` runs the functions of two releases side by side on one table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tests::World;
use tests::explore::{OtherRelease, Scenario, run_with_other_release};
use tests::releases::{Mixed, create_every_shape, export};

const HELP: &str = "\
cargo run -p tests --example releases -- keep FILE [BINARIES]
  writes a table with the functions of BINARIES (default: those built with this) to FILE
cargo run -p tests --example releases -- mix BINARIES [SEED]
  runs every scenario with the functions of BINARIES mixed at random with those built with this";

/// Scenarios that the previous release does not know. Empty this when `tests/releases/before` names another commit.
const NEW_SCENARIOS: [Scenario; 1] = [Scenario::Erase];

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["keep", file] => keep(Path::new(file), World::own_binaries().await).await,
        ["keep", file, binaries] => keep(Path::new(file), binaries.into()).await,
        ["mix", binaries] => mix(Path::new(binaries), 1).await,
        ["mix", binaries, seed] => match seed.parse() {
            Ok(seed) => mix(Path::new(binaries), seed).await,
            Err(error) => help(&format!("{seed}: {error}")),
        },
        _ => help("the command must be `keep` or `mix`"),
    }
}

fn help(why: &str) -> ExitCode {
    eprintln!("{why}\n\n{HELP}");
    ExitCode::from(2)
}

async fn keep(file: &Path, binaries: PathBuf) -> ExitCode {
    let world = World::start_with(binaries).await;
    create_every_shape(&world).await;
    let mut table = serde_json::to_string_pretty(&export(&world)).expect("JSON");
    table.push('\n');
    std::fs::write(file, &table).expect("the file can be written");
    eprintln!("{}: {} bytes", file.display(), table.len());
    world.stop().await;
    ExitCode::SUCCESS
}

async fn mix(binaries: &Path, seed: u64) -> ExitCode {
    let ours = World::own_binaries().await;
    let mut failed = 0;
    let known = Scenario::ALL.into_iter().filter(|scenario| !NEW_SCENARIOS.contains(scenario));
    for (scenario, seed) in known.zip(seed..) {
        let mixed = Mixed::new(&ours, binaries, seed);
        let world = World::start_with(mixed.directory().to_owned()).await;
        let (violations, other_release) = run_with_other_release(scenario, world, OtherRelease::Runs(mixed)).await;
        let Some(OtherRelease::Runs(mixed)) = other_release else { continue };
        eprintln!("{scenario} (seed {seed}): {} violations, {} switches", violations.len(), mixed.switches);
        violations.iter().for_each(|violation| eprintln!("  {violation}"));
        failed += usize::from(!violations.is_empty());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
