//! Access control in a stack with an issuer: the scopes in the template, and valid and invalid tokens.

mod flows;
mod routes;
mod scopes;
mod sign_in;
mod tokens;

use serde_json::{Value, json};
use tests::{Answer, World};

fn because() -> Value {
    json!({ "reason": "the partner is back" })
}

/// A retry request. Whether it succeeds depends only on the token.
async fn retry(world: &World, id: &str, token: Option<&str>) -> Answer {
    world.request("POST", &format!("/interchanges/{id}/retry"), token, Some(because())).await
}

/// Checks that API Gateway itself refused the request, and returns the challenge.
fn refused(answer: &Answer, status: u16, message: &str) -> String {
    assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })), "{answer:?}");
    answer.challenge.clone().unwrap_or_else(|| panic!("no challenge: {answer:?}"))
}
