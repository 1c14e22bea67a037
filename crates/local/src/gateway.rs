//! The HTTP API on this machine: does what API Gateway does between a client and a function, with payload format 2.0.

mod caller;
mod claims;
mod keys;
mod request;
mod response;
mod routes;
mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use local_aws::Clock;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::lambda::{Lambda, MAX_PAYLOAD_BYTES};
use crate::template::{Authorization, Route, Template};
use caller::Caller;
use request::RoutedRequest;
use response::error_response;
use routes::Routes;
use tokens::TokenVerifier;

/// Bytes of a request body that API Gateway accepts.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// How long API Gateway waits for a function.
const MAX_INTEGRATION_TIME: Duration = Duration::from_secs(30);

/// Handles HTTP requests: finds the route, checks the caller and invokes the function.
pub(crate) struct Gateway {
    lambda: Arc<Lambda>,
    clock: Clock,
    account: String,
    routes: Routes,
    tokens: TokenVerifier,
}

impl Gateway {
    /// # Errors
    /// If the HTTP client for requests to issuers cannot be created.
    pub(crate) fn new(
        template: &Template,
        lambda: Arc<Lambda>,
        clock: Clock,
        account: &str,
    ) -> Result<Self, reqwest::Error> {
        let (routes, tokens) = (Routes::new(&template.routes), TokenVerifier::new()?);
        Ok(Self { lambda, clock, account: account.to_owned(), routes, tokens })
    }

    /// Serves requests on `listener` until the future is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let router = Router::new().fallback(handle).with_state(Arc::new(self));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(%error, "the HTTP API has ended");
        }
    }

    async fn handle(&self, client: SocketAddr, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let Some(matched) = self.routes.find(&head.method, head.uri.path()) else {
            return error_response(StatusCode::NOT_FOUND, "Not Found");
        };
        let caller = match self.caller(&head.headers, matched.route).await {
            Ok(caller) => caller,
            Err(denied) => return *denied,
        };
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
            return error_response(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let function = matched.route.function.clone();
        let request = RoutedRequest {
            id: Uuid::new_v4().to_string(),
            at: self.clock.now(),
            client,
            account: &self.account,
            caller,
            matched,
        };
        let event = Bytes::from(request.event(&head, &body).to_string());
        if event.len() > MAX_PAYLOAD_BYTES {
            return error_response(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        match tokio::time::timeout(MAX_INTEGRATION_TIME, self.lambda.invoke(&function, event)).await {
            Ok(Ok(Ok(output))) => response::parse(&output).unwrap_or_else(|error| {
                tracing::error!(function, %error, "the function's response is not an HTTP response");
                error_response(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }),
            Ok(Ok(Err(_)) | Err(_)) => error_response(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Err(_) => error_response(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

impl Gateway {
    /// The caller of the route, or the response that denies the request.
    async fn caller(&self, headers: &HeaderMap, route: &Route) -> Result<Caller, Box<Response>> {
        match &route.authorization {
            Authorization::None => Ok(Caller::Anonymous),
            Authorization::Iam => Ok(Caller::Iam),
            Authorization::Jwt { authorizer, scopes } => {
                let verified = self.tokens.verify(headers, authorizer, scopes, self.clock.now()).await;
                verified.map(Caller::Bearer).map_err(|denied| Box::new(denied.response(scopes)))
            }
        }
    }
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    gateway.handle(client, request).await.into_response()
}
