use aws_lambda_events::http::HeaderName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

fn site() -> Site {
    Site::new(None).unwrap()
}

fn get(site: &Site, path: &str, headers: &[(HeaderName, &str)]) -> ApiGatewayV2httpResponse {
    let mut request = ApiGatewayV2httpRequest::default();
    request.raw_path = Some(path.to_owned());
    request.headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
    site.answer(&request)
}

fn header<'a>(answer: &'a ApiGatewayV2httpResponse, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn text(answer: &ApiGatewayV2httpResponse) -> &str {
    match &answer.body {
        Some(Body::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// A style or a script that the page has.
fn some_asset(site: &Site) -> (&&'static str, &File) {
    site.assets.first_key_value().expect("there are files")
}

#[test]
fn every_path_of_the_page_answers_the_shell() {
    let site = site();
    for path in ["/console", "/console/", "/console/flows/orders", "/console/interchanges/a%2Fb", "/console/nowhere"] {
        let answer = get(&site, path, &[]);
        assert_eq!((answer.status_code, header(&answer, "content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-cache");
        assert_eq!(text(&answer), site.shell.text);
    }
}

#[test]
fn every_answer_carries_the_policy() {
    let site = site();
    let asset = format!("{}{}", site.here, some_asset(&site).0);
    for path in ["/console", "/console/config.json", "/console/assets/none/none.js", asset.as_str()] {
        let answer = get(&site, path, &[]);
        assert!(header(&answer, "content-security-policy").contains("default-src 'none'"), "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header(&answer, "cross-origin-opener-policy"), "same-origin", "{path}");
    }
}

#[test]
fn a_file_of_this_build_is_kept_for_good() {
    let site = site();
    for (path, file) in &site.assets {
        let answer = get(&site, &format!("{}{path}", site.here), &[]);
        assert_eq!((answer.status_code, text(&answer)), (200, file.text.as_ref()), "{path}");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&answer, "content-type"), file.content_type, "{path}");
    }
}

#[test]
fn a_file_of_another_build_and_one_that_never_was_are_not_there_and_that_is_not_kept() {
    let site = site();
    let (path, _) = some_asset(&site);
    for missing in [format!("/console/assets/0000/{path}"), format!("{}none.js", site.here), site.here.clone()] {
        let answer = get(&site, &missing, &[]);
        assert_eq!((answer.status_code, header(&answer, "cache-control")), (404, "no-store"), "{missing}");
        assert_eq!(header(&answer, "content-type"), "text/plain; charset=utf-8");
    }
}

#[test]
fn no_path_leads_out_of_the_files() {
    let site = site();
    let out = [
        "../Cargo.toml",
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "/etc/passwd",
        "./index.html",
        "index.html",
        "..\\Cargo.toml",
        "README.md",
        "\0",
        "",
    ];
    for path in out {
        assert_eq!(get(&site, &format!("{}{path}", site.here), &[]).status_code, 404, "{path}");
        let elsewhere = get(&site, &format!("/console/{path}"), &[]);
        assert_eq!(text(&elsewhere), site.shell.text, "{path}");
    }
}

#[test]
fn what_the_browser_has_is_not_sent_again() {
    let site = site();
    for path in ["/console", "/console/config.json"] {
        let tag = header(&get(&site, path, &[]), "etag").to_owned();
        for known in [tag.clone(), format!("\"a\", {tag}"), tag.trim_start_matches("W/").to_owned(), "*".to_owned()] {
            let answer = get(&site, path, &[(header::IF_NONE_MATCH, &known)]);
            assert_eq!((answer.status_code, answer.body.is_none()), (304, true), "{path} {known}");
            assert_eq!((header(&answer, "etag"), header(&answer, "cache-control")), (tag.as_str(), "no-cache"));
        }
        assert_eq!(get(&site, path, &[(header::IF_NONE_MATCH, "\"other\"")]).status_code, 200);
    }
}

#[test]
fn a_client_that_accepts_gzip_gets_it() {
    let site = site();
    for accepted in ["gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5"] {
        let answer = get(&site, "/console", &[(header::ACCEPT_ENCODING, accepted)]);
        assert_eq!((header(&answer, "content-encoding"), answer.is_base64_encoded), ("gzip", true), "{accepted}");
        assert_eq!(STANDARD.decode(text(&answer)).unwrap()[..2], [0x1f, 0x8b]);
        assert_eq!(header(&answer, "vary"), "accept-encoding");
    }
    for refused in ["", "br", "gzip;q=0", "x-gzip"] {
        let answer = get(&site, "/console", &[(header::ACCEPT_ENCODING, refused)]);
        assert_eq!((header(&answer, "content-encoding"), answer.is_base64_encoded), ("", false), "{refused}");
    }
}

#[test]
fn without_an_issuer_the_configuration_is_empty() {
    let answer = get(&site(), "/console/config.json", &[]);
    assert_eq!((text(&answer), header(&answer, "content-type")), ("{}", "application/json"));
}

#[test]
fn an_issuer_that_is_no_address_stops_the_start() {
    let sign_in = SignIn { issuer: "nowhere".into(), client_id: "console".into(), origins: Vec::new() };
    assert!(Site::new(Some(&sign_in)).is_err());
}
