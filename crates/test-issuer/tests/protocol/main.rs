//! Tests the issuer's protocol over real sockets: what it grants and what it refuses.

#![cfg(test)]

mod support;

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use test_issuer::{IssuerError, IssuerListener};

use support::{Fixture, START, claims, form, redirect_fields, start};

#[tokio::test]
async fn a_code_is_exchanged_for_tokens_of_the_user_who_signed_in() {
    let fixture = start().await;
    let (status, tokens) = fixture.exchange(&fixture.code().await, &[]).await;
    assert_eq!((status, &tokens["scope"]), (200, &json!("shop/read shop/write")), "{tokens}");
    let access = claims(&tokens["access_token"]);
    for (name, value) in [
        ("iss", json!(fixture.issuer.url())),
        ("sub", json!("operator")),
        ("aud", json!("shop")),
        ("scope", json!("shop/read shop/write")),
        ("iat", json!(START)),
        ("exp", json!(START + 3600)),
    ] {
        assert_eq!(access[name], value, "{name}");
    }
    let id = claims(&tokens["id_token"]);
    assert_eq!((&id["aud"], &id["nonce"], &id["sub"]), (&json!("page"), &json!("n"), &json!("operator")));
    fixture.clock.fetch_add(7200, Ordering::SeqCst);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refresh_form = [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", refresh)];
    let (status, renewed) = fixture.token(&refresh_form).await;
    assert_eq!((status, &claims(&renewed["access_token"])["exp"]), (200, &json!(START + 10_800)));
}

#[tokio::test]
async fn a_code_is_valid_once_for_its_client_and_for_five_minutes() {
    let fixture = start().await;
    let refused = |(status, response): (u16, Value)| {
        assert_eq!(status, 400, "{response}");
        response["error"].as_str().unwrap().to_owned()
    };
    let code = fixture.code().await;
    assert_eq!(fixture.exchange(&code, &[]).await.0, 200);
    assert_eq!(refused(fixture.exchange(&code, &[]).await), "invalid_grant");
    for (name, value) in [("code_verifier", "guessed"), ("code_verifier", ""), ("redirect_uri", "http://127.0.0.1/x")] {
        let code = fixture.code().await;
        assert_eq!(refused(fixture.exchange(&code, &[(name, value)]).await), "invalid_grant", "{name}");
        assert_eq!(
            refused(fixture.exchange(&code, &[]).await),
            "invalid_grant",
            "a failed attempt also uses up the code"
        );
    }
    let code = fixture.code().await;
    assert_eq!(refused(fixture.exchange(&code, &[("client_id", "other")]).await), "invalid_client");
    fixture.clock.fetch_add(301, Ordering::SeqCst);
    assert_eq!(refused(fixture.exchange(&code, &[]).await), "invalid_grant");
    for (grant, error) in [("password", "unsupported_grant_type"), ("", "invalid_request")] {
        assert_eq!(refused(fixture.exchange("x", &[("grant_type", grant)]).await), error);
    }
}

#[tokio::test]
async fn only_scopes_that_are_requested_and_ticked_are_granted() {
    let fixture = start().await;
    for (requested, ticked, granted) in [
        ("openid shop/read shop/write", vec!["shop/read"], "shop/read"),
        ("openid shop/read shop/write", vec![], ""),
        ("shop/read", vec!["shop/read", "shop/write"], "shop/read"),
        ("openid", vec!["shop/write", "shop/everything"], "shop/write"),
    ] {
        let request = fixture.request(&[("scope", requested)]);
        let mut fields = vec![("name", "operator")];
        fields.extend(ticked.iter().map(|scope| ("scope", *scope)));
        let code = redirect_fields(&fixture.submit(&request, &fields).await)["code"].clone();
        let (status, tokens) = fixture.exchange(&code, &[]).await;
        assert_eq!((status, &tokens["scope"]), (200, &json!(granted)), "{requested} {ticked:?}");
        assert_eq!(tokens.get("id_token").is_some(), requested.contains("openid"));
    }
}

#[tokio::test]
async fn an_invalid_request_redirects_to_the_client_with_an_error() {
    let fixture = start().await;
    for (changes, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("prompt", "none")], "login_required"),
    ] {
        let fields = redirect_fields(&fixture.authorize(&changes).await);
        assert_eq!((fields["error"].as_str(), fields["state"].as_str()), (error, "s"), "{changes:?}");
        let fields = redirect_fields(&fixture.submit(&fixture.request(&changes), &[("name", "operator")]).await);
        assert_eq!(fields["error"], error, "{changes:?}");
    }
    let denied = fixture.submit(&fixture.request(&[]), &[("decision", "deny"), ("name", "")]).await;
    assert_eq!(redirect_fields(&denied)["error"], "access_denied");
}

