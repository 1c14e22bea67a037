//! Sign-in over HTTP, as the console does it in a browser and as a script does it.

use serde_json::{Value, json};
use tests::{World, report};

use super::refused;

/// From RFC 7636, appendix B: a verifier, and its S256 challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The body of a form.
fn form(fields: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("form:", fields).unwrap();
    url.query().unwrap_or_default().to_owned()
}

async fn token(world: &World, fields: &[(&str, &str)]) -> Value {
    let url = format!("{}/token", world.issuer().url());
    let answer = reqwest::Client::new().post(url).body(form(fields)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// Submits the sign-in page with these boxes ticked. Returns the URL to which the browser is redirected.
async fn sign_in(world: &World, ticked: &[&str]) -> reqwest::Url {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let back = format!("{}/console/signed-in", world.stack.http_url());
    let query = [
        ("response_type", "code"),
        ("client_id", &world.issuer().settings().client_id),
        ("redirect_uri", &back),
        ("scope", "openid reprise/read reprise/payload reprise/operate reprise/erase reprise/configure"),
        ("state", "s-1"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let asked = reqwest::Url::parse_with_params(&format!("{}/authorize", world.issuer().url()), query).unwrap();
    let page = client.get(asked.clone()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("test issuer") && page.contains("asks for no password"), "{page}");
    assert_eq!(page.matches("type=\"checkbox\"").count(), 5, "{page}");
    assert_eq!(page.matches(" checked>").count(), 5, "{page}");

    let mut fields = vec![("request", asked.query().unwrap()), ("name", "operator-17"), ("decision", "allow")];
    fields.extend(ticked.iter().map(|scope| ("scope", *scope)));
    let answer = client.post(format!("{}/authorize", world.issuer().url())).body(form(&fields)).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_signs_in_gets_the_scopes_that_they_ticked() {
    let world = World::start_guarded().await;
    world.report(report("4711", "orders", json!({}))).await;
    let back = sign_in(&world, &["reprise/read", "reprise/operate"]).await;
    assert_eq!(back.path(), "/console/signed-in");
    let parameters: std::collections::HashMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!(parameters["state"], "s-1");
    let redirect = format!("{}/console/signed-in", world.stack.http_url());
    let client_id = world.issuer().settings().client_id.clone();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", &parameters["code"]),
        ("redirect_uri", &redirect),
        ("code_verifier", VERIFIER),
        ("client_id", &client_id),
    ];
    let tokens = token(&world, &exchange).await;
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(3600), &json!("Bearer")));
    let access = tokens["access_token"].as_str();
    super::retry(&world, "4711", access).await.ok();
    let payload = world.request("GET", "/interchanges/4711/payloads/sender", access, None).await;
    refused(&payload, 403, "Forbidden");
    let shown = world.request("GET", "/interchanges/4711", access, None).await.ok();
    assert_eq!(shown["events"].as_array().unwrap().last().unwrap()["actor"], "operator-17");

    // The id token is only for the page. The API refuses it.
    let answer = world.request("GET", "/flows", tokens["id_token"].as_str(), None).await;
    assert!(refused(&answer, 401, "Unauthorized").contains("valid audience"));

    world.advance("2h").await;
    refused(&world.request("GET", "/flows", access, None).await, 401, "Unauthorized");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renewal = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", &client_id)];
    let renewed = token(&world, &renewal).await;
    world.request("GET", "/flows", renewed["access_token"].as_str(), None).await.ok();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_a_token_for_the_name_and_scopes_that_it_requests() {
    let world = World::start_guarded().await;
    let all = token(&world, &[("grant_type", "client_credentials"), ("sub", "nightly")]).await;
    let all = all["access_token"].as_str();
    world.request("PUT", "/flows/orders", all, Some(json!({ "displayName": "Orders" }))).await.ok();
    let asked = [("grant_type", "client_credentials"), ("sub", "nightly"), ("scope", "reprise/read")];
    let reading = token(&world, &asked).await;
    assert_eq!(reading["scope"], "reprise/read");
    let reading = reading["access_token"].as_str();
    world.request("GET", "/flows", reading, None).await.ok();
    refused(&world.request("PUT", "/flows/orders", reading, Some(json!({}))).await, 403, "Forbidden");
    world.stop().await;
}
