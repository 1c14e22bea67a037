//! The document describes exactly the problem types of the code.

use std::collections::BTreeSet;
use std::path::Path;

use crate::document::Document;
use crate::schema::object;

const URN: &str = "urn:reprise:problem:";

#[test]
fn the_document_describes_exactly_the_problems_of_the_code_with_their_status() {
    let document = Document::read();
    let described: BTreeSet<(String, u64)> = object(&document.root()["components"]["schemas"])
        .filter_map(|(_, schema)| {
            let type_name =
                schema["properties"]["type"]["const"].as_str()?.strip_prefix(URN).expect("a problem's type");
            Some((type_name.to_owned(), schema["properties"]["status"]["const"].as_u64().expect("its status")))
        })
        .collect();
    assert_eq!(described, problems_in_the_code());
}

/// The slugs and statuses in the source code.
fn problems_in_the_code() -> BTreeSet<(String, u64)> {
    let problems = source("http-edge/src/problem.rs");
    // `Self::new(404, "not-found", …)`, on one line or several.
    let made = problems.split("Self::new(").skip(1).filter_map(|call| {
        let (status, rest) = call.split_once(',')?;
        let status = status.trim().parse().ok()?;
        Some((rest.trim_start().strip_prefix('"')?.split('"').next()?.to_owned(), status))
    });
    // The slugs of the domain's refusals. All have the status 409.
    let domain = source("domain/src/job.rs");
    let refusals = domain.split("impl Refusal").nth(1).expect("refusals");
    let refusals = refusals.split("=> \"").skip(1).filter_map(|arm| Some((arm.split('"').next()?.to_owned(), 409)));
    let all: BTreeSet<(String, u64)> = made.chain(refusals).collect();
    assert!(all.len() > 10, "this test cannot parse the source any more: {all:?}");
    all
}

fn source(path: &str) -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    std::fs::read_to_string(crates.join(path)).expect("the source is there")
}
