//! The HTTP API on this machine: what API Gateway does between a client and a function, with payload format 2.0.

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

use crate::lambda::{Lambda, PAYLOAD_LIMIT};
use crate::template::{Authorization, Route, Template};
use caller::Caller;
use request::Arrival;
use response::message;
use routes::Routes;
use tokens::Tokens;

/// The largest body API Gateway takes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The longest API Gateway waits for a function.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// What answers HTTP requests.
pub(crate) struct Gateway {
    lambda: Arc<Lambda>,
    clock: Clock,
    account: String,
    routes: Routes,
    tokens: Tokens,
}

impl Gateway {
    /// # Errors
    /// When there is no HTTP client to ask issuers with.
    pub(crate) fn new(
        template: &Template,
        lambda: Arc<Lambda>,
        clock: Clock,
        account: &str,
    ) -> Result<Self, reqwest::Error> {
        let (routes, tokens) = (Routes::new(&template.routes), Tokens::new()?);
        Ok(Self { lambda, clock, account: account.to_owned(), routes, tokens })
    }

    /// Answers on `listener` until the future is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let router = Router::new().fallback(handle).with_state(Arc::new(self));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(%error, "the HTTP API has ended");
        }
    }

    async fn answer(&self, client: SocketAddr, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let Some(matched) = self.routes.find(&head.method, head.uri.path()) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let caller = match self.caller(&head.headers, matched.route).await {
            Ok(caller) => caller,
            Err(refusal) => return *refusal,
        };
        let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let function = matched.route.function.clone();
        let arrival = Arrival {
            id: Uuid::new_v4().to_string(),
            at: self.clock.now(),
            client,
            account: &self.account,
            caller,
            matched,
        };
        let event = Bytes::from(arrival.event(&head, &body).to_string());
        if event.len() > PAYLOAD_LIMIT {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        match tokio::time::timeout(INTEGRATION_LIMIT, self.lambda.invoke(&function, event)).await {
            Ok(Ok(Ok(answer))) => response::read(&answer).unwrap_or_else(|error| {
                tracing::error!(function, %error, "the answer is no HTTP response");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }),
            Ok(Ok(Err(_)) | Err(_)) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

impl Gateway {
    /// Who calls, or the answer to somebody who may not.
    async fn caller(&self, headers: &HeaderMap, route: &Route) -> Result<Caller, Box<Response>> {
        match &route.authorization {
            Authorization::None => Ok(Caller::Anybody),
            Authorization::Iam => Ok(Caller::Iam),
            Authorization::Jwt { authorizer, scopes } => {
                let judged = self.tokens.judge(headers, authorizer, scopes, self.clock.now()).await;
                judged.map(Caller::Token).map_err(|denied| Box::new(denied.response(scopes)))
            }
        }
    }
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    gateway.answer(client, request).await.into_response()
}
