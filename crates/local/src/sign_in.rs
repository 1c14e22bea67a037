//! The rules of access of a deployment that has an issuer, with the test issuer in its place.
//!
//! The template is told of the issuer by its own parameters, so its conditions turn the rules on as they do in an account.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use local_aws::Clock;
use test_issuer::{IssuerError, IssuerListener, Settings, TestIssuer};

use crate::template::{Authorization, Template};

/// What the API's tokens are for.
const AUDIENCE: &str = "reprise";

/// What the console is called at the issuer.
const CLIENT: &str = "reprise-console";

/// An issuer that has its address, where one is asked for.
pub(crate) async fn listening(address: Option<SocketAddr>) -> Result<Option<IssuerListener>, IssuerError> {
    match address {
        Some(address) => IssuerListener::bind(address).await.map(Some),
        None => Ok(None),
    }
}

/// What the template is to be told of it, and of the claim that limits bearers where there is to be one.
pub(crate) fn parameters(issuer: &IssuerListener, flows_claim: Option<&str>) -> BTreeMap<String, String> {
    let issuer = [("JwtIssuer", issuer.url()), ("JwtAudience", AUDIENCE.into()), ("ConsoleClientId", CLIENT.into())];
    let claim = flows_claim.map(|claim| ("FlowsClaim", claim.to_owned()));
    issuer.into_iter().chain(claim).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Has it answer, by the stack's clock, and give out every scope that a route asks for.
pub(crate) fn serve(
    issuer: IssuerListener,
    template: &Template,
    flows_claim: Option<String>,
    clock: Clock,
) -> TestIssuer {
    let mut scopes = BTreeSet::new();
    for route in &template.routes {
        if let Authorization::Jwt { scopes: asked, .. } = &route.authorization {
            scopes.extend(asked.iter().cloned());
        }
    }
    let scopes = scopes.into_iter().collect();
    let settings = Settings { client_id: CLIENT.into(), audience: AUDIENCE.into(), scopes, flows_claim };
    issuer.serve(settings, move || clock.now())
}
