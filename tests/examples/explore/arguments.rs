//! The command line of `cargo explore`.

use std::str::FromStr;

use tests::explore::{Filter, Options, Scenario};

/// The usage text.
pub(crate) const HELP: &str = "\
cargo explore -- [options]
    --histories N      at most so many (default: every single fault)
    --seed N           decides which histories run, and in which order (default 1)
    --jobs N           worlds at the same time (default 8)
    --scenario NAME    only this scenario; may be given several times
    --fault WORD       only faults whose names contain this word
    --call WORD        only calls whose names contain this word: run-job, sqs, GetItem
    --inject CALL,FAULT,DOSE   exactly this fault, as a failed history prints it; twice for a pair
    --help             this text";

/// Parses the arguments. `None` when help is requested.
pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options =
        Options { seed: 1, filter: Filter::default(), histories: usize::MAX, jobs: 8, injections: Vec::new() };
    let mut words = words;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--histories" => options.histories = number(&value()?)?,
            "--seed" => options.seed = number(&value()?)?,
            "--jobs" => options.jobs = number(&value()?)?,
            "--scenario" => options.filter.scenarios.push(scenario(value()?)?),
            "--fault" => options.filter.faults.push(value()?),
            "--call" => options.filter.calls.push(value()?),
            "--inject" => options.injections.push(value()?.parse().map_err(|error| format!("{error}"))?),
            "--list" | "--help" => return Ok(None),
            other => return Err(format!("there is no option {other}")),
        }
    }
    Ok(Some(options))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

fn scenario(name: String) -> Result<String, String> {
    let names: Vec<&str> = Scenario::ALL.into_iter().map(Scenario::name).collect();
    if names.contains(&name.as_str()) {
        Ok(name)
    } else {
        Err(format!("there is no scenario {name}; the scenarios are {}", names.join(", ")))
    }
}
