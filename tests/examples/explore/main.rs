//! `cargo explore`: runs scenarios with a fault at each of their AWS calls, and checks the invariants after each run.
//! `--help` lists
//! the options.

mod arguments;
mod report;

use std::process::ExitCode;

use tests::explore::run;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}\n\n{}", arguments::HELP);
            return ExitCode::from(2);
        }
    };
    let Some(options) = arguments else {
        eprintln!("{}", arguments::HELP);
        return ExitCode::SUCCESS;
    };
    let mut report = report::Report::begin(options.seed);
    let summary = run(&options, |progress, history, result| report.history_ended(progress, history, result)).await;
    report.end(&summary);
    if summary.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
