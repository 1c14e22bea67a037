//! The rules on how the crates stand to each other, held against what cargo says of the workspace. A crate that is new
//! here must be given its place first.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What runs in production, from the inside out. A crate depends on crates further in only: never sideways, never out.
const LAYERS: [&[&str]; 6] = [
    &["domain", "aws-cause"],
    &["contract"],
    &["table", "queues", "schedules"],
    &["app"],
    &["startup", "http-edge"],
    &[
        "ingest-failure",
        "list",
        "restart",
        "retry",
        "delete",
        "scheduled-retry",
        "run-job",
        "configure-flow",
        "console",
    ],
];

/// What runs on a developer's machine, and knows Reprise by its template and its public contracts alone.
const AROUND: [&str; 6] = ["local-aws", "test-issuer", "local", "demo", "launch", "tests"];

/// All that the domain may stand on: times, digests, and errors' texts.
const UNDER_THE_DOMAIN: [&str; 3] = ["jiff", "sha2", "thiserror"];

/// A file that is longer has more than one idea.
const MOST_LINES: usize = 400;

#[test]
fn every_crate_has_a_place_in_the_architecture() {
    let placed: BTreeSet<&str> = LAYERS.iter().copied().flatten().chain(&AROUND).copied().collect();
    for name in crates().keys() {
        assert!(placed.contains(name.as_str()), "{name} is in no layer: give it one in this test");
    }
}

#[test]
fn production_crates_depend_inwards_only() {
    let crates = crates();
    for (name, dependencies) in &crates {
        let Some(layer) = layer(name) else { continue };
        for other in dependencies.iter().filter(|other| crates.contains_key(*other)) {
            let inner = layer_of_production(name, other);
            assert!(inner < layer, "{name} depends on {other}, which is not further in");
        }
    }
}

#[test]
fn the_domain_knows_of_no_aws_no_runtime_and_no_wire_format() {
    for dependency in &crates()["domain"] {
        assert!(UNDER_THE_DOMAIN.contains(&dependency.as_str()), "the domain depends on {dependency}");
    }
}

#[test]
fn functions_reach_aws_through_their_layers_only() {
    let crates = crates();
    for name in LAYERS[5].iter().filter(|name| crates.contains_key(**name)) {
        for dependency in &crates[*name] {
            assert!(!is_sdk(dependency), "{name} depends on {dependency}: that is for the adapters and start-up");
        }
    }
}

#[test]
fn the_application_and_the_contract_name_no_aws_client() {
    let crates = crates();
    for name in ["contract", "app", "http-edge"] {
        let sdk = crates[name].iter().find(|dependency| is_sdk(dependency));
        assert_eq!(sdk, None, "{name} depends on an AWS client");
    }
}

#[test]
fn what_runs_locally_knows_reprise_from_outside() {
    let crates = crates();
    for name in AROUND.iter().filter(|name| **name != "tests") {
        let production = crates[*name].iter().find(|dependency| layer(dependency).is_some());
        assert_eq!(production, None, "{name} depends on a production crate");
    }
    assert!(crates["launch"].is_empty(), "launch must build at once: {:?}", crates["launch"]);
}

#[test]
fn no_file_is_longer_than_one_idea() {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", file.display());
    }
}

/// The workspace's crates with what each is built from; what only their tests use is left out.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let answer = cargo.output().expect("cargo runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (name(package), dependencies(package))).collect()
}

fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"] != "dev").map(name).collect()
}

fn name(named: &Value) -> String {
    named["name"].as_str().unwrap().to_owned()
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

fn layer_of_production(name: &str, dependency: &str) -> usize {
    layer(dependency).unwrap_or_else(|| panic!("{name} runs in production and depends on {dependency}, which does not"))
}

fn is_sdk(dependency: &str) -> bool {
    dependency.starts_with("aws-sdk-") || dependency.starts_with("aws-config") || dependency.starts_with("aws-smithy")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
