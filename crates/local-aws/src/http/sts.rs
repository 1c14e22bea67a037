//! STS `GetCallerIdentity`, which many tools call first.

use axum::http::StatusCode;
use axum::response::Response;

use super::endpoint::respond;
use crate::names::ACCOUNT;

const XML: &str = "text/xml";

/// Handles `GetCallerIdentity` and refuses all other operations.
pub(super) fn handle(form: &[u8]) -> Response {
    let form = String::from_utf8_lossy(form);
    let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
    match action {
        Some("GetCallerIdentity") => {
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId><Account>{ACCOUNT}</Account>\
                 </GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId>\
                 </ResponseMetadata></GetCallerIdentityResponse>"
            );
            respond(StatusCode::OK, XML, body)
        }
        _ => respond(
            StatusCode::BAD_REQUEST,
            XML,
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>\
             <Message>This endpoint supports DynamoDB, SQS, EventBridge Scheduler and STS GetCallerIdentity.</Message></Error></ErrorResponse>",
        ),
    }
}
