//! `infra/openapi.yaml` against what it describes: the routes that are deployed, the answers and the refusals of the production
//! binaries. A field that the code knows and the document does not fails here, and so does one that only the document knows.

#![cfg(test)]

mod answers;
mod document;
mod examples;
mod fields;
mod limited;
mod limits;
mod other_releases;
mod problems;
mod routes;
mod scenes;
mod schema;
mod witness;
