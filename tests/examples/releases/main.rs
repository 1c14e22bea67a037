//! Tables and functions of other releases: `keep` has a release make a table that later ones are tested with, `mix` runs the
//! functions of two releases side by side on one table.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tests::World;
use tests::explore::{Neighbour, Scenario, beside};
use tests::releases::{Mixed, export, make};

const HELP: &str = "\
cargo run -p tests --example releases -- keep FILE [BINARIES]
  makes a table with the functions of BINARIES (default: those built with this) and keeps it in FILE
cargo run -p tests --example releases -- mix BINARIES [SEED]
  goes through every scenario with the functions of BINARIES mixed at random with those built with this";

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
        _ => help("one of `keep` and `mix`"),
    }
}

fn help(why: &str) -> ExitCode {
    eprintln!("{why}\n\n{HELP}");
    ExitCode::from(2)
}

async fn keep(file: &Path, binaries: PathBuf) -> ExitCode {
    let world = World::start_with(binaries).await;
    make(&world).await;
    let mut kept = serde_json::to_string_pretty(&export(&world)).expect("JSON");
    kept.push('\n');
    std::fs::write(file, &kept).expect("the file can be written");
    eprintln!("{}: {} bytes", file.display(), kept.len());
    world.stop().await;
    ExitCode::SUCCESS
}

async fn mix(binaries: &Path, seed: u64) -> ExitCode {
    let ours = World::own_binaries().await;
    let mut failed = 0;
    for (scenario, seed) in Scenario::ALL.into_iter().zip(seed..) {
        let mixed = Mixed::new(&ours, binaries, seed);
        let world = World::start_with(mixed.directory().to_owned()).await;
        let (violations, neighbour) = beside(scenario, world, Neighbour::Runs(mixed)).await;
        let Some(Neighbour::Runs(mixed)) = neighbour else { continue };
        eprintln!("{scenario} (seed {seed}): {} violations, {} turns", violations.len(), mixed.turns);
        violations.iter().for_each(|violation| eprintln!("  {violation}"));
        failed += usize::from(!violations.is_empty());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
