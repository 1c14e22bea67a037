//! The issuer over real sockets: what a client may rely on, and what it refuses.

#![cfg(test)]

mod support;

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use test_issuer::{IssuerError, Listening};

use support::{Fixture, START, claims, form, sent_back, start};

#[tokio::test]
async fn a_code_is_exchanged_for_tokens_of_who_signed_in() {
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
    let renewal = [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", refresh)];
    let (status, renewed) = fixture.token(&renewal).await;
    assert_eq!((status, &claims(&renewed["access_token"])["exp"]), (200, &json!(START + 10_800)));
}

#[tokio::test]
async fn a_code_is_good_once_for_who_asked_for_it_and_not_for_long() {
    let fixture = start().await;
    let refused = |(status, answer): (u16, Value)| {
        assert_eq!(status, 400, "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    };
    let code = fixture.code().await;
    assert_eq!(fixture.exchange(&code, &[]).await.0, 200);
    assert_eq!(refused(fixture.exchange(&code, &[]).await), "invalid_grant");
    for (name, value) in [("code_verifier", "guessed"), ("code_verifier", ""), ("redirect_uri", "http://127.0.0.1/x")] {
        let code = fixture.code().await;
        assert_eq!(refused(fixture.exchange(&code, &[(name, value)]).await), "invalid_grant", "{name}");
        assert_eq!(refused(fixture.exchange(&code, &[]).await), "invalid_grant", "a try uses the code up");
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
async fn only_what_is_ticked_is_granted_and_nothing_beyond_what_was_asked() {
    let fixture = start().await;
    for (asked, ticked, granted) in [
        ("openid shop/read shop/write", vec!["shop/read"], "shop/read"),
        ("openid shop/read shop/write", vec![], ""),
        ("shop/read", vec!["shop/read", "shop/write"], "shop/read"),
        ("openid", vec!["shop/write", "shop/everything"], "shop/write"),
    ] {
        let request = fixture.request(&[("scope", asked)]);
        let mut fields = vec![("name", "operator")];
        fields.extend(ticked.iter().map(|scope| ("scope", *scope)));
        let code = sent_back(&fixture.decide(&request, &fields).await)["code"].clone();
        let (status, tokens) = fixture.exchange(&code, &[]).await;
        assert_eq!((status, &tokens["scope"]), (200, &json!(granted)), "{asked} {ticked:?}");
        assert_eq!(tokens.get("id_token").is_some(), asked.contains("openid"));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_the_client_that_made_it() {
    let fixture = start().await;
    for (changes, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("prompt", "none")], "login_required"),
    ] {
        let told = sent_back(&fixture.ask(&changes).await);
        assert_eq!((told["error"].as_str(), told["state"].as_str()), (error, "s"), "{changes:?}");
        let told = sent_back(&fixture.decide(&fixture.request(&changes), &[("name", "operator")]).await);
        assert_eq!(told["error"], error, "{changes:?}");
    }
    let denied = fixture.decide(&fixture.request(&[]), &[("decision", "deny"), ("name", "")]).await;
    assert_eq!(sent_back(&denied)["error"], "access_denied");
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_but_to_this_machine_and_for_its_own_client_only() {
    let fixture = start().await;
    for changes in [
        vec![("client_id", "other")],
        vec![("client_id", "")],
        vec![("redirect_uri", "https://evil.example/back")],
        vec![("redirect_uri", "")],
    ] {
        for answer in
            [fixture.ask(&changes).await, fixture.decide(&fixture.request(&changes), &[("name", "operator")]).await]
        {
            assert_eq!(answer.status(), 400, "{changes:?}");
            assert!(!answer.headers().contains_key("location"));
        }
    }
    let out = |back: &str| fixture.url(&format!("/end-session?{}", form(&[("post_logout_redirect_uri", back)])));
    let here = fixture.http.get(out("http://localhost:3000/bye")).send().await.unwrap();
    assert_eq!(
        (here.status().as_u16(), &here.headers()["location"]),
        (303, &"http://localhost:3000/bye".parse().unwrap())
    );
    assert_eq!(fixture.http.get(out("https://evil.example/")).send().await.unwrap().status(), 400);
    assert_eq!(fixture.http.get(fixture.url("/end-session")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_page_says_what_it_is_and_nothing_of_a_request_becomes_markup() {
    let fixture = start().await;
    let state = "\"><script>alert(1)</script>";
    let back = "http://127.0.0.1:3000/back?x='\"";
    let answer = fixture.ask(&[("state", state), ("redirect_uri", back)]).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(page.contains("This is the test issuer"), "{page}");
    assert!(!page.contains("<script") && !page.contains("x='"), "{page}");
    let name = "<b>\u{fc}</b>";
    let sent = fixture.decide(&fixture.request(&[]), &[("name", name)]).await;
    let (_, tokens) = fixture.exchange(&sent_back(&sent)["code"], &[]).await;
    assert_eq!(claims(&tokens["access_token"])["sub"], name);
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        assert_eq!(fixture.decide(&fixture.request(&[]), &[("name", name)]).await.status(), 400, "{name:?}");
    }
}

#[tokio::test]
async fn a_script_names_itself_and_its_scopes() {
    let fixture = start().await;
    let told = async |fields: &[(&str, &str)]| {
        fixture.token(&[&[("grant_type", "client_credentials")], fields].concat()).await
    };
    let (_, all) = told(&[]).await;
    let all = claims(&all["access_token"]);
    assert_eq!((&all["sub"], &all["scope"]), (&json!("operator"), &json!("shop/read shop/write")));
    let (_, some) = told(&[("sub", "nightly"), ("scope", "shop/read")]).await;
    let some = claims(&some["access_token"]);
    assert_eq!((&some["sub"], &some["scope"]), (&json!("nightly"), &json!("shop/read")));
    let (status, refused) = told(&[("scope", "shop/everything")]).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_scope")));
}

#[tokio::test]
async fn a_token_lists_the_flows_that_were_asked_for_in_the_claim_or_all() {
    let fixture = start().await;
    let told = async |fields: &[(&str, &str)]| {
        let (_, token) = fixture.token(&[&[("grant_type", "client_credentials")], fields].concat()).await;
        claims(&token["access_token"])["groups"].clone()
    };
    assert_eq!(told(&[]).await, json!(["*"]));
    assert_eq!(told(&[("flows", "orders-* returns")]).await, json!(["orders-*", "returns"]));
}

#[tokio::test]
async fn discovery_names_every_end_point_and_scripts_of_any_page_may_read_it() {
    let fixture = start().await;
    let answer = fixture.http.get(fixture.url("/.well-known/openid-configuration")).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let told: Value = answer.json().await.unwrap();
    assert_eq!(told["issuer"], fixture.issuer.url());
    for end_point in ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"] {
        let url = told[end_point].as_str().unwrap();
        assert_ne!(fixture.http.get(url).send().await.unwrap().status(), 404, "{url}");
    }
    let keys: Value = fixture.http.get(told["jwks_uri"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
    assert_eq!(keys, json!({ "keys": [fixture.issuer.jwk()] }));
    assert_eq!((&keys["keys"][0]["kty"], &keys["keys"][0]["e"]), (&json!("RSA"), &json!("AQAB")));
    let preflight = fixture.http.request(reqwest::Method::OPTIONS, fixture.url("/token")).send().await.unwrap();
    assert_eq!(
        (preflight.status().as_u16(), &preflight.headers()["access-control-allow-origin"]),
        (204, &"*".parse().unwrap())
    );
    let page = fixture.ask(&[]).await;
    assert!(!page.headers().contains_key("access-control-allow-origin"), "the page is for people");
}

#[tokio::test]
async fn it_is_not_to_be_had_on_an_address_that_others_reach() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = Listening::on(address.parse().unwrap()).await.err().unwrap();
        assert!(matches!(refused, IssuerError::NotLoopback(_)), "{refused}");
    }
}

#[tokio::test]
async fn its_address_is_free_when_it_has_shut_down() {
    let Fixture { issuer, .. } = start().await;
    let address = issuer.url().strip_prefix("http://").unwrap().to_owned();
    issuer.shutdown().await;
    tokio::net::TcpListener::bind(address).await.unwrap();
}
