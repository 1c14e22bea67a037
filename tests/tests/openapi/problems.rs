//! Every type of problem that the code has is described, and none that it has not.

use std::collections::BTreeSet;
use std::path::Path;

use crate::document::Document;
use crate::schema::object;

const URN: &str = "urn:reprise:problem:";

#[test]
fn every_problem_of_the_code_is_described_with_its_status_and_no_other_is() {
    let document = Document::read();
    let described: BTreeSet<(String, u64)> = object(&document.root()["components"]["schemas"])
        .filter_map(|(_, schema)| {
            let type_name =
                schema["properties"]["type"]["const"].as_str()?.strip_prefix(URN).expect("a problem's type");
            Some((type_name.to_owned(), schema["properties"]["status"]["const"].as_u64().expect("its status")))
        })
        .collect();
    assert_eq!(described, in_the_code());
}

/// Slugs with their status, as the source names them.
fn in_the_code() -> BTreeSet<(String, u64)> {
    let problems = source("http-edge/src/problem.rs");
    // `Self::new(404, "not-found", …)`, on one line or several.
    let made = problems.split("Self::new(").skip(1).filter_map(|call| {
        let (status, rest) = call.split_once(',')?;
        let status = status.trim().parse().ok()?;
        Some((rest.trim_start().strip_prefix('"')?.split('"').next()?.to_owned(), status))
    });
    // The domain's refusals bring a slug of their own, all with one status.
    let domain = source("domain/src/job.rs");
    let refusals = domain.split("impl Refusal").nth(1).expect("refusals");
    let refusals = refusals.split("=> \"").skip(1).filter_map(|arm| Some((arm.split('"').next()?.to_owned(), 409)));
    let all: BTreeSet<(String, u64)> = made.chain(refusals).collect();
    assert!(all.len() > 10, "the source is written otherwise than this test reads it: {all:?}");
    all
}

fn source(path: &str) -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    std::fs::read_to_string(crates.join(path)).expect("the source is there")
}
