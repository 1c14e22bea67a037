//! The operations of the document are the routes of the template, with the same scopes.

use std::collections::{BTreeMap, BTreeSet};

use local::template::{Authorization, StackContext, Template};
use serde_json::{Value, json};

use crate::document::Document;

/// Routes that the document does not describe: the console is a page for people, not a part of the API.
const PAGES: &str = "GET /console";

/// The routes by method and path, with their authorization.
fn routes(issuer: &str) -> BTreeMap<String, Authorization> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml")).unwrap();
    let [stack, region, account, endpoint] =
        ["reprise", "eu-west-1", "000000000000", "http://127.0.0.1:1"].map(str::to_owned);
    let parameters = [("JwtIssuer", issuer), ("JwtAudience", "reprise")].map(|(n, v)| (n.to_owned(), v.to_owned()));
    let context = StackContext { stack, region, account, endpoint };
    let template = Template::parse(&text, &context, &parameters.into()).unwrap();
    let routes = template.routes.into_iter().map(|route| (route.key(), route.authorization));
    routes.filter(|(key, _)| !key.starts_with(PAGES)).collect()
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let document = Document::read();
    let described: BTreeSet<String> =
        document.operations().iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect();
    let routes: BTreeSet<String> = routes("").into_keys().collect();
    assert_eq!(described, routes);
    assert!(!routes.is_empty());
}

#[test]
fn every_operation_has_the_scope_of_its_route() {
    let document = Document::read();
    let routes = routes("https://issuer.example");
    for operation in document.operations() {
        let route = format!("{} {}", operation.method, operation.path);
        let Authorization::Jwt { scopes, .. } = &routes[&route] else { panic!("{route} does not require a token") };
        assert_eq!(operation.own["security"], json!([{ "token": scopes }, { "signature": [] }]), "{route}");
    }
}

#[test]
fn the_document_describes_exactly_the_scopes_of_the_routes() {
    let document = Document::read();
    let flows = document.component("securitySchemes", "token")["flows"].as_object().unwrap();
    let used: BTreeSet<String> = routes("https://issuer.example")
        .into_values()
        .flat_map(|authorization| match authorization {
            Authorization::Jwt { scopes, .. } => scopes,
            _ => Vec::new(),
        })
        .collect();
    for flow in flows.values() {
        let described: BTreeSet<String> = flow["scopes"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, used);
    }
}

#[test]
fn each_operation_describes_its_path_parameters_and_has_a_unique_id() {
    let document = Document::read();
    let mut names = BTreeSet::new();
    for operation in document.operations() {
        let in_path = |parameter: &&Value| parameter["in"] == "path" && parameter["required"] == true;
        let parameters = operation.parameters(&document);
        let described: BTreeSet<&str> =
            parameters.iter().copied().filter(in_path).filter_map(|parameter| parameter["name"].as_str()).collect();
        let parts = operation.path.split('/');
        let named: BTreeSet<&str> = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(described, named, "{} {}", operation.method, operation.path);
        assert!(names.insert(operation.own["operationId"].as_str().unwrap()), "{}", operation.own["operationId"]);
    }
    assert_eq!(document.root()["info"]["version"], env!("CARGO_PKG_VERSION"));
}
