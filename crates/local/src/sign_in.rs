//! Starts the test issuer for `--auth`, in place of the OpenID Connect issuer of a deployment.
//!
//! The template gets the issuer's URL as its own parameters, so its conditions turn the JWT authorizer on as in an account.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use local_aws::Clock;
use test_issuer::{IssuerError, IssuerListener, Settings, TestIssuer};

use crate::template::{Authorization, Template};

/// The audience of the API's tokens.
const AUDIENCE: &str = "reprise";

/// The console's client id at the issuer.
const CLIENT_ID: &str = "reprise-console";

/// Opens the issuer's port if there is an address for it. The issuer does not answer yet.
pub(crate) async fn listen(address: Option<SocketAddr>) -> Result<Option<IssuerListener>, IssuerError> {
    match address {
        Some(address) => IssuerListener::bind(address).await.map(Some),
        None => Ok(None),
    }
}

/// The template parameters for this issuer, and for the claim that limits bearers to flows if there is one.
pub(crate) fn parameters(issuer: &IssuerListener, flows_claim: Option<&str>) -> BTreeMap<String, String> {
    let issuer = [("JwtIssuer", issuer.url()), ("JwtAudience", AUDIENCE.into()), ("ConsoleClientId", CLIENT_ID.into())];
    let claim = flows_claim.map(|claim| ("FlowsClaim", claim.to_owned()));
    issuer.into_iter().chain(claim).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Starts the issuer. It uses the stack's clock and offers every scope that a route requires.
pub(crate) fn serve(
    issuer: IssuerListener,
    template: &Template,
    flows_claim: Option<String>,
    clock: Clock,
) -> TestIssuer {
    let mut scopes = BTreeSet::new();
    for route in &template.routes {
        if let Authorization::Jwt { scopes: required, .. } = &route.authorization {
            scopes.extend(required.iter().cloned());
        }
    }
    let scopes = scopes.into_iter().collect();
    let settings = Settings { client_id: CLIENT_ID.into(), audience: AUDIENCE.into(), scopes, flows_claim };
    issuer.serve(settings, move || clock.now())
}
