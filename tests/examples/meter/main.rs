//! `cargo meter`: prints the cost of a message as a Markdown table. Runs the production binaries on the local stack, whose AWS
//! endpoint counts calls and units by the rules of AWS. `--detail` adds the calls and units by operation and item. Other
//! arguments select scenarios whose names contain them.

mod messages;
mod scenarios;
mod table;

use std::io::Write;

use scenarios::{Measurement, SCENARIOS};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (options, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let mut measurements: Vec<Measurement> = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| wanted(scenario.name)) {
        writeln!(std::io::stderr(), "measuring: {}", scenario.name)?;
        measurements.push(scenario.run().await);
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{}", table::table(&measurements))?;
    if options.iter().any(|option| option == "--detail") {
        write!(out, "{}", table::detail(&measurements))?;
    }
    Ok(())
}
