//! `GetCallerIdentity`, because tools ask who they are before they do anything.

use axum::http::StatusCode;
use axum::response::Response;

use super::respond;
use crate::names::ACCOUNT;

const XML: &str = "text/xml";

/// Answers the one operation of the query protocol that is served, and refuses the others.
pub(super) fn answer(form: &[u8]) -> Response {
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
             <Message>Served here: DynamoDB, SQS, EventBridge Scheduler and STS GetCallerIdentity.</Message></Error></ErrorResponse>",
        ),
    }
}
