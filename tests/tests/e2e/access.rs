//! Who may do what, where the stack has an issuer: the rules of the template, and tokens good and bad.

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

/// A request that only its token decides over.
async fn retry(world: &World, id: &str, token: Option<&str>) -> Answer {
    world.request("POST", &format!("/interchanges/{id}/retry"), token, Some(because())).await
}

/// Checks that API Gateway itself said so, and gives the challenge.
fn refused(answer: &Answer, status: u16, message: &str) -> String {
    assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })), "{answer:?}");
    answer.challenge.clone().unwrap_or_else(|| panic!("no challenge: {answer:?}"))
}
