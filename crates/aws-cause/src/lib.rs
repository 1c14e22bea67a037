//! Formats the error of an AWS call in one line, without payload data. The SDK's own debug text contains requests and
//! responses with their payloads, which must never reach a log.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The longest text that `cause` returns, in characters. Longer texts are cut off.
const MAX_CHARS: usize = 500;

/// Returns the code and message of the service's error. Without a response from the service, returns the chain of causes.
#[must_use]
pub fn cause<E, R>(error: &SdkError<E, R>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    let text = match error.as_service_error() {
        Some(service) => match (service.code(), service.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, _) => "the service answered with an error without a code".to_owned(),
        },
        None => chain(error),
    };
    text.chars().take(MAX_CHARS).collect()
}

fn chain<E, R>(error: &SdkError<E, R>) -> String
where
    E: Error + 'static,
    R: std::fmt::Debug,
{
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
