//! What the browser is told about the page: what it may load, call and be framed by.

use anyhow::Context as _;
use aws_lambda_events::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use startup::SignIn;

/// Headers of every answer.
///
/// # Errors
/// Names the address of the issuer or of a sign-in origin that is none.
pub(crate) fn everywhere(sign_in: Option<&SignIn>) -> anyhow::Result<HeaderMap> {
    let policy = HeaderValue::try_from(policy(sign_in)?)?;
    Ok(HeaderMap::from_iter([
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ),
    ]))
}

/// Own files only, nothing inline, and nothing that a message holds can become markup: trusted types are demanded and
/// there is no policy that makes them.
fn policy(sign_in: Option<&SignIn>) -> anyhow::Result<String> {
    let mut called = vec!["'self'".to_owned()];
    if let Some(sign_in) = sign_in {
        called.push(origin(&sign_in.issuer).context("CONSOLE_ISSUER")?);
        for other in &sign_in.origins {
            called.push(origin(other).context("CONSOLE_SIGN_IN_ORIGINS")?);
        }
    }
    Ok(format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src {}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        called.join(" ")
    ))
}

/// Scheme and authority of an address, and nothing that could end a directive.
fn origin(address: &str) -> anyhow::Result<String> {
    let uri: Uri = address.parse().with_context(|| format!("`{address}` is no address"))?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        anyhow::bail!("`{address}` is no address like https://sign-in.example.com");
    };
    // What may stand in an authority ends a directive or begins a source: `;` and `'` do, and no origin has them.
    let text = authority.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    anyhow::ensure!(text.chars().all(plain), "`{address}` has more than a host and a port");
    Ok(format!("{scheme}://{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(issuer: &str, origins: &[&str]) -> SignIn {
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        SignIn { issuer: issuer.into(), client_id: "console".into(), origins }
    }

    #[test]
    fn without_an_issuer_the_page_calls_its_own_site_alone() {
        let headers = everywhere(None).unwrap();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        for never in ["unsafe", "data:", "blob:", "*", "http"] {
            assert!(!policy.contains(never), "{never} in {policy}");
        }
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn the_issuer_and_where_it_signs_in_may_be_called_by_their_origins() {
        let cognito = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool";
        let sign_in = sign_in(cognito, &["https://reprise.auth.eu-west-1.amazoncognito.com"]);
        let policy = policy(Some(&sign_in)).unwrap();
        let called = "connect-src 'self' https://cognito-idp.eu-west-1.amazonaws.com \
                      https://reprise.auth.eu-west-1.amazoncognito.com;";
        assert!(policy.contains(called), "{policy}");
    }

    #[test]
    fn an_address_that_would_widen_the_policy_is_refused() {
        for address in ["*", "https:", "/path", "https://a;script-src", "https://*", "ftp://a", "https://a b", "data:x"]
        {
            assert!(policy(Some(&sign_in(address, &[]))).is_err(), "{address}");
            assert!(policy(Some(&sign_in("https://a.example", &[address]))).is_err(), "{address}");
        }
    }
}
