//! Every response of the production binaries matches the document, and every response and field of the document occurs.

use std::collections::BTreeSet;

use tests::World;

use crate::checked_client::CheckedClient;
use crate::document::Document;
use crate::schema::object;
use crate::{other_releases, scenarios};

/// Responses that no request of this test can cause: those of API Gateway itself, and internal errors.
const NOT_REPRODUCIBLE: [&str; 5] = ["401", "403", "429", "500", "503"];

#[tokio::test(flavor = "multi_thread")]
async fn every_response_matches_the_document_and_every_documented_response_and_field_occurs() {
    let document = Document::read();
    let operations: Vec<(String, String)> =
        document.operations().iter().map(|o| (o.method.to_owned(), o.path.to_owned())).collect();
    let world = World::start().await;
    let mut client = CheckedClient::new(&world, &document);
    scenarios::manual_actions(&mut client).await;
    scenarios::configurations(&mut client).await;
    scenarios::automatic_events(&mut client).await;
    scenarios::jobs(&mut client).await;
    scenarios::refusals(&mut client).await;
    scenarios::invalid_requests(&mut client, &operations).await;
    scenarios::large(&mut client).await;
    other_releases::stored(&mut client).await;

    let (answers, properties) = described(&document);
    let unseen: Vec<&String> = answers.difference(&client.answers).collect();
    assert!(unseen.is_empty(), "these responses did not occur: {unseen:#?}");
    let unseen: Vec<&String> = properties.difference(&client.properties).collect();
    assert!(unseen.is_empty(), "these fields did not occur in a response: {unseen:#?}");
    world.stop().await;
}

/// The reproducible responses of the document, and all properties of their bodies.
fn described(document: &Document) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut answers = BTreeSet::new();
    let mut properties = BTreeSet::new();
    for operation in document.operations() {
        for (status, response) in object(&operation.own["responses"]) {
            if NOT_REPRODUCIBLE.contains(&status.as_str()) {
                continue;
            }
            answers.insert(format!("{} {} {status}", operation.method, operation.path));
            for (_, media) in object(&document.resolved(response)["content"]) {
                document.properties(&media["schema"], "", None, &mut properties);
            }
        }
    }
    (answers, properties)
}