#[tokio::test]
async fn unknown_clients_and_addresses_on_other_machines_are_refused_without_a_redirect() {
    let fixture = start().await;
    for changes in [
        vec![("client_id", "other")],
        vec![("client_id", "")],
        vec![("redirect_uri", "https://evil.example/back")],
        vec![("redirect_uri", "")],
    ] {
        for response in [
            fixture.authorize(&changes).await,
            fixture.submit(&fixture.request(&changes), &[("name", "operator")]).await,
        ] {
            assert_eq!(response.status(), 400, "{changes:?}");
            assert!(!response.headers().contains_key("location"));
        }
    }
    let end_session =
        |back: &str| fixture.url(&format!("/end-session?{}", form(&[("post_logout_redirect_uri", back)])));
    let here = fixture.http.get(end_session("http://localhost:3000/bye")).send().await.unwrap();
    assert_eq!(
        (here.status().as_u16(), &here.headers()["location"]),
        (303, &"http://localhost:3000/bye".parse().unwrap())
    );
    assert_eq!(fixture.http.get(end_session("https://evil.example/")).send().await.unwrap().status(), 400);
    assert_eq!(fixture.http.get(fixture.url("/end-session")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_page_shows_a_notice_and_escapes_values_of_the_request() {
    let fixture = start().await;
    let state = "\"><script>alert(1)</script>";
    let back = "http://127.0.0.1:3000/back?x='\"";
    let response = fixture.authorize(&[("state", state), ("redirect_uri", back)]).await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    let page = response.text().await.unwrap();
    assert!(page.contains("This is the test issuer"), "{page}");
    assert!(!page.contains("<script") && !page.contains("x='"), "{page}");
    let name = "<b>\u{fc}</b>";
    let sent = fixture.submit(&fixture.request(&[]), &[("name", name)]).await;
    let (_, tokens) = fixture.exchange(&redirect_fields(&sent)["code"], &[]).await;
    assert_eq!(claims(&tokens["access_token"])["sub"], name);
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        assert_eq!(fixture.submit(&fixture.request(&[]), &[("name", name)]).await.status(), 400, "{name:?}");
    }
}

#[tokio::test]
async fn client_credentials_choose_the_subject_and_the_scopes() {
    let fixture = start().await;
    let request = async |fields: &[(&str, &str)]| {
        fixture.token(&[&[("grant_type", "client_credentials")], fields].concat()).await
    };
    let (_, all) = request(&[]).await;
    let all = claims(&all["access_token"]);
    assert_eq!((&all["sub"], &all["scope"]), (&json!("operator"), &json!("shop/read shop/write")));
    let (_, some) = request(&[("sub", "nightly"), ("scope", "shop/read")]).await;
    let some = claims(&some["access_token"]);
    assert_eq!((&some["sub"], &some["scope"]), (&json!("nightly"), &json!("shop/read")));
    let (status, refused) = request(&[("scope", "shop/everything")]).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_scope")));
}

#[tokio::test]
async fn the_flows_claim_lists_the_requested_flows_or_all() {
    let fixture = start().await;
    let request = async |fields: &[(&str, &str)]| {
        let (_, token) = fixture.token(&[&[("grant_type", "client_credentials")], fields].concat()).await;
        claims(&token["access_token"])["groups"].clone()
    };
    assert_eq!(request(&[]).await, json!(["*"]));
    assert_eq!(request(&[("flows", "orders-* returns")]).await, json!(["orders-*", "returns"]));
}

#[tokio::test]
async fn discovery_lists_the_end_points_and_allows_any_origin() {
    let fixture = start().await;
    let response = fixture.http.get(fixture.url("/.well-known/openid-configuration")).send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let discovery: Value = response.json().await.unwrap();
    assert_eq!(discovery["issuer"], fixture.issuer.url());
    for end_point in ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"] {
        let url = discovery[end_point].as_str().unwrap();
        assert_ne!(fixture.http.get(url).send().await.unwrap().status(), 404, "{url}");
    }
    let keys: Value =
        fixture.http.get(discovery["jwks_uri"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    assert_eq!(keys, json!({ "keys": [fixture.issuer.jwk()] }));
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["e"]), (&json!("RSA"), &json!("AQAB")));
    let preflight = fixture.http.request(reqwest::Method::OPTIONS, fixture.url("/token")).send().await.unwrap();
    assert_eq!(
        (preflight.status().as_u16(), &preflight.headers()["access-control-allow-origin"]),
        (204, &"*".parse().unwrap())
    );
    let page = fixture.authorize(&[]).await;
    assert!(!page.headers().contains_key("access-control-allow-origin"), "the page must not allow other origins");
}

#[tokio::test]
async fn an_address_that_other_machines_can_reach_is_refused() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = IssuerListener::bind(address.parse().unwrap()).await.err().unwrap();
        assert!(matches!(refused, IssuerError::NotLoopback(_)), "{refused}");
    }
}

#[tokio::test]
async fn its_address_is_free_after_a_shutdown() {
    let Fixture { issuer, .. } = start().await;
    let address = issuer.url().strip_prefix("http://").unwrap().to_owned();
    issuer.shutdown().await;
    tokio::net::TcpListener::bind(address).await.unwrap();
}
