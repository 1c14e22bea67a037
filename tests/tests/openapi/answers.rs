//! Every answer of the production binaries is as the document says, and all that the document says is seen.

use std::collections::BTreeSet;

use tests::World;

use crate::document::Document;
use crate::schema::object;
use crate::witness::Witness;
use crate::{other_releases, scenes};

/// Answers that no request brings about: API Gateway's own, and what goes wrong inside.
const NOT_ON_DEMAND: [&str; 5] = ["401", "403", "429", "500", "503"];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_described_and_every_description_is_seen() {
    let document = Document::read();
    let operations: Vec<(String, String)> =
        document.operations().iter().map(|o| (o.method.to_owned(), o.path.to_owned())).collect();
    let world = World::start().await;
    let mut witness = Witness::new(&world, &document);
    scenes::one_by_hand(&mut witness).await;
    scenes::configurations(&mut witness).await;
    scenes::by_itself(&mut witness).await;
    scenes::jobs(&mut witness).await;
    scenes::refusals(&mut witness).await;
    scenes::nonsense(&mut witness, &operations).await;
    scenes::large(&mut witness).await;
    other_releases::stored(&mut witness).await;

    let (answers, properties) = described(&document);
    let unseen: Vec<&String> = answers.difference(&witness.answers).collect();
    assert!(unseen.is_empty(), "these answers were never seen: {unseen:#?}");
    let unseen: Vec<&String> = properties.difference(&witness.properties).collect();
    assert!(unseen.is_empty(), "these fields were never seen in an answer: {unseen:#?}");
    world.stop().await;
}

/// The answers that can be brought about, and every property of their bodies.
fn described(document: &Document) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut answers = BTreeSet::new();
    let mut properties = BTreeSet::new();
    for operation in document.operations() {
        for (status, response) in object(&operation.own["responses"]) {
            if NOT_ON_DEMAND.contains(&status.as_str()) {
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
