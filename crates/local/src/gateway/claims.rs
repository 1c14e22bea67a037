//! Checks the claims of a token whose signature is already verified.

use serde_json::{Map, Value};

use crate::template::Authorizer;

/// Checks the claims against the authorizer at `now`, in Unix seconds.
///
/// # Errors
/// The reason in words for the caller.
pub(super) fn check(claims: &Map<String, Value>, authorizer: &Authorizer, now: i64) -> Result<(), &'static str> {
    if claim(claims, "iss").as_str() != Some(&authorizer.issuer) {
        return Err("the token's issuer is not the configured one");
    }
    if !has_audience(claims, &authorizer.audience) {
        return Err("the token does not have a valid audience");
    }
    match time(claims, "exp")? {
        Some(expiry) if expiry > now => {}
        Some(_) => return Err("the token has expired"),
        None => return Err("the token has no expiry"),
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|from| from > now) {
            return Err("the token is not valid yet");
        }
    }
    Ok(())
}

/// Whether `aud` contains one of `audience`. A token without `aud` is checked by its `client_id`.
fn has_audience(claims: &Map<String, Value>, audience: &[String]) -> bool {
    let named = match claim(claims, "aud") {
        Value::Null => claim(claims, "client_id"),
        audience => audience,
    };
    let one = std::slice::from_ref(named);
    let named = named.as_array().map_or(one, Vec::as_slice);
    named.iter().filter_map(Value::as_str).any(|name| audience.iter().any(|accepted| accepted == name))
}

/// A time claim in whole Unix seconds.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, &'static str> {
    match claim(claims, name) {
        Value::Null => Ok(None),
        Value::Number(seconds) => Ok(seconds.as_f64().map(|seconds| seconds as i64)),
        _ => Err("a time of the token is not a number"),
    }
}

/// Those of `wanted` scopes that the token has in `scope` or `scp`.
pub(super) fn scopes(claims: &Map<String, Value>, wanted: &[String]) -> Vec<String> {
    let has =
        |scope: &&String| ["scope", "scp"].iter().any(|name| words(claim(claims, name)).any(|word| word == **scope));
    wanted.iter().filter(has).cloned().collect()
}

/// The words of a claim that is a text with spaces or a list.
fn words(claim: &Value) -> impl Iterator<Item = &str> {
    let list = claim.as_array().into_iter().flatten().filter_map(Value::as_str);
    claim.as_str().into_iter().flat_map(str::split_whitespace).chain(list)
}

fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a Value {
    claims.get(name).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_795_183_200;

    /// The claims of a valid token with `changes` applied; null removes a claim.
    fn claims(changes: &Value) -> Map<String, Value> {
        let valid =
            json!({ "iss": "https://issuer.example", "aud": "reprise", "exp": NOW + 1, "iat": NOW, "nbf": NOW });
        let mut claims = valid.as_object().unwrap().clone();
        claims.extend(changes.as_object().unwrap().clone());
        claims.retain(|_, value| !value.is_null());
        claims
    }

    fn checked(changes: &Value) -> Result<(), &'static str> {
        let audience = ["reprise", "reprise-cli"].map(str::to_owned).to_vec();
        check(&claims(changes), &Authorizer { issuer: "https://issuer.example".into(), audience }, NOW)
    }

    #[test]
    fn a_token_of_the_issuer_for_the_audience_is_accepted_while_it_is_valid() {
        for changes in [
            json!({}),
            json!({ "aud": "reprise-cli" }),
            json!({ "aud": ["other", "reprise"] }),
            json!({ "aud": null, "client_id": "reprise" }),
            json!({ "iat": null, "nbf": null }),
            json!({ "exp": NOW as f64 + 1.5 }),
        ] {
            assert_eq!(checked(&changes), Ok(()), "{changes}");
        }
    }

    #[test]
    fn any_other_token_is_refused_with_the_reason() {
        for (changes, reason) in [
            (json!({ "iss": "https://issuer.example/" }), "the token's issuer is not the configured one"),
            (json!({ "iss": null }), "the token's issuer is not the configured one"),
            (json!({ "aud": "other" }), "the token does not have a valid audience"),
            (json!({ "aud": [] }), "the token does not have a valid audience"),
            (json!({ "aud": null }), "the token does not have a valid audience"),
            (json!({ "aud": "other", "client_id": "reprise" }), "the token does not have a valid audience"),
            (json!({ "exp": NOW }), "the token has expired"),
            (json!({ "exp": null }), "the token has no expiry"),
            (json!({ "exp": "2099-01-01" }), "a time of the token is not a number"),
            (json!({ "nbf": NOW + 1 }), "the token is not valid yet"),
            (json!({ "iat": NOW + 1 }), "the token is not valid yet"),
        ] {
            assert_eq!(checked(&changes), Err(reason), "{changes}");
        }
    }

    #[test]
    fn scopes_are_whole_words_of_scope_or_scp() {
        let wanted = ["reprise/read", "reprise/operate"].map(str::to_owned);
        let granted = |changes: Value| scopes(&claims(&changes), &wanted);
        assert_eq!(granted(json!({ "scope": "openid reprise/read" })), ["reprise/read"]);
        assert_eq!(granted(json!({ "scp": ["reprise/operate", "x"] })), ["reprise/operate"]);
        assert_eq!(granted(json!({ "scp": "reprise/operate", "scope": "reprise/read" })), wanted);
        for none in
            [json!({}), json!({ "scope": "reprise/readers a/reprise/read" }), json!({ "scope": { "reprise/read": 1 } })]
        {
            assert_eq!(granted(none.clone()), [""; 0], "{none}");
        }
    }
}
