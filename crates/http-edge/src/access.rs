//! Which flows a caller may see, as its token says.

use domain::FlowAccess;

use crate::Request;

/// The claim of a token that lists the flows its bearer may see; none where the stack limits nobody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FlowsClaim(Option<String>);

impl FlowsClaim {
    /// The claim of this name.
    pub(crate) fn new(name: Option<String>) -> Self {
        Self(name)
    }

    /// What the caller of `request` may see. Where the stack has a claim, a token without it opens no flow, and neither does
    /// a caller without a token.
    pub(crate) fn access(&self, request: &Request) -> FlowAccess {
        let Some(name) = &self.0 else { return FlowAccess::all() };
        let token = request.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
        let claim = token.and_then(|token| token.claims.get(name));
        FlowAccess::listed(claim.map(String::as_str).into_iter().flat_map(entries))
    }
}

/// The entries of a claim. API Gateway hands every claim on as text: a list of two as `[a b]`, a text as it is. So they are
/// separated by blanks or commas, with or without brackets around them all and quotes around each, none of which a flow's
/// name can have.
fn entries(claim: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '"');
    claim.split(is_between).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::FlowName;
    use serde_json::json;

    fn request(authorizer: &serde_json::Value) -> Request {
        let mut request = Request::default();
        request.request_context.authorizer = serde_json::from_value(authorizer.clone()).unwrap();
        request
    }

    fn access(claim: &str) -> FlowAccess {
        let authorizer = json!({ "jwt": { "claims": { "sub": "alice", "cognito:groups": claim }, "scopes": null } });
        FlowsClaim::new(Some("cognito:groups".to_owned())).access(&request(&authorizer))
    }

    #[test]
    fn a_claim_is_a_list_however_it_was_written() {
        let both = FlowAccess::listed(["orders-*", "invoices"]);
        for claim in [
            "[orders-* invoices]",
            "orders-* invoices",
            "orders-*,invoices",
            "orders-*, invoices",
            "  orders-*\tinvoices ",
            r#"["orders-*","invoices"]"#,
            r#"["orders-*", "invoices"]"#,
            "[invoices orders-* orders-*]",
        ] {
            assert_eq!(access(claim), both, "{claim}");
        }
        assert_eq!(access("[orders-*]"), FlowAccess::listed(["orders-*"]));
        assert_eq!(access("[admins *]"), FlowAccess::all());
        for nothing in ["", "[]", " ", "[ ]", "\"\""] {
            assert_eq!(access(nothing), FlowAccess::listed([]), "{nothing:?}");
        }
    }

    #[test]
    fn who_does_not_have_the_claim_that_the_stack_asks_for_sees_no_flow() {
        let claim = FlowsClaim::new(Some("flows".to_owned()));
        for authorizer in [
            json!(null),
            json!({ "jwt": { "claims": { "sub": "alice", "Flows": "*" }, "scopes": null } }),
            json!({ "iam": { "userArn": "arn:aws:iam::000000000000:user/alice" } }),
        ] {
            let access = claim.access(&request(&authorizer));
            assert!(!access.allows(&FlowName::unassigned()), "{authorizer}");
            assert_eq!(access, FlowAccess::listed([]), "{authorizer}");
        }
    }

    #[test]
    fn a_stack_without_a_claim_limits_nobody() {
        let authorizer = json!({ "jwt": { "claims": { "sub": "alice", "flows": "orders" }, "scopes": null } });
        assert_eq!(FlowsClaim::default().access(&request(&authorizer)), FlowAccess::all());
    }
}
