//! `cargo meter`: what a message costs, as a Markdown table. Runs the production binaries on the local stack, whose AWS
//! endpoint counts calls and units by AWS's rules. `--detail` adds where they go; other words pick scenarios by name.

mod messages;
mod scenarios;
mod table;

use std::io::Write;

use scenarios::{Measured, SCENARIOS};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (options, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let mut measured: Vec<Measured> = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| wanted(scenario.name)) {
        writeln!(std::io::stderr(), "measuring: {}", scenario.name)?;
        measured.push(scenario.run().await);
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{}", table::table(&measured))?;
    if options.iter().any(|option| option == "--detail") {
        write!(out, "{}", table::detail(&measured))?;
    }
    Ok(())
}
