//! What is typed behind `cargo explore --`.

use std::str::FromStr;

use tests::explore::{Filter, Options, Scenario};

/// What there is to be typed.
pub(crate) const HELP: &str = "\
cargo explore -- [options]
  --histories N      at most so many (default: every single fault, and a sixth of pairs)
  --seed N           decides which ones, and in which order (default 1)
  --jobs N           worlds side by side (default 8)
  --scenario NAME    only this one; may be given several times
  --fault WORD       only faults with this in their names
  --call WORD        only calls with this in them: run-job, sqs, GetItem
  --inject CALL,FAULT,DOSE   exactly this, as a failure prints it; twice for a pair
  --list             the scenarios";

/// `None` where help was asked for.
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
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn scenario(name: String) -> Result<String, String> {
    let names: Vec<&str> = Scenario::ALL.into_iter().map(Scenario::name).collect();
    if names.contains(&name.as_str()) {
        Ok(name)
    } else {
        Err(format!("there is no scenario {name}, but {}", names.join(", ")))
    }
}
