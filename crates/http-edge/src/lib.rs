//! The HTTP edge: API Gateway's requests in, JSON and problem+json out. The only place that knows HTTP; it decides
//! nothing.

mod access;
mod act;
mod configure;
mod cursor;
mod fit;
mod list;
mod problem;
mod request;
mod respond;

pub use act::ActApi;
pub use configure::ConfigureApi;
pub use list::ListApi;
pub use respond::Response;

/// A request as API Gateway's HTTP API hands it to a function (payload format 2.0).
pub type Request = aws_lambda_events::apigw::ApiGatewayV2httpRequest;
