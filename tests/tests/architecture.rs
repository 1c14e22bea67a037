//! Checks the rules on dependencies between crates with the output of `cargo metadata`. A new crate must be added to a layer in
//! this file.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The production crates, from the innermost layer to the outermost. A crate may depend only on crates of inner layers,
/// never on one of its own layer.
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

/// The crates that run on a developer's machine. They use only the template and the public contracts of Reprise.
const LOCAL_TOOLS: [&str; 6] = ["local-aws", "test-issuer", "local", "demo", "launch", "tests"];

/// The only dependencies of the domain: times, regular expressions, digests and error types.
const DOMAIN_DEPENDENCIES: [&str; 4] = ["jiff", "regex", "sha2", "thiserror"];

/// The maximum length of a source file.
const MAX_LINES: usize = 400;

#[test]
fn every_crate_has_a_layer() {
    let known: BTreeSet<&str> = LAYERS.iter().copied().flatten().chain(&LOCAL_TOOLS).copied().collect();
    for name in crates().keys() {
        assert!(known.contains(name.as_str()), "{name} is in no layer: add it to one in this test");
    }
}

#[test]
fn production_crates_depend_only_on_inner_layers() {
    let crates = crates();
    for (name, dependencies) in &crates {
        let Some(layer) = layer(name) else { continue };
        for other in dependencies.iter().filter(|other| crates.contains_key(*other)) {
            let inner = layer_of_production(name, other);
            assert!(inner < layer, "{name} depends on {other}, which is not in an inner layer");
        }
    }
}

#[test]
fn the_domain_depends_on_no_aws_client_no_runtime_and_no_wire_format() {
    for dependency in &crates()["domain"] {
        assert!(DOMAIN_DEPENDENCIES.contains(&dependency.as_str()), "the domain depends on {dependency}");
    }
}

#[test]
fn functions_use_aws_only_through_adapters_and_startup() {
    let crates = crates();
    for name in LAYERS[5].iter().filter(|name| crates.contains_key(**name)) {
        for dependency in &crates[*name] {
            assert!(!is_sdk(dependency), "{name} depends on {dependency}: only adapters and startup may");
        }
    }
}

#[test]
fn the_application_and_the_contract_depend_on_no_aws_client() {
    let crates = crates();
    for name in ["contract", "app", "http-edge"] {
        let sdk = crates[name].iter().find(|dependency| is_sdk(dependency));
        assert_eq!(sdk, None, "{name} depends on an AWS client");
    }
}

#[test]
fn local_tools_depend_on_no_production_crate() {
    let crates = crates();
    for name in LOCAL_TOOLS.iter().filter(|name| **name != "tests") {
        let production = crates[*name].iter().find(|dependency| layer(dependency).is_some());
        assert_eq!(production, None, "{name} depends on a production crate");
    }
    assert!(
        crates["launch"].is_empty(),
        "launch must have no dependencies, so that it builds quickly: {:?}",
        crates["launch"]
    );
}

#[test]
fn no_file_is_too_long() {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", file.display());
    }
}

/// The crates of the workspace with their dependencies, without dev-dependencies.
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
    layer(dependency)
        .unwrap_or_else(|| panic!("{name} is a production crate and depends on {dependency}, which is not"))
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
