//! Invalid tokens. Each would allow everything if it were accepted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use local::test_issuer::{IssuerListener, Settings};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::{RECEIVER_STAGE, World, report};

use super::{refused, retry};

const ALL: [&str; 5] = ["reprise/read", "reprise/payload", "reprise/operate", "reprise/erase", "reprise/configure"];

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a valid token, with those in `changes` replaced.
fn claims(world: &World, changes: Value) -> Value {
    let mut claims = world.issuer().claims("operator", &ALL);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string()), base64(claims.to_string()))
}

/// An issuer with its own key that the stack does not trust.
async fn stranger(world: &World) -> local::TestIssuer {
    let listening = IssuerListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let now = world.stack.aws().clock().now();
    let settings = Settings { client_id: "x".into(), audience: "x".into(), scopes: Vec::new(), flows_claim: None };
    listening.serve(settings, move || now)
}

/// Tokens signed by `HS256` with the issuer's public key as the secret, in several encodings of the key.
fn signed_with_public_key(world: &World) -> Vec<String> {
    let jwk = world.issuer().jwk();
    let modulus = jwk["n"].as_str().unwrap();
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": jwk["kid"] });
    let message = unsigned(&header, &claims(world, json!({})));
    let secrets = [modulus.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(modulus).unwrap(), jwk.to_string().into_bytes()];
    let signed = secrets.iter().map(|secret| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(message.as_bytes());
        format!("{message}.{}", base64(mac.finalize().into_bytes()))
    });
    signed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_token_is_refused_with_the_reason_and_has_no_effect() {
    let world = World::start_guarded().await;
    world.report(report("4711", "orders", json!({}))).await;
    let issuer = world.issuer();
    let now = world.stack.aws().clock().now().as_second();
    let good = issuer.token("operator", &ALL);
    let parts: Vec<&str> = good.split('.').collect();
    let (header, signature) = (parts[0], parts[2]);
    let with_another_subject = base64(claims(&world, json!({ "sub": "somebody-else" })).to_string());
    let stranger = stranger(&world).await;
    let with = |changes: Value| issuer.sign(&claims(&world, changes));
    let kid = &issuer.jwk()["kid"];
    let none = |alg: &str| unsigned(&json!({ "alg": alg, "kid": kid }), &claims(&world, json!({})));
    let as_ours = |token: String| {
        let (_, message) = token.split_once('.').unwrap();
        format!("{header}.{message}")
    };
    let foreign = stranger.sign(&claims(&world, json!({})));

    let mut tokens = vec![
        ("garbage".to_owned(), "is malformed"),
        ("a.b.c".to_owned(), "is malformed"),
        (format!("{header}.{}", parts[1]), "is malformed"),
        (format!("{good}.x"), "is malformed"),
        (format!("{}.", none("none")), "is malformed"),
        (format!("{}.{signature}", none("none")), "is malformed"),
        (format!("{}.", none("RS256")), "signature is not valid"),
        (format!("{}.{signature}", none("RS512")), "not signed by RS256"),
        (format!("{header}.{with_another_subject}.{signature}"), "signature is not valid"),
        (format!("{header}.{}.{}", parts[1], base64([0; 256])), "signature is not valid"),
        (foreign.clone(), "does not have the token's key"),
        (as_ours(foreign), "signature is not valid"),
        (with(json!({ "iss": stranger.url() })), "not the configured one"),
        (with(json!({ "iss": null })), "not the configured one"),
        (with(json!({ "aud": "reprise-test" })), "valid audience"),
        (with(json!({ "aud": issuer.settings().client_id })), "valid audience"),
        (with(json!({ "aud": null })), "valid audience"),
        (with(json!({ "exp": now })), "has expired"),
        (with(json!({ "exp": null })), "no expiry"),
        (with(json!({ "nbf": now + 60 })), "not valid yet"),
        (with(json!({ "iat": now + 60 })), "not valid yet"),
    ];
    tokens.extend(signed_with_public_key(&world).into_iter().map(|token| (token, "not signed by RS256")));
    for (token, reason) in &tokens {
        let challenge = refused(&retry(&world, "4711", Some(token)).await, 401, "Unauthorized");
        let invalid = "Bearer scope=\"reprise/operate\" error=\"invalid_token\" error_description=\"";
        assert!(challenge.starts_with(invalid) && challenge.contains(reason), "{token}: {challenge}, not {reason}");
    }
    for nothing in [None, Some("")] {
        assert_eq!(refused(&retry(&world, "4711", nothing).await, 401, "Unauthorized"), "Bearer");
    }
    world.settle().await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    let reading = world.token("reader", &["read"]);
    let interchange = world.request("GET", "/interchanges/4711", Some(&reading), None).await.ok();
    assert_eq!(interchange["status"], "failed");

    // The same request succeeds with a valid token.
    retry(&world, "4711", Some(&good)).await.ok();
    stranger.shutdown().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_expires_after_an_hour_of_the_stacks_clock() {
    let world = World::start_guarded().await;
    let token = world.token("reader", &["read"]);
    let flows = async |token: &str| world.request("GET", "/flows", Some(token), None).await;
    world.advance("59m").await;
    flows(&token).await.ok();
    world.advance("1m").await;
    assert!(refused(&flows(&token).await, 401, "Unauthorized").contains("the token has expired"));
    flows(&world.token("reader", &["read"])).await.ok();
    world.stop().await;
}
