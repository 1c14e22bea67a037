//! Compares `infra/openapi.yaml` with the template and the production binaries: routes, responses, problems and limits, in both
//! directions. A field that only the code or only the document has fails a test.

#![cfg(test)]

mod answers;
mod checked_client;
mod document;
mod examples;
mod fields;
mod limited;
mod limits;
mod other_releases;
mod problems;
mod routes;
mod scenarios;
mod schema;
