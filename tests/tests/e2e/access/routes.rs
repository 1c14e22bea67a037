//! The authorization of every route of the template. A new route without a scope fails a test.

use local::template::{Authorization, Route};
use tests::World;

use super::refused;

const SCOPES: [&str; 5] = ["read", "payload", "operate", "erase", "configure"];

/// A path that the route matches.
fn path(route: &Route) -> String {
    let filled = route.path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment });
    filled.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_except_the_console_requires_its_scope_and_no_other() {
    let world = World::start_guarded().await;
    assert!(world.routes().len() > 10, "{:?}", world.routes());
    for route in world.routes() {
        let scopes = match &route.authorization {
            Authorization::None if route.path.starts_with("/console") => continue,
            Authorization::Jwt { scopes, .. } => scopes,
            other => panic!("{}: {other:?}", route.key()),
        };
        let [scope] = scopes.as_slice() else { panic!("{}: {scopes:?}", route.key()) };
        let ask = async |token: Option<&str>| world.request(&route.method, &path(route), token, None).await;
        assert_eq!(refused(&ask(None).await, 401, "Unauthorized"), "Bearer", "{}", route.key());
        let all_others: Vec<&str> = SCOPES.into_iter().filter(|other| *scope != format!("reprise/{other}")).collect();
        assert_eq!(all_others.len(), SCOPES.len() - 1, "{scope} is not one of the five scopes");
        let challenge = refused(&ask(Some(&world.token("operator", &all_others))).await, 403, "Forbidden");
        assert!(
            challenge.starts_with(&format!("Bearer scope=\"{scope}\" error=\"insufficient_scope\"")),
            "{challenge}"
        );
        let allowed = ask(Some(&world.issuer().token("operator", scopes))).await;
        assert!(![401, 403].contains(&allowed.status) && allowed.status < 500, "{}: {allowed:?}", route.key());
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_loads_without_a_token_and_its_configuration_names_the_issuer() {
    let world = World::start_guarded().await;
    for path in ["/console", "/console/flows/orders"] {
        let page = world.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.content_type.starts_with("text/html"), "{path}: {}", page.content_type);
    }
    let config = world.get("/console/config.json").await.ok();
    assert_eq!(config["issuer"], world.issuer().url());
    assert_eq!(config["clientId"], world.issuer().settings().client_id);
    for scope in SCOPES {
        let scope = format!("reprise/{scope}");
        assert!(config["scopes"].as_array().unwrap().iter().any(|listed| *listed == scope), "{scope}: {config}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_issuer_every_route_requires_a_signature_and_the_console_has_no_sign_in() {
    let world = World::start().await;
    for route in world.routes() {
        assert_eq!(route.authorization, Authorization::Iam, "{}", route.key());
    }
    assert_eq!(world.get("/console/config.json").await.ok(), serde_json::json!({}));
    assert!(world.stack.issuer().is_none());
    world.stop().await;
}
